//! Plain data that every layer speaks of. No input or output, nothing of the crate.

pub mod agreement;
pub mod agreement_report;
pub mod batch;
pub mod change;
pub mod chat;
pub mod device;
pub mod doctor;
pub mod filter;
pub mod message;
pub mod protocol;
pub mod recipe;
pub mod record;
pub mod reflection;
pub mod review;
pub mod review_filter;
pub mod review_job;
pub mod run;
pub mod run_filter;
pub mod run_info;
pub mod series;
pub mod session;
pub mod settings;
pub mod statistics;
pub mod teacher;
mod term;
pub mod thought;
pub mod view;
