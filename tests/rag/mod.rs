//! `src/rag`.

mod chunk;
mod load;
