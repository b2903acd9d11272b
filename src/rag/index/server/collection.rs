//! A library's collection on a server: made, held against what it should be, and what it says of itself. What is there and
//! is no index of this library is never changed.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use qdrant_client::Qdrant;
use qdrant_client::qdrant::vectors_config::Config;
use qdrant_client::qdrant::{
    CollectionInfo, CreateCollection, CreateFieldIndexCollection, Distance, FieldType, Modifier,
    OptimizersConfigDiff, SparseVectorConfig, SparseVectorParams, UpdateCollection, Value, VectorParams,
    VectorParamsMap, VectorsConfig,
};

use super::ServerClaim;
use super::link::{ServerLink, ServerTask};
use super::trouble::ServerTrouble;
use crate::rag::index::layout::{DENSE, DOCUMENT, GRAPH_FROM_KB, TERMS};
use crate::rag::index::mark::IndexMark;

/// The collection's own notes have the mark under this name.
const NOTE: &str = "dojo";

/// A collection by its name; it may not be there yet.
#[derive(Clone)]
pub(super) struct ServerCollection {
    pub(super) link: Arc<ServerLink>,
    pub(super) name: String,
}

impl ServerCollection {
    /// "the collection NAME at URL".
    pub(super) fn place(&self) -> String {
        format!("the collection {} at {}", self.name, self.link.access().url())
    }

    /// What the server says of it; nothing if it isn't there.
    pub(super) fn info(&self) -> Result<Option<CollectionInfo>> {
        self.link.version()?;
        let name = self.name.clone();
        let asked = move |client: Qdrant| {
            let name = name.clone();
            async move { client.collection_info(name).await }
        };
        match self.link.asked(ServerTask::Finding, asked)? {
            Ok(answer) => answer.result.map(Some).with_context(|| format!("{} says nothing", self.place())),
            Err(ServerTrouble::Missing) => Ok(None),
            Err(trouble) => bail!("{}", trouble.sentence(self.link.access(), "describe a collection")),
        }
    }

    /// Makes it, empty.
    pub(super) fn make(&self, dimensions: usize) -> Result<()> {
        let request = CreateCollection {
            collection_name: self.name.clone(),
            vectors_config: Some(vectors(dimensions)),
            sparse_vectors_config: Some(sparse()),
            optimizers_config: Some(OptimizersConfigDiff {
                indexing_threshold: Some(GRAPH_FROM_KB as u64),
                ..OptimizersConfigDiff::default()
            }),
            // A term's rarity is counted within a shard.
            shard_number: Some(1),
            ..CreateCollection::default()
        };
        let made = move |client: Qdrant| {
            let request = request.clone();
            async move { client.create_collection(request).await }
        };
        self.link.ask(ServerTask::Writing, "make a collection", made)?;
        Ok(())
    }

    /// Lets filters find a document's chunks quickly, if they don't yet.
    pub(super) fn index_documents(&self, info: Option<&CollectionInfo>) -> Result<()> {
        if info.is_some_and(|info| info.payload_schema.contains_key(DOCUMENT)) {
            return Ok(());
        }
        let request = CreateFieldIndexCollection {
            collection_name: self.name.clone(),
            wait: Some(true),
            field_name: DOCUMENT.to_owned(),
            field_type: Some(FieldType::Integer.into()),
            ..CreateFieldIndexCollection::default()
        };
        let made = move |client: Qdrant| {
            let request = request.clone();
            async move { client.create_field_index(request).await }
        };
        self.link.ask(ServerTask::Writing, "index a field", made)?;
        Ok(())
    }

