//! Events that fill a studio with something to show.

use std::collections::BTreeMap;
use std::sync::Arc;

use dojo_studio::domain::protocol::models::{ModelFile, ModelKind};
use dojo_studio::domain::protocol::system::{
    Job, JobEnd, JobId, Level, Notice, OnQuit, Progress, StudioPaths, Unit,
};
use dojo_studio::domain::protocol::{Event, ModelsEvent, RunsEvent, SessionsEvent, SystemEvent};
use dojo_studio::domain::run::{Phase, RunState};
use dojo_studio::domain::run_info::{Life, Notes, RunId, RunInfo, RunOrigin};
use dojo_studio::domain::session::{Begins, Download, SessionPlace, SessionSummary};

use super::harness::NOON;

pub(crate) fn places() -> Event {
    Event::System(SystemEvent::PlacesRead(StudioPaths {
        sessions: "data/sessions".into(),
        models: "cache/models".into(),
        settings: "settings".into(),
        log: "data/studio.log".into(),
    }))
}

/// The three samples, none of them opened yet.
pub(crate) fn samples() -> Event {
    let sample = |name: &str, about: &str, bytes| SessionSummary {
        name: name.into(),
        about: about.into(),
        place: SessionPlace::Sample,
        runs: 0,
        bytes,
        download: Download::Needed { model: "smollm2-135m".into(), bytes: Some(98_362_432) },
        begins: if name == "nli-reflection" { Begins::Review } else { Begins::Train },
    };
    Event::Sessions(SessionsEvent::Listed(vec![
        sample("first-principles", "126 explanations over 26 domains, in two forms.", 412_000),
        sample("nli-reflection", "109 premise and hypothesis pairs, 65 thoughts, 24 corrections.", 98_000),
        sample("query-expansion", "104 search queries, each expanded.", 77_000),
    ]))
}

/// One session of one's own with runs, one sample.
pub(crate) fn sessions() -> Event {
    let own = SessionSummary {
        name: "physics".into(),
        about: "What the lectures left out.".into(),
        place: SessionPlace::Folder("data/sessions/physics".into()),
        runs: 3,
        bytes: 0,
        download: Download::Here("smollm2-135m".into()),
        begins: Begins::Train,
    };
    let sample = SessionSummary {
        name: "query-expansion".into(),
        about: "104 search queries, each expanded.".into(),
        place: SessionPlace::Sample,
        runs: 0,
        bytes: 77_000,
        download: Download::Here("smollm2-135m".into()),
        begins: Begins::Train,
    };
    Event::Sessions(SessionsEvent::Listed(vec![own, sample]))
}

/// Sessions of one's own, by their names.
pub(crate) fn own_sessions(names: &[&str]) -> Event {
    let session = |name: &&str| SessionSummary {
        name: (*name).into(),
        about: String::new(),
        place: SessionPlace::Folder(format!("data/sessions/{name}").into()),
        runs: 0,
        bytes: 0,
        download: Download::Here("smollm2-135m".into()),
        begins: Begins::Data,
    };
    Event::Sessions(SessionsEvent::Listed(names.iter().map(session).collect()))
}

pub(crate) fn models() -> Event {
    let model = |name: &str, kind, bytes, note: &str| ModelFile {
        name: name.into(),
        kind,
        path: format!("cache/models/{name}").into(),
        bytes,
        note: note.into(),
    };
    Event::Models(ModelsEvent::Listed(vec![
        model("all-minilm-l6-v2", ModelKind::Base, 90_900_000, "safetensors"),
        model("smollm2-135m", ModelKind::Base, 98_362_432, "GGUF Q4_1"),
        model("sft-0412", ModelKind::Adapter, 19_500_000, "smollm2-135m · rank 16"),
    ]))
}

pub(crate) fn no_models() -> Event {
    Event::Models(ModelsEvent::Listed(Vec::new()))
}

/// A pull that is half done, and one that failed.
pub(crate) fn jobs() -> Vec<Event> {
    let job = |id, what: &str, done| Job {
        id: JobId(id),
        what: what.into(),
        progress: Progress {
            done,
            total: Some(98_362_432),
            unit: Unit::Bytes,
            note: "from the Hugging Face hub".into(),
        },
        started: NOON - 42.0,
        on_quit: OnQuit::Ask,
        opening: None,
    };
    let why = "the hub did not answer; try again, or give a path".to_owned();
    [
        SystemEvent::JobStarted(job(1, "pull qwen2.5-coder-0.5b", 0)),
        SystemEvent::JobEnded(JobId(1), JobEnd::Failed(why)),
        SystemEvent::JobStarted(job(2, "pull smollm2-135m", 49_000_000)),
    ]
    .map(Event::System)
    .to_vec()
}

pub(crate) fn notice(level: Level, text: &str) -> Event {
    Event::System(SystemEvent::Notified(Notice::new(level, text)))
}

/// A run of 100 steps at a step, with six minutes to go.
pub(crate) fn run(name: &str, phase: Phase, step: u64) -> Event {
    let state = RunState {
        earlier: None,
        left_out: None,
        phase,
        why: None,
        process: 4242,
        host: "bench".into(),
        heartbeat: NOON - 1.0,
        started: NOON - 372.0,
        step,
        total_steps: 100,
        checkpoint_step: None,
        best_eval_loss: None,
        tokens_per_second: Some(271.0),
        seconds_left: Some(370.0),
        start_share: None,
    };
    Event::Runs(RunsEvent::Seen(Arc::new(RunInfo {
        id: run_id(name),
        origin: RunOrigin::Session,
        state: Some(state),
        life: Life::Sound,
        settings: BTreeMap::new(),
        notes: Notes::default(),
        problem: None,
    })))
}

pub(crate) fn run_id(name: &str) -> RunId {
    RunId::new(format!("sessions/first-principles/runs/{name}"))
}

/// A job that has just been announced.
pub(crate) fn job(id: u64, what: &str) -> Event {
    Event::System(SystemEvent::JobStarted(Job {
        id: JobId(id),
        what: what.into(),
        progress: Progress::default(),
        started: NOON,
        on_quit: if what.starts_with("pull") || what.starts_with("import") {
            OnQuit::Ask
        } else {
            OnQuit::LetEnd
        },
        opening: None,
    }))
}

/// How far it is, so many seconds after noon.
pub(crate) fn moved(id: u64, done: u64, total: u64, seconds: f64) -> [Event; 2] {
    let progress = Progress { done, total: Some(total), ..Progress::default() };
    [SystemEvent::ClockTicked(NOON + seconds), SystemEvent::JobMoved(JobId(id), progress)].map(Event::System)
}
