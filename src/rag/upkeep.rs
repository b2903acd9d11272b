//! The index of a library while a process has it: opened, brought up to the database, made anew if it serves no more.
//! Knows the database and the stores, not the library.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::database::{IndexStore, LibraryDatabase, ModelNumber, StoredChunk};
use super::index::server::{ServerClaim, ServerIndex, ServerLink};
use super::index::{ChunkIndex, ChunkPayload, EdgeIndex, IndexMark, IndexedChunk, LAYOUT};
use super::payloads::{of_chunk, payload};
use super::terms::{self, Bm25Settings, TermReader};
use super::turn::IndexTurn;
use super::words::chunk_terms;

/// Chunks that are put into the index at once, and after how many of them it says how far it is.
const BATCH: usize = 256;
const MARK_EVERY: usize = 8192;

/// Where an index is.
#[derive(Clone)]
pub enum IndexPlace {
    Edge { folder: PathBuf },
    Server { link: Arc<ServerLink>, collection: String },
}

/// What chunks are weighed with.
pub(super) struct Weigher<'a> {
    pub(super) terms: &'a mut TermReader,
    pub(super) bm25: Bm25Settings,
}

/// How far bringing an index up to date is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct UpkeepReport {
    /// Chunks that were put in, out of so many.
    pub put: u64,
    pub all: u64,
    /// Chunks that were taken out.
    pub removed: u64,
}

/// How bringing an index up to date ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brought {
    UpToDate(UpkeepReport),
    /// The host wanted to stop; the next time goes on from here.
    Stopped(UpkeepReport),
}

/// What an index is opened for: a server's is searched while another process writes to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WantedFor {
    Searching,
    Writing,
}

/// An index while this process has it.
pub(super) struct KeptIndex {
    index: Box<dyn ChunkIndex>,
    mark: IndexMark,
    model: Option<ModelNumber>,
    place: IndexPlace,
    /// Nothing while another process brings a server's collection up to date: it is searched as it is meanwhile.
    turn: Option<IndexTurn>,
}

impl KeptIndex {
    /// Opens the index, or makes an empty one if there is none, or one that doesn't serve.
    ///
    /// # Errors
    /// Where another process keeps it, the disk is full, or a server can't be asked.
    pub(super) fn open(
        database: &LibraryDatabase,
        place: &IndexPlace,
        (bm25, wanted_for): (Bm25Settings, WantedFor),
    ) -> Result<Self> {
        let turn = match (place, wanted_for) {
            (IndexPlace::Server { .. }, WantedFor::Searching) => {
                IndexTurn::now(database.folder(), place.lock())?
            }
            (IndexPlace::Edge { .. }, _) | (IndexPlace::Server { .. }, WantedFor::Writing) => {
                Some(IndexTurn::wait(database.folder(), place.lock())?)
            }
        };
        if let Some(kept) = Self::opened(database, place, bm25, turn)? {
            return Ok(kept);
        }
        // Another process is making it.
        let turn = Some(IndexTurn::wait(database.folder(), place.lock())?);
        let kept = Self::opened(database, place, bm25, turn)?;
        kept.context("the library's index can't be made now: try again")
    }

    /// Opens the index with or without the turn; without it nothing is written. Nothing if it is to be made anew and another
    /// process has the turn.
    fn opened(
        database: &LibraryDatabase,
        place: &IndexPlace,
        bm25: Bm25Settings,
        turn: Option<IndexTurn>,
    ) -> Result<Option<Self>> {
        let wanted = wanted(database, bm25)?;
        let dimensions = wanted.dimensions();
        let (mut index, found): (Box<dyn ChunkIndex>, _) = match place {
            IndexPlace::Edge { folder } => {
                let found = EdgeIndex::mark_in(folder).filter(|mark| mark.serves(&wanted));
                let opened = found.and_then(|mark| Some((EdgeIndex::open(folder, dimensions).ok()?, mark)));
                match opened {
                    Some((index, mark)) => (Box::new(index), Some(mark)),
                    None => (Box::new(EdgeIndex::anew(folder, dimensions)?), None),
                }
            }
            IndexPlace::Server { link, collection } => {
                let turns = database.turns(link.access().url(), collection)?;
                let claim = ServerClaim { library: wanted.library.clone(), turns };
                let index = match turn {
                    Some(_) => ServerIndex::open(link, collection, &claim, dimensions)?,
                    None => match ServerIndex::as_it_is(link, collection, &claim, dimensions)? {
                        Some(index) => index,
                        None => return Ok(None),
                    },
                };
                let found = index.mark()?.filter(|mark| mark.serves(&wanted));
                (Box::new(index), found)
            }
        };
        let mark = if let Some(mark) = found {
            mark
        } else if turn.is_none() {
            return Ok(None);
        } else {
            index.begin_anew()?;
            wanted
        };
        let model = database.model()?.map(|(number, _)| number);
        Ok(Some(Self { index, mark, model, place: place.clone(), turn }))
    }

