mod review;
mod runs;
mod train;
