mod client;
mod extract;
mod jobs;
mod pace;
mod world;
