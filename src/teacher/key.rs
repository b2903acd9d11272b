//! A key that can't be printed.

use std::fmt;
use std::io::Read;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::AskError;
use crate::domain::secret;
use crate::domain::teacher::TeacherSettings;
use crate::ground::percent::decoded;
use crate::ground::process::ended_within;

/// A teacher's key.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// From the environment variable that the settings name, else from the system's keyring or the command that they
    /// name; none where they name nothing.
    ///
    /// # Errors
    /// Where there is none, or it holds what no header can.
    pub fn of(teacher: &str, settings: &TeacherSettings) -> Result<Option<Self>, AskError> {
        Self::of_within(teacher, settings, PATIENCE)
    }

    /// As [`ApiKey::of`], where a command has so long to say the key.
    ///
    /// # Errors
    /// As there.
    pub fn of_within(
        teacher: &str,
        settings: &TeacherSettings,
        patience: Duration,
    ) -> Result<Option<Self>, AskError> {
        if settings.misplaces_key() {
            return Err(AskError::KeyInSettings { teacher: teacher.to_owned() });
        }
        if let Some(variable) = &settings.key_env
            && let Some(key) = std::env::var(variable).ok().and_then(|key| usable(&key))
        {
            return Ok(Some(key));
        }
        if let Some(command) = command(teacher, settings) {
            return asked(teacher, settings, &command, patience).map(Some);
        }
        match &settings.key_env {
            Some(variable) => {
                Err(AskError::KeyMissing { teacher: teacher.to_owned(), variable: variable.clone() })
            }
            None => Ok(None),
        }
    }

    /// For the header, and nothing else.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    /// A text without the key or a part of it, should an endpoint repeat it, in whatever spelling.
    pub(super) fn hide_in(&self, text: &str) -> String {
        let hidden = secret::without(text, &self.0);
        spellings(&self.0).iter().fold(hidden, |text, spelling| secret::without_runs(&text, spelling))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Key(***)")
    }
}

/// Keys that are within an address: its password and how that is sent, and what has the form of a key in its path and
/// after its `?`. An endpoint may repeat them too.
pub(super) fn of_address(address: &str) -> Vec<ApiKey> {
    /// A shorter value is a word, which many texts have.
    const SHORTEST: usize = 8;
    let Ok(url) = reqwest::Url::parse(address) else { return Vec::new() };
    let name = decoded(url.username());
    let mut keys: Vec<String> = url.password().map(decoded).into_iter().collect();
    if let Some(password) = keys.first() {
        keys.push(STANDARD.encode(format!("{name}:{password}")));
    } else if !name.is_empty() {
        keys.extend([STANDARD.encode(format!("{name}:")), name]);
    }
    // Others say a version, or a date.
    let is_key = |name: &str, value: &str| {
        let pair = format!("?{name}={value}");
        secret::mask(&pair) != pair || secret::is_key(value)
    };
    let pairs = url.query_pairs().filter(|(name, value)| is_key(name, value));
    keys.extend(pairs.map(|(_, value)| value.into_owned()));
    let parts = url.path_segments().into_iter().flatten().map(decoded);
    keys.extend(parts.filter(|part| secret::is_key(part)));
    keys.retain(|key| key.len() >= SHORTEST);
    // A shorter one within a longer one would leave its ends.
    keys.sort_by_key(|key| std::cmp::Reverse(key.len()));
    keys.into_iter().map(ApiKey).collect()
}

/// A secret key backwards, in hexadecimal digits, and in base64, whatever is encoded before it.
fn spellings(key: &str) -> Vec<String> {
    if !secret::is_secret(key) {
        return Vec::new();
    }
    let hex = key.bytes().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let mut all = vec![key.chars().rev().collect(), hex.to_uppercase(), hex];
    for before in 0..3 {
        let bytes = [vec![0; before], key.as_bytes().to_vec()].concat();
        // Without what depends on what is before and after it.
        let whole = bytes.get(..bytes.len() / 3 * 3).unwrap_or_default();
        let encoded = STANDARD.encode(whole).split_off(if before == 0 { 0 } else { before + 1 });
        all.extend([encoded.replace('+', "-").replace('/', "_"), encoded]);
    }
    all
}

/// A key as a header can hold it.
fn usable(key: &str) -> Option<ApiKey> {
    let key = key.trim();
    let fits = !key.is_empty() && key.chars().all(|letter| letter.is_ascii_graphic());
    fits.then(|| {
        secret::remember(key);
        ApiKey(key.to_owned())
    })
}

/// Where a teacher's key is looked for, in words.
pub(super) fn place(teacher: &str, settings: &TeacherSettings) -> String {
    // What a person wrote there isn't repeated: it may be a key, or hold one.
    let command = command(teacher, settings).map(|command| {
        let own = !settings.key_command.is_empty();
        if own {
            "what key_command in settings.toml says".to_owned()
        } else {
            format!("what {} says", command.join(" "))
        }
    });
    match (&settings.key_env, command) {
        (Some(variable), None) => format!("the environment variable {variable}"),
        (Some(variable), Some(command)) => format!("the environment variable {variable}, then {command}"),
        (None, Some(command)) => command,
        (None, None) => "key_env in settings.toml".to_owned(),
    }
}

