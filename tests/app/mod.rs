mod chat;
mod follow;
mod runs;
