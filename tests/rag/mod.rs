//! The library: what is put in is found, whatever happens on the way.

mod answer;
mod chunk;
mod fusion;
mod index;
mod killed;
mod library;
mod load;
mod measure;
mod search;
mod sources;
mod watch;
mod world;
