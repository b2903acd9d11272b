//! The fused operations that a decoder is made of, forward and backward.

pub mod quant;
