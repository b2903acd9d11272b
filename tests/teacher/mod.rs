mod client;
mod course;
mod embed;
mod extract;
mod jobs;
mod keys;
mod pace;
pub(crate) mod world;
