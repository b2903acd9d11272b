//! What each action does.

use super::bindings::ChatAction;
use super::composer::Composer;
use super::find::{Find, Way};
use super::history::ChatHistory;
use super::may::question;
use super::picker::{self, Picker};
use super::sampling::Panel;
use super::transcript::Follow;
use super::{ChatMode, ChatPane};
use crate::app::store::Store;
use crate::domain::chat as domain;
use crate::domain::chat::{Answerer, AnswererNames, ChatId, DraftPlace, Side, TurnId, Vote};
use crate::domain::message::Role;
use crate::domain::protocol::chat::ChatQuestion;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::protocol::{ChatCommand, Command};
use crate::ui::pane::{Effect, Input};

pub(super) fn send(command: ChatCommand) -> Vec<Effect> {
    vec![Effect::Send(Command::Chat(command))]
}

pub(super) fn say(text: impl Into<String>) -> Effect {
    Effect::Notify(Notice::new(Level::Info, text))
}

impl ChatPane {
    pub(super) fn perform(&mut self, action: ChatAction, store: &Store) -> Vec<Effect> {
        match action {
            ChatAction::Stop => return send(ChatCommand::Stop),
            ChatAction::Send => return self.send(store),
            ChatAction::BreakLine => {
                self.composer.break_line();
                return self.keep_draft(store);
            }
            ChatAction::RecallBefore => self.recall(1),
            ChatAction::RecallAfter => self.recall(-1),
            ChatAction::Accept => return self.accept(store),
            ChatAction::Save => return self.save(store),
            ChatAction::Cancel => return self.cancel(store),
            ChatAction::Lower | ChatAction::Raise => {
                if let ChatMode::Sampling(panel) = &mut self.mode {
                    panel.step_value(if action == ChatAction::Raise { 1.0 } else { -1.0 });
                }
            }
            ChatAction::ChooseUp => self.choose(-1, store),
            ChatAction::ChooseDown => self.choose(1, store),
            ChatAction::PassageBefore => self.turn_passage(-1, store),
            ChatAction::PassageAfter => self.turn_passage(1, store),
            ChatAction::Documents
            | ChatAction::ReadDocument
            | ChatAction::PinSource
            | ChatAction::ExcludeSource
            | ChatAction::SourceBefore
            | ChatAction::SourceAfter => return self.on_documents(action, store),
            ChatAction::Rename => self.rename(store),
            ChatAction::DeleteChat => {
                if let ChatMode::History(history) = &self.mode {
                    return history.delete(store);
                }
            }
            ChatAction::VoteLeft => return self.vote(Vote::Left, store),
            ChatAction::VoteRight => return self.vote(Vote::Right, store),
            ChatAction::VoteTie => return self.vote(Vote::Tie, store),
            ChatAction::VoteBothBad => return self.vote(Vote::BothBad, store),
            other => return self.browse(other, store),
        }
        Vec::new()
    }

    fn browse(&mut self, action: ChatAction, store: &Store) -> Vec<Effect> {
        match action {
            ChatAction::Write => {
                self.mode = ChatMode::Write;
                let mut effects = send(ChatCommand::Prepare(self.answerers()));
                effects.extend(self.tell_of_others(store));
                return effects;
            }
            ChatAction::Edit => self.edit(store),
            ChatAction::Again => return self.again(store),
            ChatAction::Good | ChatAction::Correct if self.no_answer(action, store).is_some() => {
                return self.no_answer(action, store).map(say).into_iter().collect();
            }
            ChatAction::Good => {
                return self.on_answer(store, |chat, answer| ChatCommand::SaveRecord { chat, answer });
            }
            ChatAction::Correct => {
                if let Some(turn) = self.chosen(store) {
                    let field = self.field(DraftPlace::Correction(turn.id), store);
                    self.mode = ChatMode::Correct(turn.id, field);
                }
            }
            ChatAction::SideBySide => return self.side_by_side(store),
            ChatAction::Names => {
                self.setup.names = match self.setup.names {
                    AnswererNames::Shown => AnswererNames::Hidden,
                    AnswererNames::Hidden => AnswererNames::Shown,
                };
                return self.keep_setup(store);
            }
            ChatAction::Vote => self.mode = ChatMode::Vote,
            ChatAction::NextMatch => self.go_to_match(Way::Down, store),
            ChatAction::PreviousMatch => self.go_to_match(Way::Up, store),
            ChatAction::EndFind => self.find = None,
            ChatAction::Undo => {
                let open = store.chats.open.as_deref();
                return open.map_or_else(Vec::new, |chat| send(ChatCommand::Undo(chat.id)));
            }
            ChatAction::New => {
                self.mode = ChatMode::Write;
                self.leave_editing(store);
                return send(ChatCommand::Leave);
            }
            ChatAction::Copy => return self.copy(store),
            ChatAction::CopyBlock => return self.copy_block(store),
            ChatAction::BranchBefore => return self.branch(-1, store),
            ChatAction::BranchAfter => return self.branch(1, store),
            other => return self.open(other, store),
        }
        Vec::new()
    }

