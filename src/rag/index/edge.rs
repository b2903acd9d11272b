//! Qdrant's engine in this process, in a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use qdrant_edge::{
    CountRequest, CreateIndex, Distance, EdgeConfig, EdgeOptimizersConfig, EdgeShard, EdgeSparseVectorParams,
    EdgeVectorParams, FieldIndexOperations, Filter, Modifier, NamedQuery, PayloadFieldSchema,
    PayloadSchemaType, PointId, PointInsertOperations, PointOperations, PointStruct, QueryEnum,
    SearchRequest, SparseVector, UpdateOperation, Vector, VectorInternal, Vectors, WalOptions,
};
use serde_json::json;

use super::layout::{DENSE, DOCUMENT, GRAPH_FROM_KB, TERMS};
use super::mark::IndexMark;
use super::{ChunkIndex, IndexQuery, IndexedChunk};
use crate::data::quiet::quietly;
use crate::ground::files::{remove_if_there, write_atomically};

/// The engine's log of what it was told, and how large a file of it becomes.
const LOG: &str = "wal";
const LOG_FILE_BYTES: usize = 4 << 20;
/// What says how far the index has come.
const MARK: &str = "made.json";

/// An open index. One process has it at a time.
pub struct EdgeIndex {
    folder: PathBuf,
    dimensions: usize,
    /// None only while it is dropped.
    shard: Option<EdgeShard>,
}

impl Drop for EdgeIndex {
    fn drop(&mut self) {
        self.close();
    }
}

impl EdgeIndex {
    /// The engine writes what it holds when it is dropped, and ends a failure of that (a full disk) in a panic, which would
    /// end the program while another one unwinds. The database is the truth: an index that lacks something catches up.
    fn close(&mut self) {
        let Some(shard) = self.shard.take() else { return };
        if std::thread::panicking() {
            std::mem::forget(shard);
        } else if quietly(move || drop(shard)).is_err() {
            tracing::warn!("the library's index was not written to its end");
        }
    }
}

impl EdgeIndex {
    /// Opens the index in a folder, or makes an empty one.
    ///
    /// # Errors
    /// Where it is damaged, or of another layout, or another process has it open.
    pub fn open(folder: &Path, dimensions: usize) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        shorten_log(folder)?;
        let opened = guarded(|| EdgeShard::load(folder, Some(config(dimensions))));
        let shard = opened.with_context(|| format!("open the index in {}", folder.display()))?;
        let index = Self { folder: folder.to_path_buf(), dimensions, shard: Some(shard) };
        if index.shard()?.info().payload_schema.is_empty() {
            index.update(UpdateOperation::FieldIndexOperation(FieldIndexOperations::CreateIndex(
                CreateIndex {
                    field_name: DOCUMENT.parse().map_err(|()| anyhow!("name the payload's field"))?,
                    field_schema: Some(PayloadFieldSchema::FieldType(PayloadSchemaType::Integer)),
                },
            )))?;
        }
        Ok(index)
    }

    /// Makes an empty index in a folder, whatever was there.
    ///
    /// # Errors
    /// Where the folder can't be written.
    pub fn anew(folder: &Path, dimensions: usize) -> Result<Self> {
        remove_if_there(folder)?;
        Self::open(folder, dimensions)
    }

    /// What the index in a folder was made from, without opening it.
    #[must_use]
    pub fn mark_in(folder: &Path) -> Option<IndexMark> {
        serde_json::from_slice(&std::fs::read(folder.join(MARK)).ok()?).ok()
    }

    fn update(&self, operation: UpdateOperation) -> Result<()> {
        let shard = self.shard()?;
        guarded(|| shard.update(operation)).context("write the index")
    }

    fn shard(&self) -> Result<&EdgeShard> {
        self.shard.as_ref().context("the index is closed")
    }
}

fn config(dimensions: usize) -> EdgeConfig {
    EdgeConfig::builder()
        .vector(DENSE, EdgeVectorParams::builder(dimensions, Distance::Cosine).build())
        .sparse_vector(TERMS, EdgeSparseVectorParams::builder().modifier(Modifier::Idf).build())
        .optimizers(EdgeOptimizersConfig {
            indexing_threshold: Some(GRAPH_FROM_KB),
            ..EdgeOptimizersConfig::default()
        })
        .wal_options(WalOptions { segment_capacity: LOG_FILE_BYTES, ..WalOptions::default() })
        .build()
}

/// Removes what the engine logged and never reads again: it writes down every change and takes none of it off, so that the
/// log would outgrow the index. The newest full file stays, since changes are numbered on from it. Nobody may have the
/// index open.
fn shorten_log(folder: &Path) -> Result<()> {
    for (_, path) in full_log_files(folder).iter().rev().skip(1) {
        remove_if_there(path)?;
    }
    Ok(())
}

