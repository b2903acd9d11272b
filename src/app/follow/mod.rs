//! Follows run folders by looking at them, and says what has changed. The run is another process, maybe on another
//! machine with a shared disk: nothing is asked of it, and nothing is written.
//!
//! One pass ([`Follower::pass`]) reads at most a few megabytes of each watched run and says when to come back, so a
//! file of a million lines arrives in pieces while everything else goes on.

mod life;
mod number;
mod pieces;
mod scan;
mod seen;
mod tail;
pub mod told;
mod watched;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

pub use self::scan::Scanner;
pub use self::tail::Tail;

use self::life::Pulse;
use self::tail::Stamp;
use self::watched::Watched;
use crate::app::lost;
use crate::app::runs::is_hidden;
use crate::domain::protocol::RunsEvent;
use crate::domain::run::RunState;
use crate::domain::run_info::{Life, Notes, RunId, RunInfo, RunOrigin};
use crate::ground::{clock, thread};
use crate::session::SEEN_FILE;

/// Runs that are listed of one folder, at most: those whose names come last, which are the newest.
pub const RUNS_LISTED: usize = 2_000;
/// Runs whose values are read, at most; further ones asked for are left out.
pub const RUNS_WATCHED: usize = 62;

/// A run that has ended and is not watched is looked at this seldom.
const CALM_SECONDS: f64 = 4.0;
/// A file of a run that is read whole may have so many bytes; `recipe.toml` and `notes.toml` are far below.
const SMALL_FILE_BYTES: u64 = 1 << 20;

/// Looks at run folders.
pub struct Follower {
    roots: Vec<(RunOrigin, PathBuf)>,
    runs: BTreeMap<RunId, Followed>,
    watched: BTreeMap<RunId, Watched>,
    /// This machine's name.
    host: String,
    /// Seconds since 1970 of the last look for new folders.
    listed: f64,
}

struct Followed {
    info: RunInfo,
    /// Whether the studio was told of what `info` says.
    told: bool,
    state: Option<Stamp>,
    recipe: Option<Stamp>,
    notes: Option<Stamp>,
    /// The note of what it sees, and that in words.
    seen: (Option<Stamp>, Option<String>),
    pulse: Pulse,
    /// Seconds since 1970 of the last look.
    looked: f64,
}

/// When to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NextLook {
    /// There is more to read at once.
    Now,
    /// A watched run lives.
    Soon,
    /// Nothing that is shown is changing.
    Later,
}

impl NextLook {
    /// The pause until the next pass.
    #[must_use]
    pub const fn pause(self) -> Duration {
        match self {
            Self::Now => Duration::ZERO,
            Self::Soon => Duration::from_millis(250),
            Self::Later => Duration::from_secs(1),
        }
    }
}

impl Follower {
    pub fn new(roots: Vec<(RunOrigin, PathBuf)>) -> Self {
        Self {
            roots,
            runs: BTreeMap::new(),
            watched: BTreeMap::new(),
            host: crate::ground::process::host_name(),
            listed: f64::NEG_INFINITY,
        }
    }

    /// Reads the values of these runs from now on, and of no others. At most [`RUNS_WATCHED`].
    pub fn watch(&mut self, runs: &[RunId], emit: &mut dyn FnMut(RunsEvent)) {
        let wanted = runs.get(..runs.len().min(RUNS_WATCHED)).unwrap_or_default();
        self.watched.retain(|id, _| wanted.contains(id));
        for id in wanted {
            self.watched.entry(id.clone()).or_insert_with(|| Watched::new(id.clone()));
        }
        emit(RunsEvent::Watched(wanted.to_vec()));
    }

    /// Reads the values between two steps, both included, of a watched run. What can't be read right now is not told.
    pub fn detail(&self, run: &RunId, steps: (u32, u32), emit: &mut dyn FnMut(RunsEvent)) {
        if let Some(lines) = self.watched.get(run).and_then(|watched| watched.detail(steps)) {
            emit(RunsEvent::DetailRead(run.clone(), steps, Arc::new(lines)));
        }
    }

    /// Has the next pass look at every run, however calm it is: something was just done to one.
    pub fn look_again(&mut self) {
        self.listed = f64::NEG_INFINITY;
        self.runs.values_mut().for_each(|run| run.looked = f64::NEG_INFINITY);
    }

