mod filters;
mod review;
mod runs;
mod serve;
mod train;
