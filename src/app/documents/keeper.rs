//! The list of documents: read a page at a time, told anew when somebody writes, and what is done to one at once.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::DocumentsLane;
use crate::app::imports;
use crate::app::library::DEFAULT_MODEL;
use crate::domain::protocol::library::{LibraryGeneration, LibraryState};
use crate::domain::protocol::system::Level;
use crate::domain::protocol::{Event, LibraryCommand, LibraryEvent, SessionsEvent};
use crate::rag::database;
use crate::rag::library::Library;
use crate::rag::load::promises_words;
use crate::rag::reading::read_document;

/// How often it is looked whether somebody has written.
const WATCH: Duration = Duration::from_millis(400);
/// While somebody adds, at most one part in so many of the time is for looking.
const REST: u32 = 5;
/// A session's own documents are in this folder.
const OWN_DOCUMENTS: &str = "documents";

pub(super) fn work(lane: &DocumentsLane, commands: &Receiver<LibraryCommand>) {
    let mut keeper = LibraryKeeper {
        lane,
        library: None,
        generation: LibraryGeneration::default(),
        seen: None,
        looked: (Instant::now(), Duration::ZERO),
        is_watched: false,
    };
    loop {
        let outcome = match commands.recv_timeout(WATCH) {
            Ok(command) => keeper.perform(command),
            Err(RecvTimeoutError::Timeout) => keeper.watch(),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if let Err(error) = outcome {
            lane.complain(&error);
        }
    }
}

struct LibraryKeeper<'l> {
    lane: &'l DocumentsLane,
    /// None until there is one.
    library: Option<Library>,
    generation: LibraryGeneration,
    /// The state of the file that was told last, and how far the index was.
    seen: Option<(i64, u64)>,
    /// When it was looked last, and how long that took.
    looked: (Instant, Duration),
    /// Whether anybody has asked for the list.
    is_watched: bool,
}

impl LibraryKeeper<'_> {
    fn perform(&mut self, command: LibraryCommand) -> Result<()> {
        match command {
            LibraryCommand::Look => {
                self.is_watched = true;
                self.look()
            }
            LibraryCommand::Page { generation, positions, chosen } => {
                self.page(generation, positions, chosen.as_deref())
            }
            LibraryCommand::Complete(typed) => {
                let paths = imports::complete(&typed, promises_words);
                self.lane.events.send(Event::Sessions(SessionsEvent::Completed { typed, paths })).ok();
                Ok(())
            }
            LibraryCommand::Delete(source) => self.delete(&source),
            LibraryCommand::Read(source) => {
                let read = self.read(&source).map_err(|error| format!("{error:#}"));
                self.lane.tell(LibraryEvent::DocumentRead { source, read: read.map(Into::into) });
                Ok(())
            }
            // These have lanes of their own.
            LibraryCommand::Add(_)
            | LibraryCommand::Update
            | LibraryCommand::Embed(_)
            | LibraryCommand::Describe { .. }
            | LibraryCommand::Search { .. } => Ok(()),
        }
    }

    /// The library, if there is one by now.
    fn library(&mut self) -> Result<Option<&mut Library>> {
        if self.library.is_none() && self.lane.folder.join(database::FILE).is_file() {
            self.library = Some(Library::open(&self.lane.folder)?);
        }
        Ok(self.library.as_mut())
    }

    fn look(&mut self) -> Result<()> {
        let began = Instant::now();
        let own = self.own_documents();
        let mut state = LibraryState { default_model: DEFAULT_MODEL.to_owned(), ..LibraryState::default() };
        if let Some(library) = self.library()? {
            let database = library.database();
            // Before the counts: what is written meanwhile is seen the next time.
            let seen = (database.changes_elsewhere()?, library.indexed_to());
            let model = database.model()?.map(|(number, _)| number);
            let unembedded = database.unembedded(model)?;
            let own_documents = if database.roots()?.is_empty() { own } else { None };
            state = LibraryState { counts: library.counts()?, unembedded, own_documents, ..state };
            self.seen = Some(seen);
        } else {
            state.own_documents = own;
        }
        self.generation.0 += 1;
        state.generation = self.generation;
        self.looked = (Instant::now(), began.elapsed());
        self.lane.tell(LibraryEvent::Looked(Box::new(state)));
        Ok(())
    }

    fn own_documents(&self) -> Option<PathBuf> {
        Some(self.lane.session.join(OWN_DOCUMENTS)).filter(|own| own.is_dir())
    }

    fn watch(&mut self) -> Result<()> {
        let (last, took) = self.looked;
        if !self.is_watched || last.elapsed() < took * REST {
            return Ok(());
        }
        let now = match self.library()? {
            Some(library) => Some((library.database().changes_elsewhere()?, library.indexed_to())),
            None => None,
        };
        if now == self.seen { Ok(()) } else { self.look() }
    }

    fn page(
        &mut self,
        generation: LibraryGeneration,
        positions: Range<usize>,
        chosen: Option<&str>,
    ) -> Result<()> {
        // Asked of an older list: a newer question follows.
        if generation != self.generation {
            return Ok(());
        }
        let Some(library) = self.library()? else { return Ok(()) };
        let start = positions.start;
        let rows = library.database().document_page(positions)?;
        let chosen = match chosen {
            Some(source) => library.database().position(source)?,
            None => None,
        };
        self.lane.tell(LibraryEvent::PageRead { generation, start, rows, chosen });
        Ok(())
    }

    fn delete(&mut self, source: &str) -> Result<()> {
        let library = self.library()?.context("this session has no library")?;
        library.take_out_named(source)?;
        let name = source.rsplit('/').next().unwrap_or(source).to_owned();
        self.look()?;
        self.lane.events.notify(Level::Good, format!("{name} is out of the library; its file stays"));
        Ok(())
    }

    fn read(&mut self, source: &str) -> Result<crate::domain::protocol::library::ReadDocument> {
        let library = self.library()?.context("this session has no library")?;
        read_document(library.database(), source)
    }
}
