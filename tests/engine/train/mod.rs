mod checkpoint;
mod device;
mod optimizer;
mod schedule;
mod trainer;
