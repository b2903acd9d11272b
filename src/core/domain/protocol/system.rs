//! What belongs to no area: the clock, the machine, jobs, notices, the log, settings.

use std::path::PathBuf;

use crate::domain::secret;
use crate::domain::settings::Settings;

/// Asked of the worker.
#[derive(Debug, Clone, PartialEq)]
pub enum SystemCommand {
    StopJob(JobId),
    /// Keep this theme.
    SaveTheme(String),
}

/// Has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum SystemEvent {
    /// A second has passed: seconds since 1970.
    ClockTicked(f64),
    MachineRead(Machine),
    JobStarted(Job),
    JobMoved(JobId, Progress),
    /// It goes on until it can stop.
    JobAskedToStop(JobId),
    JobEnded(JobId, JobEnd),
    Notified(Notice),
    Logged(LogLine),
    SettingsRead(Settings),
    PlacesRead(StudioPaths),
}

/// Where models are computed, and what is free there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Machine {
    /// `cpu`, `cuda:0`, `metal`.
    pub device: String,
    pub memory_used_bytes: u64,
    pub memory_total_bytes: u64,
}

/// Where files go, to tell people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StudioPaths {
    pub sessions: PathBuf,
    pub models: PathBuf,
    pub settings: PathBuf,
    /// The program's log file.
    pub log: PathBuf,
}

/// Something that takes a while, shown in the jobs drawer.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    pub id: JobId,
    /// What it does, with its object: `pull smollm2-135m`.
    pub what: String,
    pub progress: Progress,
    /// Seconds since 1970.
    pub started: f64,
    pub on_quit: OnQuit,
    /// The time that a session was opened in which it was begun: none where it is nobody's.
    pub opening: Option<u64>,
}

/// Names a job for as long as the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// Whether a person is asked before the program ends in the middle of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnQuit {
    Ask,
    /// Nothing is lost: it changes nothing, or is done anew by itself at the next start.
    LetEnd,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    pub done: u64,
    /// Not known for some.
    pub total: Option<u64>,
    pub unit: Unit,
    /// What it is at, in a few words.
    pub note: String,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    #[default]
    Items,
    Bytes,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    Done,
    Stopped,
    /// One sentence: what went wrong and what to do.
    Failed(String),
}

/// Said to the person in a corner of the screen, and kept in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub level: Level,
    pub text: String,
}

impl Notice {
    pub fn new(level: Level, text: impl Into<String>) -> Self {
        Self { level, text: secret::clean(&text.into()) }
    }
}

/// How much something matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Info,
    Good,
    Warning,
    Error,
}

/// One line of the program's own log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// Seconds since 1970.
    pub time: f64,
    pub level: Level,
    pub text: String,
}
