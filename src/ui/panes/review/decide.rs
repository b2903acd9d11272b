//! Verdicts: what each key makes of the reflection in front.

use std::fmt::Write;

use super::act::send;
use super::{ReviewInputKind, ReviewMode, ReviewPane, Show};
use crate::app::store::Store;
use crate::domain::draft::DraftOf;
use crate::domain::protocol::ReviewCommand;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::reflection::{Decision, PREFERRED_BLIND, ReflectionId, Verdict};
use crate::domain::review::{EditDraft, QueueRow, Reviewed};
use crate::ui::pane::{Confirmation, DraftTiming, Effect};
use crate::ui::widgets::text;

/// Of the two texts in blind mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlindSide {
    A,
    B,
}

impl ReviewPane {
    fn decide(&mut self, id: ReflectionId, decision: Decision) -> Vec<Effect> {
        // A reason that can't be committed is there again when it is asked for again.
        self.leave_line();
        self.waiting = Some(Reviewed::Correction(id));
        vec![send(ReviewCommand::Decide { ids: vec![id], decision })]
    }

    /// The correction that the person sees. Not one that is still read, nor one that has come in the place of what was
    /// in front without their doing: a verdict was meant for something else then.
    fn seen(&mut self, store: &Store) -> Result<ReflectionId, Vec<Effect>> {
        let Some(id) = self.at.and_then(Reviewed::correction) else { return Err(Vec::new()) };
        let words = if self.swapped.take() == self.at && self.show != Show::Queue {
            "what was here is gone from the queue, and this is another: nothing was decided, press again to decide"
        } else if store.review.item(id).flatten().is_none() && self.show != Show::Queue {
            "nothing was decided: its text isn't on the screen yet"
        } else {
            return Ok(id);
        };
        Err(vec![Effect::Notify(Notice::new(Level::Info, words))])
    }

    pub(super) fn approve(&mut self, store: &Store) -> Vec<Effect> {
        let id = match self.seen(store) {
            Ok(id) => id,
            Err(why) => return why,
        };
        let item = store.review.item(id).flatten();
        // What a person has edited stays as they left it.
        let edited = item.and_then(|item| item.reflection.as_ref()?.edited.clone());
        let verdict = if edited.is_some() { Verdict::Edited } else { Verdict::Approved };
        let decision = Decision { edited, ..Decision::of(verdict) };
        if self.has_begun(Reviewed::Correction(id), store) {
            return vec![Effect::Ask(Confirmation {
                title: "Approve without your draft?".to_owned(),
                text: "You have begun to edit this correction and not saved it: e goes on writing it, and ctrl-s there \
                       approves what you wrote. Approved as it is, your draft stays with it (✎) and is not trained on."
                    .to_owned(),
                yes: "approve as it is".to_owned(),
                then: vec![send(ReviewCommand::Decide { ids: vec![id], decision })],
            })];
        }
        self.decide(id, decision)
    }

    /// Blind: the teacher's text being the better one approves the correction, the student's rejects it.
    pub(super) fn prefer(&mut self, side: BlindSide, store: &Store) -> Vec<Effect> {
        let id = match self.seen(store) {
            Ok(id) => id,
            Err(why) => return why,
        };
        if Self::teacher_is_left(Reviewed::Correction(id)) == (side == BlindSide::A) {
            return self.approve(store);
        }
        let comment = PREFERRED_BLIND.to_owned();
        self.decide(id, Decision { comment, ..Decision::of(Verdict::Rejected) })
    }

    pub(super) fn reject(&mut self, store: &Store) -> Vec<Effect> {
        let id = match self.seen(store) {
            Ok(id) => id,
            Err(why) => return why,
        };
        let text = self.words_left(&DraftOf::Reason(id), store);
        self.open_line(ReviewInputKind::Reason(id), "no reason", &text);
        vec![send(ReviewCommand::ListComments(Verdict::Rejected))]
    }

    pub(super) fn rejected(&mut self, id: ReflectionId, reason: String) -> Vec<Effect> {
        self.decide(id, Decision { comment: reason, ..Decision::of(Verdict::Rejected) })
    }

    pub(super) fn send_back(&mut self, store: &Store) -> Vec<Effect> {
        let id = match self.seen(store) {
            Ok(id) => id,
            Err(why) => return why,
        };
        let text = self.words_left(&DraftOf::Comment(id), store);
        self.open_line(ReviewInputKind::Comment(id), "what should change", &text);
        vec![send(ReviewCommand::ListComments(Verdict::SentBack))]
    }

