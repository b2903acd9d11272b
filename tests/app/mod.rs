mod chat;
mod follow;
mod records;
mod review;
mod runs;
