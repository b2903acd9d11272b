//! A library in its folder: the database, and the index that is made from it and kept up with it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::database::{FILE, LibraryDatabase, LibraryRoot, ModelNumber, StoredChunk};
use super::index::{ChunkIndex, EdgeIndex, IndexedChunk};
use super::terms::{self, Bm25Settings, TermCounts, TermReader};
use crate::domain::retrieval::LibraryCounts;
use crate::ground::files::{remove_if_there, write_atomically};
use crate::session::{JobLock, SessionError};

/// The index's folder within the library's, and what says how far it has come.
const INDEX: &str = "index";
const MARK: &str = "made.json";
/// What makes an index of another version be made again.
const LAYOUT: u32 = 1;
/// Chunks that are put into the index at once, and after how many of them it is on the disk.
const BATCH: usize = 256;
const FLUSH_EVERY: usize = 8192;
/// The average length of chunks may drift so far before their weights are computed again.
const DRIFT: f64 = 0.1;
/// Another process has the index for this long at most before we give up.
const PATIENCE: Duration = Duration::from_secs(20);
/// Dimensions of an index without embeddings.
const NO_DIMENSIONS: usize = 1;

/// An open library, for one thread. Several processes may have it open: they take turns at the index.
pub struct Library {
    folder: PathBuf,
    pub(super) database: LibraryDatabase,
    pub(super) terms: TermReader,
    bm25: Bm25Settings,
    index: Option<OpenIndex>,
}

/// The index while this process has it.
struct OpenIndex {
    index: Box<dyn ChunkIndex>,
    mark: IndexMark,
    #[expect(dead_code, reason = "held so that no other process opens the index")]
    lock: JobLock,
}

/// What an index was made from, and how far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct IndexMark {
    layout: u32,
    library: String,
    /// The embedding model's number and dimensions.
    model: Option<(i64, usize)>,
    bm25: (f64, f64, f32),
    average_terms: f64,
    /// The highest chunk and the last removal that it knows.
    chunk: u64,
    removal: u64,
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
        Self { folder: folder.to_path_buf(), database, terms, bm25, index: None }
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
        let known = self.index_mark().map_or(0, |mark| mark.chunk);
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

    fn index_folder(&self) -> PathBuf {
        self.folder.join(INDEX)
    }

    fn index_mark(&self) -> Option<IndexMark> {
        serde_json::from_slice(&fs::read(self.index_folder().join(MARK)).ok()?).ok()
    }

    /// Lets other processes have the index.
    pub fn release(&mut self) {
        self.index = None;
    }

    /// The index, brought up to the database: made anew if it is missing, damaged or of another model.
    ///
    /// # Errors
    /// Where another process keeps it, or the disk is full.
    pub fn index(&mut self) -> Result<&mut dyn ChunkIndex> {
        if self.index.is_none() {
            let lock = self.wait_for_index()?;
            let wanted = self.wanted()?;
            let found = self.index_mark().filter(|mark| fits(mark, &wanted));
            let (index, mark) = match found.and_then(|mark| Some((self.open_index(&mark).ok()?, mark))) {
                Some(opened) => opened,
                None => self.empty_index(wanted)?,
            };
            self.index = Some(OpenIndex { index, mark, lock });
        }
        if !self.catch_up()? {
            // It doesn't hold what it should: once more, from nothing.
            let wanted = self.wanted()?;
            if let Some(mut open) = self.index.take() {
                (open.index, open.mark) = self.empty_index(wanted)?;
                self.index = Some(open);
            }
            anyhow::ensure!(
                self.catch_up()?,
                "the index in {} can't be made: remove that folder and try again",
                self.index_folder().display()
            );
        }
        let open = self.index.as_mut().context("the index is closed")?;
        Ok(open.index.as_mut())
    }

    fn wait_for_index(&self) -> Result<JobLock> {
        let began = Instant::now();
        loop {
            match JobLock::take(&self.folder, INDEX, "dojo rag") {
                Err(SessionError::JobRunning { .. }) if began.elapsed() < PATIENCE => {
                    std::thread::park_timeout(Duration::from_millis(5));
                }
                taken => return taken.context("open the library's index"),
            }
        }
    }

    /// What an index of this library has to be made from.
    fn wanted(&self) -> Result<IndexMark> {
        Ok(IndexMark {
            layout: LAYOUT,
            library: self.database.identity()?,
            model: self.database.model()?.map(|(number, model)| (number.as_i64(), model.dimensions)),
            bm25: (self.bm25.k1, self.bm25.b, self.bm25.title),
            average_terms: self.database.average_terms()?,
            chunk: 0,
            removal: 0,
        })
    }

    fn open_index(&self, mark: &IndexMark) -> Result<Box<dyn ChunkIndex>> {
        let dimensions = mark.model.map_or(NO_DIMENSIONS, |(_, dimensions)| dimensions);
        Ok(Box::new(EdgeIndex::open(&self.index_folder(), dimensions)?))
    }

    fn empty_index(&mut self, mark: IndexMark) -> Result<(Box<dyn ChunkIndex>, IndexMark)> {
        self.index = None;
        remove_if_there(&self.index_folder())?;
        Ok((self.open_index(&mark)?, mark))
    }

    /// Brings the index up to the database; false if it then doesn't hold as many chunks as it should.
    fn catch_up(&mut self) -> Result<bool> {
        let Some(OpenIndex { index, mark, .. }) = &mut self.index else { return Ok(false) };
        let place = self.folder.join(INDEX).join(MARK);
        let (removed, new) =
            (self.database.removals_after(mark.removal)?, self.database.chunk_count_after(mark.chunk)?);
        if removed.is_empty() && new == 0 {
            return Ok(true);
        }
        let model = mark.model.map(|(number, _)| ModelNumber::from_i64(number));
        for some in removed.chunks(BATCH) {
            index.remove(&some.iter().map(|&(_, chunk)| chunk).collect::<Vec<_>>())?;
        }
        let mut since_flush = 0;
        loop {
            let chunks = self.database.chunks_after(mark.chunk, BATCH, model)?;
            let Some(last) = chunks.last().map(|chunk| chunk.id) else { break };
            since_flush += chunks.len();
            let indexed = chunks.into_iter().map(|chunk| {
                let weighed = (self.bm25, mark.average_terms);
                indexed(&mut self.terms, chunk, weighed, mark.model.map(|(_, dimensions)| dimensions))
            });
            index.put(indexed.collect::<Result<_>>()?)?;
            mark.chunk = last;
            if since_flush >= FLUSH_EVERY {
                since_flush = 0;
                index.flush()?;
                write_atomically(&place, &serde_json::to_vec(mark)?)?;
            }
        }
        index.settle()?;
        mark.removal = removed.last().map_or(mark.removal, |&(number, _)| number);
        let is_whole = index.count()? == self.database.chunk_count_after(0)?;
        if is_whole {
            write_atomically(&place, &serde_json::to_vec(mark)?)?;
        }
        Ok(is_whole)
    }
}

