//! Generation, on tiny models.

mod compile;
pub(crate) mod constraints;
mod device;
mod kernels;
mod numbers;
mod plain;
mod put_off;
mod requests;
mod schemas;
mod turns;

use std::sync::Arc;

use dojo_studio::engine::generate::{
    Completion, Decoder, GenerateRequest, Generator, Limits, Precision, complete,
};
use dojo_studio::engine::model::OpenModel;

use crate::support::tiny::Tiny;

/// Every architecture, by its `model_type`.
pub(crate) const KINDS: [&str; 8] =
    ["llama", "mistral", "qwen2", "qwen3", "gemma3_text", "phi3", "smollm3", "granite"];

/// A tiny model of a kind, opened from a folder that is gone again.
pub(crate) fn open(tiny: &Tiny) -> (OpenModel, tempfile::TempDir) {
    let place = tempfile::tempdir().unwrap();
    (tiny.open_folder(place.path()), place)
}

pub(crate) fn generator(model: &OpenModel, precision: Precision, limits: Limits) -> Generator {
    let decoder = Decoder::load(&model.config, model.weights.as_ref(), precision).unwrap();
    Generator::new(Arc::new(decoder), Arc::clone(&model.tokenizer), limits)
}

/// Tokens that look like a text: bytes and merges, different for each seed.
pub(crate) fn tokens(count: usize, seed: u32) -> Vec<u32> {
    (0..count as u32).map(|index| 3 + (index * 37 + seed * 101 + index * index * 7) % 250).collect()
}

pub(crate) fn run(generator: &mut Generator, requests: Vec<GenerateRequest>) -> Vec<Vec<Completion>> {
    complete(generator, requests, &mut |_| Ok(())).unwrap()
}
