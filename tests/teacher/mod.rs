mod client;
mod extract;
mod pace;
mod world;