    /// Opens what floats, or moves.
    fn open(&mut self, action: ChatAction, store: &Store) -> Vec<Effect> {
        match action {
            ChatAction::Model => self.mode = ChatMode::Models(Picker::new(Side::Left, &self.setup, store)),
            ChatAction::OtherModel => {
                self.mode = ChatMode::Models(Picker::new(Side::Right, &self.setup, store));
            }
            ChatAction::Sampling => self.mode = ChatMode::Sampling(Panel::new(&self.setup.sampling)),
            ChatAction::Library => return self.use_library(store),
            ChatAction::Passage => self.read_passages(store),
            ChatAction::System => self.mode = ChatMode::System(self.field(DraftPlace::System, store)),
            ChatAction::Find => {
                self.find = Some(Find::new(self.chosen(store).map(|turn| turn.id)));
                self.mode = ChatMode::Find;
            }
            ChatAction::History => {
                let (history, effects) = ChatHistory::open();
                self.mode = ChatMode::History(history);
                return effects;
            }
            other => self.navigate(other, store),
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
        let place = self.editing.map_or(DraftPlace::Question, DraftPlace::Edit);
        let after = match self.editing.take().and_then(|id| store.chats.turn(id)) {
            Some(edited) => [edited.parent; 2],
            None => open.map(domain::Chat::ends).unwrap_or_default(),
        };
        self.sent.retain(|known| *known != text);
        self.sent.push(text.clone());
        self.recalled = None;
        self.composer = match place {
            DraftPlace::Edit(_) => self.field(DraftPlace::Question, store),
            DraftPlace::Question | DraftPlace::Correction(_) | DraftPlace::System => Composer::default(),
        };
        self.began = open.is_none();
        self.cursor = None;
        self.find = None;
        self.columns.iter_mut().for_each(super::TurnColumn::follow_end);
        let setup = self.setup.clone();
        let chat = open.map(|chat| chat.id);
        let mut effects = send(ChatCommand::Ask(Box::new(ChatQuestion { chat, after, text, setup })));
        effects.push(self.drop_draft(place));
        effects
    }

    pub(super) fn may_recall(&self) -> bool {
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
            ChatMode::Models(picker) => {
                let Some(chosen) = picker.chosen(store) else { return Vec::new() };
                match picker.side {
                    Side::Left => self.setup.left = chosen.clone(),
                    Side::Right => self.setup.right = Some(chosen.clone()),
                }
                let mut effects = send(ChatCommand::Prepare(vec![chosen]));
                effects.extend(self.keep_setup(store));
                effects
            }
            ChatMode::Sampling(panel) => match panel.accept() {
                Some(sampling) => {
                    self.setup.sampling = sampling;
                    self.keep_setup(store)
                }
                None => Vec::new(),
            },
            ChatMode::History(history) => {
                let Some(chat) = history.chosen(store) else { return Vec::new() };
                self.mode = ChatMode::Browse;
                self.began = false;
                self.show_end();
                send(ChatCommand::Open(chat.id))
            }
            ChatMode::Find => {
                self.mode = ChatMode::Browse;
                let found = self.find.as_ref().is_some_and(|find| find.front().is_some());
                let text = self.find.take_if(|_| !found).map(|find| find.text().to_owned());
                let missed = text.filter(|text| !text.is_empty());
                missed.map(|text| say(format!("\"{text}\" is not in this chat"))).into_iter().collect()
            }
            ChatMode::Rename(chat, field) => {
                let (chat, title) = (*chat, field.text().trim().to_owned());
                self.mode = ChatMode::Browse;
                send(ChatCommand::Rename { chat, title })
            }
            _ => Vec::new(),
        }
    }

