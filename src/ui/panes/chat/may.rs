//! When each action makes sense.

use super::bindings::Action;
use super::{Chat, Mode};
use crate::app::store::Store;
use crate::domain::chat::{Turn, TurnId};
use crate::domain::message::Role;

impl Chat {
    /// The turn that a search has brought to the front.
    fn found(&self) -> Option<TurnId> {
        self.find.as_ref().and_then(super::Find::front)
    }

    /// Whether an action makes sense now.
    pub(super) fn can(&self, action: Action, store: &Store) -> bool {
        let writing = store.chats.is_writing();
        match (&self.mode, action) {
            (Mode::Browse | Mode::Write, Action::Stop) => writing,
            (Mode::Write, Action::Send) => !self.composer.is_blank() && !writing,
            (Mode::Write, Action::RecallBefore) => {
                !self.sent.is_empty() && self.composer.at_top() && self.may_recall()
            }
            (Mode::Write, Action::RecallAfter) => self.recalled.is_some() && self.composer.at_bottom(),
            (Mode::Write, Action::Cancel) => !writing,
            (Mode::System(_), Action::Save) | (_, Action::Cancel) if !matches!(self.mode, Mode::Browse) => {
                true
            }
            (Mode::Correct(_, text), Action::Save) => !text.is_blank(),
            (Mode::Rename(_, field), Action::Accept) => !field.text().trim().is_empty(),
            (Mode::Find, Action::ChooseUp | Action::ChooseDown) => self.found().is_some(),
            (Mode::Write, Action::BreakLine)
            | (Mode::Find, Action::Accept)
            | (
                Mode::Models(_) | Mode::Sampling(_) | Mode::History(_),
                Action::Accept | Action::ChooseUp | Action::ChooseDown,
            )
            | (Mode::Sampling(_), Action::Lower | Action::Raise)
            | (Mode::Vote, Action::VoteLeft | Action::VoteRight | Action::VoteTie | Action::VoteBothBad) => {
                true
            }
            (Mode::History(history), Action::DeleteChat | Action::Rename) => history.chosen(store).is_some(),
            (Mode::Browse, action) => self.can_browse(action, store),
            _ => false,
        }
    }

    /// Whether an action is offered: what would only say why it can't be done is not.
    pub(super) fn offers(&self, action: Action, store: &Store) -> bool {
        let browses = matches!(self.mode, Mode::Browse);
        let judges = browses && matches!(action, Action::Good | Action::Correct);
        self.can(action, store) && !(judges && self.no_answer(action, store).is_some())
    }

    /// Why the chosen turn can't be kept or corrected as an answer; nothing where it can.
    pub(super) fn no_answer(&self, action: Action, store: &Store) -> Option<&'static str> {
        let turn = self.chosen(store)?;
        if turn.role != Role::Assistant {
            return Some(match action {
                Action::Good => "this is a question: a keeps an answer; go to one with the arrows",
                _ => "this is a question: c corrects an answer; e edits a question",
            });
        }
        if turn.outcome.is_none() {
            return Some("this answer is still being written");
        }
        (action == Action::Good && turn.content.trim().is_empty()).then_some("this answer is empty")
    }

    /// Why an action can't be done now, and what to do first.
    pub(super) fn why(action: Action, store: &Store) -> Option<&'static str> {
        let writing = store.chats.is_writing();
        let answers =
            matches!(action, Action::Edit | Action::Again | Action::Undo | Action::New | Action::Vote);
        Some(match action {
            _ if writing && answers => "an answer is being written: x stops it",
            Action::Stop | Action::VoteBothBad => "no answer is being written",
            Action::Vote | Action::VoteTie => {
                "there are no two finished answers to choose from: s lets two models answer side by side"
            }
            Action::Good | Action::Correct | Action::Copy | Action::Edit | Action::Again => {
                "there is nothing here yet that this could be done to: ⏎ writes a question"
            }
            Action::CopyBlock => "the chosen turn has no block of code: y copies all of it",
            Action::Names | Action::OtherModel | Action::OtherColumn => {
                "one model answers: s lets two answer side by side"
            }
            Action::New => "this is a new chat already: ⏎ writes its first question",
            Action::Undo => "no vote, kept answer or correction of this chat is left to take back",
            Action::NextMatch | Action::PreviousMatch => "nothing is searched for: / searches this chat",
            Action::Find | Action::Rename => "no chat is open: h finds an earlier one",
            _ => return None,
        })
    }

    /// What is said where a question can't be sent.
    pub(super) fn why_not_sent(store: &Store) -> &'static str {
        if store.chats.is_writing() {
            "an answer is being written: ⏎ sends this when it has ended, or esc stops it"
        } else {
            "there is no question yet to send: type one, or esc leaves"
        }
    }

    fn can_browse(&self, action: Action, store: &Store) -> bool {
        let writing = store.chats.is_writing();
        let open = store.chats.open.as_deref();
        let chosen = self.chosen(store);
        match action {
            Action::Write
            | Action::SideBySide
            | Action::Model
            | Action::Sampling
            | Action::System
            | Action::History => true,
            Action::Names | Action::OtherModel => self.setup.right.is_some(),
            Action::New => open.is_some() && !writing && self.find.is_none(),
            Action::Find | Action::Rename => open.is_some(),
            Action::NextMatch | Action::PreviousMatch => self.found().is_some(),
            Action::EndFind => self.find.is_some(),
            Action::Undo => open.is_some_and(|chat| chat.decisions.last.is_some()) && !writing,
            Action::Edit => question(store, chosen).is_some() && !writing,
            Action::Again => self.answers_to_repeat(store).is_some() && !writing,
            // Of a turn that is no answer they say so.
            Action::Good | Action::Correct => chosen.is_some(),
            Action::Vote => open
                .and_then(|chat| chat.pair())
                .is_some_and(|(left, right)| left.outcome.is_some() && right.outcome.is_some()),
            Action::Copy => chosen.is_some_and(|turn| !turn.content.is_empty()),
            Action::CopyBlock => chosen.is_some_and(|turn| turn.content.contains("```")),
            Action::BranchBefore | Action::BranchAfter => {
                !writing && chosen.is_some_and(|turn| self.outline.branch(turn.id).is_some())
            }
            Action::OtherColumn => open.is_some() && self.is_double(),
            Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::First | Action::Last => {
                open.is_some()
            }
            _ => false,
        }
    }
}

/// The question that a turn is, or that it answers.
pub(super) fn question<'a>(store: &'a Store, chosen: Option<&'a Turn>) -> Option<&'a Turn> {
    let chosen = chosen?;
    if chosen.role == Role::User {
        return Some(chosen);
    }
    chosen.parent.and_then(|parent| store.chats.turn(parent)).filter(|turn| turn.role == Role::User)
}
