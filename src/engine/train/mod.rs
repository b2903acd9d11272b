//! Training: the step, the loop, the optimizer, the schedule.

pub mod student;
