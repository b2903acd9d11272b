mod follow;
mod runs;
