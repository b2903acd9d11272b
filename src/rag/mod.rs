//! The library: documents read, cut into chunks, embedded, indexed, and found again. Knows neither a terminal nor a
//! model: what embeds and what answers is handed in.
//!
//! `database` is the truth, one SQLite file; `index` is made from it and can be made again at any time.

pub mod add;
pub mod answer;
pub mod arxiv;
pub mod chunk;
pub mod collection;
pub mod database;
pub mod describe;
pub mod embedding;
pub mod files;
pub mod filter;
pub mod fixture;
pub mod fusion;
mod host;
pub mod index;
mod joining;
pub mod judged;
pub mod library;
pub mod load;
pub mod measure;
pub mod measuring;
mod payloads;
pub mod pulling;
pub mod reading;
mod removing;
pub mod search;
pub mod terms;
mod turn;
pub mod upkeep;
mod vectors;
pub mod watch;
mod words;
