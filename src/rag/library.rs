//! A library in its folder: the database, and the index that is made from it and kept up with it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};

use super::database::{FILE, IndexStore, LibraryDatabase, LibraryRoot};
use super::embedding::EmbeddingModel;
use super::index::server::{ServerAccess, ServerLink};
use super::index::{ChunkIndex, EdgeIndex};
use super::terms::{Bm25Settings, TermReader};
use super::upkeep::{Brought, IndexPlace, KeptIndex, UpkeepReport, WantedFor, Weigher};
use crate::domain::counted::counted;
use crate::domain::retrieval::LibraryCounts;

pub(super) use super::words::ChunkWords;

/// The index's folder within the library's.
const INDEX: &str = "index";
/// Chunks among which one that is embedded is looked for.
const SAMPLED: usize = 64;

/// An open library, for one thread. Several processes may have it open: they take turns at the index.
pub struct Library {
    folder: PathBuf,
    pub(super) database: LibraryDatabase,
    pub(super) terms: TermReader,
    bm25: Bm25Settings,
    index: Option<KeptIndex>,
    /// The server that was handed in; else the one that this process was told.
    access: Option<ServerAccess>,
    /// Kept while the index is let go, so that the next question need not connect again.
    link: Option<Arc<ServerLink>>,
    /// Whether the index is kept while something else is waited for.
    keeping: IndexKeeping,
}

/// Whether others may have the index while a search waits for a model or an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IndexKeeping {
    Lent,
    /// Opening it again would be counted into what is measured.
    Held,
}

impl Library {
    /// Opens the library in a folder, or makes an empty one.
    ///
    /// # Errors
    /// Where the folder can't be written or holds something else.
    pub fn create(folder: &Path) -> Result<Self> {
        Ok(Self::of(folder, LibraryDatabase::create(folder)?))
    }

    /// Opens the library in a folder.
    ///
    /// # Errors
    /// Where there is none, or it can't be read.
    pub fn open(folder: &Path) -> Result<Self> {
        Ok(Self::of(folder, LibraryDatabase::open(folder)?))
    }

    fn of(folder: &Path, database: LibraryDatabase) -> Self {
        let (terms, bm25) = (TermReader::default(), Bm25Settings::default());
        let folder = folder.to_path_buf();
        let keeping = IndexKeeping::Lent;
        Self { folder, database, terms, bm25, index: None, access: None, link: None, keeping }
    }

    /// Asks this server, and not the one that the process was told.
    #[must_use]
    pub fn asking(mut self, access: ServerAccess) -> Self {
        (self.index, self.link, self.access) = (None, None, Some(access));
        self
    }

    /// Weighs words otherwise; the index is made anew for it when it is opened next.
    #[must_use]
    pub fn weighing(mut self, bm25: Bm25Settings) -> Self {
        self.bm25 = bm25;
        self.index = None;
        self
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    #[must_use]
    pub const fn database(&self) -> &LibraryDatabase {
        &self.database
    }

    pub(super) const fn database_mut(&mut self) -> &mut LibraryDatabase {
        &mut self.database
    }

    /// Remembers what is said of a path and all that is under it. If it was to stay out, it is wanted again.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn remember(&mut self, root: &LibraryRoot) -> Result<()> {
        self.database.include(&root.path)?;
        self.database.set_root(root)
    }

