//! Collections: made, described, and their notes changed.

use std::collections::HashMap;

use ::qdrant_client::qdrant::collections_server::Collections;
use ::qdrant_client::qdrant::*;
use tonic::{Request, Response, Status};

use super::points::Engine;
use super::stubs::refusing;
use super::{FakeCollection, Kind};

fn done() -> CollectionOperationResponse {
    CollectionOperationResponse { result: true, time: 0.0 }
}

fn described(collection: &FakeCollection) -> CollectionInfo {
    let asked = &collection.asked;
    let params = CollectionParams {
        shard_number: asked.shard_number.unwrap_or(1),
        vectors_config: asked.vectors_config.clone(),
        sparse_vectors_config: asked.sparse_vectors_config.clone(),
        ..CollectionParams::default()
    };
    let config = CollectionConfig {
        params: Some(params),
        optimizer_config: asked.optimizers_config,
        metadata: collection.metadata.clone(),
        ..CollectionConfig::default()
    };
    CollectionInfo {
        status: CollectionStatus::Green.into(),
        config: Some(config),
        payload_schema: collection.schema.clone(),
        points_count: Some(collection.points.len() as u64),
        ..CollectionInfo::default()
    }
}

refusing! {
    Collections {
        async fn get(
            &self,
            request: Request<GetCollectionInfoRequest>,
        ) -> Result<Response<GetCollectionInfoResponse>, Status> {
            self.admit(&request, Kind::Reading).await?;
            self.with(&request.into_inner().collection_name, |collection| {
                Ok(GetCollectionInfoResponse { result: Some(described(collection)), time: 0.0 })
            })
        }

        async fn create(
            &self,
            request: Request<CreateCollection>,
        ) -> Result<Response<CollectionOperationResponse>, Status> {
            self.admit(&request, Kind::Writing).await?;
            let asked = request.into_inner();
            let mut state = self.state.lock().unwrap();
            if state.collections.contains_key(&asked.collection_name) {
                return Err(Status::already_exists("Wrong input: Collection already exists!"));
            }
            let collection = FakeCollection {
                metadata: asked.metadata.clone(),
                schema: HashMap::new(),
                points: std::collections::BTreeMap::new(),
                engine: Engine::of(&asked),
                asked: asked.clone(),
            };
            state.collections.insert(asked.collection_name, collection);
            Ok(Response::new(done()))
        }

        async fn update(
            &self,
            request: Request<UpdateCollection>,
        ) -> Result<Response<CollectionOperationResponse>, Status> {
            self.admit(&request, Kind::Writing).await?;
            let asked = request.into_inner();
            self.with(&asked.collection_name, |collection| {
                collection.metadata.extend(asked.metadata);
                Ok(done())
            })
        }
    }

    list(ListCollectionsRequest) -> ListCollectionsResponse;
    delete(DeleteCollection) -> CollectionOperationResponse;
    update_aliases(ChangeAliases) -> CollectionOperationResponse;
    list_collection_aliases(ListCollectionAliasesRequest) -> ListAliasesResponse;
    list_aliases(ListAliasesRequest) -> ListAliasesResponse;
    collection_cluster_info(CollectionClusterInfoRequest) -> CollectionClusterInfoResponse;
    collection_exists(CollectionExistsRequest) -> CollectionExistsResponse;
    update_collection_cluster_setup(UpdateCollectionClusterSetupRequest) -> UpdateCollectionClusterSetupResponse;
    create_shard_key(CreateShardKeyRequest) -> CreateShardKeyResponse;
    delete_shard_key(DeleteShardKeyRequest) -> DeleteShardKeyResponse;
    list_shard_keys(ListShardKeysRequest) -> ListShardKeysResponse;
}
