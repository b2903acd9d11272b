//! Decoders: their configuration, their weights, and their layers.

pub mod blocks;
pub mod config;
pub mod files;
pub mod gguf;
pub(crate) mod hf;
pub mod open;
pub(crate) mod safetensors;
pub mod weights;

pub use config::ModelConfig;
pub use files::ModelFiles;
pub use open::{ChatTemplateSource, OpenModel, open};
pub use weights::Weights;
