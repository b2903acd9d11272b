//! The checks as a job: every record, what was found kept, and told again with the next figures.

use anyhow::Result;

use super::{Back, RecordsLane};
use crate::app::checks;
use crate::app::jobs::Working;
use crate::data::check::{CheckSettings, Checker};
use crate::domain::filter::{Filter, Term};
use crate::domain::protocol::DataEvent;
use crate::domain::protocol::system::{JobEnd, Level, OnQuit, Progress};
use crate::domain::record::RecordId;
use crate::domain::view::SortOrder;
use crate::ground::thread;
use crate::session::{Access, Session};

/// Checks every record, on a thread of its own.
pub(super) fn check(lane: &RecordsLane, back: &Back) {
    let (lane, back) = (lane.clone(), back.clone());
    thread::start("data check", move || {
        let job = Working::start(&lane.events, "check the records", OnQuit::LetEnd);
        match checked(&lane, &job) {
            Ok(CheckEnd::AtTheEnd) => job.end(JobEnd::Done),
            // Stopped by a person: dropping it says so.
            Ok(CheckEnd::Stopped) => drop(job),
            Err(error) => job.end(JobEnd::Failed(format!("{error:#}"))),
        }
        back.written();
    });
}

enum CheckEnd {
    AtTheEnd,
    Stopped,
}

fn checked(lane: &RecordsLane, job: &Working) -> Result<CheckEnd> {
    let mut session = lane.open(Access::Write)?;
    let mut checker = Checker::new(CheckSettings::default());
    let go_on = |done, total| {
        job.go_on(Progress { done, total: Some(total), note: "reading".into(), ..Progress::default() })
    };
    if !checks::feed(&session, &Filter::Everything, &mut checker, |record| record, go_on)? {
        return Ok(CheckEnd::Stopped);
    }
    job.go_on(Progress { note: "comparing".into(), ..Progress::default() });
    let report = checker.finish();
    if !job.is_wanted() {
        return Ok(CheckEnd::Stopped);
    }
    checks::keep(&mut session, &report)?;
    report.notes.iter().for_each(|note| lane.notify(Level::Info, note.clone()));
    tell(lane, &session)
}

/// Tells what is known of findings.
fn tell(lane: &RecordsLane, session: &Session) -> Result<CheckEnd> {
    let found = session.findings()?.map(|found| found.into_iter().collect());
    lane.tell(DataEvent::FindingsRead(found));
    Ok(CheckEnd::AtTheEnd)
}

/// Mends what can safely be, among what the last check found.
///
/// # Errors
/// Where the session can't be written.
pub(super) fn mend(lane: &RecordsLane, session: &mut Session) -> Result<()> {
    let found = |session: &Session, check: &str| -> Result<Vec<RecordId>> {
        let view = session.view(&Filter::Term(Term::Check(check.to_owned())), SortOrder::default())?;
        Ok(view.ids().iter().copied().map(RecordId).collect())
    };
    let (odd, repeated) = (found(session, "characters")?, found(session, "duplicate")?);
    let mended = checks::mend(session, &odd, &repeated)?;
    if mended.is_empty() {
        lane.notify(Level::Info, "nothing is left that can safely be mended".to_owned());
    }
    mended.into_iter().for_each(|what| lane.notify(Level::Good, what));
    Ok(())
}
