//! The studio's lane for evaluations: one thread lists and reads them, and each evaluation has a thread of its own while it
//! goes on. Every answer is kept as it comes, so that leaving the studio loses none.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use anyhow::Result;

use super::{
    EvaluationFolder, EvaluationHost, EvaluationProgress, evaluate, folder_of, list, load, make_folder,
};
use crate::app::events::Events;
use crate::app::jobs::Working;
use crate::config::Folders;
use crate::domain::evaluation::EvaluationOrder;
use crate::domain::protocol::system::{JobEnd, OnQuit, Progress, Unit};
use crate::domain::protocol::{EvalCommand, EvalEvent, Event};
use crate::domain::session::SessionInfo;
use crate::engine::hub::Network;
use crate::ground::thread;

/// The lane of an open session. Dropping it ends it; an evaluation that goes on is the jobs' to stop.
pub(crate) struct EvaluationDesk {
    commands: Sender<EvalCommand>,
}

impl EvaluationDesk {
    pub(crate) fn start(session: &SessionInfo, folders: &Folders, events: &Events) -> Self {
        let (commands, waiting) = thread::queue();
        let lane = EvaluationLane {
            session: session.path.clone(),
            folders: folders.clone(),
            events: events.clone(),
        };
        thread::start("evaluations", move || lane.work(&waiting));
        Self { commands }
    }

    /// Puts a command on the lane.
    pub(crate) fn send(&self, command: EvalCommand) {
        // A lane that is gone has said why in the log.
        self.commands.send(command).ok();
    }
}

#[derive(Clone)]
struct EvaluationLane {
    session: PathBuf,
    folders: Folders,
    events: Events,
}

impl EvaluationLane {
    fn work(&self, waiting: &Receiver<EvalCommand>) {
        while let Ok(command) = waiting.recv() {
            if let Err(error) = self.perform(command) {
                self.tell(EvalEvent::Failed(format!("{error:#}")));
            }
        }
    }

    fn tell(&self, event: EvalEvent) {
        // The studio may be gone: nobody needs to know then.
        self.events.send(Event::Eval(event)).ok();
    }

    fn perform(&self, command: EvalCommand) -> Result<()> {
        match command {
            EvalCommand::List => self.tell(EvalEvent::Listed(list(&self.folders)?)),
            EvalCommand::Open(folder) => self.open(folder)?,
            EvalCommand::Start(order) => {
                let session = order.session.clone().or_else(|| Some(self.session.clone()));
                let order = EvaluationOrder { session, ..*order };
                self.begin(make_folder(&self.folders, None)?, order);
            }
            EvalCommand::Resume(folder) => {
                let folder = folder_of(&self.folders, &folder.to_string_lossy())?;
                let order = load(&folder)?.report.order;
                self.begin(folder, order);
            }
        }
        Ok(())
    }

    fn open(&self, folder: PathBuf) -> Result<()> {
        let kept = load(&folder_of(&self.folders, &folder.to_string_lossy())?)?;
        self.tell(EvalEvent::Opened(folder, Arc::new(kept)));
        Ok(())
    }

    fn begin(&self, folder: EvaluationFolder, order: EvaluationOrder) {
        let lane = self.clone();
        thread::start("evaluation", move || lane.evaluate(&folder, &order));
    }

    fn evaluate(&self, folder: &EvaluationFolder, order: &EvaluationOrder) {
        // Nothing is lost if the program ends: but what goes on is a person's to end.
        let job = Working::start(&self.events, &format!("evaluate {}", folder.name()), OnQuit::Ask);
        let mut tell = |progress: EvaluationProgress| {
            let EvaluationProgress { done, all, note, silence } = progress;
            let note = silence.map_or(note, |silence| silence.words);
            job.go_on(Progress { done, total: Some(all), unit: Unit::Items, note });
        };
        let mut host = EvaluationHost { stop: job.stop(), network: Network::Offline, tell: &mut tell };
        let outcome = evaluate(&self.folders, folder, order, &mut host);
        let end = match &outcome {
            Ok(kept) if kept.report.unfinished.is_some() => JobEnd::Stopped,
            Ok(_) => JobEnd::Done,
            Err(error) => JobEnd::Failed(format!("{error:#}")),
        };
        if outcome.is_err() {
            folder.remove_unbegun();
        }
        job.end(end);
        let told = || -> Result<()> {
            self.tell(EvalEvent::Listed(list(&self.folders)?));
            if outcome.is_ok() { self.open(folder.path().to_path_buf()) } else { Ok(()) }
        };
        if let Err(error) = told() {
            self.tell(EvalEvent::Failed(format!("{error:#}")));
        }
    }
}
