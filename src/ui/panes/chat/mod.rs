//! Conversations with a model, or with two side by side. Knows the store, not the session.

mod act;
mod below;
mod bindings;
mod composer;
mod drafts;
mod draw;
mod find;
mod history;
mod library;
mod may;
mod navigate;
mod outline;
mod passages;
mod picker;
mod sampling;
mod sources;
mod transcript;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crossterm::event::{KeyCode, MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::store::Store;
use crate::app::store::chat::Writing;
use crate::domain::chat as domain;
use crate::domain::chat::{Answerer, ChatId, DraftPlace, Setup, Side, Turn, TurnId};
use crate::domain::protocol::ChatCommand;
use crate::ui::action;
use crate::ui::keymap::Binding;
use crate::ui::pane::{Editing, Effect, Input, Pane, View};
use crate::ui::widgets::field::TextField;

use self::bindings::BINDINGS;
pub use self::bindings::ChatAction;
use self::composer::Composer;
use self::find::Find;
use self::history::ChatHistory;
pub use self::library::LibraryAction;
use self::library::LibraryView;
use self::outline::Outline;
use self::passages::PassageView;
use self::picker::Picker;
pub(super) use self::picker::answerer;
use self::sampling::Panel;
use self::transcript::{Follow, TurnColumn};

/// What the keyboard is for.
#[derive(Debug, Default)]
enum ChatMode {
    #[default]
    Browse,
    Write,
    Vote,
    /// Typing what is looked for in the chat.
    Find,
    Models(Picker),
    Sampling(Panel),
    /// A passage of an answer's, whole.
    Passage(PassageView),
    History(ChatHistory),
    System(Composer),
    Correct(TurnId, Composer),
    Rename(ChatId, TextField),
}

/// The pane.
#[derive(Default)]
pub(crate) struct ChatPane {
    mode: ChatMode,
    composer: Composer,
    /// Who answers the next question, and how.
    setup: Setup,
    /// Whose setup that is.
    of: Option<ChatId>,
    /// Which session all this is of.
    session: Option<std::path::PathBuf>,
    /// The turn under the cursor; the last one of the column where none was chosen.
    cursor: Option<TurnId>,
    side: Side,
    follow: Follow,
    columns: [TurnColumn; 2],
    outline: Outline,
    /// What is looked for in the open chat, from the first letter until it is left.
    find: Option<Find>,
    /// The question that is being edited.
    editing: Option<TurnId>,
    /// The first question of a new chat is on its way.
    began: bool,
    /// What was written and is not on the disk yet as a draft, whatever the disk says.
    held: BTreeMap<(Option<ChatId>, DraftPlace), String>,
    /// The draft of a new chat was asked for and is not here yet.
    awaits_draft: bool,
    /// Up to which reading of the drafts it was said which chats have some, and where those were.
    told_of_left: u64,
    left: BTreeSet<(Option<ChatId>, DraftPlace)>,
    /// Questions that were sent, and which of them was taken up again, counted from the last.
    sent: Vec<String>,
    recalled: Option<usize>,
    /// Which block of code is copied next.
    block: usize,
    composer_area: Rect,
    /// The documents, in the place of the conversation while they are open.
    library: LibraryView,
    /// The source that was chosen beside an answer, and whether there was room for them in the last draw.
    source: Option<(TurnId, usize)>,
    sources_shown: bool,
    /// Who a new conversation is to begin with.
    wanted: Option<(Answerer, Option<Answerer>)>,
}

impl ChatPane {
    /// Columns on the screen.
    const fn is_double(&self) -> bool {
        self.setup.right.is_some()
    }

    /// The column that has the keyboard.
    const fn column(&self) -> Side {
        if self.is_double() { self.side } else { Side::Left }
    }