/// The command that says the key: the settings' own, or that of the system's keyring. The keyrings are asked by the
/// programs that come with them, so that Dojo links against no system library and never writes a key itself.
fn command(teacher: &str, settings: &TeacherSettings) -> Option<Vec<String>> {
    if !settings.key_command.is_empty() {
        return Some(settings.key_command.clone());
    }
    let of = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    match (settings.key_ring, cfg!(target_os = "macos")) {
        (false, _) => None,
        (true, true) => of(&["security", "find-generic-password", "-s", "dojo", "-a", teacher, "-w"]),
        (true, false) => of(&["secret-tool", "lookup", "service", "dojo", "teacher", teacher]),
    }
}

fn asked(
    teacher: &str,
    settings: &TeacherSettings,
    command: &[String],
    patience: Duration,
) -> Result<ApiKey, AskError> {
    let none = |why: String| AskError::NoKeyThere {
        teacher: teacher.to_owned(),
        place: place(teacher, settings),
        why,
        what: if settings.key_command.is_empty() {
            put_there(teacher)
        } else {
            "check key_command".to_owned()
        },
    };
    let Some((program, arguments)) = command.split_first() else { return Err(none("no command".to_owned())) };
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| none(format!("its program can't be run: {error}")))?;
    let waits = || {
        let seconds = patience.as_secs_f32().ceil();
        tell(&format!(
            "the key of teacher {teacher} is waited for, up to {seconds} s: {} has not said it yet",
            place(teacher, settings)
        ));
    };
    let (status, said) = output(child, patience, &waits).map_err(none)?;
    if !status.success() {
        return Err(none(status.to_string()));
    }
    // What it said is a secret: an error doesn't repeat it.
    usable(&String::from_utf8_lossy(&said)).ok_or_else(|| none("it says no key".to_owned()))
}

/// A keyring may ask a person to unlock it.
const PATIENCE: Duration = Duration::from_secs(60);
/// A key is shorter.
const LONGEST: u64 = 64 << 10;
/// It comes in few parts.
const PARTS: usize = 1024;

/// After so long, whoever waits is told for what.
const SILENT: Duration = Duration::from_secs(3);

/// Who is told; the log, if nobody else is.
static TOLD: OnceLock<fn(&str)> = OnceLock::new();

/// Has it told by `tell` that a key takes long, from now on.
pub fn tell_of_waits(tell: fn(&str)) {
    TOLD.set(tell).ok();
}

fn tell(sentence: &str) {
    if let Some(tell) = TOLD.get() {
        tell(sentence);
    } else {
        tracing::warn!("{sentence}");
    }
}

/// After a command's end: what it started may hold its output open, for as long as that runs.
const AFTER_ITS_END: Duration = Duration::from_millis(300);

/// What a command says, and how it ended; one that takes too long is killed, after a word by `waits`.
fn output(mut child: Child, patience: Duration, waits: &dyn Fn()) -> Result<(ExitStatus, Vec<u8>), String> {
    let said = child.stdout.take().map(listen);
    let mut silent = Some(SILENT.min(patience / 2));
    let looked = |since: Duration| {
        if silent.take_if(|silent| since >= *silent).is_some() {
            waits();
        }
    };
    let status = ended_within(&mut child, patience, looked).map_err(|error| error.to_string())?;
    let status = status.ok_or_else(|| format!("it didn't end within {} s", patience.as_secs_f32().ceil()))?;
    let ended = Instant::now();
    let mut text = Vec::new();
    let parts = said.into_iter().flat_map(|said| {
        std::iter::from_fn(move || said.recv_timeout(AFTER_ITS_END.saturating_sub(ended.elapsed())).ok())
    });
    for part in parts {
        text.extend(part.map_err(|error| error.to_string())?);
    }
    Ok((status, text))
}

/// What comes out of a pipe, in parts. Whatever a command started may hold it open: nobody waits for this thread.
fn listen(pipe: ChildStdout) -> mpsc::Receiver<std::io::Result<Vec<u8>>> {
    let (say, said) = mpsc::sync_channel(PARTS);
    std::thread::spawn(move || {
        let mut pipe = pipe.take(LONGEST);
        loop {
            let mut part = vec![0; 1024];
            let read = pipe.read(&mut part);
            let ends = !matches!(read, Ok(1..));
            part.truncate(*read.as_ref().unwrap_or(&0));
            if say.send(read.map(|_| part)).is_err() || ends {
                return;
            }
        }
    });
    said
}

/// How a person puts the key where it is looked for.
fn put_there(teacher: &str) -> String {
    if cfg!(target_os = "macos") {
        format!("put it there with `security add-generic-password -s dojo -a {teacher} -w`")
    } else {
        format!(
            "put it there with `secret-tool store --label 'dojo {teacher}' service dojo teacher {teacher}`"
        )
    }
}
