mod client;
mod extract;
mod jobs;
mod pace;
pub(crate) mod world;