    /// The turns of the column that has the keyboard.
    fn path<'a>(&'a self, chat: &domain::Chat) -> Cow<'a, [TurnId]> {
        if self.outline.is_of(chat) {
            return Cow::Borrowed(self.outline.path(self.column()));
        }
        // Events have come since the last frame.
        Cow::Owned(Outline::of(chat).path(self.column()).to_vec())
    }

    /// The turn under the cursor, or the last one.
    fn chosen<'a>(&self, store: &'a Store) -> Option<&'a Turn> {
        let chat = store.chats.open.as_deref()?;
        let path = self.path(chat);
        let under = self.cursor.filter(|turn| path.binary_search(turn).is_ok());
        chat.turns.get(&under.or(path.last().copied())?)
    }

    /// Tokens in the context of the column that has the keyboard, and what it holds.
    fn context(&self, store: &Store) -> Option<(usize, usize)> {
        let chat = store.chats.open.as_deref()?;
        let path = self.path(chat);
        let last = path.iter().rev().filter_map(|id| chat.turns.get(id)).find(|turn| {
            matches!(store.chats.writing.get(&turn.id), Some(Writing::Writes(_)))
                || turn.outcome.as_ref().is_some_and(|outcome| outcome.context > 0)
        })?;
        if let Some(Writing::Writes(pace)) = store.chats.writing.get(&last.id) {
            return Some((pace.prompt_tokens + pace.tokens, pace.context));
        }
        let outcome = last.outcome.as_ref()?;
        Some((outcome.prompt_tokens + outcome.tokens, outcome.context))
    }
}

impl Pane for ChatPane {
    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn available(&self, action: action::Action, store: &Store) -> bool {
        let can = match action {
            action::Action::Chat(action) => self.can(action, store),
            // From the palette: documents are added wherever one is.
            action::Action::Library(LibraryAction::Add) if !self.library.is_open() => {
                matches!(self.mode, ChatMode::Browse)
            }
            action::Action::Library(action) => self.library.can(action, store),
            _ => false,
        };
        store.session.is_some() && can
    }

    fn offered(&self, action: action::Action, store: &Store) -> bool {
        match action {
            action::Action::Chat(own) => self.available(action, store) && self.offers(own, store),
            action::Action::Library(own) => self.library.can(own, store),
            _ => false,
        }
    }

    fn is_of_what_is_shown(&self, action: action::Action) -> bool {
        matches!(action, action::Action::Library(_)) == self.library.is_open()
    }

    fn why_not(&self, action: action::Action, store: &Store) -> Option<String> {
        let own = match action {
            action::Action::Chat(_) if self.library.is_open() => {
                return Some("the library is open above the chat: esc closes it".to_owned());
            }
            action::Action::Chat(own) => own,
            action::Action::Library(own) => return self.library.why(own, store).map(str::to_owned),
            _ => return None,
        };
        let floats = !matches!(self.mode, ChatMode::Browse | ChatMode::Vote);
        let why = if floats {
            Some("something is open above the chat: esc closes it")
        } else {
            Self::why(own, store)
        };
        why.map(str::to_owned)
    }

    fn update(&mut self, action: action::Action, store: &Store) -> Vec<Effect> {
        match action {
            action::Action::Chat(action) => self.perform(action, store),
            action::Action::Library(LibraryAction::Add) => {
                // It takes in first which session is open.
                let mut effects = self.refresh(store);
                effects.extend(self.library.ask_for_path(store));
                effects
            }
            action::Action::Library(action) => self.library.perform(action, store),
            _ => Vec::new(),
        }
    }

    fn typing(&self) -> bool {
        if self.library.is_open() {
            return self.library.typing();
        }
        match self.mode {
            ChatMode::Browse | ChatMode::Vote | ChatMode::Models(_) | ChatMode::Passage(_) => false,
            ChatMode::Write
            | ChatMode::Find
            | ChatMode::Sampling(_)
            | ChatMode::History(_)
            | ChatMode::System(_)
            | ChatMode::Correct(..)
            | ChatMode::Rename(..) => true,
        }
    }

    fn editing(&self) -> Editing {
        if self.library.is_open() {
            return self.library.editing();
        }
        match self.mode {
            ChatMode::Browse
            | ChatMode::Vote
            | ChatMode::Models(_)
            | ChatMode::Sampling(_)
            | ChatMode::Passage(_) => Editing::Nothing,
            ChatMode::Find | ChatMode::History(_) | ChatMode::Rename(..) => Editing::Line,
            ChatMode::Write | ChatMode::System(_) | ChatMode::Correct(..) => Editing::Text,
        }
    }

    fn edited_text(&self) -> Option<String> {
        match &self.mode {
            _ if self.library.is_open() => None,
            ChatMode::Write => Some(self.composer.text()),
            ChatMode::System(text) | ChatMode::Correct(_, text) => Some(text.text()),
            ChatMode::Browse
            | ChatMode::Vote
            | ChatMode::Find
            | ChatMode::Models(_)
            | ChatMode::Sampling(_)
            | ChatMode::Passage(_)
            | ChatMode::History(_)
            | ChatMode::Rename(..) => None,
        }
    }