    /// One look at everything. `now` is in seconds since 1970.
    pub fn pass(&mut self, now: f64, emit: &mut dyn FnMut(RunsEvent)) -> NextLook {
        if now - self.listed >= 1.0 || now < self.listed {
            self.listed = now;
            self.list(emit);
        }
        let mut pace = NextLook::Later;
        for (id, run) in &mut self.runs {
            let calm = !run.may_move() && !self.watched.contains_key(id);
            if calm && now - run.looked < CALM_SECONDS && now >= run.looked {
                continue;
            }
            run.looked = now;
            run.look(now, &self.host);
            if !run.told {
                run.told = true;
                emit(RunsEvent::Seen(Arc::new(run.info.clone())));
            }
            if run.info.standing().is_live() && self.watched.contains_key(id) {
                pace = pace.min(NextLook::Soon);
            }
        }
        for watched in self.watched.values_mut() {
            pace = pace.min(watched.look(emit));
        }
        pace
    }

    /// Finds new folders and lets go of those that are gone.
    fn list(&mut self, emit: &mut dyn FnMut(RunsEvent)) {
        let mut there: Vec<(RunId, RunOrigin)> = Vec::new();
        for (origin, root) in &self.roots {
            there.extend(run_folders(root).into_iter().map(|folder| (RunId::new(folder), *origin)));
        }
        let gone: Vec<RunId> =
            self.runs.keys().filter(|id| !there.iter().any(|(known, _)| known == *id)).cloned().collect();
        for id in gone {
            self.runs.remove(&id);
            self.watched.remove(&id);
            emit(RunsEvent::Removed(id));
        }
        for (id, origin) in there {
            self.runs.entry(id.clone()).or_insert_with(|| Followed::new(id, origin));
        }
    }
}

/// Folders that hold a run: a state or a recipe is there.
fn run_folders(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(root) else { return Vec::new() };
    let is_run = |folder: &PathBuf| folder.join("state.json").exists() || folder.join("recipe.toml").exists();
    let mut folders: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() && !is_hidden(path))
        .filter(is_run)
        .collect();
    folders.sort_unstable_by(|a, b| b.cmp(a));
    folders.truncate(RUNS_LISTED);
    folders
}

impl Followed {
    fn new(id: RunId, origin: RunOrigin) -> Self {
        let info = RunInfo {
            id,
            origin,
            state: None,
            life: Life::Sound,
            settings: BTreeMap::new(),
            notes: Notes::default(),
            problem: None,
        };
        let looked = f64::NEG_INFINITY;
        let (seen, pulse) = ((None, None), Pulse::default());
        Self { info, told: false, state: None, recipe: None, notes: None, seen, pulse, looked }
    }

    /// Whether its state may change at any time; that of a crashed run does when it is resumed.
    fn may_move(&self) -> bool {
        self.info.state.as_ref().is_none_or(|state| state.phase.is_live())
    }

    fn look(&mut self, now: f64, host: &str) {
        let files = self.info.id.files();
        let mut problem = None;
        if let Some(text) = changed(&files.state(), &mut self.state) {
            self.told = false;
            match text
                .and_then(|text| serde_json::from_str::<RunState>(&text).map_err(|error| error.to_string()))
            {
                Ok(state) => self.info.state = Some(state),
                Err(why) => problem = Some(format!("state.json: {why}")),
            }
            self.info.problem = problem;
        }
        if self.info.state.is_none()
            && let Some(state) = lost::state_of(&files)
        {
            self.told = false;
            self.info.state = Some(state);
        }
        if let Some(text) = changed(&files.recipe(), &mut self.recipe) {
            self.told = false;
            match text.and_then(|text| {
                toml::from_str::<toml::Table>(&text).map_err(|error| error.message().to_owned())
            }) {
                Ok(table) => self.info.settings = flat(&table),
                Err(why) => self.info.problem = Some(format!("recipe.toml: {why}")),
            }
        }
        self.look_at_data(&files.path().join(SEEN_FILE));
        if let Some(text) = changed(&files.path().join("notes.toml"), &mut self.notes) {
            self.told = false;
            match text.and_then(|text| toml::from_str(&text).map_err(|error| error.message().to_owned())) {
                Ok(notes) => self.info.notes = notes,
                Err(why) => self.info.problem = Some(format!("notes.toml: {why}")),
            }
        }
        let life =
            self.info.state.as_ref().map_or(Life::Sound, |state| self.pulse.life(&files, state, now, host));
        if life != self.info.life {
            self.info.life = life;
            self.told = false;
        }
    }
}

