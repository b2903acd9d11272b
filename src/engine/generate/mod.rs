//! Generation: the key/value cache, the sampler, many sequences at once. Knows nothing of files or the network.
//!
//! A [`Decoder`] is a model's weights laid out for it; a [`Generator`] answers [`GenerateRequest`]s over one, a token of
//! each per [`Generator::step`]; [`complete`] runs a list of requests to their end. A sequence's numbers don't depend
//! on what is computed beside it, so the same request gives the same tokens, alone or among others.

mod backend;
mod cache;
mod calls;
mod choose;
mod compile;
mod complaint;
mod complete;
mod constrain;
mod device;
mod generator;
mod guess;
mod host;
mod keywords;
mod load;
mod lora;
mod multiples;
mod pace;
mod plan;
mod prompt;
mod request;
mod sampler;
mod score;
mod sequence;
mod share;
pub mod size;
mod submit;
mod team;
mod text;
mod token_bytes;
mod turns;

pub use calls::{CallChoice, Calls};
pub use compile::{Compiled, Compiler, CompilersBusy};
pub use complete::{Completion, complete, complete_each};
pub use constrain::Constraint;
pub use device::DeviceDecoder;
pub use dojo_core::data::calls::{AnswerPiece, CallForm, CallReader};
pub use generator::{Generator, Guesses, Limits};
pub use host::{Decoder, DecoderWeightsView, Precision};
pub use load::{Loaded, load};
pub use prompt::Prompter;
pub use request::{
    AdapterId, ChosenToken, EndTokens, Event, Fault, Finish, GenerateRequest, LogProbabilityOf, Overflow,
    RequestId, Sampling, Usage, What,
};
pub use token_bytes::TokenBytes;
