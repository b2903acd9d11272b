//! Points: taken in, taken out, searched by the embedded engine, counted, read page by page.

use std::sync::atomic::Ordering;

use ::qdrant_client::qdrant::condition::ConditionOneOf;
use ::qdrant_client::qdrant::r#match::MatchValue;
use ::qdrant_client::qdrant::point_id::PointIdOptions;
use ::qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use ::qdrant_client::qdrant::points_server::Points;
use ::qdrant_client::qdrant::vectors::VectorsOptions;
use ::qdrant_client::qdrant::vectors_config::Config;
use ::qdrant_client::qdrant::*;
use qdrant_edge as edge;
use serde_json::json;
use tonic::{Request, Response, Status};

use super::stubs::refusing;
use super::{FakePoint, Kind};

/// The embedded engine, laid out as a collection was asked for.
pub(super) struct Engine {
    shard: Option<edge::EdgeShard>,
    #[expect(dead_code, reason = "held for its files")]
    folder: tempfile::TempDir,
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.shard.take());
    }
}

impl Engine {
    pub(super) fn of(asked: &CreateCollection) -> Option<Self> {
        let mut config = edge::EdgeConfig::builder();
        let Some(Config::ParamsMap(named)) = asked.vectors_config.clone()?.config else { return None };
        for (name, params) in named.map {
            let distance = match params.distance() {
                Distance::Cosine => edge::Distance::Cosine,
                Distance::Dot => edge::Distance::Dot,
                Distance::Euclid => edge::Distance::Euclid,
                Distance::Manhattan | Distance::UnknownDistance => return None,
            };
            config =
                config.vector(name, edge::EdgeVectorParams::builder(params.size as usize, distance).build());
        }
        for (name, params) in asked.sparse_vectors_config.clone().unwrap_or_default().map {
            let modifier = match params.modifier() {
                Modifier::Idf => edge::Modifier::Idf,
                Modifier::None => edge::Modifier::None,
            };
            let params = edge::EdgeSparseVectorParams::builder().modifier(modifier).build();
            config = config.sparse_vector(name, params);
        }
        let folder = tempfile::tempdir().unwrap();
        let shard = edge::EdgeShard::new(folder.path(), config.build()).unwrap();
        Some(Self { shard: Some(shard), folder })
    }

    fn shard(&self) -> &edge::EdgeShard {
        self.shard.as_ref().unwrap()
    }

    fn update(&self, operation: edge::PointOperations) -> Result<(), Status> {
        let updated = self.shard().update(edge::UpdateOperation::PointOperation(operation));
        updated.map_err(|error| Status::invalid_argument(format!("Wrong input: {error}")))?;
        // Rarity counts what was removed until then.
        self.shard().optimize().unwrap();
        Ok(())
    }

    fn put(&self, points: &[(u64, FakePoint)]) -> Result<(), Status> {
        let points = points.iter().map(|(id, point)| {
            let vectors = point.vectors.vectors.iter().map(|(name, vector)| {
                let vector = match vector.vector.clone().unwrap() {
                    vector::Vector::Dense(dense) => edge::Vector::new_dense(dense.data),
                    vector::Vector::Sparse(sparse) => {
                        edge::Vector::new_sparse(sparse.indices, sparse.values).unwrap()
                    }
                    other => panic!("no library sends {other:?}"),
                };
                (name.as_str(), vector)
            });
            let vectors = edge::Vectors::new_named(vectors.collect::<Vec<_>>());
            let payload = serde_json::to_value(&point.payload).unwrap();
            edge::PointStruct::new(edge::PointId::NumId(*id), vectors, payload).into()
        });
        let points = points.collect();
        self.update(edge::PointOperations::UpsertPoints(edge::PointInsertOperations::PointsList(points)))
    }

    fn remove(&self, ids: &[u64]) -> Result<(), Status> {
        let ids = ids.iter().copied().map(edge::PointId::NumId).collect();
        self.update(edge::PointOperations::DeletePoints { ids })
    }