impl Followed {
    /// What it was trained on counts among what tells runs apart.
    fn look_at_data(&mut self, path: &Path) {
        let stamp = std::fs::metadata(path).ok().map(|metadata| Stamp::of(&metadata));
        if stamp.is_some() && stamp != self.seen.0 {
            self.seen = (stamp, seen::in_words(path).ok());
            self.info.settings.remove(seen::KEY);
            self.told = false;
        }
        if let Some(words) = &self.seen.1 {
            self.info.settings.entry(seen::KEY.to_owned()).or_insert_with(|| words.clone());
        }
    }
}

/// The text of a small file if it has changed since it was last read, or why it can't be read.
fn changed(path: &Path, stamp: &mut Option<Stamp>) -> Option<Result<String, String>> {
    let Ok(metadata) = std::fs::metadata(path) else {
        // A file that vanishes while it is replaced comes back; what was read stays.
        return None;
    };
    let new = Stamp::of(&metadata);
    if *stamp == Some(new) {
        return None;
    }
    *stamp = Some(new);
    if metadata.len() > SMALL_FILE_BYTES {
        return Some(Err(format!("has {} bytes, which is far too many", metadata.len())));
    }
    Some(std::fs::read_to_string(path).map_err(|error| error.to_string()))
}

/// A recipe's keys with their sections: `train.learning_rate`.
fn flat(table: &toml::Table) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    let mut open: Vec<(String, &toml::Table)> = vec![(String::new(), table)];
    while let Some((prefix, table)) = open.pop() {
        for (name, value) in table {
            let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            match value {
                toml::Value::Table(inner) => open.push((name, inner)),
                toml::Value::String(text) => drop(settings.insert(name, text.clone())),
                // A run of an earlier version has `32.0` where others have `32`: that is no difference.
                toml::Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
                    drop(settings.insert(name, format!("{number}")));
                }
                other => drop(settings.insert(name, other.to_string())),
            }
        }
    }
    settings
}

/// A follower in a thread of its own. It ends when this is dropped, or when nobody takes its events.
pub struct FollowerThread {
    requests: Sender<FollowRequest>,
}

enum FollowRequest {
    Watch(Vec<RunId>),
    Detail(RunId, (u32, u32)),
    Look,
}

impl FollowerThread {
    /// Starts to follow. `emit` may wait while the studio is busy, and says whether anybody still listens.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(
        roots: Vec<(RunOrigin, PathBuf)>,
        mut emit: impl FnMut(RunsEvent) -> Listening + Send + 'static,
    ) -> std::io::Result<Self> {
        let (requests, received) = thread::queue();
        let follow = move || follow(&mut Follower::new(roots), &received, &mut emit);
        std::thread::Builder::new().name("follower".to_owned()).spawn(follow)?;
        Ok(Self { requests })
    }

    /// See [`Follower::watch`].
    pub fn watch(&self, runs: Vec<RunId>) {
        // The thread is gone only when the studio is about to be.
        let _ = self.requests.send(FollowRequest::Watch(runs));
    }

    /// See [`Follower::detail`].
    pub fn detail(&self, run: RunId, steps: (u32, u32)) {
        let _ = self.requests.send(FollowRequest::Detail(run, steps));
    }

    /// Looks at once: something was just done to a run.
    pub fn look(&self) {
        let _ = self.requests.send(FollowRequest::Look);
    }
}

/// Whether events still find somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listening {
    Yes,
    No,
}

fn follow(
    follower: &mut Follower,
    requests: &Receiver<FollowRequest>,
    emit: &mut dyn FnMut(RunsEvent) -> Listening,
) {
    loop {
        let now = clock::now();
        let mut listening = Listening::Yes;
        let mut heard = |event| {
            if listening == Listening::Yes {
                listening = emit(event);
            }
        };
        let pace = follower.pass(now, &mut heard);
        match requests.recv_timeout(pace.pause()) {
            Ok(FollowRequest::Watch(runs)) => follower.watch(&runs, &mut heard),
            Ok(FollowRequest::Detail(run, steps)) => follower.detail(&run, steps, &mut heard),
            Ok(FollowRequest::Look) => follower.look_again(),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if listening == Listening::No {
            return;
        }
    }
}
