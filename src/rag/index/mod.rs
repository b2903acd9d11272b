//! What finds chunks by vectors: one trait, with the engine in this process and a Qdrant server behind it. Holds nothing
//! that the database doesn't have.

mod edge;
mod layout;
mod mark;
mod payload;
pub mod server;

use anyhow::Result;

pub use edge::EdgeIndex;
pub use mark::IndexMark;
pub(super) use mark::LAYOUT;
pub use payload::{ChunkPayload, LibraryPayload};

use super::terms::TermVector;

/// A chunk as an index takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexedChunk {
    pub id: u64,
    pub document: u64,
    /// Of length 1, if it has been embedded.
    pub dense: Option<Vec<f32>>,
    pub terms: TermVector,
    /// What it says, for an index that others read too.
    pub payload: Option<Box<ChunkPayload>>,
}

/// What an index is asked by.
#[derive(Debug, Clone, Copy)]
pub enum IndexQuery<'a> {
    /// The nearest by cosine.
    Dense(&'a [f32]),
    /// The best by the products of weights, each term's times its inverse document frequency.
    Terms(&'a TermVector),
}

/// A store of chunks' vectors.
pub trait ChunkIndex: Send {
    /// Adds chunks, or replaces those with the same number.
    ///
    /// # Errors
    /// Where the store can't be written.
    fn put(&mut self, chunks: Vec<IndexedChunk>) -> Result<()>;

    /// Takes chunks out; those that aren't there are passed over.
    ///
    /// # Errors
    /// Where the store can't be written.
    fn remove(&mut self, ids: &[u64]) -> Result<()>;

    /// The best chunks, of some documents only if they are named, best first.
    ///
    /// # Errors
    /// Where the store can't be read.
    fn find(&self, query: IndexQuery<'_>, documents: Option<&[u64]>, limit: usize)
    -> Result<Vec<(u64, f32)>>;

    /// Chunks that it has.
    ///
    /// # Errors
    /// Where the store can't be read.
    fn count(&self) -> Result<u64>;

    /// What it was made from, and how far; nothing if that was never said.
    ///
    /// # Errors
    /// Where the store can't be read.
    fn mark(&self) -> Result<Option<IndexMark>>;

    /// Says what it was made from, and how far.
    ///
    /// # Errors
    /// Where the store can't be written.
    fn set_mark(&mut self, mark: &IndexMark) -> Result<()>;

    /// Makes ready for all chunks to be put in again, of which some may be there.
    ///
    /// # Errors
    /// Where the store can't be written.
    fn begin_anew(&mut self) -> Result<()>;

    /// Puts everything on the disk.
    ///
    /// # Errors
    /// Where it can't be written.
    fn flush(&mut self) -> Result<()>;

    /// Rearranges what was added so that finding is quick. May take long after much was added.
    ///
    /// # Errors
    /// Where it can't be written.
    fn settle(&mut self) -> Result<()>;
}
