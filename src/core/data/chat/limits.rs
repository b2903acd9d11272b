//! What a chat template may take: a bound on its source, its steps, its memory and its time. Knows no messages.
//!
//! A template is a program from a stranger. Its source is scanned before it is compiled, since the compiler goes down
//! into every expression; steps are counted by the interpreter; memory and time are kept by the [fence](super::fence).

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow, bail, ensure};

use super::fence::{self, Bounds, Stopped};

/// Bytes of a template's source. The longest that models ship have some 30,000.
const SOURCE_BYTES: usize = 256 << 10;
/// Words and signs in one tag, outside of quotes. The longest that models ship have some hundred.
const TAG_PARTS: usize = 4096;
/// Steps of the interpreter for any conversation, and more for what there is to show. A turn takes some hundred.
const STEPS: u64 = 1_000_000;
const STEPS_PER_TURN: u64 = 5_000;
const STEPS_PER_BYTE: u64 = 4;
/// Bytes that a rendering holds at once, and more for each byte of the conversation.
const MEMORY: usize = 192_000_000;
const MEMORY_PER_BYTE: usize = 16;
/// Bytes that a rendering has for any conversation, and more for what there is to show. All of it is cut into tokens.
const OUTPUT: usize = 1 << 20;
const OUTPUT_PER_TURN: usize = 4096;
const OUTPUT_PER_BYTE: usize = 16;
const TIME: Duration = Duration::from_secs(3);
/// A run that takes so long is slow; all slow runs of a template together may take `TIME`.
const SLOW: Duration = Duration::from_millis(800);
/// Characters of a template's own words in an error.
const WORDS: usize = 300;

/// Steps for a conversation.
pub(super) const fn steps(turns: usize, bytes: usize) -> u64 {
    STEPS + STEPS_PER_TURN * turns as u64 + STEPS_PER_BYTE * bytes as u64
}

/// A rendering as far as it is written, and how long it may become for a conversation.
pub(super) struct Rendering {
    text: Vec<u8>,
    most: usize,
}

impl Rendering {
    pub(super) const fn new(turns: usize, bytes: usize) -> Self {
        Self { text: Vec::new(), most: OUTPUT + OUTPUT_PER_TURN * turns + OUTPUT_PER_BYTE * bytes }
    }

    /// # Errors
    /// Where it isn't UTF-8.
    pub(super) fn text(self) -> Result<String> {
        Ok(String::from_utf8(self.text)?)
    }
}

impl Write for Rendering {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.text.len() + bytes.len() > self.most {
            let told = format!("it writes more than {} bytes, too many for what is said", self.most);
            return Err(io::Error::other(told));
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs what a template does with `bytes` bytes of conversation. A template that was stopped once isn't run again.
///
/// # Errors
/// Where it takes too much, or the program itself fails.
pub(super) fn run<T: Send + 'static>(
    template: u64,
    bytes: usize,
    program: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    if let Some(told) = stopped().get(&template) {
        bail!("{told}");
    }
    // A second for each 4 MB: long conversations take their time.
    let long = Duration::from_secs(bytes as u64 / 4_000_000);
    let bounds = Bounds { bytes: MEMORY + MEMORY_PER_BYTE * bytes, time: TIME + long };
    let stop = |why: Stopped| {
        let told =
            format!("the model's chat template {why}, and was stopped; give the model another template");
        stopped().insert(template, told.clone());
        Err(anyhow!(told))
    };
    match fence::run(bounds, program) {
        Ok((outcome, took)) if took < SLOW + long => outcome,
        Ok((outcome, took)) => {
            if slow(template, took.saturating_sub(long)) > TIME {
                return stop(Stopped::Time(TIME));
            }
            outcome
        }
        Err(why) => stop(why),
    }
}

/// Adds a slow run of a template; returns what its slow runs took together.
fn slow(template: u64, took: Duration) -> Duration {
    static SLOW_RUNS: Mutex<BTreeMap<u64, Duration>> = Mutex::new(BTreeMap::new());
    let mut runs = SLOW_RUNS.lock().unwrap_or_else(PoisonError::into_inner);
    let all = runs.entry(template).or_default();
    *all += took;
    *all
}

/// Why templates were stopped in this process, by [`name`].
fn stopped() -> MutexGuard<'static, BTreeMap<u64, String>> {
    static STOPPED: Mutex<BTreeMap<u64, String>> = Mutex::new(BTreeMap::new());
    STOPPED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a template is known by while the process runs.
pub(super) fn name(source: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    source.hash(&mut hasher);
    hasher.finish()
}

/// Refuses a source that the compiler can't take.
///
/// # Errors
/// Where it is too long, or a tag of it is.
pub(super) fn check_source(source: &str) -> Result<()> {
    ensure!(
        source.len() <= SOURCE_BYTES,
        "the model's chat template has {} bytes, and Dojo takes up to {SOURCE_BYTES}",
        source.len()
    );
    let mut rest = source;
    while let Some(at) = rest.find('{') {
        let tag = rest.get(at + 1..).unwrap_or_default();
        rest = match tag.as_bytes().first() {
            Some(b'#') => tag.find("#}").and_then(|end| tag.get(end + 2..)).unwrap_or_default(),
            Some(b'%' | b'{') => {
                let (parts, bytes) = tag_parts(tag);
                ensure!(
                    parts <= TAG_PARTS,
                    "line {} of the model's chat template has an expression of more than {TAG_PARTS} parts, and Dojo \
                     takes no longer ones",
                    source.get(..source.len() - tag.len()).unwrap_or_default().matches('\n').count() + 1
                );
                tag.get(bytes..).unwrap_or_default()
            }
            _ => tag,
        };
    }
    Ok(())
}

/// Words and signs of a tag that begins here, and its bytes.
fn tag_parts(tag: &str) -> (usize, usize) {
    let close = if tag.starts_with('%') { "%}" } else { "}}" };
    let (mut parts, mut quote, mut escaped, mut in_word) = (0, None, false, false);
    for (at, sign) in tag.char_indices().skip(1) {
        if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if sign == '\\' {
                escaped = true;
            } else if sign == open {
                quote = None;
            }
            continue;
        }
        if tag.get(at..).is_some_and(|rest| rest.starts_with(close)) {
            return (parts, at + close.len());
        }
        let word = sign.is_alphanumeric() || sign == '_';
        parts += usize::from(!(sign.is_whitespace() || word && in_word));
        in_word = word;
        quote = matches!(sign, '"' | '\'').then_some(sign);
    }
    (parts, tag.len())
}

/// A template's own words, fit for a sentence: not too long, and without signs that a terminal obeys.
pub(super) fn words(text: &str) -> String {
    let mut words: String =
        text.chars().take(WORDS).map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    if text.chars().nth(WORDS).is_some() {
        words.push_str(" ...");
    }
    words
}
