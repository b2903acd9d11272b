//! Decoders: their configuration, their weights, and their layers.

pub mod architecture;
pub mod blocks;
pub mod config;
pub(crate) mod ends;
pub mod files;
mod fits;
pub mod frozen;
pub mod gguf;
pub mod hf;
mod identity;
pub mod layer;
pub mod nf4;
pub mod notices;
pub(crate) mod on_disk;
pub mod open;
pub mod random;
pub(crate) mod safetensors;
mod scales;
mod turn_tokens;
mod unread;
pub mod weights;

pub use config::ModelConfig;
pub use files::ModelFiles;
pub use frozen::Frozen;
pub use identity::ModelIdentity;
pub use open::{ChatTemplateSource, OpenModel, open};
pub(crate) use open::{decoder_kind, open_body};
pub use weights::Weights;
