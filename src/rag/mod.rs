//! The library: documents read, cut into chunks, embedded, indexed, and found again. Knows neither a terminal nor a
//! model: what embeds and what answers is handed in.

pub mod chunk;
pub mod load;
