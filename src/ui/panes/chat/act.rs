//! What each action does.

use super::bindings::Action;
use super::composer::Composer;
use super::history::History;
use super::picker::{self, Picker};
use super::sampling::Panel;
use super::{Chat, Mode};
use crate::app::store::Store;
use crate::domain::chat as domain;
use crate::domain::chat::{Answerer, ChatId, Names, Side, Turn, TurnId, Vote};
use crate::domain::message::Role;
use crate::domain::protocol::chat::Question;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::protocol::{ChatCommand, Command};
use crate::ui::pane::Effect;

pub(super) fn send(command: ChatCommand) -> Vec<Effect> {
    vec![Effect::Send(Command::Chat(command))]
}

pub(super) fn say(text: impl Into<String>) -> Effect {
    Effect::Notify(Notice::new(Level::Info, text))
}

impl Chat {
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
            (Mode::Write, Action::BreakLine)
            | (
                Mode::Models(_) | Mode::Sampling(_) | Mode::History(_),
                Action::Accept | Action::ChooseUp | Action::ChooseDown,
            )
            | (Mode::Sampling(_), Action::Lower | Action::Raise)
            | (Mode::Vote, Action::VoteLeft | Action::VoteRight | Action::VoteTie | Action::VoteBothBad) => {
                true
            }
            (Mode::History(history), Action::DeleteChat) => history.chosen(store).is_some(),
            (Mode::Browse, action) => self.can_browse(action, store),
            _ => false,
        }
    }

    fn can_browse(&self, action: Action, store: &Store) -> bool {
        let writing = store.chats.is_writing();
        let open = store.chats.open.as_deref();
        let chosen = self.chosen(store);
        let answer = chosen.filter(|turn| turn.role == Role::Assistant && turn.outcome.is_some());
        match action {
            Action::Write
            | Action::SideBySide
            | Action::Model
            | Action::Sampling
            | Action::System
            | Action::History => true,
            Action::Names | Action::OtherModel => self.setup.right.is_some(),
            Action::New => open.is_some() && !writing,
            Action::Edit => question(store, chosen).is_some() && !writing,
            Action::Again => self.answers_to_repeat(store).is_some() && !writing,
            Action::Good => answer.is_some_and(|turn| !turn.content.trim().is_empty()),
            Action::Correct => answer.is_some(),
            Action::Vote => open
                .and_then(|chat| chat.pair())
                .is_some_and(|(left, right)| left.outcome.is_some() && right.outcome.is_some()),
            Action::Copy => chosen.is_some_and(|turn| !turn.content.is_empty()),
            Action::CopyBlock => chosen.is_some_and(|turn| turn.content.contains("```")),
            Action::BranchBefore | Action::BranchAfter => {
                !writing && chosen.zip(open).is_some_and(|(turn, chat)| chat.siblings(turn).len() > 1)
            }
            Action::OtherColumn => open.is_some() && self.is_double(),
            Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::First | Action::Last => {
                open.is_some()
            }
            _ => false,
        }
    }

    pub(super) fn perform(&mut self, action: Action, store: &Store) -> Vec<Effect> {
        match action {
            Action::Stop => return send(ChatCommand::Stop),
            Action::Send => return self.send(store),
            Action::BreakLine => self.composer.break_line(),
            Action::RecallBefore => self.recall(1),
            Action::RecallAfter => self.recall(-1),
            Action::Accept => return self.accept(store),
            Action::Save => return self.save(store),
            Action::Cancel => self.cancel(),
            Action::Lower | Action::Raise => {
                if let Mode::Sampling(panel) = &mut self.mode {
                    panel.step_value(if action == Action::Raise { 1.0 } else { -1.0 });
                }
            }
            Action::ChooseUp => self.choose(-1, store),
            Action::ChooseDown => self.choose(1, store),
            Action::DeleteChat => {
                if let Mode::History(history) = &self.mode {
                    return history.delete(store);
                }
            }
            Action::VoteLeft => return self.vote(Vote::Left, store),
            Action::VoteRight => return self.vote(Vote::Right, store),
            Action::VoteTie => return self.vote(Vote::Tie, store),
            Action::VoteBothBad => return self.vote(Vote::BothBad, store),
            other => return self.browse(other, store),
        }
        Vec::new()
    }

    fn browse(&mut self, action: Action, store: &Store) -> Vec<Effect> {
        match action {
            Action::Write => {
                self.mode = Mode::Write;
                return send(ChatCommand::Prepare(self.answerers()));
            }
            Action::Edit => self.edit(store),
            Action::Again => return self.again(store),
            Action::Good => {
                return self.on_answer(store, |chat, answer| ChatCommand::SaveRecord { chat, answer });
            }
            Action::Correct => {
                if let Some(turn) = self.chosen(store) {
                    self.mode = Mode::Correct(turn.id, Composer::new(turn.content.trim_end()));
                }
            }
            Action::SideBySide => return self.side_by_side(store),
            Action::Names => {
                self.setup.names = match self.setup.names {
                    Names::Shown => Names::Hidden,
                    Names::Hidden => Names::Shown,
                };
                return self.keep_setup(store);
            }
            Action::Vote => self.mode = Mode::Vote,
            Action::Model => self.mode = Mode::Models(Picker::new(Side::Left, &self.setup, store)),
            Action::OtherModel => self.mode = Mode::Models(Picker::new(Side::Right, &self.setup, store)),
            Action::Sampling => self.mode = Mode::Sampling(Panel::new(&self.setup.sampling)),
            Action::System => self.mode = Mode::System(Composer::new(&self.setup.system)),
            Action::New => {
                self.mode = Mode::Write;
                self.editing = None;
                return send(ChatCommand::Leave);
            }
            Action::History => {
                let (history, effects) = History::open();
                self.mode = Mode::History(history);
                return effects;
            }
            Action::Copy => return self.copy(store),
            Action::CopyBlock => return self.copy_block(store),
            Action::BranchBefore => return self.branch(-1, store),
            Action::BranchAfter => return self.branch(1, store),
            other => self.wander(other, store),
        }
        Vec::new()
    }

    fn answerers(&self) -> Vec<Answerer> {
        std::iter::once(&self.setup.left).chain(&self.setup.right).cloned().collect()
    }

    fn send(&mut self, store: &Store) -> Vec<Effect> {
        if self.setup.left.name.is_empty() {
            return vec![say("no model is chosen: esc, then m chooses one")];
        }
        let text = self.composer.text().trim().to_owned();
        let open = store.chats.open.as_deref();
        let after = match self.editing.take().and_then(|id| store.chats.turn(id)) {
            Some(edited) => [edited.parent; 2],
            None => open.map(domain::Chat::ends).unwrap_or_default(),
        };
        self.sent.retain(|known| *known != text);
        self.sent.push(text.clone());
        self.recalled = None;
        self.composer = Composer::default();
        self.cursor = None;
        self.columns.iter_mut().for_each(super::Column::follow_end);
        let setup = self.setup.clone();
        send(ChatCommand::Ask(Box::new(Question { chat: open.map(|chat| chat.id), after, text, setup })))
    }

    fn may_recall(&self) -> bool {
        self.recalled.is_some() || self.composer.is_blank()
    }

    /// Takes up an earlier question; behind the last one the field is empty again.
    fn recall(&mut self, by: isize) {
        let now = self.recalled.map_or(-1, |place| place as isize);
        let to = (now + by).min(self.sent.len() as isize - 1);
        self.recalled = usize::try_from(to).ok();
        let text = self.recalled.and_then(|place| self.sent.iter().rev().nth(place));
        self.composer = Composer::new(text.map_or("", String::as_str));
    }

    fn accept(&mut self, store: &Store) -> Vec<Effect> {
        match &mut self.mode {
            Mode::Models(picker) => {
                let Some(chosen) = picker.chosen(store) else { return Vec::new() };
                match picker.side {
                    Side::Left => self.setup.left = chosen.clone(),
                    Side::Right => self.setup.right = Some(chosen.clone()),
                }
                let mut effects = send(ChatCommand::Prepare(vec![chosen]));
                effects.extend(self.keep_setup(store));
                effects
            }
            Mode::Sampling(panel) => match panel.accept() {
                Some(sampling) => {
                    self.setup.sampling = sampling;
                    self.keep_setup(store)
                }
                None => Vec::new(),
            },
            Mode::History(history) => {
                let Some(chat) = history.chosen(store) else { return Vec::new() };
                self.mode = Mode::Browse;
                self.show_end();
                send(ChatCommand::Open(chat.id))
            }
            _ => Vec::new(),
        }
    }

    /// Keeps the setup with the chat, where one is open, and closes whatever changed it.
    fn keep_setup(&mut self, store: &Store) -> Vec<Effect> {
        self.mode = Mode::Browse;
        match store.chats.open.as_deref() {
            Some(chat) => send(ChatCommand::SetUp { chat: chat.id, setup: Box::new(self.setup.clone()) }),
            None => Vec::new(),
        }
    }

    fn save(&mut self, store: &Store) -> Vec<Effect> {
        match std::mem::take(&mut self.mode) {
            Mode::System(text) => {
                text.text().trim().clone_into(&mut self.setup.system);
                self.keep_setup(store)
            }
            Mode::Correct(answer, text) => {
                let corrected = text.text().trim().to_owned();
                let same = store.chats.turn(answer).is_some_and(|turn| turn.content.trim() == corrected);
                if same {
                    return vec![say("nothing was changed: g keeps an answer as it is")];
                }
                match store.chats.open.as_deref() {
                    Some(chat) => send(ChatCommand::Correct { chat: chat.id, answer, corrected }),
                    None => Vec::new(),
                }
            }
            other => {
                self.mode = other;
                Vec::new()
            }
        }
    }

    fn cancel(&mut self) {
        if self.editing.take().is_some() {
            self.composer = Composer::default();
        }
        self.mode = Mode::Browse;
    }

    fn choose(&mut self, by: isize, store: &Store) {
        match &mut self.mode {
            Mode::Models(picker) => picker.step(by, store),
            Mode::Sampling(panel) => panel.step_row(by),
            Mode::History(history) => history.step(by, store),
            _ => {}
        }
    }

    fn vote(&mut self, vote: Vote, store: &Store) -> Vec<Effect> {
        self.mode = Mode::Browse;
        let Some(chat) = store.chats.open.as_deref() else { return Vec::new() };
        let Some((left, right)) = chat.pair() else { return Vec::new() };
        let (pair, names) = ((left.id, right.id), chat.setup.names);
        send(ChatCommand::Vote { chat: chat.id, pair, vote, names })
    }

    fn edit(&mut self, store: &Store) {
        let Some(turn) = question(store, self.chosen(store)) else { return };
        self.composer = Composer::new(&turn.content);
        self.editing = Some(turn.id);
        self.mode = Mode::Write;
    }

    /// The answers that another draw would stand beside: both of a pair, else the chosen one.
    fn answers_to_repeat(&self, store: &Store) -> Option<Vec<TurnId>> {
        let chat = store.chats.open.as_deref()?;
        if let (Some((left, right)), None) = (chat.pair(), self.cursor) {
            return Some(vec![left.id, right.id]);
        }
        let chosen = self.chosen(store)?;
        (chosen.role == Role::Assistant).then(|| vec![chosen.id])
    }

    fn again(&mut self, store: &Store) -> Vec<Effect> {
        let Some(answers) = self.answers_to_repeat(store) else { return Vec::new() };
        let Some(chat) = store.chats.open.as_deref() else { return Vec::new() };
        self.cursor = None;
        let mut effects = self.keep_setup(store);
        effects.extend(send(ChatCommand::Again { chat: chat.id, answers }));
        effects
    }

    fn on_answer(&self, store: &Store, command: impl Fn(ChatId, TurnId) -> ChatCommand) -> Vec<Effect> {
        let open = store.chats.open.as_deref();
        match open.zip(self.chosen(store)) {
            Some((chat, turn)) => send(command(chat.id, turn.id)),
            None => Vec::new(),
        }
    }

    fn side_by_side(&mut self, store: &Store) -> Vec<Effect> {
        self.setup.right = match self.setup.right {
            Some(_) => None,
            None => Some(picker::beside(store, &self.setup.left)),
        };
        self.side = Side::Left;
        let mut effects = self.keep_setup(store);
        effects.extend(send(ChatCommand::Prepare(self.answerers())));
        if let (Some(chat), None) = (store.chats.open.as_deref(), &self.setup.right) {
            let heads = [chat.ends()[0], None];
            effects.extend(send(ChatCommand::Show { chat: chat.id, heads }));
        }
        effects
    }
}

/// The question that a turn is, or that it answers.
fn question<'a>(store: &'a Store, chosen: Option<&'a Turn>) -> Option<&'a Turn> {
    let chosen = chosen?;
    if chosen.role == Role::User {
        return Some(chosen);
    }
    chosen.parent.and_then(|parent| store.chats.turn(parent)).filter(|turn| turn.role == Role::User)
}
