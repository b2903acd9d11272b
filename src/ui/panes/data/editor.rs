//! A record's turns, each in a field of its own: their texts, their order, who speaks. What a turn has beside its
//! text (thoughts, tool calls, a name) stays as it is. Drawn by `editor_view`.

use ratatui::layout::Rect;
use tui_textarea::{CursorMove, TextArea};

use crate::domain::change::Body;
use crate::domain::draft::KeptDraft;
use crate::domain::message::{Message, Role};
use crate::domain::record::{Preference, RecordId};
use crate::ui::pane::Input;
use crate::ui::widgets::field::edit_text;
use crate::ui::widgets::writing;

/// What is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EditTarget {
    New,
    Record(RecordId),
}

/// Which part of a record a turn belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyPart {
    Message,
    Chosen,
    Rejected,
    Text,
}

/// One turn being written.
#[derive(Debug, Clone)]
pub(super) struct EditedTurn {
    pub(super) part: BodyPart,
    /// Its role, and what it has beside its text.
    pub(super) message: Message,
    pub(super) area: TextArea<'static>,
}

impl EditedTurn {
    fn new(part: BodyPart, message: Message) -> Self {
        let area = writing::field(&message.content);
        Self { part, message, area }
    }

    fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// As it would be saved.
    fn message(&self) -> Message {
        let mut message = Message { content: self.text(), ..self.message.clone() };
        if !message.content.is_empty() {
            // It says that the content is null.
            message.extra.remove("content");
        }
        message
    }

    /// Who speaks.
    pub(super) const fn name(&self) -> &'static str {
        match self.part {
            BodyPart::Message => self.message.role.name(),
            BodyPart::Chosen => "chosen",
            BodyPart::Rejected => "rejected",
            BodyPart::Text => "text",
        }
    }
}

/// What was taken out, to be brought back.
#[derive(Debug, Clone)]
enum TakenOut {
    One(usize, Box<EditedTurn>, usize),
    /// With the content that they were written over.
    All(Vec<EditedTurn>, usize, Box<Body>),
}

/// A record's content being edited.
#[derive(Debug, Clone)]
pub(super) struct RecordEditor {
    target: EditTarget,
    /// The content that it began with.
    base: Body,
    /// The record's content now, where another window or command has written it since.
    moved: Option<Body>,
    pub(super) turns: Vec<EditedTurn>,
    pub(super) at: usize,
    /// As in [`Body`]; moves with turns that come and go before it.
    prompt_turns: usize,
    taken_out: Vec<TakenOut>,
    /// Why the last key did nothing, or what it did.
    pub(super) note: String,
    /// Whether it was left once without being saved.
    pub(super) draft: bool,
    /// Whether something was written since the session was told.
    pub(super) touched: bool,
    /// The draft that the session was told of last, and when, in seconds since 1970.
    pub(super) sent: Option<KeptDraft>,
    pub(super) sent_at: f64,
    /// Where each turn was drawn last, for the mouse.
    pub(super) places: Vec<(Rect, usize)>,
}

impl RecordEditor {
    /// Begins with the last turn: the answer is what is corrected most. A new record begins with its question.
    pub(super) fn new(target: EditTarget, base: Body) -> Self {
        let (turns, prompt_turns) = (turns_of(&base), base.prompt_turns);
        let at = if target == EditTarget::New { 0 } else { turns.len().saturating_sub(1) };
        let (note, places) = (String::new(), Vec::new());
        Self {
            target,
            base,
            moved: None,
            turns,
            at,
            prompt_turns,
            taken_out: Vec::new(),
            note,
            draft: false,
            touched: false,
            sent: None,
            sent_at: 0.0,
            places,
        }
    }

    /// A record that isn't there yet: a question and its answer.
    pub(super) fn empty() -> Self {
        let messages = vec![Message::new(Role::User, ""), Message::new(Role::Assistant, "")];
        Self::new(EditTarget::New, Body { messages, ..Body::default() })
    }

    pub(super) const fn target(&self) -> EditTarget {
        self.target
    }

    /// What it began with.
    pub(super) const fn base(&self) -> &Body {
        &self.base
    }

    /// The record says this now. What is written stays, and stays written over what it began with: saving asks when
    /// that isn't the same.
    pub(super) fn see(&mut self, now: Body) {
        self.moved = Some(now).filter(|now| *now != self.base);
        if self.moved.is_some() {
            "The record has changed since this draft was begun: saving asks first, alt-o shows it as it is now."
                .clone_into(&mut self.note);
        }
    }

