//! Counting what a view holds, away from the lane that reads pages.

use std::sync::mpsc::Receiver;

use super::RecordsLane;
use super::reader::ViewFilter;
use crate::app::train::recipe;
use crate::domain::protocol::DataEvent;
use crate::session::{Access, Session, SessionError};

/// The length at which training cuts, where the session's recipe doesn't say otherwise.
const MAX_LENGTH: u32 = 1024;

pub(super) fn work(lane: &RecordsLane, questions: &Receiver<ViewFilter>) {
    let session = match lane.open(Access::Read) {
        Ok(session) => session,
        Err(error) => return lane.complain(&error),
    };
    let limit = limit(lane);
    while let Ok(mut question) = questions.recv() {
        // Only the last one matters.
        while let Ok(newer) = questions.try_recv() {
            question = newer;
        }
        if let Err(error) = answer(lane, &session, limit, question) {
            lane.complain(&error);
        }
    }
}

/// What the recipe that the session starts with says.
fn limit(lane: &RecordsLane) -> u32 {
    let path = lane.info.path.join(&lane.info.file.recipe);
    let length = if path.is_file() {
        recipe::load(&path, &[]).ok().map(|recipe| recipe.data.max_length)
    } else {
        None
    };
    length.and_then(|length| u32::try_from(length).ok()).unwrap_or(MAX_LENGTH)
}

fn answer(
    lane: &RecordsLane,
    session: &Session,
    limit: u32,
    (view, filter): ViewFilter,
) -> Result<(), SessionError> {
    let statistics = session.statistics(&filter, Some(limit))?;
    lane.tell(DataEvent::StatisticsRead(view, Box::new(statistics)));
    let found = session.findings()?.map(|found| found.into_iter().collect());
    lane.tell(DataEvent::FindingsRead(found));
    lane.tell(DataEvent::CoverageRead(session.coverage()?));
    lane.tell(DataEvent::VocabularyRead(Box::new(session.vocabulary()?)));
    Ok(())
}