/// Whether an index that was made so serves for what is wanted now.
fn fits(made: &IndexMark, wanted: &IndexMark) -> bool {
    let drift = (made.average_terms / wanted.average_terms.max(1.0) - 1.0).abs();
    let same = IndexMark {
        average_terms: wanted.average_terms,
        chunk: wanted.chunk,
        removal: wanted.removal,
        ..made.clone()
    };
    same == *wanted && (drift <= DRIFT || wanted.average_terms < 1.0)
}

fn indexed(
    reader: &mut TermReader,
    stored: StoredChunk,
    (bm25, average): (Bm25Settings, f64),
    dimensions: Option<usize>,
) -> Result<IndexedChunk> {
    let counts = chunk_terms(reader, &stored, bm25)?;
    // A vector of another length is another model's: the chunk is found by its words.
    let dense = stored.vector.filter(|vector| Some(vector.len()) == dimensions);
    let terms = terms::weights(&counts, average, bm25);
    Ok(IndexedChunk { id: stored.id, document: stored.document, dense, terms })
}

fn chunk_terms(reader: &mut TermReader, stored: &StoredChunk, bm25: Bm25Settings) -> Result<TermCounts> {
    let chunk = ChunkWords {
        title: &stored.title,
        context: stored.context.as_deref(),
        section: &stored.chunk.section,
        text: &stored.chunk.text,
    };
    chunk.terms(reader, stored.language.as_deref(), bm25)
}

/// A chunk's text, and what stands above it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkWords<'a> {
    pub(super) title: &'a str,
    pub(super) context: Option<&'a str>,
    pub(super) section: &'a [String],
    pub(super) text: &'a str,
}

impl ChunkWords<'_> {
    /// What stands above the text: the context, the title, the headings. None of it twice.
    pub(super) fn head(&self) -> String {
        let mut parts: Vec<&str> = self.context.into_iter().chain([self.title]).collect();
        parts.extend(self.section.iter().map(String::as_str).filter(|heading| *heading != self.title));
        parts.retain(|part| !part.trim().is_empty());
        parts.join(" > ")
    }

    /// What is embedded.
    pub(super) fn embedded(&self) -> String {
        let head = self.head();
        if head.is_empty() { self.text.to_owned() } else { format!("{head}\n{}", self.text) }
    }

    /// What BM25 counts.
    pub(super) fn terms(
        &self,
        reader: &mut TermReader,
        language: Option<&str>,
        bm25: Bm25Settings,
    ) -> Result<TermCounts> {
        let mut counts = TermCounts::new();
        reader.count(self.text, language, 1.0, &mut counts)?;
        reader.count(self.title, language, bm25.title, &mut counts)?;
        for above in self.context.into_iter().chain(self.section.iter().map(String::as_str)) {
            if above != self.title {
                reader.count(above, language, 1.0, &mut counts)?;
            }
        }
        Ok(counts)
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
