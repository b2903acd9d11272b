//! A recipe that was made while the model wasn't here says nothing of how long the examples are. Before a run begins by
//! it, the model is fetched, the examples' tokens are counted, and it is made anew.

use std::path::Path;

use anyhow::Result;

use crate::app::events::Events;
use crate::app::jobs::Working;
use crate::app::pull_report::PullReport;
use crate::app::recipes::{self, Suited};
use crate::app::record_tokenizer::RecordTokenizer;
use crate::config::Folders;
use crate::domain::protocol::system::{JobEnd, OnQuit, Progress};
use crate::domain::session::SessionInfo;
use crate::engine::hub::Network;
use crate::session::{Access, Session};

/// The model of a recipe that was made for records whose tokens weren't counted.
pub(super) fn uncounted(recipe: &Path) -> Option<String> {
    let made = Suited::untouched(&std::fs::read_to_string(recipe).ok()?)?;
    (made.tokens.is_none() && made.source.starts_with("session:")).then_some(made.model)
}

/// Fetches the model, counts the tokens and makes the session's recipe anew; whether nobody stopped it.
///
/// # Errors
/// When the model can't be had, or the session can't be read or written. A job has said so then.
pub(super) fn fit(folders: &Folders, session: &SessionInfo, model: &str, events: &Events) -> Result<bool> {
    let mut report = PullReport::start(events, model);
    let tokenizer = RecordTokenizer::open(&folders.models(), model, Network::Allowed, &mut report);
    let Some(tokenizer) = report.end(tokenizer)? else { return Ok(false) };
    let job = Working::start(events, "counting tokens", OnQuit::LetEnd);
    let counted =
        Session::open(&session.path, Access::Write).map_err(anyhow::Error::from).and_then(|mut open| {
            tokenizer.count_all(&mut open, |done, total| {
                job.go_on(Progress { done, total: Some(total), ..Progress::default() })
            })
        });
    let is_wanted = job.is_wanted();
    job.end(match &counted {
        _ if !is_wanted => JobEnd::Stopped,
        Ok(_) => JobEnd::Done,
        Err(error) => JobEnd::Failed(format!("{error:#}")),
    });
    counted?;
    recipes::provide(folders, session, &[])?;
    Ok(is_wanted)
}
