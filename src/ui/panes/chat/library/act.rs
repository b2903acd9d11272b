//! What each action of the view does.

use super::describe::Description;
use super::embedding::EmbeddingPicker;
use super::left_out::LeftOutFiles;
use super::reader::{CameFrom, Reader};
use super::{LibraryAction, LibraryMode, LibraryView, Shown, send};
use crate::app::store::Store;
use crate::domain::cited::SourceMark;
use crate::domain::counted::counted;
use crate::domain::protocol::{Command, LibraryCommand, ModelsCommand};
use crate::domain::session::SessionInfo;
use crate::ui::pane::{Confirmation, Effect};
use crate::ui::panes::chat::act::say;
use crate::ui::panes::chat::sources::mark_source;
use crate::ui::widgets::path_field::{PathField, PathWanted, from_home};
use crate::ui::widgets::text;

impl LibraryView {
    pub(in crate::ui::panes::chat) fn perform(
        &mut self,
        action: LibraryAction,
        store: &Store,
    ) -> Vec<Effect> {
        match action {
            LibraryAction::Accept => return self.accept(store),
            LibraryAction::Complete => {
                if let LibraryMode::Add(field) = &mut self.mode {
                    return field.complete(store);
                }
            }
            LibraryAction::OtherField => {
                if let LibraryMode::Describe(description) = &mut self.mode {
                    description.turn();
                }
            }
            LibraryAction::Cancel => self.mode = LibraryMode::List,
            LibraryAction::Open => return self.open_chosen(store),
            LibraryAction::Search => {
                self.mode = LibraryMode::Search;
                return self.search.begin().into_iter().collect();
            }
            LibraryAction::Add => return self.ask_for_path(store),
            LibraryAction::Update => return vec![send(LibraryCommand::Update)],
            LibraryAction::Describe => {
                if let Some(row) = self.list.row(store) {
                    self.mode = LibraryMode::Describe(Box::new(Description::of(row)));
                }
            }
            LibraryAction::Embed => {
                self.mode = LibraryMode::Embed(EmbeddingPicker::default());
                let runs = store.session.as_ref().map(SessionInfo::runs);
                return vec![Effect::Send(Command::Models(ModelsCommand::List { runs }))];
            }
            LibraryAction::LeftOut => self.mode = LibraryMode::LeftOut(LeftOutFiles::default()),
            LibraryAction::Pin => return self.mark(SourceMark::Pinned, store),
            LibraryAction::Exclude => return self.mark(SourceMark::Excluded, store),
            LibraryAction::Delete => return self.delete(store),
            LibraryAction::Copy => return self.copy(store),
            LibraryAction::NextPart => self.turn_part(1, store),
            LibraryAction::PreviousPart => self.turn_part(-1, store),
            LibraryAction::Close => self.close(),
            LibraryAction::Up => self.step(-1, store),
            LibraryAction::Down => self.step(1, store),
            LibraryAction::PageUp => self.page(-1, store),
            LibraryAction::PageDown => self.page(1, store),
            LibraryAction::First => self.end(-1, store),
            LibraryAction::Last => self.end(1, store),
        }
        Vec::new()
    }

    /// Asks where documents are; the session's own are offered first.
    pub(in crate::ui::panes::chat) fn ask_for_path(&mut self, store: &Store) -> Vec<Effect> {
        let mut effects = Vec::new();
        if !self.is_open() {
            effects.extend(self.open());
        }
        let own = store.library.state.as_ref().and_then(|state| state.own_documents.as_ref());
        let typed = own.map_or_else(String::new, |own| format!("{}/", own.display()));
        let (field, ask) = PathField::asking(&typed, PathWanted::Documents);
        self.mode = LibraryMode::Add(Box::new(field));
        effects.push(ask);
        effects
    }

    fn accept(&mut self, store: &Store) -> Vec<Effect> {
        match std::mem::take(&mut self.mode) {
            LibraryMode::Add(field) => {
                let path = from_home(&field.path());
                let follows = store.job_here("add ").or_else(|| store.job_here("embed the library"));
                let mut effects = vec![send(LibraryCommand::Add(path))];
                if let Some(row) = follows {
                    effects.push(say(format!("it follows when \"{}\" has ended", row.job.what)));
                }
                effects
            }
            LibraryMode::Describe(description) => match description.command() {
                Some(command) => vec![send(command)],
                None => vec![say("nothing was changed")],
            },
            LibraryMode::Embed(picker) => embed(&picker, store),
            other => {
                self.mode = other;
                Vec::new()
            }
        }
    }

