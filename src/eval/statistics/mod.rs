//! What can be said of figures that come from samples: intervals, tests of differences, correlation. Pure; every draw
//! follows from a seed.

pub mod bootstrap;
pub mod holm;
pub mod mcnemar;
pub mod rank;