    /// Refuses one that another library, another copy of this one or another program has written.
    pub(super) fn claimed(&self, info: &CollectionInfo, claim: &ServerClaim) -> Result<()> {
        let place = self.place();
        match self.mark_of(info)? {
            Some(mark) if mark.library != claim.library => {
                bail!(
                    "{place} is the index of another library: name another collection with --collection NAME"
                )
            }
            Some(IndexMark { turn: Some(turn), .. }) if !claim.turns.contains(&turn) => bail!(
                "another copy of this library has written to {place}, and this one doesn't know what: `dojo rag pull` brings \
                 it into a folder of its own, `--collection NAME` keeps the two apart"
            ),
            None if info.points_count.unwrap_or_default() > 0 => bail!(
                "{place} holds points that no library put there: name another collection with --collection NAME"
            ),
            Some(_) | None => Ok(()),
        }
    }

    /// Holds the layout of one that is there against what this index needs.
    pub(super) fn check(&self, info: &CollectionInfo, dimensions: usize) -> Result<()> {
        const OTHER: &str = "name another collection with --collection NAME";
        let place = self.place();
        let params = info.config.as_ref().and_then(|config| config.params.as_ref());
        let params = params.with_context(|| format!("{place} says nothing of its layout"))?;
        let dense = match params.vectors_config.as_ref().and_then(|vectors| vectors.config.as_ref()) {
            Some(Config::ParamsMap(named)) => named.map.get(DENSE),
            Some(Config::Params(_)) | None => None,
        };
        let Some(dense) = dense else {
            bail!("{place} is laid out otherwise: it has no vectors named {DENSE}; {OTHER}")
        };
        ensure!(
            dense.distance() == Distance::Cosine && dense.multivector_config.is_none(),
            "{place} is laid out otherwise: its vectors named {DENSE} are not compared one by one by cosine; {OTHER}"
        );
        ensure!(
            dense.size == dimensions as u64,
            "{place} has vectors of {} dimensions, and this library's have {dimensions}: {OTHER}",
            dense.size
        );
        let terms = params.sparse_vectors_config.as_ref().and_then(|sparse| sparse.map.get(TERMS));
        let Some(terms) = terms else {
            bail!("{place} is laid out otherwise: it has no sparse vectors named {TERMS}; {OTHER}")
        };
        ensure!(
            terms.modifier() == Modifier::Idf,
            "{place} is laid out otherwise: its sparse vectors named {TERMS} don't count how rare a term is (modifier IDF), so \
             that BM25 would rank otherwise; {OTHER}"
        );
        Ok(())
    }

    /// What it says that it was made from; nothing if it is no library's.
    pub(super) fn mark_of(&self, info: &CollectionInfo) -> Result<Option<IndexMark>> {
        let note = info.config.as_ref().and_then(|config| config.metadata.get(NOTE));
        let Some(note) = note else { return Ok(None) };
        let read = serde_json::to_value(note).and_then(serde_json::from_value::<IndexMark>);
        let read = read.ok().with_context(|| {
            format!(
                "{} was written by another version of dojo: name another collection with --collection NAME",
                self.place()
            )
        })?;
        Ok(Some(read))
    }

    /// Says what it was made from, and leaves its other notes as they are.
    pub(super) fn set_mark(&self, mark: &IndexMark) -> Result<()> {
        let note: Value = serde_json::to_value(mark).context("write an index's mark")?.into();
        let request = UpdateCollection {
            collection_name: self.name.clone(),
            metadata: HashMap::from([(NOTE.to_owned(), note)]),
            ..UpdateCollection::default()
        };
        let set = move |client: Qdrant| {
            let request = request.clone();
            async move { client.update_collection(request).await }
        };
        self.link.ask(ServerTask::Writing, "keep what an index was made from", set)?;
        Ok(())
    }
}

fn vectors(dimensions: usize) -> VectorsConfig {
    let params = VectorParams {
        size: dimensions as u64,
        distance: Distance::Cosine.into(),
        ..VectorParams::default()
    };
    let map = HashMap::from([(DENSE.to_owned(), params)]);
    VectorsConfig { config: Some(Config::ParamsMap(VectorParamsMap { map })) }
}

fn sparse() -> SparseVectorConfig {
    let params = SparseVectorParams { modifier: Some(Modifier::Idf.into()), index: None };
    SparseVectorConfig { map: HashMap::from([(TERMS.to_owned(), params)]) }
}
