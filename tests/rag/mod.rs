//! The library: what is put in is found, whatever happens on the way.

mod answer;
mod chunk;
mod describe;
mod expansion;
mod files;
mod fixture;
mod fusion;
mod index;
mod index_moving;
mod index_server;
mod killed;
mod library;
mod lines;
mod load;
mod measure;
pub(crate) mod qdrant;
mod rerank;
mod search;
mod sources;
mod waiting;
mod watch;
pub(crate) mod world;