    /// Becomes a new record: the one that it was of is gone.
    pub(super) fn into_new(mut self) -> Self {
        let empty = Self::empty();
        (self.target, self.base, self.moved) = (EditTarget::New, empty.base, None);
        (self.touched, self.sent) = (true, None);
        self
    }

    /// The turns as this content has them.
    pub(super) fn write_anew(&mut self, body: &Body) {
        (self.turns, self.prompt_turns) = (turns_of(body), body.prompt_turns);
        self.at = self.at.min(self.turns.len().saturating_sub(1));
    }

    /// Goes to where it was written last: the last turn that isn't as it began, at the end of what is new there.
    pub(super) fn go_to_written(&mut self) {
        let began = turns_of(&self.base);
        let says_the_same = |(own, before): &(&EditedTurn, &EditedTurn)| own.message() == before.message();
        let same = self.turns.iter().rev().zip(began.iter().rev()).take_while(says_the_same).count();
        let Some(at) = (self.turns.len() - same).checked_sub(1) else { return };
        let before = (began.len() - same).checked_sub(1).and_then(|before| began.get(before));
        let before =
            before.filter(|_| began.len() == self.turns.len()).map(EditedTurn::text).unwrap_or_default();
        self.at = at;
        if let Some(turn) = self.turns.get_mut(at) {
            writing::to_end_of_change(&mut turn.area, &before);
        }
    }

    /// Whether it is not what it began with.
    pub(super) fn is_changed(&self) -> bool {
        self.body() != self.base
    }

    /// What was made of it.
    pub(super) fn body(&self) -> Body {
        let (tools, settings) = (self.base.tools.clone(), self.base.settings.clone());
        let mut body = Body { tools, settings, prompt_turns: self.prompt_turns, ..Body::default() };
        let mut pair = Preference { chosen: Vec::new(), rejected: Vec::new() };
        for turn in &self.turns {
            match turn.part {
                BodyPart::Message => body.messages.push(turn.message()),
                BodyPart::Chosen => pair.chosen.push(turn.message()),
                BodyPart::Rejected => pair.rejected.push(turn.message()),
                BodyPart::Text => body.text = Some(turn.text()),
            }
        }
        body.preference = self.base.preference.is_some().then_some(pair);
        body
    }

    pub(super) fn input(&mut self, input: &Input) {
        self.note.clear();
        let Some(turn) = self.turns.get_mut(self.at) else { return };
        match input {
            Input::Key(key) => {
                edit_text(&mut turn.area, *key);
            }
            Input::Paste(text) => {
                turn.area.insert_str(text.replace("\r\n", "\n").replace('\r', "\n"));
            }
        }
    }

    /// The text of the turn that has the keyboard.
    pub(super) fn text(&self) -> Option<String> {
        self.turns.get(self.at).map(EditedTurn::text)
    }

    pub(super) fn replace_text(&mut self, text: &str) {
        if let Some(turn) = self.turns.get_mut(self.at) {
            turn.area = writing::field(text);
        }
    }

    /// Scrolls the text, with its caret.
    pub(super) fn scroll(&mut self, by: isize) {
        let way = if by < 0 { CursorMove::Up } else { CursorMove::Down };
        if let Some(turn) = self.turns.get_mut(self.at) {
            (0..by.unsigned_abs()).for_each(|_| turn.area.move_cursor(way));
        }
    }

    /// The turn after or before, around the ends.
    pub(super) fn step(&mut self, by: isize) {
        let count = self.turns.len() as isize;
        if count > 0 {
            self.go((self.at as isize + by).rem_euclid(count) as usize);
        }
    }

    pub(super) fn go(&mut self, at: usize) {
        self.note.clear();
        self.at = at.min(self.turns.len().saturating_sub(1));
    }

    /// A new turn after this one; the other speaker has it.
    pub(super) fn add(&mut self) {
        self.note.clear();
        let Some(own) = self.turns.get(self.at) else {
            self.turns.push(EditedTurn::new(BodyPart::Message, Message::new(Role::User, "")));
            return;
        };
        if own.part == BodyPart::Text {
            "A plain text has no turns.".clone_into(&mut self.note);
            return;
        }
        let role = match own.message.role {
            Role::User | Role::Tool => Role::Assistant,
            Role::Assistant | Role::System | Role::Developer => Role::User,
        };
        let role = if own.part == BodyPart::Message { role } else { Role::Assistant };
        let turn = EditedTurn::new(own.part, Message::new(role, ""));
        self.at += 1;
        if turn.part == BodyPart::Message && self.at < self.prompt_turns {
            self.prompt_turns += 1;
        }
        self.turns.insert(self.at, turn);
    }

