mod client;
mod course;
mod embed;
mod expand;
mod extract;
mod jobs;
mod keys;
mod pace;
pub(crate) mod world;
