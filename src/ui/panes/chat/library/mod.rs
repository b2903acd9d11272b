//! The library as a view of the Chat pane: its documents, what is added to it, a search while one types, and a document
//! to read. Knows the store, no database.

mod act;
mod bindings;
mod describe;
mod draw;
mod embedding;
mod left_out;
mod list;
mod may;
mod reader;
mod search;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

pub(super) use self::bindings::LIBRARY_BINDINGS;
pub use self::bindings::LibraryAction;
use self::describe::Description;
use self::embedding::EmbeddingPicker;
use self::left_out::LeftOutFiles;
use self::list::DocumentList;
use self::reader::{CameFrom, Reader};
use self::search::LibrarySearch;
use crate::app::store::Store;
use crate::domain::protocol::{Command, LibraryCommand};
use crate::domain::retrieval::FoundPassage;
use crate::ui::pane::{Editing, Effect, Input};
use crate::ui::widgets::path_field::PathField;

/// What the keyboard is for.
#[derive(Debug, Default)]
enum LibraryMode {
    #[default]
    List,
    /// Typing what is looked for, and going through what is found.
    Search,
    Read(Reader),
    Add(Box<PathField>),
    Describe(Box<Description>),
    Embed(EmbeddingPicker),
    LeftOut(LeftOutFiles),
}

/// Whether the view is in front of the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Shown {
    Yes,
    #[default]
    No,
}

/// The view.
#[derive(Default)]
pub(super) struct LibraryView {
    shown: Shown,
    mode: LibraryMode,
    list: DocumentList,
    search: LibrarySearch,
    /// Rows of the list, or of the text, in the last draw.
    area: Rect,
}

pub(super) fn send(command: LibraryCommand) -> Effect {
    Effect::Send(Command::Library(command))
}

impl LibraryView {
    pub(super) const fn is_open(&self) -> bool {
        matches!(self.shown, Shown::Yes)
    }

    /// Shows the documents.
    pub(super) fn open(&mut self) -> Vec<Effect> {
        self.shown = Shown::Yes;
        self.mode = LibraryMode::List;
        vec![send(LibraryCommand::Look)]
    }

    /// The conversation is in front again.
    pub(super) fn close_all(&mut self) {
        (self.shown, self.mode) = (Shown::No, LibraryMode::List);
    }

    /// Shows a passage of an answer's in its document.
    pub(super) fn open_passage(&mut self, passage: &FoundPassage, question: &str) -> Vec<Effect> {
        self.shown = Shown::Yes;
        self.mode = LibraryMode::Read(Reader::at(passage, question, CameFrom::Chat));
        vec![send(LibraryCommand::Read(passage.source.clone()))]
    }

    pub(super) const fn typing(&self) -> bool {
        matches!(self.mode, LibraryMode::Search | LibraryMode::Add(_) | LibraryMode::Describe(_))
    }

    pub(super) const fn editing(&self) -> Editing {
        match self.mode {
            LibraryMode::List | LibraryMode::Read(_) | LibraryMode::Embed(_) | LibraryMode::LeftOut(_) => {
                Editing::Nothing
            }
            LibraryMode::Search | LibraryMode::Describe(_) => Editing::Line,
            LibraryMode::Add(_) => Editing::Suggested,
        }
    }

    pub(super) fn input(&mut self, input: &Input) -> Vec<Effect> {
        match &mut self.mode {
            LibraryMode::Search => self.search.input(input).into_iter().collect(),
            LibraryMode::Add(field) => field.input(input),
            LibraryMode::Describe(description) => {
                description.input(input);
                Vec::new()
            }
            LibraryMode::List | LibraryMode::Read(_) | LibraryMode::Embed(_) | LibraryMode::LeftOut(_) => {
                Vec::new()
            }
        }
    }

    /// What was typed of a document and isn't kept.
    pub(super) fn unsaved(&self) -> Option<String> {
        match &self.mode {
            LibraryMode::Describe(description) => description.unsaved(),
            LibraryMode::List
            | LibraryMode::Search
            | LibraryMode::Read(_)
            | LibraryMode::Add(_)
            | LibraryMode::Embed(_)
            | LibraryMode::LeftOut(_) => None,
        }
    }

    /// Asks for the rows in sight, and moves the cursor with them.
    pub(super) fn refresh(&mut self, store: &Store) -> Vec<Effect> {
        if !self.is_open() || store.library.state.is_none() {
            return Vec::new();
        }
        self.list.follow(store);
        self.list.ask(store).into_iter().collect()
    }

    pub(super) fn mouse(&mut self, mouse: MouseEvent, store: &Store) -> Vec<Effect> {
        let at = Position::new(mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::ScrollDown => self.step(3, store),
            MouseEventKind::ScrollUp => self.step(-3, store),
            MouseEventKind::Down(MouseButton::Left) if self.area.contains(at) => {
                let line = usize::from(mouse.row - self.area.y);
                match self.mode {
                    LibraryMode::List => self.list.click(line, store),
                    LibraryMode::Search => self.search.click(line, store),
                    LibraryMode::Read(_)
                    | LibraryMode::Add(_)
                    | LibraryMode::Describe(_)
                    | LibraryMode::Embed(_)
                    | LibraryMode::LeftOut(_) => {}
                }
            }
            _ => {}
        }
        Vec::new()
    }
}
