mod checkpoint;
mod optimizer;
mod schedule;
mod trainer;
