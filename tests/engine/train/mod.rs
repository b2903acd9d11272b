mod checkpoint;
mod device;
mod optimizer;
mod preference;
mod preference_loss;
mod schedule;
mod trainer;