    fn replace_text(&mut self, text: String, store: &Store) -> Vec<Effect> {
        match self.written() {
            Some((_, field)) => *field = Composer::new(text.strip_suffix('\n').unwrap_or(&text)),
            None => return Vec::new(),
        }
        self.keep_draft(store)
    }

    fn input(&mut self, input: &Input, store: &Store) -> Vec<Effect> {
        if self.library.is_open() {
            return self.library.input(input);
        }
        match &mut self.mode {
            ChatMode::Browse | ChatMode::Vote | ChatMode::Models(_) | ChatMode::Passage(_) => {}
            // Sends, or waits for what is being written; another key breaks the line.
            ChatMode::Write if matches!(input, Input::Key(key) if key.code == KeyCode::Enter) => {
                return vec![act::say(Self::why_not_sent(store))];
            }
            ChatMode::Write => {
                self.recalled = None;
                if self.composer.input(input) {
                    return self.keep_draft(store);
                }
            }
            ChatMode::System(text) | ChatMode::Correct(_, text) => {
                if text.input(input) {
                    return self.keep_draft(store);
                }
            }
            ChatMode::Find => self.seek(input, store),
            ChatMode::Sampling(panel) => panel.input(input),
            ChatMode::History(history) => return history.input(input),
            ChatMode::Rename(_, field) => match input {
                Input::Key(key) => field.key(*key),
                Input::Paste(text) => field.paste(text),
            },
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: MouseEvent, store: &Store) -> Vec<Effect> {
        if self.library.is_open() {
            return self.library.mouse(mouse, store);
        }
        if !matches!(self.mode, ChatMode::Browse | ChatMode::Write) {
            return Vec::new();
        }
        let at = Position::new(mouse.column, mouse.row);
        let side = Side::BOTH.into_iter().find(|side| self.columns[*side as usize].area.contains(at));
        match mouse.kind {
            MouseEventKind::ScrollDown => self.columns[side.unwrap_or(self.side) as usize].scroll(3),
            MouseEventKind::ScrollUp => self.columns[side.unwrap_or(self.side) as usize].scroll(-3),
            MouseEventKind::Down(MouseButton::Left) if self.composer_area.contains(at) => {
                return self.perform(ChatAction::Write, store);
            }
            MouseEventKind::Down(MouseButton::Left) => {
                if let Some(side) = side {
                    self.mode = ChatMode::Browse;
                    self.side = side;
                    self.cursor = self.columns[side as usize].turn_at(mouse.row);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn unsaved(&self, store: &Store) -> Option<String> {
        self.library.unsaved().or_else(|| self.unsaved_words(store))
    }

    fn keep(&mut self, store: &Store) -> Vec<Effect> {
        let effects = self.keep_draft(store);
        if effects.is_empty() { self.keep_held(store) } else { effects }
    }

    fn converse(&mut self, left: Answerer, right: Option<Answerer>) {
        self.wanted = Some((left, right));
    }

    fn refresh(&mut self, store: &Store) -> Vec<Effect> {
        let mut effects = Vec::new();
        let session = store.session.as_ref().map(|session| session.path.clone());
        if session != self.session {
            let wanted = self.wanted.take();
            *self = Self { awaits_draft: session.is_some(), session, wanted, ..Self::default() };
            if self.awaits_draft {
                effects.extend(act::send(ChatCommand::ReadDrafts(None)));
            }
        }
        self.release(store);
        let open = store.chats.open.as_deref();
        self.outline.refresh(open);
        if open.map(|chat| chat.id) != self.of {
            let before = std::mem::replace(&mut self.of, open.map(|chat| chat.id));
            if let Some(chat) = open {
                self.setup = chat.setup.clone();
            }
            self.find = None;
            self.show_end();
            effects.extend(self.follow_draft(before, store));
        }
        self.take_first_draft(store);
        effects.extend(self.tell_of_left(store));
        if self.setup.left.name.is_empty()
            && let Some(first) = picker::first(store)
        {
            self.setup.left = first;
        }
        effects.extend(self.begin_with_wanted(store));
        effects.extend(self.library.refresh(store));
        effects
    }

    fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        if self.library.is_open() {
            self.library.draw(buffer, area, view);
        } else {
            draw::draw(self, buffer, area, view);
        }
    }
}