    fn find(&self, asked: QueryPoints) -> Result<Vec<ScoredPoint>, Status> {
        let Some(query::Variant::Nearest(VectorInput { variant: Some(input) })) =
            asked.query.unwrap().variant
        else {
            return Err(Status::unimplemented("another query"));
        };
        let vector = match input {
            vector_input::Variant::Dense(dense) => edge::VectorInternal::Dense(dense.data),
            vector_input::Variant::Sparse(sparse) => {
                edge::VectorInternal::Sparse(edge::SparseVector::new(sparse.indices, sparse.values).unwrap())
            }
            _ => return Err(Status::unimplemented("another input")),
        };
        let request = edge::SearchRequest {
            query: edge::QueryEnum::Nearest(edge::NamedQuery::new(vector, asked.using.unwrap())),
            filter: asked.filter.map(filter).transpose()?,
            params: None,
            limit: asked.limit.unwrap() as usize,
            offset: 0,
            with_payload: None,
            with_vector: None,
            score_threshold: None,
        };
        let found =
            self.shard().search(request).map_err(|error| Status::invalid_argument(error.to_string()))?;
        let scored = |point: edge::ScoredPoint| match point.id {
            edge::PointId::NumId(id) => {
                ScoredPoint { id: Some(id.into()), score: point.score, ..ScoredPoint::default() }
            }
            edge::PointId::Uuid(_) => panic!("no library has such a point"),
        };
        Ok(found.into_iter().map(scored).collect())
    }
}

fn filter(asked: Filter) -> Result<edge::Filter, Status> {
    let must: Result<Vec<serde_json::Value>, Status> = asked
        .must
        .into_iter()
        .map(|condition| match condition.condition_one_of {
            Some(ConditionOneOf::Field(FieldCondition {
                key,
                r#match: Some(Match { match_value: Some(MatchValue::Integers(any)) }),
                ..
            })) => Ok(json!({ "key": key, "match": { "any": any.integers } })),
            other => Err(Status::unimplemented(format!("{other:?}"))),
        })
        .collect();
    Ok(serde_json::from_value(json!({ "must": must? })).unwrap())
}

fn number(id: &PointId) -> u64 {
    match id.point_id_options.clone().unwrap() {
        PointIdOptions::Num(number) => number,
        PointIdOptions::Uuid(uuid) => panic!("no library has the point {uuid}"),
    }
}

fn taken_in() -> PointsOperationResponse {
    let result = UpdateResult { operation_id: Some(1), status: UpdateStatus::Completed.into() };
    PointsOperationResponse { result: Some(result), time: 0.0, usage: None }
}

fn given_back(id: u64, point: &FakePoint, names: &[String]) -> RetrievedPoint {
    let vectors = point.vectors.vectors.iter().filter(|(name, _)| names.contains(name));
    let vectors = vectors.map(|(name, vector)| {
        let vector = match vector.vector.clone().unwrap() {
            vector::Vector::Dense(dense) => vector_output::Vector::Dense(dense),
            vector::Vector::Sparse(sparse) => vector_output::Vector::Sparse(sparse),
            other => panic!("no library sends {other:?}"),
        };
        (name.clone(), VectorOutput { vector: Some(vector), ..VectorOutput::default() })
    });
    let named = NamedVectorsOutput { vectors: vectors.collect() };
    RetrievedPoint {
        id: Some(id.into()),
        payload: point.payload.clone(),
        vectors: Some(VectorsOutput {
            vectors_options: Some(vectors_output::VectorsOptions::Vectors(named)),
        }),
        ..RetrievedPoint::default()
    }
}

fn unsearchable() -> Status {
    Status::invalid_argument("Wrong input: Not existing vector name error: dense")
}

