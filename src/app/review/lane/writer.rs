//! Decisions, one after another; what is asked about jobs; and the watch for what jobs and other programs commit.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use super::ReviewLane;
use super::reader::ReviewAsk;
use crate::app::review::{orders, speakers};
use crate::app::unkept::UnkeptDrafts;
use crate::domain::draft::DraftOf;
use crate::domain::protocol::review::{RevisionMet, Undoing};
use crate::domain::protocol::system::Level;
use crate::domain::protocol::{ReviewCommand, ReviewEvent};
use crate::domain::reflection::{Decision, Reflection, ReflectionId, Verdict};
use crate::domain::review::{DraftText, Reviewed};
use crate::domain::review_leads::told_of_elsewhere;
use crate::ground::thread;
use crate::session::{Corrected, Revised, Session, SessionError};

/// How often the file is asked whether somebody else has written. This connection is asked, which knows its own writing.
const WATCH: Duration = Duration::from_millis(250);

pub(super) fn work(
    lane: &ReviewLane,
    mut session: Session,
    commands: &Receiver<ReviewCommand>,
    reader: &Sender<ReviewAsk>,
) {
    let mut unkept = UnkeptDrafts::default();
    loop {
        match commands.recv_timeout(WATCH) {
            Ok(ReviewCommand::KeepDraft(of, draft)) => {
                let kept = draft.as_ref().map(DraftText::kept);
                match unkept.keep(&mut session, &DraftOf::Review(of), kept) {
                    Ok(()) => lane.tell(ReviewEvent::DraftKept(of, draft)),
                    // No decision was refused: what is written stays where it is.
                    Err(error) => lane.complain(&error),
                }
            }
            Ok(command) => {
                if let Err(error) = perform(lane, &mut session, command, reader) {
                    lane.tell(ReviewEvent::Refused(error.to_string()));
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                for (of, draft) in unkept.again(&mut session) {
                    if let DraftOf::Review(of) = of {
                        lane.tell(ReviewEvent::DraftKept(of, draft.as_ref().and_then(DraftText::of)));
                    }
                }
            }
        }
        match session.changed_elsewhere() {
            // The lane that reads is gone when the studio is.
            Ok(true) => drop(reader.send(ReviewAsk::Elsewhere)),
            Ok(false) => {}
            Err(error) => lane.complain(&error),
        }
    }
}

fn perform(
    lane: &ReviewLane,
    session: &mut Session,
    command: ReviewCommand,
    reader: &Sender<ReviewAsk>,
) -> Result<(), SessionError> {
    match command {
        ReviewCommand::Decide { ids, decision } => {
            session.decide(&ids, &decision)?;
            lane.tell(ReviewEvent::Decided { ids: ids.clone(), verdict: decision.verdict });
            // The lane that reads is gone when the studio is.
            reader.send(touched(ids.clone())).ok();
            look_where_they_lead(lane, session, &ids, decision.verdict)?;
        }
        ReviewCommand::Correct { thought, text, analysis } => {
            match session.correct_first(thought, &text, &analysis)? {
                Corrected::Added(reflection) => {
                    lane.tell(ReviewEvent::Corrected { thought, reflection });
                    look_where_they_lead(lane, session, &[reflection], Verdict::Edited)?;
                }
                Corrected::Before(id, now) => {
                    let analysis = Some(analysis).filter(|analysis| !analysis.is_empty());
                    let decision = Decision { edited: Some(text), analysis, ..Decision::of(Verdict::Edited) };
                    let met = RevisionMet { id, decision, now: Some(*now) };
                    lane.tell(ReviewEvent::RevisionMet(Box::new(met)));
                }
                Corrected::Nowhere => lane.tell(ReviewEvent::Refused(format!(
                    "keep a correction of thought {thought}: it is gone, or its record has no label any more"
                ))),
            }
            reader.send(ReviewAsk::Anew).ok();
        }
        ReviewCommand::Revise { id, over, decision } => revise(lane, session, id, &over, decision, reader)?,
        ReviewCommand::Undo(undoing) => undo(lane, session, undoing, reader)?,
        ReviewCommand::ListComments(verdict) => {
            lane.tell(ReviewEvent::CommentsListed(verdict, session.comments(verdict)?));
        }
        ReviewCommand::ListSpeakers => match speakers(&lane.folders) {
            Ok(names) => lane.tell(ReviewEvent::SpeakersListed(names)),
            Err(error) => lane.notify(Level::Warning, format!("{error:#}")),
        },
        // It renders every record that is left: verdicts don't wait for it.
        ReviewCommand::Plan(order) => {
            let lane = lane.clone();
            thread::start("review plan", move || {
                let plan = orders::plan(&lane.folders, &lane.info, &order);
                let plan = plan.map_err(|error| format!("{error:#}"));
                lane.tell(ReviewEvent::Planned(Box::new(order), plan));
            });
        }
        ReviewCommand::Start(order) => {
            orders::start(lane.folders.clone(), lane.info.clone(), order, lane.events.clone());
        }
        // A draft was kept before.
        ReviewCommand::Queue { .. }
        | ReviewCommand::Open(_)
        | ReviewCommand::Glance(_)
        | ReviewCommand::KeepDraft(..) => {}
    }
    Ok(())
}

/// Decides on what was edited; what somebody else made of it meanwhile is asked about.
fn revise(
    lane: &ReviewLane,
    session: &mut Session,
    id: ReflectionId,
    over: &Reflection,
    decision: Decision,
    reader: &Sender<ReviewAsk>,
) -> Result<(), SessionError> {
    let now = match session.decide_over(id, over, &decision)? {
        Revised::Done => {
            lane.tell(ReviewEvent::Decided { ids: vec![id], verdict: decision.verdict });
            reader.send(touched(vec![id])).ok();
            return look_where_they_lead(lane, session, &[id], decision.verdict);
        }
        Revised::Moved(now) => Some(*now),
        Revised::Gone => None,
    };
    lane.tell(ReviewEvent::RevisionMet(Box::new(RevisionMet { id, decision, now })));
    reader.send(touched(vec![id])).ok();
    Ok(())
}

/// Accepted corrections that conclude another label than their own are said: the screen may show none of them.
fn look_where_they_lead(
    lane: &ReviewLane,
    session: &Session,
    ids: &[ReflectionId],
    verdict: Verdict,
) -> Result<(), SessionError> {
    if !verdict.is_accepted() {
        return Ok(());
    }
    let elsewhere = session.leading_elsewhere(ids)?;
    let told = match (ids, elsewhere.as_slice()) {
        ([_], [one]) => Some(format!(
            "reflection {one} concludes another label than its own and would teach it: check:leads finds it, u takes it back"
        )),
        (_, elsewhere) => {
            told_of_elsewhere(elsewhere.len()).map(|told| format!("{told}, u takes all of it back"))
        }
    };
    told.into_iter().for_each(|told| lane.notify(Level::Warning, told));
    Ok(())
}

fn touched(ids: Vec<ReflectionId>) -> ReviewAsk {
    ReviewAsk::Touched(ids.into_iter().map(Reviewed::Correction).collect())
}

/// Takes the last decision back, unless it is too large to go without a word, or not the one that was meant.
fn undo(
    lane: &ReviewLane,
    session: &mut Session,
    undoing: Undoing,
    reader: &Sender<ReviewAsk>,
) -> Result<(), SessionError> {
    let last = session.last_step()?;
    match (undoing, last) {
        (Undoing::UpTo(most), Some(last)) if last.reflections > most => {
            lane.tell(ReviewEvent::UndoIsLarge(last));
            return Ok(());
        }
        (Undoing::Step(number), Some(last)) if last.number != number => {
            let why = "take a decision back: another one was made since; undo again to see it";
            lane.tell(ReviewEvent::Refused(why.to_owned()));
            return Ok(());
        }
        (Undoing::UpTo(_) | Undoing::Step(_), _) => {}
    }
    let ids = session.undo_verdict()?;
    // What was edited is a draft now.
    session.take_up_drafts()?;
    let mut now = Vec::with_capacity(ids.len());
    for id in &ids {
        now.extend(session.verdict_of(*id)?.map(|verdict| (*id, verdict)));
    }
    lane.tell(ReviewEvent::Undone(now));
    // The lane that reads is gone when the studio is.
    reader.send(touched(ids)).ok();
    Ok(())
}
