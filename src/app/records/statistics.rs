//! Counting what a view holds, away from the lane that reads pages.

use std::sync::mpsc::Receiver;

use super::Lane;
use super::reader::Question;
use crate::domain::protocol::DataEvent;
use crate::session::{Access, Session, SessionError};

/// The length at which training cuts, where a recipe doesn't say otherwise.
const MAX_LENGTH: u32 = 1024;

pub(super) fn work(lane: &Lane, questions: &Receiver<Question>) {
    let session = match lane.open(Access::Read) {
        Ok(session) => session,
        Err(error) => return lane.complain(&error),
    };
    while let Ok(mut question) = questions.recv() {
        // Only the last one matters.
        while let Ok(newer) = questions.try_recv() {
            question = newer;
        }
        if let Err(error) = answer(lane, &session, question) {
            lane.complain(&error);
        }
    }
}

fn answer(lane: &Lane, session: &Session, (view, filter): Question) -> Result<(), SessionError> {
    let statistics = session.statistics(&filter, Some(MAX_LENGTH))?;
    lane.tell(DataEvent::StatisticsRead(view, Box::new(statistics)));
    lane.tell(DataEvent::VocabularyRead(Box::new(session.vocabulary()?)));
    Ok(())
}
