//! Counting what is ready and how thoughts agree, away from the lanes that a person waits for.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::ReviewLane;
use crate::domain::protocol::ReviewEvent;
use crate::session::{Access, Session, SessionError};

pub(super) fn work(lane: &ReviewLane, questions: &Receiver<()>) {
    let session = match Session::open(&lane.info.path, Access::Read) {
        Ok(session) => session,
        Err(error) => return lane.complain(&error),
    };
    let mut took = Duration::ZERO;
    while questions.recv().is_ok() {
        // A large session is counted a third of the time at most; what is asked meanwhile is answered with this.
        if !rested(questions, took * 2) {
            return;
        }
        let begun = Instant::now();
        if let Err(error) = count(lane, &session) {
            lane.complain(&error);
        }
        took = begun.elapsed();
    }
}

fn count(lane: &ReviewLane, session: &Session) -> Result<(), SessionError> {
    lane.tell(ReviewEvent::Counted(session.review_counts()?));
    lane.tell(ReviewEvent::Reported(Box::new(session.agreement()?)));
    Ok(())
}

/// Takes what is asked until the pause is over. False where nobody asks any more.
fn rested(questions: &Receiver<()>, pause: Duration) -> bool {
    let until = Instant::now() + pause;
    loop {
        match questions.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(()) => {}
            Err(RecvTimeoutError::Disconnected) => return false,
            Err(RecvTimeoutError::Timeout) => return true,
        }
    }
}