    pub(super) fn sent_back(&mut self, id: ReflectionId, comment: String) -> Vec<Effect> {
        if comment.is_empty() {
            "say what should change: a teacher that hears nothing new writes nothing new"
                .clone_into(&mut self.complaint);
            return Vec::new();
        }
        self.decide(id, Decision { comment, ..Decision::of(Verdict::SentBack) })
    }

    /// What was written as the correction. The same text as before is simply approved; a thought becomes a correction
    /// only when its text is another one.
    pub(super) fn save(&mut self, store: &Store) -> Vec<Effect> {
        let ReviewMode::Edit(editor) = &mut self.mode else { return Vec::new() };
        let (of, text, analysis) = (editor.of, editor.text(), editor.new_analysis());
        let item = store.review.item(of).flatten();
        if text.trim().is_empty() {
            "empty: a correction has words".clone_into(&mut editor.complaint);
            return Vec::new();
        }
        let command = match of {
            Reviewed::Thought(thought) => {
                if item.is_some_and(|item| item.thought.text == text) {
                    "still the student's own text: change what is wrong".clone_into(&mut editor.complaint);
                    return Vec::new();
                }
                ReviewCommand::Correct { thought, text, analysis: analysis.unwrap_or_default() }
            }
            Reviewed::Correction(id) => {
                let as_it_was = item
                    .and_then(|item| item.reflection.as_ref())
                    .is_some_and(|reflection| reflection.corrected == text);
                let decision = if as_it_was {
                    Decision { analysis, ..Decision::of(Verdict::Approved) }
                } else {
                    Decision { edited: Some(text), analysis, ..Decision::of(Verdict::Edited) }
                };
                match editor.over.clone() {
                    Some(over) => ReviewCommand::Revise { id, over, decision },
                    None => ReviewCommand::Decide { ids: vec![id], decision },
                }
            }
        };
        // The session lets go of the draft that says what is saved, and of no other.
        let mut effects: Vec<Effect> = self.keep_draft(DraftTiming::Now, store).into_iter().collect();
        self.waiting = Some(of);
        if let ReviewMode::Edit(editor) = std::mem::take(&mut self.mode) {
            self.saving = Some(editor);
        }
        effects.push(send(command));
        effects
    }

    /// Everything that waits in the filter, after a look at how many that are.
    pub(super) fn decide_all(&mut self, verdict: Verdict, store: &Store) -> Vec<Effect> {
        let (begun, waiting): (Vec<&QueueRow>, Vec<&QueueRow>) = (store.review.rows().iter())
            .filter(|row| self.waits(row))
            .partition(|row| row.draft != EditDraft::None || self.held.contains_key(&row.id));
        if waiting.is_empty() {
            let words = if begun.is_empty() {
                "nothing in this filter waits for a decision: u takes the last one back"
            } else {
                "nothing was decided: each that waits has your draft, and e goes on with it"
            };
            return vec![Effect::Notify(Notice::new(Level::Info, words))];
        }
        let misses = waiting.iter().filter(|row| row.label != row.truth).count();
        let verb = if verdict == Verdict::Approved { "approve" } else { "reject" };
        let mut words = match misses {
            0 => "All of them reach the true label.".to_owned(),
            1 => "1 of them misses the true label and is not trained on even when approved.".to_owned(),
            many => format!("{many} of them miss the true label and are not trained on even when approved."),
        };
        match begun.len() {
            0 => {}
            1 => words.push_str(" 1 more has your draft and waits on."),
            more => write!(words, " {more} more have your drafts and wait on.").unwrap_or_default(),
        }
        words.push_str(" One undo takes all of it back.");
        let filter = if self.line.is_empty() { String::new() } else { format!(" ({})", self.line) };
        let count = text::count(waiting.len() as u64);
        let noun = if waiting.len() == 1 { "reflection" } else { "reflections" };
        let ids = waiting.iter().filter_map(|row| row.id.correction()).collect();
        vec![Effect::Ask(Confirmation {
            title: format!("{verb} {count} {noun}{filter}?"),
            text: words,
            yes: format!("{verb} {count}"),
            then: vec![send(ReviewCommand::Decide { ids, decision: Decision::of(verdict) })],
        })]
    }
}