    /// Keeps the setup with the chat, where one is open, and closes whatever changed it.
    pub(super) fn keep_setup(&mut self, store: &Store) -> Vec<Effect> {
        self.mode = ChatMode::Browse;
        match store.chats.open.as_deref() {
            Some(chat) => send(ChatCommand::SetUp { chat: chat.id, setup: Box::new(self.setup.clone()) }),
            None => Vec::new(),
        }
    }

    fn save(&mut self, store: &Store) -> Vec<Effect> {
        match std::mem::take(&mut self.mode) {
            ChatMode::System(text) => {
                text.text().trim().clone_into(&mut self.setup.system);
                let mut effects = self.keep_setup(store);
                effects.push(self.drop_draft(DraftPlace::System));
                effects
            }
            ChatMode::Correct(answer, text) => {
                let corrected = text.text().trim().to_owned();
                let same = store.chats.turn(answer).is_some_and(|turn| turn.content.trim() == corrected);
                if same {
                    return vec![say("nothing was changed: a keeps an answer as it is")];
                }
                let Some(chat) = store.chats.open.as_deref() else { return Vec::new() };
                let mut effects = send(ChatCommand::Correct { chat: chat.id, answer, corrected });
                effects.push(self.drop_draft(DraftPlace::Correction(answer)));
                effects
            }
            other => {
                self.mode = other;
                Vec::new()
            }
        }
    }

    fn cancel(&mut self, store: &Store) -> Vec<Effect> {
        let effects = self.leave_field(store);
        if let (ChatMode::Find, Some(find)) = (&self.mode, self.find.take()) {
            self.cursor = find.from;
            self.follow = Follow::Cursor;
        }
        self.leave_editing(store);
        self.mode = ChatMode::Browse;
        effects
    }

    /// The next question is in the field again, if an earlier one was edited there.
    pub(super) fn leave_editing(&mut self, store: &Store) {
        if self.editing.take().is_some() {
            self.composer = self.field(DraftPlace::Question, store);
        }
    }

    /// Types what is looked for.
    pub(super) fn seek(&mut self, input: &Input, store: &Store) {
        let Some(chat) = store.chats.open.as_deref() else { return };
        let path = self.path(chat).into_owned();
        let Some(find) = &mut self.find else { return };
        find.input(input, chat, &path);
        self.show_match();
    }

    fn go_to_match(&mut self, way: Way, store: &Store) {
        let Some(chat) = store.chats.open.as_deref() else { return };
        let path = self.path(chat).into_owned();
        let Some(find) = &mut self.find else { return };
        let hits = find.front().map_or(0, |turn| self.columns[self.side as usize].hits(turn));
        find.step(way, hits, chat, &path);
        self.show_match();
    }

    fn show_match(&mut self) {
        let Some(find) = &self.find else { return };
        self.cursor = find.front().or(find.from);
        self.follow = find.follow();
    }

    fn choose(&mut self, by: isize, store: &Store) {
        match &mut self.mode {
            ChatMode::Models(picker) => picker.step(by, store),
            ChatMode::Sampling(panel) => panel.step_row(by),
            ChatMode::History(history) => history.step(by, store),
            ChatMode::Passage(view) => view.scroll(by),
            ChatMode::Find => self.go_to_match(if by < 0 { Way::Up } else { Way::Down }, store),
            ChatMode::Browse
            | ChatMode::Write
            | ChatMode::Vote
            | ChatMode::System(_)
            | ChatMode::Correct(..)
            | ChatMode::Rename(..) => {}
        }
    }

    fn vote(&mut self, vote: Vote, store: &Store) -> Vec<Effect> {
        self.mode = ChatMode::Browse;
        let Some(chat) = store.chats.open.as_deref() else { return Vec::new() };
        let Some((left, right)) = chat.pair() else { return Vec::new() };
        let (pair, names) = ((left.id, right.id), chat.setup.names);
        send(ChatCommand::Vote { chat: chat.id, pair, vote, names })
    }

    fn edit(&mut self, store: &Store) {
        let Some(turn) = question(store, self.chosen(store)) else { return };
        self.composer = self.field(DraftPlace::Edit(turn.id), store);
        self.editing = Some(turn.id);
        self.mode = ChatMode::Write;
    }

    /// The answers that another draw would stand beside: both of a pair, else the chosen one.
    pub(super) fn answers_to_repeat(&self, store: &Store) -> Option<Vec<TurnId>> {
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
