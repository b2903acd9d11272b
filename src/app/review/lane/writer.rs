//! Decisions, one after another; and what is asked about jobs.

use std::sync::mpsc::{Receiver, Sender};

use super::Lane;
use super::reader::Ask;
use crate::app::review::{orders, speakers};
use crate::domain::protocol::system::Level;
use crate::domain::protocol::{ReviewCommand, ReviewEvent};
use crate::session::{Access, Session, SessionError};

pub(super) fn work(lane: &Lane, commands: &Receiver<ReviewCommand>, reader: &Sender<Ask>) {
    let mut session = match Session::open(&lane.info.path, Access::Write) {
        Ok(session) => session,
        Err(error) => return lane.complain(&error),
    };
    while let Ok(command) = commands.recv() {
        if let Err(error) = perform(lane, &mut session, command, reader) {
            lane.tell(ReviewEvent::Refused(error.to_string()));
        }
    }
}

fn perform(
    lane: &Lane,
    session: &mut Session,
    command: ReviewCommand,
    reader: &Sender<Ask>,
) -> Result<(), SessionError> {
    match command {
        ReviewCommand::Decide { ids, decision } => {
            session.decide(&ids, &decision)?;
            lane.tell(ReviewEvent::Decided { ids: ids.clone(), verdict: decision.verdict });
            // The lane that reads is gone when the studio is.
            reader.send(Ask::Touched(ids)).ok();
        }
        ReviewCommand::Undo => {
            let ids = session.undo_verdict()?;
            let mut now = Vec::with_capacity(ids.len());
            for id in &ids {
                now.extend(session.verdict_of(*id)?.map(|verdict| (*id, verdict)));
            }
            lane.tell(ReviewEvent::Undone(now));
            // As above.
            reader.send(Ask::Touched(ids)).ok();
        }
        ReviewCommand::ListSpeakers => match speakers(&lane.folders) {
            Ok(names) => lane.tell(ReviewEvent::SpeakersListed(names)),
            Err(error) => lane.notify(Level::Warning, format!("{error:#}")),
        },
        ReviewCommand::Plan(order) => {
            let plan = orders::plan(&lane.folders, &lane.info, &order).map_err(|error| format!("{error:#}"));
            lane.tell(ReviewEvent::Planned(Box::new(order), plan));
        }
        ReviewCommand::Start(order) => {
            orders::start(lane.folders.clone(), lane.info.clone(), order, lane.events.clone());
        }
        ReviewCommand::Queue { .. } | ReviewCommand::Open(_) => {}
    }
    Ok(())
}
