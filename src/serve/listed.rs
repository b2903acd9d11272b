//! `GET /v1/models` and `/health`: what there is to ask, and whether it lives.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::error::ApiError;
use super::shelf::{Offer, ServedKind};
use super::{Service, SharedService};

pub(crate) async fn health(State(service): State<SharedService>) -> Result<Json<Value>, ApiError> {
    if service.shelf.is_alive() {
        let first = service.shelf.offers().first().map(|offer| &offer.name);
        return Ok(Json(json!({ "status": "ok", "model": first })));
    }
    Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "the generating thread has ended"))
}

pub(crate) async fn models(State(service): State<SharedService>) -> Json<Value> {
    Json(json!({ "object": "list", "data": service.described() }))
}

pub(crate) async fn model(
    State(service): State<SharedService>,
    name: Result<axum::extract::Path<String>, axum::extract::rejection::PathRejection>,
) -> Result<Json<Value>, ApiError> {
    let Ok(axum::extract::Path(name)) = name else { return Err(service.shelf.unknown("\u{fffd}")) };
    let mut described = service.described();
    match described.iter().position(|model| model["id"] == name.as_str()) {
        Some(index) => Ok(Json(described.swap_remove(index))),
        None => Err(service.shelf.unknown(&name)),
    }
}

impl Service {
    /// Each model and each adapter, as OpenAI lists them.
    fn described(&self) -> Vec<Value> {
        let of_offer = |offer: &Offer| -> Vec<Value> {
            let context = match offer.kind {
                ServedKind::Generates { context } => Some(context),
                ServedKind::Embeds => None,
            };
            let of_name = |name: &str| {
                json!({
                    "id": name,
                    "object": "model",
                    "created": self.started,
                    "owned_by": "dojo",
                    "parent": (name != offer.name).then_some(&offer.name),
                    "max_model_len": context,
                })
            };
            offer.names().map(of_name).collect()
        };
        self.shelf.offers().iter().flat_map(of_offer).collect()
    }
}
