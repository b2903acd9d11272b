//! Decoders: their configuration, their weights, and their layers.

pub mod config;
pub mod weights;

pub use config::ModelConfig;
pub use weights::Weights;
