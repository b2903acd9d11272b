mod chat;
mod checkup;
mod follow;
mod recipes;
mod records;
mod review;
mod runs;
mod sessions;
