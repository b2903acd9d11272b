//! Training: the step, the loop, the optimizer, the schedule.

pub mod checkpoint;
mod duties;
pub mod host;
pub mod memory;
pub mod metrics;
pub mod optimizer;
pub mod order;
pub mod rates;
pub mod schedule;
pub mod seed;
pub mod student;
pub mod trainer;
