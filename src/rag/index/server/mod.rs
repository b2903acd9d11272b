//! A Qdrant server as a library's index, over gRPC: laid out and asked like the engine in this process, so that both rank
//! alike. A collection has one library; one that is laid out otherwise or holds something else is refused, and nothing in it
//! is changed.

mod access;
mod collection;
mod link;
mod points;
mod trouble;

use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use qdrant_client::Qdrant;
use qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use qdrant_client::qdrant::{
    CountPoints, DeletePoints, PointStruct, PointsIdsList, PointsOperationResponse, PointsSelector,
    QueryPoints, ScrollPoints, UpdateResult, UpdateStatus, UpsertPoints,
};

pub use access::{KEY_VARIABLE, ServerAccess, ServerPatience, URL_VARIABLE};
pub use link::ServerLink;
pub use points::ReturnedChunk;

use self::collection::ServerCollection;
use self::link::ServerTask;
use super::mark::IndexMark;
use super::{ChunkIndex, IndexQuery, IndexedChunk};

/// Points that are sent at once, at most, and about so many bytes.
const POINTS: usize = 128;
const BYTES: usize = 4 << 20;

/// Who may write to a collection: the library, and the times that it brought it up to date itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerClaim {
    pub library: String,
    pub turns: Vec<String>,
}

/// A collection by a name that it can have.
fn named(link: &Arc<ServerLink>, name: &str) -> Result<ServerCollection> {
    ensure!(
        !name.is_empty()
            && name.len() <= 255
            && !name.contains(['/', '\\', '<', '>', ':', '"', '|', '?', '*']),
        "\"{name}\" is no name for a collection: use letters, digits, - and _"
    );
    Ok(ServerCollection { link: Arc::clone(link), name: name.to_owned() })
}

/// A collection that is a library's index.
pub struct ServerIndex {
    collection: ServerCollection,
}

impl ServerIndex {
    /// Opens a collection, or makes it.
    ///
    /// # Errors
    /// Where the server can't be asked, or the collection is laid out otherwise or holds something else.
    pub fn open(link: &Arc<ServerLink>, name: &str, claim: &ServerClaim, dimensions: usize) -> Result<Self> {
        let collection = named(link, name)?;
        let Some(info) = collection.info()? else {
            collection.make(dimensions)?;
            collection.index_documents(None)?;
            return Ok(Self { collection });
        };
        collection.claimed(&info, claim)?;
        collection.check(&info, dimensions)?;
        collection.index_documents(Some(&info))?;
        Ok(Self { collection })
    }

    /// Opens a collection for searches while another process writes to it; nothing if there is none yet.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn as_it_is(
        link: &Arc<ServerLink>,
        name: &str,
        claim: &ServerClaim,
        dimensions: usize,
    ) -> Result<Option<Self>> {
        let collection = named(link, name)?;
        let Some(info) = collection.info()? else { return Ok(None) };
        collection.claimed(&info, claim)?;
        collection.check(&info, dimensions)?;
        Ok(Some(Self { collection }))
    }

    fn name(&self) -> String {
        self.collection.name.clone()
    }

    fn send(&self, points: Vec<PointStruct>) -> Result<()> {
        let request = UpsertPoints {
            collection_name: self.name(),
            wait: Some(true),
            points,
            ..UpsertPoints::default()
        };
        let sent = move |client: Qdrant| {
            let request = request.clone();
            async move { client.upsert_points(request).await }
        };
        self.applied(&self.collection.link.ask(ServerTask::Writing, "take chunks", sent)?)
    }

    /// An index must not seem to hold what the server has only promised to take in.
    fn applied(&self, answer: &PointsOperationResponse) -> Result<()> {
        let status = answer.result.as_ref().map(UpdateResult::status);
        ensure!(
            status == Some(UpdateStatus::Completed),
            "{} has not taken in what it was sent yet: try again later, it goes on where it was",
            self.collection.place()
        );
        Ok(())
    }
}

impl ChunkIndex for ServerIndex {
    fn put(&mut self, chunks: Vec<IndexedChunk>) -> Result<()> {
        let (mut batch, mut held) = (Vec::new(), 0);
        for chunk in chunks {
            let bytes = points::bytes(&chunk);
            if !batch.is_empty() && (batch.len() >= POINTS || held + bytes > BYTES) {
                self.send(std::mem::take(&mut batch))?;
                held = 0;
            }
            held += bytes;
            batch.push(points::point(chunk)?);
        }
        if batch.is_empty() { Ok(()) } else { self.send(batch) }
    }

