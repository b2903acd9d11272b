//! Evaluation: what answers are worth as figures, and whether two models differ. Knows no model, session or terminal.

pub mod check;
pub mod statistics;
