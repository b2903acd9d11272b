mod runs;
mod train;
