//! Documents on their way into a library: cut, embedded, put in whole. What was embedded is kept at once, so that a
//! killed process computes nothing twice.

use anyhow::{Result, ensure};

use super::chunk::chunks;
use super::database::{
    DocumentSource, ExcludedPaths, KnownAddress, LibraryRoot, ModelNumber, NewChunk, NewDocument,
    StoredDocument, text_hash,
};
use super::embedding::TextEmbedder;
pub use super::host::{AddHost, AddProgress};
use super::library::{ChunkWords, Library};
use super::terms;
pub use super::vectors::embed_anew;
use super::vectors::{Embedding, embed_lacking};
use crate::domain::library::{ChunkSettings, DocumentChunk, SourceDocument};

/// Chunks that wait for their embeddings at most, so that documents of one chunk are embedded together too.
const WAITING: usize = 256;
/// The least that a chunk has room for under its title and headings.
const LEAST: usize = 32;

/// How documents are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChunkCut {
    /// Into chunks that the model reads whole.
    ToFit(ChunkSettings),
    /// Not at all: what is longer than the model reads is embedded by its beginning.
    Whole,
}

/// A document that waits for its embeddings.
struct WaitingDocument {
    document: NewDocument,
    /// What is embedded for each chunk.
    texts: Vec<String>,
}

/// Puts documents into a library.
pub struct Adder<'a> {
    library: &'a mut Library,
    embedder: Option<(&'a dyn TextEmbedder, ModelNumber)>,
    host: &'a mut dyn AddHost,
    cut: ChunkCut,
    waiting: Vec<WaitingDocument>,
    progress: AddProgress,
    stopped: bool,
}

impl<'a> Adder<'a> {
    /// Begins; without an embedder what is added is found by its words alone.
    ///
    /// # Errors
    /// Where the library has another embedding model: [`embed_anew`] changes it.
    pub fn new(
        library: &'a mut Library,
        embedder: Option<&'a dyn TextEmbedder>,
        cut: ChunkCut,
        host: &'a mut dyn AddHost,
    ) -> Result<Self> {
        let embedder = match embedder {
            Some(embedder) => Some((embedder, Self::model_of(library, embedder)?)),
            None => None,
        };
        Ok(Self {
            library,
            embedder,
            host,
            cut,
            waiting: Vec::new(),
            progress: AddProgress::default(),
            stopped: false,
        })
    }

    /// The number of the library's model, which must be the embedder's; a library without chunks takes it for its own.
    pub(super) fn model_of(library: &mut Library, embedder: &dyn TextEmbedder) -> Result<ModelNumber> {
        let Some((number, model)) = library.database.model()? else {
            ensure!(
                library.database.counts()?.chunks == 0,
                "this library has no embeddings yet: `dojo rag embed --model {}` computes them",
                embedder.model().name
            );
            return library.database.choose(embedder.model());
        };
        ensure!(model == *embedder.model(), "{}", model.mismatch(embedder.model()));
        Ok(number)
    }

