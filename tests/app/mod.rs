mod chat;
mod follow;
mod review;
mod records;
mod runs;
