//! Outside models and the jobs on them: think, reflect, judge, claims of answers, examples for blueprints. Knows no screen and no tensor.
//!
//! A job asks a [`Speaker`], which is an endpoint ([`client::Teacher`]) or a model that the program runs itself, reads
//! the answer with the one extractor, and hands each result to whoever keeps it. Whatever was answered is kept before
//! it is used, so a job that was killed goes on where it was.

mod account;
mod attempts;
pub mod budget;
pub mod cache;
pub mod claim;
pub mod client;
pub mod clock;
pub mod course;
mod echo;
pub mod embed;
mod error;
pub mod expand;
pub mod extract;
pub mod form;
pub mod gauge;
pub mod grade;
pub mod job;
pub mod judge;
mod key;
pub mod pace;
pub mod prompt;
pub mod reflect;
pub mod request;
mod send;
pub mod think;

use futures::future::BoxFuture;

pub use error::AskError;
pub use key::{ApiKey, tell_of_waits};

use budget::Spending;
use client::Account;
use request::{Request, TeacherAnswer};

/// Whoever answers.
pub trait Speaker: Send + Sync {
    /// As thoughts and reflections name their writer.
    fn name(&self) -> String;

    /// Questions that it takes at once.
    fn at_once(&self) -> usize;

    /// What was asked and spent so far.
    fn account(&self) -> Account;

    /// The most that a question can cost.
    fn most(&self, request: &Request) -> Spending;

    fn ask<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<TeacherAnswer, AskError>>;

    /// A job begins: what its earlier runs have spent counts against its budget, until all of it is done.
    ///
    /// # Errors
    /// Where that can't be read.
    fn carry_on(&self, job: &str) -> Result<(), AskError> {
        let _ = job;
        Ok(())
    }

    /// A job has ended.
    ///
    /// # Errors
    /// Where what it has spent can't be kept.
    fn leave(&self, job: &str, left: Left) -> Result<(), AskError> {
        let _ = (job, left);
        Ok(())
    }
}

/// Whether there is something left of a job that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    Finished,
    Unfinished,
}