    /// Whether another process waits for it.
    pub(super) fn is_wanted(&self) -> bool {
        self.turn.as_ref().is_some_and(IndexTurn::is_wanted)
    }

    /// Whether it is still the library's: another process may have given it another model or another place.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub(super) fn is_current(&self, database: &LibraryDatabase) -> Result<bool> {
        let model = database.model()?.map(|(number, _)| number);
        let store = match &self.place {
            IndexPlace::Edge { .. } => IndexStore::Edge,
            IndexPlace::Server { collection, .. } => IndexStore::Server { collection: collection.clone() },
        };
        Ok(model == self.model && store == database.index_store()?)
    }

    /// Chunks that it lacks while another process brings it up to date.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub(super) fn lacks(&self, database: &LibraryDatabase) -> Result<u64> {
        if self.turn.is_some() { Ok(0) } else { database.chunk_count_after(self.mark.chunk) }
    }

    pub(super) fn index(&mut self) -> &mut dyn ChunkIndex {
        self.index.as_mut()
    }

    /// Empties the index, so that all of it is put in anew.
    ///
    /// # Errors
    /// Where it can't be written.
    pub(super) fn begin_anew(&mut self, database: &LibraryDatabase, bm25: Bm25Settings) -> Result<()> {
        self.index.begin_anew()?;
        self.mark = wanted(database, bm25)?;
        Ok(())
    }

    /// Brings the index up to the database; once more from nothing if it then doesn't hold what it should.
    ///
    /// # Errors
    /// Where it can't be written.
    pub(super) fn bring_up(
        &mut self,
        database: &LibraryDatabase,
        weigher: &mut Weigher<'_>,
        host: &mut dyn FnMut(UpkeepReport) -> bool,
    ) -> Result<Brought> {
        if self.turn.is_none() {
            self.turn = IndexTurn::now(database.folder(), self.place.lock())?;
            if self.turn.is_none() {
                return Ok(Brought::UpToDate(UpkeepReport::default()));
            }
            // As the other left it.
            self.mark = self
                .index
                .mark()?
                .filter(|mark| mark.serves(&self.mark))
                .unwrap_or(wanted(database, weigher.bm25)?);
        }
        if let Some(brought) = self.catch_up(database, weigher, host)? {
            return Ok(brought);
        }
        self.begin_anew(database, weigher.bm25)?;
        let brought = self.catch_up(database, weigher, host)?;
        brought.with_context(|| match &self.place {
            IndexPlace::Edge { folder } => {
                format!("the index in {} can't be made: remove that folder and try again", folder.display())
            }
            IndexPlace::Server { link, collection } => format!(
                "the collection {collection} at {} holds points that this library has not put there: push to another with \
                 --collection NAME",
                link.access().url()
            ),
        })
    }

    /// Nothing if the index then doesn't hold as many chunks as it should.
    fn catch_up(
        &mut self,
        database: &LibraryDatabase,
        weigher: &mut Weigher<'_>,
        host: &mut dyn FnMut(UpkeepReport) -> bool,
    ) -> Result<Option<Brought>> {
        let removed = database.removals_after(self.mark.removal)?;
        let mut report =
            UpkeepReport { all: database.chunk_count_after(self.mark.chunk)?, ..UpkeepReport::default() };
        let roots = match self.place {
            IndexPlace::Edge { .. } => Vec::new(),
            IndexPlace::Server { .. } => database.roots()?,
        };
        if removed.is_empty() && report.all == 0 && self.mark.whole && self.mark.roots == roots {
            return Ok(Some(Brought::UpToDate(report)));
        }
        self.begin_turn(database)?;
        for some in removed.chunks(BATCH) {
            if !host(report) {
                return Ok(Some(Brought::Stopped(report)));
            }
            self.index.remove(&some.iter().map(|&(_, chunk)| chunk).collect::<Vec<_>>())?;
            report.removed += some.len() as u64;
        }
        if !self.put_new(database, weigher, &mut report, host)? {
            self.index.set_mark(&self.mark)?;
            return Ok(Some(Brought::Stopped(report)));
        }
        self.index.settle()?;
        self.mark.removal = removed.last().map_or(self.mark.removal, |&(number, _)| number);
        if self.index.count()? != database.chunk_count_after(0)? {
            return Ok(None);
        }
        (self.mark.whole, self.mark.roots) = (true, roots);
        self.index.set_mark(&self.mark)?;
        Ok(Some(Brought::UpToDate(report)))
    }

    /// Says that the index is about to change, where others read it or another copy of the library may write to it.
    fn begin_turn(&mut self, database: &LibraryDatabase) -> Result<()> {
        self.mark.whole = false;
        let IndexPlace::Server { link, collection } = &self.place else { return Ok(()) };
        let turn = database.new_turn()?;
        database.remember_turn(link.access().url(), collection, &turn)?;
        self.mark.turn = Some(turn);
        self.index.set_mark(&self.mark)
    }

    /// False if the host wanted to stop.
    fn put_new(
        &mut self,
        database: &LibraryDatabase,
        weigher: &mut Weigher<'_>,
        report: &mut UpkeepReport,
        host: &mut dyn FnMut(UpkeepReport) -> bool,
    ) -> Result<bool> {
        let mut since_mark = 0;
        let mut document = None;
        loop {
            if !host(*report) {
                return Ok(false);
            }
            let chunks = database.chunks_after(self.mark.chunk, BATCH, self.model)?;
            let Some(last) = chunks.last().map(|chunk| chunk.id) else { return Ok(true) };
            let count = chunks.len();
            let mut indexed = Vec::with_capacity(count);
            for chunk in chunks {
                let payload = match &self.place {
                    IndexPlace::Edge { .. } => None,
                    IndexPlace::Server { .. } => match of_chunk(database, &chunk, &mut document)? {
                        Some(document) => Some(Box::new(payload(&chunk, document))),
                        // Another process has taken it out meanwhile.
                        None => continue,
                    },
                };
                indexed.push(self.weighed(weigher, chunk, payload)?);
            }
            self.index.put(indexed)?;
            self.mark.chunk = last;
            report.put += count as u64;
            since_mark += count;
            if since_mark >= MARK_EVERY {
                since_mark = 0;
                self.index.set_mark(&self.mark)?;
            }
        }
    }

    fn weighed(
        &self,
        weigher: &mut Weigher<'_>,
        stored: StoredChunk,
        payload: Option<Box<ChunkPayload>>,
    ) -> Result<IndexedChunk> {
        let counts = chunk_terms(weigher.terms, &stored, weigher.bm25)?;
        // A vector of another length is another model's: the chunk is found by its words.
        let dimensions = self.mark.model.as_ref().map(|model| model.dimensions);
        let dense = stored.vector.filter(|vector| Some(vector.len()) == dimensions);
        let terms = terms::weights(&counts, self.mark.average_terms, weigher.bm25);
        Ok(IndexedChunk { id: stored.id, document: stored.document, dense, terms, payload })
    }
}

impl IndexPlace {
    /// What a process holds while it has the index.
    const fn lock(&self) -> &'static str {
        match self {
            Self::Edge { .. } => "index",
            Self::Server { .. } => "server",
        }
    }
}

/// What an index of this library has to be made from.
fn wanted(database: &LibraryDatabase, bm25: Bm25Settings) -> Result<IndexMark> {
    Ok(IndexMark {
        layout: LAYOUT,
        library: database.identity()?,
        model: database.model()?.map(|(_, model)| model),
        bm25: (bm25.k1, bm25.b, bm25.title),
        average_terms: database.weighing_average()?,
        chunk: 0,
        removal: 0,
        whole: false,
        turn: None,
        roots: Vec::new(),
    })
}
