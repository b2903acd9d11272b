mod filters;
mod review;
mod runs;
mod train;
