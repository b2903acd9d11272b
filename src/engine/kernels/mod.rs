//! The fused operations that a decoder is made of, forward and backward, on the CPU.
//!
//! Every operation is one pass over memory by all threads, and sums in an order of its own, so that results repeat
//! bit for bit.

#![allow(
    clippy::inline_always,
    reason = "a kernel's body must end up inside the function that turns the vector instructions on"
)]

pub(crate) mod add;
pub mod attention;
pub mod columns;
pub mod cross_entropy;
pub mod dropout;
pub(crate) mod gelu;
pub mod gemm;
pub mod glu;
pub mod isa;
pub mod lanes;
pub mod layer_norm;
pub mod linear;
pub(crate) mod math;
pub mod norm;
pub mod quant;
pub mod rope;
pub(crate) mod softmax;
