mod chat;
mod follow;
mod review;
mod runs;
