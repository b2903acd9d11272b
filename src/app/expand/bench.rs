//! `dojo bench expand`: what an example costs beside its teacher's time, what memory does meanwhile, whether a second run
//! pays for anything, and how long the comparison with many records takes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    ExampleWriter, ExpandOptions, ExpandPart, ExpandSummary, ExpandWatch, NamedBlueprint, expand, find,
};
use crate::app::review::Dry;
use crate::app::review::bench::{endpoint, megabytes};
use crate::config::Folders;
use crate::data::check::NearIndex;
use crate::domain::record::RecordId;
use crate::domain::teacher::TeacherSettings;
use crate::ground::random::SplitMix64;
use crate::session::Session;
use crate::teacher::Speaker;
use crate::teacher::budget::Budget;
use crate::teacher::cache::AnswerCache;
use crate::teacher::client::Teacher;
use crate::teacher::clock::MachineClock;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ExpandFigures {
    pub examples: u64,
    pub kept: u64,
    /// By the clock, the endpoint's own work on the same machine among them.
    pub milliseconds_an_example: f64,
    /// Resident memory of the whole program, the endpoint included, after a fifth of the examples and at the end.
    pub early_megabytes: f64,
    pub late_megabytes: f64,
    /// Answers that the same expansion paid for when it was undone and run again.
    pub paid_again: u64,
    pub again_from_kept_answers: u64,
    /// Records in the index of near-duplicates, and what one text takes to be looked up among them.
    pub compared_with: u64,
    pub index_seconds: f64,
    pub lookup_milliseconds: f64,
    pub longest_lookup_milliseconds: f64,
}

/// Texts that are looked up.
const LOOKUPS: u64 = 1_000;
/// Words of a text that is looked up: a usual answer.
const ANSWER_WORDS: usize = 180;

/// Expands the DevOps blueprint into a session in `home`, and compares texts with `records` of them.
///
/// # Errors
/// Where no port is free, the session can't be written, or an example is not written.
pub fn measure(home: &Path, examples: u64, records: u64) -> Result<ExpandFigures> {
    let folders = Folders::under(home);
    let number = Arc::new(AtomicU64::new(0));
    let address = endpoint(Duration::ZERO, move |body| {
        example(body, number.fetch_add(1, Ordering::Relaxed)).to_string()
    })?;
    let text = format!("base_url = \"http://{address}/v1\"\nmodel = \"bench\"\nconcurrency = 8\n");
    let settings: TeacherSettings = toml::from_str(&text).context("settings of the endpoint")?;
    let folder = home.join("session");
    let mut session = Session::create(&folder).context("make a session")?;
    let named = find("devops")?;
    let begun = Instant::now();
    let mut early = 0.0;
    let first = run(&folders, &mut session, &named, &teacher(&settings, &folder)?, examples, &mut |done| {
        if done == examples.div_ceil(5) {
            early = megabytes();
        }
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let late = megabytes();
    ensure!(first.job.cut.is_none(), "the endpoint stopped answering: {:?}", first.job.cut);
    session.undo().context("undo the expansion")?;
    let again = run(&folders, &mut session, &named, &teacher(&settings, &folder)?, examples, &mut |_| {})?;
    let (index_seconds, lookup, longest) = lookups(records);
    Ok(ExpandFigures {
        examples,
        kept: first.job.kept,
        milliseconds_an_example: seconds * 1e3 / examples.max(1) as f64,
        early_megabytes: early,
        late_megabytes: late,
        paid_again: again.job.answers,
        again_from_kept_answers: again.job.from_cache,
        compared_with: records,
        index_seconds,
        lookup_milliseconds: lookup * 1e3,
        longest_lookup_milliseconds: longest * 1e3,
    })
}

/// A client of its own for each run, as each process has.
fn teacher(settings: &TeacherSettings, folder: &Path) -> Result<Teacher> {
    let cache = Arc::new(AnswerCache::open(folder).context("make a cache")?);
    let clock = Arc::new(MachineClock::default());
    Ok(Teacher::new("bench", settings.clone(), None, cache, Budget::default(), clock)?)
}

fn run(
    folders: &Folders,
    session: &mut Session,
    named: &NamedBlueprint,
    teacher: &Teacher,
    examples: u64,
    done: &mut dyn FnMut(u64),
) -> Result<ExpandSummary> {
    let speaker: &dyn Speaker = teacher;
    let writer = ExampleWriter { speaker, terms: "our own".to_owned(), judge: None };
    let options = ExpandOptions {
        count: Some(examples),
        part: ExpandPart::Plan,
        gate: None,
        budget: Budget::default(),
        max_tokens: None,
        temperature: 0.8,
        dry: Dry::Run,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stop = AtomicBool::new(false);
    let mut planned = |_: &ExpandSummary| {};
    let mut progress = |progress: crate::app::review::JobProgress| done(progress.done);
    let watch = ExpandWatch { stop: &stop, planned: &mut planned, progress: &mut progress };
    let job = expand(folders, session, named, &writer, &options, watch);
    runtime.block_on(job)
}

/// An answer in the form that the request's schema asks for, of words that no other has in this order.
fn example(body: &Value, number: u64) -> Value {
    let properties =
        body.pointer("/response_format/json_schema/schema/properties").and_then(Value::as_object);
    let mut random = SplitMix64::new(number);
    let keys: Vec<&String> = properties.map(|properties| properties.keys().collect()).unwrap_or_default();
    let each = ANSWER_WORDS / keys.len().max(1);
    let part = |key: &&String| ((*key).clone(), json!(sentences(&mut random, each)));
    Value::Object(keys.iter().map(part).collect::<Map<_, _>>())
}

/// Plain English words.
const WORDS: &str = "the server keeps its state while a client waits for the answer because every change has to be \
                     written before it is shown and a small step is easier to take back than a large one when the \
                     network fails or a person makes a mistake so the team looks at what was measured and asks which \
                     cause explains all of it and what would be seen if it were another";

fn sentences(random: &mut SplitMix64, words: usize) -> String {
    let all: Vec<&str> = WORDS.split_whitespace().collect();
    let mut word = || {
        let at = (random.next() % all.len() as u64) as usize;
        all.get(at).copied().unwrap_or("word")
    };
    (0..words).map(|_| word()).collect::<Vec<_>>().join(" ")
}

/// Seconds to put the records in, the mean of a lookup, and the longest.
fn lookups(records: u64) -> (f64, f64, f64) {
    let begun = Instant::now();
    let mut index = NearIndex::new(0.8);
    let numbers: Vec<u64> = (0..records).collect();
    for page in numbers.chunks(4096) {
        let text = |number: &u64| {
            (RecordId(*number as i64 + 1), sentences(&mut SplitMix64::new(1 << 40 | number), ANSWER_WORDS))
        };
        index.add_all(&page.iter().map(text).collect::<Vec<_>>());
    }
    let built = begun.elapsed().as_secs_f64();
    let (mut sum, mut longest) = (0.0_f64, 0.0_f64);
    for number in 0..LOOKUPS {
        let text = sentences(&mut SplitMix64::new(1 << 50 | number), ANSWER_WORDS);
        let begun = Instant::now();
        let found = index.find(&text);
        let took = begun.elapsed().as_secs_f64();
        // A new text is put in, as it is when it is kept.
        if found.is_none() {
            index.add(RecordId(0), &text);
        }
        (sum, longest) = (sum + took, longest.max(took));
    }
    (built, sum / LOOKUPS as f64, longest)
}
