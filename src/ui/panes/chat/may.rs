//! When each action makes sense.

use super::bindings::ChatAction;
use super::{ChatMode, ChatPane};
use crate::app::store::Store;
use crate::domain::chat::{Turn, TurnId};
use crate::domain::message::Role;

impl ChatPane {
    /// The turn that a search has brought to the front.
    fn found(&self) -> Option<TurnId> {
        self.find.as_ref().and_then(super::Find::front)
    }

    /// Whether an action makes sense now.
    pub(super) fn can(&self, action: ChatAction, store: &Store) -> bool {
        let writing = store.chats.is_writing();
        if self.library.is_open() {
            return false;
        }
        match (&self.mode, action) {
            (ChatMode::Browse | ChatMode::Write, ChatAction::Stop) => writing,
            (ChatMode::Write, ChatAction::Send) => !self.composer.is_blank() && !writing,
            (ChatMode::Write, ChatAction::RecallBefore) => {
                !self.sent.is_empty() && self.composer.at_top() && self.may_recall()
            }
            (ChatMode::Write, ChatAction::RecallAfter) => {
                self.recalled.is_some() && self.composer.at_bottom()
            }
            (ChatMode::Write, ChatAction::Cancel) => !writing,
            (ChatMode::System(_), ChatAction::Save) | (_, ChatAction::Cancel)
                if !matches!(self.mode, ChatMode::Browse) =>
            {
                true
            }
            (ChatMode::Correct(_, text), ChatAction::Save) => !text.is_blank(),
            (ChatMode::Rename(_, field), ChatAction::Accept) => !field.text().trim().is_empty(),
            (ChatMode::Find, ChatAction::ChooseUp | ChatAction::ChooseDown) => self.found().is_some(),
            (ChatMode::Write, ChatAction::BreakLine)
            | (ChatMode::Find, ChatAction::Accept)
            | (
                ChatMode::Models(_) | ChatMode::Sampling(_) | ChatMode::History(_),
                ChatAction::Accept | ChatAction::ChooseUp | ChatAction::ChooseDown,
            )
            | (
                ChatMode::Passage(_),
                ChatAction::PassageBefore
                | ChatAction::PassageAfter
                | ChatAction::ChooseUp
                | ChatAction::ChooseDown
                | ChatAction::ReadDocument
                | ChatAction::PinSource
                | ChatAction::ExcludeSource,
            )
            | (ChatMode::Sampling(_), ChatAction::Lower | ChatAction::Raise)
            | (
                ChatMode::Vote,
                ChatAction::VoteLeft | ChatAction::VoteRight | ChatAction::VoteTie | ChatAction::VoteBothBad,
            ) => true,
            (ChatMode::History(history), ChatAction::DeleteChat | ChatAction::Rename) => {
                history.chosen(store).is_some()
            }
            (ChatMode::Browse, action) => self.can_browse(action, store),
            _ => false,
        }
    }

    /// Whether an action is offered: what would only say why it can't be done is not.
    pub(super) fn offers(&self, action: ChatAction, store: &Store) -> bool {
        let browses = matches!(self.mode, ChatMode::Browse);
        let judges = browses && matches!(action, ChatAction::Good | ChatAction::Correct);
        self.can(action, store) && !(judges && self.no_answer(action, store).is_some())
    }

