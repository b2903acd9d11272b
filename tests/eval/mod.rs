mod check;
mod scoring;
mod statistics;