    /// The library's document of a source.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn known(&self, source: &str) -> Result<Option<StoredDocument>> {
        self.library.database.document(source)
    }

    /// The library's documents at a path or under it.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn under(&self, path: &str) -> Result<Vec<StoredDocument>> {
        self.library.database.documents_under(path)
    }

    /// What was added to the library, and what is said of it.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn roots(&self) -> Result<Vec<LibraryRoot>> {
        self.library.database.roots()
    }

    /// Notes that a file of this size was looked at.
    pub fn saw(&mut self, bytes: u64) {
        self.progress.bytes += bytes;
    }

    /// Says anew of an unchanged document when its file was written.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn touch(&mut self, from: &DocumentSource) -> Result<()> {
        self.library.database.touch(from)
    }

    /// Takes a document out.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn remove(&mut self, source: &str) -> Result<bool> {
        self.library.database.remove(source)
    }

    /// What stays out, although its folder was added.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn excluded_paths(&self) -> Result<ExcludedPaths> {
        self.library.database.excluded_paths()
    }

    /// What came of an address before.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn address(&self, root: &str, asked: &str) -> Result<Option<KnownAddress>> {
        self.library.database.address(root, asked)
    }

    /// Remembers what came of an address; a document that it led to before, and nothing else does, is taken out.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn set_address(&mut self, address: &KnownAddress) -> Result<()> {
        if let Some(left) = self.library.database.set_address(address)? {
            self.library.database.remove(&left)?;
        }
        Ok(())
    }

    #[must_use]
    pub const fn progress(&self) -> AddProgress {
        self.progress
    }

    /// Tells the host how far it is, and asks whether to go on.
    pub fn goes_on(&mut self) -> bool {
        self.tick();
        !self.stopped
    }

    /// Takes a document that was read; it is in the library when enough have come together, or at the end. False when
    /// the host wants to stop.
    ///
    /// # Errors
    /// Where it can't be embedded or the disk is full.
    pub fn offer(
        &mut self,
        from: DocumentSource,
        read: &SourceDocument,
        context: Option<&str>,
    ) -> Result<bool> {
        let waiting = self.cut(from, read, context)?;
        self.progress.cut += waiting.texts.len() as u64;
        self.waiting.push(waiting);
        if self.waiting.iter().map(|one| one.texts.len()).sum::<usize>() >= WAITING {
            self.put_waiting()?;
        } else {
            self.tick();
        }
        Ok(!self.stopped)
    }

    /// Puts in what waits for its embeddings now: what was hard to come by is not asked for again after a kill. False
    /// when the host wants to stop.
    ///
    /// # Errors
    /// As [`Self::offer`].
    pub fn settle(&mut self) -> Result<bool> {
        if !self.stopped {
            self.put_waiting()?;
        }
        Ok(!self.stopped)
    }

    /// Puts in what still waits. Nothing if the host wanted to stop.
    ///
    /// # Errors
    /// As [`Self::offer`].
    pub fn finish(mut self) -> Result<Option<AddProgress>> {
        if !self.stopped {
            self.put_waiting()?;
        }
        Ok((!self.stopped).then_some(self.progress))
    }

    fn tick(&mut self) {
        self.stopped |= !self.host.goes_on(&self.progress);
    }

    fn cut(
        &mut self,
        from: DocumentSource,
        read: &SourceDocument,
        context: Option<&str>,
    ) -> Result<WaitingDocument> {
        let language = read.facts.language.as_deref();
        let embedder = self.embedder.map(|(embedder, _)| embedder);
        let count = |text: &str| match embedder.map(|embedder| embedder.tokens(text)) {
            Some(Ok(tokens)) => tokens,
            _ => words(text),
        };
        let cut = match self.cut {
            ChunkCut::Whole => whole(read, &count),
            ChunkCut::ToFit(settings) => {
                let above = ChunkWords { title: &read.title, context, section: &[], text: "" }.head();
                chunks(read, &self.room_under(&above, settings)?, &count)
            }
        };
        let (mut new, mut texts) = (Vec::with_capacity(cut.len()), Vec::with_capacity(cut.len()));
        for chunk in cut {
            let parts =
                ChunkWords { title: &read.title, context, section: &chunk.section, text: &chunk.text };
            let text = parts.embedded();
            let counts = parts.terms(&mut self.library.terms, language, terms::Bm25Settings::default())?;
            let (terms, embedded) = (terms::length(&counts) as u32, text_hash(text.as_bytes()));
            new.push(NewChunk { chunk, terms, embedded });
            texts.push(text);
        }
        let document = NewDocument {
            from,
            title: read.title.clone(),
            facts: read.facts.clone(),
            context: context.map(str::to_owned),
            notices: read.notices.clone(),
            chunks: new,
        };
        Ok(WaitingDocument { document, texts })
    }

    /// Chunks so long that the model reads them whole, with what stands above them.
    fn room_under(&self, above: &str, settings: ChunkSettings) -> Result<ChunkSettings> {
        let Some((embedder, _)) = self.embedder else { return Ok(settings) };
        let taken = embedder.tokens(above)? + 2;
        let room = embedder.longest().saturating_sub(taken).max(LEAST.min(embedder.longest()));
        Ok(ChunkSettings { tokens: settings.tokens.min(room as u32), ..settings })
    }

    fn put_waiting(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        if let Some((embedder, number)) = self.embedder {
            let texts = waiting.iter().flat_map(|one| {
                one.document
                    .chunks
                    .iter()
                    .map(|chunk| chunk.embedded)
                    .zip(one.texts.iter().map(String::as_str))
            });
            let (progress, host) = (&mut self.progress, &mut self.host);
            let done =
                embed_lacking(self.library, embedder, number, texts.collect(), &mut |embedded, kept| {
                    progress.embedded += embedded;
                    progress.kept += kept;
                    host.goes_on(progress)
                })?;
            if done == Embedding::Stopped {
                // Those that have all their embeddings are read again next time, and cost nothing then.
                self.stopped = true;
                return Ok(());
            }
        }
        for one in waiting {
            self.library.database.put(&one.document)?;
            self.progress.documents += 1;
            self.progress.chunks += one.document.chunks.len() as u64;
        }
        self.tick();
        Ok(())
    }
}

/// The whole document as one chunk.
fn whole(read: &SourceDocument, count: &dyn Fn(&str) -> usize) -> Vec<DocumentChunk> {
    let words: Vec<&str> = read.blocks.iter().map(|block| block.text.as_str()).collect();
    let text = words.join("\n\n");
    let tokens = count(&text) as u32;
    vec![DocumentChunk { ordinal: 0, section: Vec::new(), pages: None, text, tokens }]
}

/// Words, where no model says how many tokens a text has.
fn words(text: &str) -> usize {
    text.split_whitespace().count() * 4 / 3
}
