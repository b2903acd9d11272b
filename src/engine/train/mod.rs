//! Training: the step, the loop, the optimizer, the schedule.

pub mod batch_sampler;
pub mod bench;
pub mod checkpoint;
pub mod course;
pub mod device;
mod duties;
pub mod host;
pub mod metrics;
pub mod optimizer;
pub mod parameter_groups;
pub mod schedule;
mod seal;
pub mod step;
pub mod student;
pub mod trainer;
