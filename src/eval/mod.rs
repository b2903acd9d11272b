//! Evaluation: what answers are worth as figures with intervals, whether two models differ, and reports of it. Knows no
//! model, session or terminal: `app::evaluation` gets the answers.

pub mod check;
pub mod classes;
pub mod comparing;
pub mod evidence;
pub mod metric;
pub mod report;
pub mod scoring;
pub mod statistics;

pub use metric::{EvalMetric, MetricNeed};