    fn remove(&mut self, ids: &[u64]) -> Result<()> {
        let ids = ids.iter().map(|&id| id.into()).collect();
        let points = PointsSelectorOneOf::Points(PointsIdsList { ids });
        let request = DeletePoints {
            collection_name: self.name(),
            wait: Some(true),
            points: Some(PointsSelector { points_selector_one_of: Some(points) }),
            ..DeletePoints::default()
        };
        let sent = move |client: Qdrant| {
            let request = request.clone();
            async move { client.delete_points(request).await }
        };
        self.applied(&self.collection.link.ask(ServerTask::Writing, "take chunks out", sent)?)
    }

    fn find(
        &self,
        asked: IndexQuery<'_>,
        documents: Option<&[u64]>,
        limit: usize,
    ) -> Result<Vec<(u64, f32)>> {
        let asks_nothing = matches!(asked, IndexQuery::Terms(terms) if terms.ids.is_empty());
        if asks_nothing || documents.is_some_and(<[u64]>::is_empty) {
            return Ok(Vec::new());
        }
        let (query, using) = points::query(asked);
        let request = QueryPoints {
            collection_name: self.name(),
            query: Some(query),
            using: Some(using.to_owned()),
            filter: documents.map(points::within),
            limit: Some(limit as u64),
            with_payload: Some(false.into()),
            ..QueryPoints::default()
        };
        let asked = move |client: Qdrant| {
            let request = request.clone();
            async move { client.query(request).await }
        };
        let found = self.collection.link.ask(ServerTask::Finding, "search", asked)?.result;
        let mut found: Vec<(u64, f32)> =
            found.into_iter().filter_map(|point| Some((points::number(point.id)?, point.score))).collect();
        // Equal scores in the order of their numbers, so that every search ends the same.
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        Ok(found)
    }

    fn count(&self) -> Result<u64> {
        let request =
            CountPoints { collection_name: self.name(), exact: Some(true), ..CountPoints::default() };
        let asked = move |client: Qdrant| {
            let request = request.clone();
            async move { client.count(request).await }
        };
        let counted = self.collection.link.ask(ServerTask::Finding, "count its points", asked)?;
        Ok(counted.result.map_or(0, |result| result.count))
    }

    fn mark(&self) -> Result<Option<IndexMark>> {
        self.collection.info()?.map_or(Ok(None), |info| self.collection.mark_of(&info))
    }

    fn set_mark(&mut self, mark: &IndexMark) -> Result<()> {
        self.collection.set_mark(mark)
    }

    /// Chunks that are there are put over themselves; those that are gone are taken out by their numbers.
    fn begin_anew(&mut self) -> Result<()> {
        Ok(())
    }

    /// Every answer was waited for, and the server writes before it answers.
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    /// The server rearranges by itself.
    fn settle(&mut self) -> Result<()> {
        Ok(())
    }
}

/// A collection that a library wrote, for making the library again.
pub struct ServerReader {
    collection: ServerCollection,
}

impl ServerReader {
    /// # Errors
    /// Where the server can't be asked.
    pub fn new(access: &ServerAccess, name: &str) -> Result<Self> {
        let link = ServerLink::new(access)?;
        Ok(Self { collection: ServerCollection { link, name: name.to_owned() } })
    }

    /// "the collection NAME at URL".
    #[must_use]
    pub fn place(&self) -> String {
        self.collection.place()
    }

    /// What it was made from, and how many chunks it has.
    ///
    /// # Errors
    /// Where there is none, or it is no library's.
    pub fn mark(&self) -> Result<(IndexMark, u64)> {
        let place = self.collection.place();
        let Some(info) = self.collection.info()? else {
            bail!(
                "there is no collection {} at {}",
                self.collection.name,
                self.collection.link.access().url()
            )
        };
        let Some(mark) = self.collection.mark_of(&info)? else {
            bail!("{place} is no library's: `dojo rag pull` brings what `dojo rag push` wrote")
        };
        self.collection.check(&info, mark.dimensions())?;
        Ok((mark, info.points_count.unwrap_or_default()))
    }

    /// The next chunks after a number, in the order of their numbers.
    ///
    /// # Errors
    /// Where the server can't be asked, or a point is not as a library writes it.
    pub fn chunks_after(&self, after: u64, limit: u32) -> Result<Vec<ReturnedChunk>> {
        let request = ScrollPoints {
            collection_name: self.collection.name.clone(),
            offset: Some((after + 1).into()),
            limit: Some(limit),
            with_payload: Some(true.into()),
            with_vectors: Some(points::dense_only()),
            ..ScrollPoints::default()
        };
        let asked = move |client: Qdrant| {
            let request = request.clone();
            async move { client.scroll(request).await }
        };
        let page = self.collection.link.ask(ServerTask::Writing, "give its chunks", asked)?;
        page.result.into_iter().map(points::returned).collect()
    }
}