refusing! {
    Points {
        async fn upsert(&self, request: Request<UpsertPoints>) -> Result<Response<PointsOperationResponse>, Status> {
            self.admit(&request, Kind::Writing).await?;
            let asked = request.into_inner();
            {
                let mut state = self.state.lock().unwrap();
                if state.upserts_left == Some(0) {
                    return Err(Status::invalid_argument("Wrong input: enough"));
                }
                state.upserts_left = state.upserts_left.map(|left| left - 1);
            }
            let points: Vec<(u64, FakePoint)> = asked.points.into_iter().map(|point| {
                let Some(VectorsOptions::Vectors(vectors)) = point.vectors.unwrap().vectors_options else {
                    panic!("a library's vectors have names")
                };
                (number(&point.id.unwrap()), FakePoint { payload: point.payload, vectors })
            }).collect();
            self.upserts.fetch_add(points.len(), Ordering::SeqCst);
            self.with(&asked.collection_name, |collection| {
                collection.engine.as_ref().ok_or_else(unsearchable)?.put(&points)?;
                collection.points.extend(points);
                Ok(taken_in())
            })
        }

        async fn delete(&self, request: Request<DeletePoints>) -> Result<Response<PointsOperationResponse>, Status> {
            self.admit(&request, Kind::Writing).await?;
            let asked = request.into_inner();
            let Some(PointsSelectorOneOf::Points(list)) = asked.points.unwrap().points_selector_one_of else {
                return Err(Status::unimplemented("by a filter"));
            };
            let ids: Vec<u64> = list.ids.iter().map(number).collect();
            self.with(&asked.collection_name, |collection| {
                collection.engine.as_ref().ok_or_else(unsearchable)?.remove(&ids)?;
                collection.points.retain(|id, _| !ids.contains(id));
                Ok(taken_in())
            })
        }

        async fn create_field_index(
            &self,
            request: Request<CreateFieldIndexCollection>,
        ) -> Result<Response<PointsOperationResponse>, Status> {
            self.admit(&request, Kind::Writing).await?;
            let asked = request.into_inner();
            self.with(&asked.collection_name.clone(), |collection| {
                assert_eq!(asked.field_type(), FieldType::Integer);
                collection.schema.insert(asked.field_name, PayloadSchemaInfo::default());
                Ok(taken_in())
            })
        }

        async fn scroll(&self, request: Request<ScrollPoints>) -> Result<Response<ScrollResponse>, Status> {
            self.admit(&request, Kind::Reading).await?;
            let asked = request.into_inner();
            let names = match asked.with_vectors.unwrap().selector_options.unwrap() {
                with_vectors_selector::SelectorOptions::Include(names) => names.names,
                with_vectors_selector::SelectorOptions::Enable(_) => Vec::new(),
            };
            let from = asked.offset.as_ref().map_or(0, number);
            self.with(&asked.collection_name, |collection| {
                let page = collection.points.range(from..).take(asked.limit.unwrap() as usize);
                let result: Vec<_> = page.map(|(id, point)| given_back(*id, point, &names)).collect();
                Ok(ScrollResponse { next_page_offset: None, result, time: 0.0, usage: None })
            })
        }

        async fn count(&self, request: Request<CountPoints>) -> Result<Response<CountResponse>, Status> {
            self.admit(&request, Kind::Reading).await?;
            self.with(&request.into_inner().collection_name, |collection| {
                let result = Some(CountResult { count: collection.points.len() as u64 });
                Ok(CountResponse { result, time: 0.0, usage: None })
            })
        }

        async fn query(&self, request: Request<QueryPoints>) -> Result<Response<QueryResponse>, Status> {
            self.admit(&request, Kind::Reading).await?;
            let asked = request.into_inner();
            self.with(&asked.collection_name.clone(), |collection| {
                let result = collection.engine.as_ref().ok_or_else(unsearchable)?.find(asked)?;
                Ok(QueryResponse { result, time: 0.0, usage: None })
            })
        }
    }

    get(GetPoints) -> GetResponse;
    update_vectors(UpdatePointVectors) -> PointsOperationResponse;
    delete_vectors(DeletePointVectors) -> PointsOperationResponse;
    set_payload(SetPayloadPoints) -> PointsOperationResponse;
    overwrite_payload(SetPayloadPoints) -> PointsOperationResponse;
    delete_payload(DeletePayloadPoints) -> PointsOperationResponse;
    clear_payload(ClearPayloadPoints) -> PointsOperationResponse;
    delete_field_index(DeleteFieldIndexCollection) -> PointsOperationResponse;
    create_vector_name(CreateVectorNameRequest) -> PointsOperationResponse;
    delete_vector_name(DeleteVectorNameRequest) -> PointsOperationResponse;
    search(SearchPoints) -> SearchResponse;
    search_batch(SearchBatchPoints) -> SearchBatchResponse;
    search_groups(SearchPointGroups) -> SearchGroupsResponse;
    recommend(RecommendPoints) -> RecommendResponse;
    recommend_batch(RecommendBatchPoints) -> RecommendBatchResponse;
    recommend_groups(RecommendPointGroups) -> RecommendGroupsResponse;
    discover(DiscoverPoints) -> DiscoverResponse;
    discover_batch(DiscoverBatchPoints) -> DiscoverBatchResponse;
    update_batch(UpdateBatchPoints) -> UpdateBatchResponse;
    query_batch(QueryBatchPoints) -> QueryBatchResponse;
    query_groups(QueryPointGroups) -> QueryGroupsResponse;
    facet(FacetCounts) -> FacetResponse;
    search_matrix_pairs(SearchMatrixPoints) -> SearchMatrixPairsResponse;
    search_matrix_offsets(SearchMatrixPoints) -> SearchMatrixOffsetsResponse;
}