    /// Why the chosen turn can't be kept or corrected as an answer; nothing where it can.
    pub(super) fn no_answer(&self, action: ChatAction, store: &Store) -> Option<&'static str> {
        let turn = self.chosen(store)?;
        if turn.role != Role::Assistant {
            return Some(match action {
                ChatAction::Good => "this is a question: a keeps an answer; go to one with the arrows",
                _ => "this is a question: c corrects an answer; e edits a question",
            });
        }
        if turn.outcome.is_none() {
            return Some("this answer is still being written");
        }
        (action == ChatAction::Good && turn.content.trim().is_empty()).then_some("this answer is empty")
    }

    /// Why an action can't be done now, and what to do first.
    pub(super) fn why(action: ChatAction, store: &Store) -> Option<&'static str> {
        let writing = store.chats.is_writing();
        let answers = matches!(
            action,
            ChatAction::Edit | ChatAction::Again | ChatAction::Undo | ChatAction::New | ChatAction::Vote
        );
        Some(match action {
            _ if writing && answers => "an answer is being written: x stops it",
            ChatAction::Stop | ChatAction::VoteBothBad => "no answer is being written",
            ChatAction::Vote | ChatAction::VoteTie => {
                "there are no two finished answers to choose from: s lets two models answer side by side"
            }
            ChatAction::Good
            | ChatAction::Correct
            | ChatAction::Copy
            | ChatAction::Edit
            | ChatAction::Again => {
                "there is nothing here yet that this could be done to: ⏎ writes a question"
            }
            ChatAction::CopyBlock => "the chosen turn has no block of code: y copies all of it",
            ChatAction::Names | ChatAction::OtherModel | ChatAction::OtherColumn => {
                "one model answers: s lets two answer side by side"
            }
            ChatAction::New => "this is a new chat already: ⏎ writes its first question",
            ChatAction::Undo => "no vote, kept answer or correction of this chat is left to take back",
            ChatAction::PinSource | ChatAction::ExcludeSource => {
                "no source is beside this answer: v opens what it was given from, and + and - work there"
            }
            ChatAction::NextMatch | ChatAction::PreviousMatch => {
                "nothing is searched for: / searches this chat"
            }
            ChatAction::Passage => {
                "the chosen answer was given from no documents: l has the next ones answered from the library"
            }
            ChatAction::Find | ChatAction::Rename => "no chat is open: h finds an earlier one",
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

    fn can_browse(&self, action: ChatAction, store: &Store) -> bool {
        let writing = store.chats.is_writing();
        let open = store.chats.open.as_deref();
        let chosen = self.chosen(store);
        match action {
            ChatAction::Write
            | ChatAction::SideBySide
            | ChatAction::Model
            | ChatAction::Sampling
            | ChatAction::Library
            | ChatAction::Documents
            | ChatAction::System
            | ChatAction::History => true,
            ChatAction::Passage => self.sourced(store).is_some(),
            ChatAction::PinSource
            | ChatAction::ExcludeSource
            | ChatAction::SourceBefore
            | ChatAction::SourceAfter => self.passage_in_front(store).is_some(),
            ChatAction::Names | ChatAction::OtherModel => self.setup.right.is_some(),
            ChatAction::New => open.is_some() && !writing && self.find.is_none(),
            ChatAction::NextMatch | ChatAction::PreviousMatch => self.found().is_some(),
            ChatAction::EndFind => self.find.is_some(),
            ChatAction::Undo => open.is_some_and(|chat| chat.decisions.last.is_some()) && !writing,
            ChatAction::Edit => question(store, chosen).is_some() && !writing,
            ChatAction::Again => self.answers_to_repeat(store).is_some() && !writing,
            // Of a turn that is no answer they say so.
            ChatAction::Good | ChatAction::Correct => chosen.is_some(),
            ChatAction::Vote => open
                .and_then(|chat| chat.pair())
                .is_some_and(|(left, right)| left.outcome.is_some() && right.outcome.is_some()),
            ChatAction::Copy => chosen.is_some_and(|turn| !turn.content.is_empty()),
            ChatAction::CopyBlock => chosen.is_some_and(|turn| turn.content.contains("```")),
            ChatAction::BranchBefore | ChatAction::BranchAfter => {
                !writing && chosen.is_some_and(|turn| self.outline.branch(turn.id).is_some())
            }
            ChatAction::OtherColumn => open.is_some() && self.is_double(),
            ChatAction::Find
            | ChatAction::Rename
            | ChatAction::Up
            | ChatAction::Down
            | ChatAction::PageUp
            | ChatAction::PageDown
            | ChatAction::First
            | ChatAction::Last => open.is_some(),
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