/// By the number of the first change that is in each.
fn full_log_files(folder: &Path) -> BTreeMap<u64, PathBuf> {
    let entries = std::fs::read_dir(folder.join(LOG)).into_iter().flatten().filter_map(Result::ok);
    let numbered = |path: PathBuf| {
        let first = path.file_name()?.to_str()?.strip_prefix("closed-")?.parse().ok()?;
        Some((first, path))
    };
    entries.filter_map(|entry| numbered(entry.path())).collect()
}

/// The engine ends some failures (a full disk while it flushes, a damaged file) in a panic; here they become errors.
fn guarded<T>(work: impl FnOnce() -> qdrant_edge::OperationResult<T>) -> Result<T> {
    let outcome = quietly(work).map_err(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
        // Some of its errors have a backtrace in them.
        let said = said.lines().next().unwrap_or_default().split(", backtrace:").next().unwrap_or_default();
        anyhow!("the index's engine gave up: {said}")
    })?;
    outcome.map_err(|error| anyhow!("{error}"))
}

fn point(chunk: IndexedChunk) -> Result<PointStruct> {
    let terms =
        Vector::new_sparse(chunk.terms.ids, chunk.terms.weights).map_err(|error| anyhow!("{error}"))?;
    let mut vectors = vec![(TERMS, terms)];
    vectors.extend(chunk.dense.map(|dense| (DENSE, Vector::new_dense(dense))));
    Ok(PointStruct::new(
        PointId::NumId(chunk.id),
        Vectors::new_named(vectors),
        json!({ DOCUMENT: chunk.document }),
    ))
}

fn within(documents: &[u64]) -> Result<Filter> {
    let condition = json!({ "must": [{ "key": DOCUMENT, "match": { "any": documents } }] });
    serde_json::from_value(condition).context("ask for some documents only")
}

impl ChunkIndex for EdgeIndex {
    fn put(&mut self, chunks: Vec<IndexedChunk>) -> Result<()> {
        let points = chunks
            .into_iter()
            .map(|chunk| point(chunk).map(Into::into))
            .collect::<Result<Vec<_>>>()
            .context("write the index")?;
        self.update(UpdateOperation::PointOperation(PointOperations::UpsertPoints(
            PointInsertOperations::PointsList(points),
        )))
    }

    fn remove(&mut self, ids: &[u64]) -> Result<()> {
        let ids = ids.iter().copied().map(PointId::NumId).collect();
        self.update(UpdateOperation::PointOperation(PointOperations::DeletePoints { ids }))
    }

    fn find(
        &self,
        query: IndexQuery<'_>,
        documents: Option<&[u64]>,
        limit: usize,
    ) -> Result<Vec<(u64, f32)>> {
        let (vector, using) = match query {
            IndexQuery::Dense(vector) => (VectorInternal::Dense(vector.to_vec()), DENSE),
            // A question of stop words alone finds nothing.
            IndexQuery::Terms(terms) if terms.ids.is_empty() => return Ok(Vec::new()),
            IndexQuery::Terms(terms) => {
                let sparse = SparseVector::new(terms.ids.clone(), terms.weights.clone());
                (VectorInternal::Sparse(sparse.map_err(|error| anyhow!("{error}"))?), TERMS)
            }
        };
        let request = SearchRequest {
            query: QueryEnum::Nearest(NamedQuery::new(vector, using)),
            filter: documents.map(within).transpose()?,
            params: None,
            limit,
            offset: 0,
            with_payload: None,
            with_vector: None,
            score_threshold: None,
        };
        let shard = self.shard()?;
        let found = guarded(|| shard.search(request)).context("search the index")?;
        let numbered = |id: PointId| match id {
            PointId::NumId(number) => Some(number),
            PointId::Uuid(_) => None,
        };
        let mut found: Vec<(u64, f32)> =
            found.into_iter().filter_map(|point| Some((numbered(point.id)?, point.score))).collect();
        // Equal scores in the order of their numbers, so that every search ends the same.
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        Ok(found)
    }

    fn count(&self) -> Result<u64> {
        let request = CountRequest { filter: None, exact: true };
        let shard = self.shard()?;
        Ok(guarded(|| shard.count(request)).context("count the index")? as u64)
    }

    fn mark(&self) -> Result<Option<IndexMark>> {
        Ok(Self::mark_in(&self.folder))
    }

    fn set_mark(&mut self, mark: &IndexMark) -> Result<()> {
        self.flush()?;
        write_atomically(&self.folder.join(MARK), &serde_json::to_vec(mark)?)
    }

    fn begin_anew(&mut self) -> Result<()> {
        // Before its files go.
        self.close();
        *self = Self::anew(&self.folder, self.dimensions)?;
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let shard = self.shard()?;
        guarded(|| {
            shard.flush();
            Ok(())
        })
        .context("write the index")
    }

    fn settle(&mut self) -> Result<()> {
        let shard = self.shard()?;
        guarded(|| shard.optimize()).context("settle the index")?;
        self.flush()?;
        if full_log_files(&self.folder).len() > 1 {
            self.close();
            *self = Self::open(&self.folder, self.dimensions)?;
        }
        Ok(())
    }
}