    fn open_chosen(&mut self, store: &Store) -> Vec<Effect> {
        let reader = match &self.mode {
            LibraryMode::Search => {
                let question = self.search.words();
                self.search.chosen(store).map(|passage| Reader::at(passage, question, CameFrom::Search))
            }
            _ => self.list.row(store).map(|row| Reader::of(&row.source)),
        };
        let Some(reader) = reader else { return Vec::new() };
        let read = send(LibraryCommand::Read(reader.source.clone()));
        self.mode = LibraryMode::Read(reader);
        vec![read]
    }

    /// One step back: to where one came from.
    fn close(&mut self) {
        match &self.mode {
            LibraryMode::Read(reader) => match reader.came_from {
                CameFrom::List => self.mode = LibraryMode::List,
                CameFrom::Search => self.mode = LibraryMode::Search,
                CameFrom::Chat => self.shown = Shown::No,
            },
            LibraryMode::List => self.shown = Shown::No,
            LibraryMode::Search
            | LibraryMode::Add(_)
            | LibraryMode::Describe(_)
            | LibraryMode::Embed(_)
            | LibraryMode::LeftOut(_) => self.mode = LibraryMode::List,
        }
    }

    /// The document in front: that which is read, or the chosen one.
    fn document(&self, store: &Store) -> Option<(String, String)> {
        if let LibraryMode::Read(reader) = &self.mode {
            let title = reader.document(store)?.ok()?.row.title.clone();
            return Some((reader.source.clone(), title));
        }
        self.list.row(store).map(|row| (row.source.clone(), row.title.clone()))
    }

    fn mark(&self, wanted: SourceMark, store: &Store) -> Vec<Effect> {
        let Some((source, title)) = self.document(store) else { return Vec::new() };
        mark_source(store, (&source, &title), wanted)
    }

    fn delete(&self, store: &Store) -> Vec<Effect> {
        let Some(row) = self.list.row(store) else { return Vec::new() };
        vec![Effect::Ask(Confirmation {
            title: format!("Take {} out of the library?", text::shorten(&row.title, 30)),
            text: format!(
                "Its {} can't be found any more; the file stays. It stays out when its folder is read again. u does not \
                 take this back: i adds it again.",
                counted(row.chunks, "chunk")
            ),
            yes: "take it out".to_owned(),
            then: vec![send(LibraryCommand::Delete(row.source.clone()))],
        })]
    }

    fn copy(&self, store: &Store) -> Vec<Effect> {
        let LibraryMode::Read(reader) = &self.mode else { return Vec::new() };
        let Some(part) = reader.front(store) else { return Vec::new() };
        let count = part.text.chars().count();
        vec![Effect::Copy(part.text.clone()), say(format!("copied this part: {count} characters"))]
    }

    fn turn_part(&mut self, by: isize, store: &Store) {
        if let LibraryMode::Read(reader) = &mut self.mode {
            reader.turn(by, store);
        }
    }

    pub(super) fn step(&mut self, by: isize, store: &Store) {
        match &mut self.mode {
            LibraryMode::List => self.list.step(by, store),
            LibraryMode::Search => self.search.step(by, store),
            LibraryMode::Read(reader) => reader.step(by, store),
            LibraryMode::Embed(picker) => picker.step(by, store),
            LibraryMode::LeftOut(left_out) => left_out.step(by),
            LibraryMode::Add(_) | LibraryMode::Describe(_) => {}
        }
    }

    fn page(&mut self, by: isize, store: &Store) {
        let rows = isize::try_from(self.area.height.max(2) - 1).unwrap_or(1);
        match &mut self.mode {
            LibraryMode::Read(reader) => reader.page(by, store),
            LibraryMode::Search => self.search.step(by * (rows / 3).max(1), store),
            LibraryMode::List
            | LibraryMode::Embed(_)
            | LibraryMode::LeftOut(_)
            | LibraryMode::Add(_)
            | LibraryMode::Describe(_) => self.step(by * rows, store),
        }
    }

    fn end(&mut self, way: isize, store: &Store) {
        if let LibraryMode::Read(reader) = &mut self.mode {
            if way < 0 {
                reader.first();
            } else {
                reader.last(store);
            }
        } else {
            self.step(if way < 0 { isize::MIN } else { isize::MAX }, store);
        }
    }
}

fn embed(picker: &EmbeddingPicker, store: &Store) -> Vec<Effect> {
    let (Some(model), Some(state)) = (picker.chosen(store), &store.library.state) else {
        return Vec::new();
    };
    if state.counts.model.as_ref() == Some(&model) && state.unembedded == 0 {
        return vec![say(format!("every chunk is embedded with {model} already"))];
    }
    vec![send(LibraryCommand::Embed(Some(model)))]
}
