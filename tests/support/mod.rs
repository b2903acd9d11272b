//! What several tests need: real models, and tiny ones built on the spot.

pub(crate) mod autograd;
pub(crate) mod bigram;
pub(crate) mod device;
pub(crate) mod models;
pub(crate) mod program;
pub(crate) mod tiny;