    /// Takes a document out.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn take_out(&mut self, source: &str) -> Result<bool> {
        self.database.remove(source)
    }

    /// What it holds, in the database, on the disk, and how far the index is behind.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn counts(&self) -> Result<LibraryCounts> {
        // How far a server is, is known when it is asked.
        let known = match self.database.index_store()? {
            IndexStore::Edge => self.indexed_to(),
            IndexStore::Server { .. } => self.database.last_chunk()?,
        };
        let model = self.database.model()?.map(|(_, model)| model);
        let log = fs::metadata(self.folder.join(format!("{FILE}-wal"))).map_or(0, |log| log.len());
        Ok(LibraryCounts {
            database_bytes: fs::metadata(self.folder.join(FILE)).map_or(0, |file| file.len()) + log,
            index_bytes: bytes_under(&self.index_folder()),
            dimensions: model.as_ref().map(|model| model.dimensions),
            model: model.map(|model| model.name),
            behind: self.database.chunk_count_after(known)?,
            ..self.database.counts()?
        })
    }

    /// The highest chunk that the index beside the database has, as far as that is written down.
    #[must_use]
    pub fn indexed_to(&self) -> u64 {
        EdgeIndex::mark_in(&self.index_folder()).map_or(0, |mark| mark.chunk)
    }

    fn index_folder(&self) -> PathBuf {
        self.folder.join(INDEX)
    }

    /// Lets other processes have the index.
    pub fn release(&mut self) {
        self.index = None;
    }

    /// Lets another process have the index if one waits for it; whether it is still open here.
    pub fn release_if_wanted(&mut self) -> bool {
        if self.index.as_ref().is_some_and(KeptIndex::is_wanted) {
            self.release();
        }
        self.index.is_some()
    }

    /// Keeps the index while a model is waited for: for measurements, which others are not to be in.
    pub const fn keep_index_open(&mut self) {
        self.keeping = IndexKeeping::Held;
    }

    /// Lets others have the index while something is waited for that may take long.
    pub(super) fn lend_index(&mut self) {
        if self.keeping == IndexKeeping::Lent {
            self.release();
        }
    }

    /// What is not found yet, in a sentence: another process is putting it into the index.
    pub(super) fn lacking_in_index(&self) -> Result<Option<String>> {
        let Some(kept) = &self.index else { return Ok(None) };
        let lacks = kept.lacks(&self.database)?;
        Ok((lacks > 0).then(|| {
            format!(
                "another process is bringing the index up to date: {} are not found yet",
                counted(lacks, "chunk")
            )
        }))
    }

    /// A text that the library's model has embedded, and its vector: what tells whether another gives the same.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn embedded_sample(&self) -> Result<Option<(String, Vec<f32>)>> {
        let Some((number, _)) = self.database.model()? else { return Ok(None) };
        let first = self.database.chunks_after(0, SAMPLED, Some(number))?;
        let sample = first.into_iter().find_map(|stored| {
            let text = ChunkWords::of(&stored).embedded();
            Some((text, stored.vector?))
        });
        Ok(sample)
    }

    /// Takes its vectors for those of a model that gives the same from another place.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn take_over(&mut self, model: &EmbeddingModel) -> Result<()> {
        self.index = None;
        self.database.take_over(model)
    }

    /// Where its index is kept.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn store(&self) -> Result<IndexStore> {
        self.database.index_store()
    }

    /// Has its index kept elsewhere from now on. What is there is brought up to date when it is asked next.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn keep_index(&mut self, store: &IndexStore) -> Result<()> {
        self.index = None;
        self.database.set_index_store(store)
    }

    /// Has the index made from nothing when it is opened next.
    pub(super) fn make_index_anew(&mut self) -> Result<()> {
        let place = self.place()?;
        self.index = None;
        let mut kept = KeptIndex::open(&self.database, &place, (self.bm25, WantedFor::Writing))
            .map_err(|error| self.elsewhere(error))?;
        kept.begin_anew(&self.database, self.bm25)
    }

    /// The index, brought up to the database: made anew if it is missing, damaged or of another model.
    ///
    /// # Errors
    /// Where another process keeps it, the disk is full, or a server can't be asked.
    pub fn index(&mut self) -> Result<&mut dyn ChunkIndex> {
        if let Some(kept) = &self.index
            && !kept.is_current(&self.database)?
        {
            self.index = None;
        }
        if self.index.is_none() {
            let place = self.place()?;
            let kept = KeptIndex::open(&self.database, &place, (self.bm25, WantedFor::Searching))
                .map_err(|error| self.elsewhere(error))?;
            self.index = Some(kept);
        }
        let Self { index, database, terms, bm25, .. } = self;
        let kept = index.as_mut().context("the index is closed")?;
        let brought = kept.bring_up(database, &mut Weigher { terms, bm25: *bm25 }, &mut |_| true);
        if let Err(error) = brought {
            return Err(self.elsewhere(error));
        }
        Ok(self.index.as_mut().context("the index is closed")?.index())
    }

    /// Sends the index to a collection of a server, whichever the library's own index is: what is new, what changed, and
    /// what is gone. The host is told how far it is, and says whether to go on.
    ///
    /// # Errors
    /// Where the server can't be asked, or the collection is not this library's.
    pub fn push(
        &mut self,
        access: &ServerAccess,
        collection: &str,
        host: &mut dyn FnMut(UpkeepReport) -> bool,
    ) -> Result<Brought> {
        self.index = None;
        let place = IndexPlace::Server { link: ServerLink::new(access)?, collection: collection.to_owned() };
        let mut kept = KeptIndex::open(&self.database, &place, (self.bm25, WantedFor::Writing))?;
        let mut weigher = Weigher { terms: &mut self.terms, bm25: self.bm25 };
        kept.bring_up(&self.database, &mut weigher, host)
    }

    /// Where the index is, and the way there.
    fn place(&mut self) -> Result<IndexPlace> {
        match self.database.index_store()? {
            IndexStore::Edge => Ok(IndexPlace::Edge { folder: self.index_folder() }),
            IndexStore::Server { collection } => {
                let link = match &self.link {
                    Some(link) => Arc::clone(link),
                    None => ServerLink::new(&self.server()?)?,
                };
                self.link = Some(Arc::clone(&link));
                Ok(IndexPlace::Server { link, collection })
            }
        }
    }

    fn server(&self) -> Result<ServerAccess> {
        match &self.access {
            Some(access) => Ok(access.clone()),
            None => ServerAccess::needed().context("this library's index is on a Qdrant server"),
        }
    }

    /// What can be done about a server that is away.
    fn elsewhere(&self, error: anyhow::Error) -> anyhow::Error {
        match self.database.index_store() {
            Ok(IndexStore::Server { .. }) => {
                anyhow!("{error:#}; `dojo rag store edge` has this library searched on this machine instead")
            }
            Ok(IndexStore::Edge) | Err(_) => error,
        }
    }
}

fn bytes_under(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries
        .map(|entry| match entry.metadata() {
            Ok(what) if what.is_dir() => bytes_under(&entry.path()),
            // The engine's files are larger than what is in them: what the disk gives counts.
            Ok(what) => what.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}
