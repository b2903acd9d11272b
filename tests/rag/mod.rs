//! The library: what is put in is found, whatever happens on the way.

mod fusion;
mod index;
mod killed;
mod library;
mod measure;
mod search;
mod world;