    /// Takes this turn out.
    pub(super) fn remove(&mut self) {
        self.note.clear();
        let Some(own) = self.turns.get(self.at) else { return };
        if self.turns.iter().filter(|turn| turn.part == own.part).count() < 2 {
            self.note = format!("The record needs this {} turn.", own.name());
            return;
        }
        let before = self.prompt_turns;
        if own.part == BodyPart::Message && self.at < self.prompt_turns {
            self.prompt_turns -= 1;
        }
        let turn = self.turns.remove(self.at);
        "Taken out; alt-z brings it back.".clone_into(&mut self.note);
        self.taken_out.push(TakenOut::One(self.at, Box::new(turn), before));
        self.at = self.at.min(self.turns.len().saturating_sub(1));
    }

    /// Back to what the record says, to go on from there.
    pub(super) fn revert(&mut self) {
        let before = Box::new(self.base.clone());
        if let Some(now) = self.moved.take() {
            self.base = now;
        }
        let turns = std::mem::replace(&mut self.turns, turns_of(&self.base));
        self.taken_out.push(TakenOut::All(turns, self.prompt_turns, before));
        self.prompt_turns = self.base.prompt_turns;
        self.at = self.at.min(self.turns.len().saturating_sub(1));
        "As the record is; alt-z brings back what you typed.".clone_into(&mut self.note);
    }

    /// Brings back what was taken out last.
    pub(super) fn bring_back(&mut self) {
        self.note.clear();
        match self.taken_out.pop() {
            Some(TakenOut::One(at, turn, prompt_turns)) => {
                self.at = at.min(self.turns.len());
                self.prompt_turns = prompt_turns;
                self.turns.insert(self.at, *turn);
            }
            Some(TakenOut::All(turns, prompt_turns, base)) => {
                if self.is_changed() {
                    // What was typed since comes back after all else.
                    let since =
                        TakenOut::All(self.turns.clone(), self.prompt_turns, Box::new(self.base.clone()));
                    self.taken_out.insert(0, since);
                }
                (self.turns, self.prompt_turns) = (turns, prompt_turns);
                let now = std::mem::replace(&mut self.base, *base);
                self.see(now);
                self.at = self.at.min(self.turns.len().saturating_sub(1));
            }
            None => "Nothing was taken out.".clone_into(&mut self.note),
        }
    }

    /// Changes places with the turn before or after.
    pub(super) fn shift(&mut self, by: isize) {
        self.note.clear();
        let to = self.at.saturating_add_signed(by);
        let part = |at: usize| self.turns.get(at).map(|turn| turn.part);
        if to != self.at && part(to).is_some() && part(to) == part(self.at) {
            self.turns.swap(self.at, to);
            self.at = to;
        }
    }

    /// Gives the turn to the next speaker.
    pub(super) fn turn_role(&mut self) {
        self.note.clear();
        let Some(turn) = self.turns.get_mut(self.at) else { return };
        if turn.part != BodyPart::Message {
            "Only turns of a conversation have a role.".clone_into(&mut self.note);
        } else if turn.message.said_beside().next().is_some() {
            "This turn has tool calls or a thought, so the assistant speaks it.".clone_into(&mut self.note);
        } else {
            turn.message.role = match turn.message.role {
                Role::System => Role::User,
                Role::User => Role::Assistant,
                Role::Assistant => Role::Tool,
                Role::Tool => Role::Developer,
                Role::Developer => Role::System,
            };
        }
    }
}

fn turns_of(body: &Body) -> Vec<EditedTurn> {
    let turns = |part: BodyPart, messages: &[Message]| -> Vec<EditedTurn> {
        messages.iter().map(|message| EditedTurn::new(part, message.clone())).collect()
    };
    let mut all = turns(BodyPart::Message, &body.messages);
    if let Some(pair) = &body.preference {
        all.extend(turns(BodyPart::Chosen, &pair.chosen));
        all.extend(turns(BodyPart::Rejected, &pair.rejected));
    }
    all.extend(
        body.text.iter().map(|text| EditedTurn::new(BodyPart::Text, Message::new(Role::User, text.clone()))),
    );
    all
}
