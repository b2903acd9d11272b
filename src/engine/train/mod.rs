//! Training: the step, the loop, the optimizer, the schedule.

pub mod batch_sampler;
pub mod bench;
mod between_steps;
pub mod checkpoint;
pub mod course;
pub mod device;
pub mod host;
mod making;
pub mod metrics;
pub mod objective;
pub mod optimizer;
pub mod parameter_groups;
pub mod schedule;
mod seal;
pub mod step;
pub mod student;
pub mod trainer;
