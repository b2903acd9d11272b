//! Chunks as a server's points, questions as its queries, and back.

use std::collections::HashMap;

use anyhow::{Context, Result};
use qdrant_client::qdrant::condition::ConditionOneOf;
use qdrant_client::qdrant::r#match::MatchValue;
use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::vectors::VectorsOptions;
use qdrant_client::qdrant::with_vectors_selector::SelectorOptions;
use qdrant_client::qdrant::{
    Condition, DenseVector, FieldCondition, Filter, Match, NamedVectors, PointId, PointStruct, Query,
    RepeatedIntegers, RetrievedPoint, SparseVector, Value, Vector, VectorInput, VectorOutput, Vectors,
    VectorsSelector, WithVectorsSelector, query, vector, vector_input, vector_output, vectors_output,
};
use serde_json::json;

use crate::rag::index::layout::{DENSE, DOCUMENT, TERMS};
use crate::rag::index::payload::ChunkPayload;
use crate::rag::index::{IndexQuery, IndexedChunk};

/// A chunk as it came back from a server.
#[derive(Debug, Clone, PartialEq)]
pub struct ReturnedChunk {
    pub id: u64,
    pub dense: Option<Vec<f32>>,
    pub payload: ChunkPayload,
}

/// Bytes that a chunk takes on the way, about.
pub(super) fn bytes(chunk: &IndexedChunk) -> usize {
    const REST: usize = 600;
    let dense = chunk.dense.as_ref().map_or(0, Vec::len);
    let text = chunk.payload.as_ref().map_or(0, |payload| payload.text.len());
    dense * 4 + chunk.terms.ids.len() * 8 + text + REST
}

pub(super) fn point(chunk: IndexedChunk) -> Result<PointStruct> {
    let terms = SparseVector { indices: chunk.terms.ids, values: chunk.terms.weights };
    let mut vectors = HashMap::from([(TERMS.to_owned(), named(vector::Vector::Sparse(terms)))]);
    if let Some(data) = chunk.dense {
        vectors.insert(DENSE.to_owned(), named(vector::Vector::Dense(DenseVector { data })));
    }
    let payload = match &chunk.payload {
        Some(payload) => serde_json::to_value(payload).context("write a chunk")?,
        None => json!({}),
    };
    let mut payload: HashMap<String, Value> = match payload {
        serde_json::Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, value.into())).collect()
        }
        _ => HashMap::new(),
    };
    payload.insert(DOCUMENT.to_owned(), (chunk.document as i64).into());
    Ok(PointStruct {
        id: Some(chunk.id.into()),
        payload,
        vectors: Some(Vectors { vectors_options: Some(VectorsOptions::Vectors(NamedVectors { vectors })) }),
    })
}

fn named(vector: vector::Vector) -> Vector {
    Vector { vector: Some(vector), ..Vector::default() }
}

/// What is asked for, and of which of the vectors.
pub(super) fn query(asked: IndexQuery<'_>) -> (Query, &'static str) {
    let (variant, using) = match asked {
        IndexQuery::Dense(vector) => {
            (vector_input::Variant::Dense(DenseVector { data: vector.to_vec() }), DENSE)
        }
        IndexQuery::Terms(terms) => {
            let sparse = SparseVector { indices: terms.ids.clone(), values: terms.weights.clone() };
            (vector_input::Variant::Sparse(sparse), TERMS)
        }
    };
    let nearest = query::Variant::Nearest(VectorInput { variant: Some(variant) });
    (Query { variant: Some(nearest) }, using)
}

pub(super) fn within(documents: &[u64]) -> Filter {
    let integers = documents.iter().map(|&document| document as i64).collect();
    let condition = FieldCondition {
        key: DOCUMENT.to_owned(),
        r#match: Some(Match { match_value: Some(MatchValue::Integers(RepeatedIntegers { integers })) }),
        ..FieldCondition::default()
    };
    Filter {
        must: vec![Condition { condition_one_of: Some(ConditionOneOf::Field(condition)) }],
        ..Filter::default()
    }
}

pub(super) fn number(id: Option<PointId>) -> Option<u64> {
    match id?.point_id_options? {
        PointIdOptions::Num(number) => Some(number),
        PointIdOptions::Uuid(_) => None,
    }
}

/// Terms are computed from the words again.
pub(super) fn dense_only() -> WithVectorsSelector {
    let names = VectorsSelector { names: vec![DENSE.to_owned()] };
    WithVectorsSelector { selector_options: Some(SelectorOptions::Include(names)) }
}

/// Reads a point that [`point`] wrote.
pub(super) fn returned(point: RetrievedPoint) -> Result<ReturnedChunk> {
    let id = number(point.id).context("a point has no number")?;
    let payload = serde_json::to_value(&point.payload).and_then(serde_json::from_value);
    let payload: ChunkPayload = payload.with_context(|| format!("read point {id}"))?;
    let dense = match point.vectors.and_then(|vectors| vectors.vectors_options) {
        Some(vectors_output::VectorsOptions::Vectors(mut named)) => {
            named.vectors.remove(DENSE).map(VectorOutput::into_vector).and_then(dense)
        }
        Some(vectors_output::VectorsOptions::Vector(_)) | None => None,
    };
    Ok(ReturnedChunk { id, dense, payload })
}

fn dense(vector: vector_output::Vector) -> Option<Vec<f32>> {
    match vector {
        vector_output::Vector::Dense(dense) => Some(dense.data),
        vector_output::Vector::Sparse(_) | vector_output::Vector::MultiDense(_) => None,
    }
}
