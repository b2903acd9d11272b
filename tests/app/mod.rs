mod chat;
mod checkup;
mod follow;
mod records;
mod review;
mod runs;
