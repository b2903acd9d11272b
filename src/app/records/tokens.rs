//! The lanes of tokens: one shows how a record is cut for the session's model, one counts those that have no count
//! yet, on half of the cores. The model's tokenizer is opened when it is first needed.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};

use super::RecordsLane;
use super::reader::RecordsAsk;
use crate::app::jobs::Working;
use crate::app::models;
use crate::app::record_tokenizer::RecordTokenizer;
use crate::domain::protocol::DataEvent;
use crate::domain::protocol::data::TokenPiece;
use crate::domain::protocol::system::{JobEnd, Level, OnQuit, Progress};
use crate::domain::record::RecordId;
use crate::engine::hub::{Network, Silent};
use crate::session::{Access, CountedTokens, ImportState, Session};

/// So many are counted without a word; more are a job in the drawer.
const QUIET: usize = 2_000;

/// The session's model, opened once.
pub(super) struct Model {
    models: PathBuf,
    name: String,
    open: Mutex<Option<Arc<RecordTokenizer>>>,
}

impl Model {
    pub(super) const fn new(models: PathBuf, name: String) -> Self {
        Self { models, name, open: Mutex::new(None) }
    }

    fn tokenizer(&self) -> Result<Arc<RecordTokenizer>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tokenizer) = &*open {
            return Ok(Arc::clone(tokenizer));
        }
        if !self.name.is_empty() {
            models::here(&self.models, &self.name)?;
        }
        let tokenizer = RecordTokenizer::open(&self.models, &self.name, Network::Offline, &mut Silent)?;
        Ok(Arc::clone(open.insert(Arc::new(tokenizer))))
    }
}

/// Why counting is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// A person asked: every record, and an answer in any case.
    Asked,
    /// Records or texts may be new.
    Changed,
}

/// Shows records as tokens.
pub(super) fn show(lane: &RecordsLane, model: &Model, asked: &Receiver<RecordId>) {
    while let Ok(mut id) = asked.recv() {
        // Only the last one is on the screen.
        while let Ok(newer) = asked.try_recv() {
            id = newer;
        }
        let pieces = pieces(lane, model, id).map_err(|error| format!("{error:#}"));
        lane.tell(DataEvent::TokensRead(id, pieces));
    }
}

fn pieces(lane: &RecordsLane, model: &Model, id: RecordId) -> Result<Vec<TokenPiece>> {
    let tokenizer = model.tokenizer()?;
    let record = lane.open(Access::Read)?.record(id).with_context(|| format!("read record {id}"))?;
    tokenizer.pieces(&tokenizer.encoder(usize::MAX)?.encode(&record)?)
}

/// Counts what has no count.
pub(super) fn count(lane: &RecordsLane, model: &Model, asked: &Receiver<Count>, reader: &Sender<RecordsAsk>) {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let pool = rayon::ThreadPoolBuilder::new().num_threads((cores / 2).max(1)).build();
    let pool = match pool {
        Ok(pool) => pool,
        Err(error) => return lane.notify(Level::Error, format!("start the threads that count: {error}")),
    };
    let mut stopped = false;
    while let Ok(mut why) = asked.recv() {
        while let Ok(newer) = asked.try_recv() {
            why = if newer == Count::Asked { newer } else { why };
        }
        // What a person has stopped goes on when a person asks.
        if stopped && why == Count::Changed {
            continue;
        }
        let outcome = pool.install(|| count_once(lane, model, why));
        stopped = matches!(outcome, Ok((_, CountEnd::Stopped)));
        match outcome.map(|(counted, _)| counted) {
            Ok(CountedTokens { counted: 0, refused: 0 }) => {
                if why == Count::Asked {
                    lane.notify(Level::Info, format!("every record is counted for {}", model.name));
                }
            }
            Ok(counted) => {
                if why == Count::Asked && counted.refused > 0 {
                    let text = format!("{} records have no tokens to count: -is:counted", counted.refused);
                    lane.notify(Level::Warning, text);
                }
                // The lane that reads is gone when the studio is.
                reader.send(RecordsAsk::Refresh).ok();
                lane.tell(DataEvent::TokensCounted);
            }
            Err(error) if why == Count::Asked => lane.notify(Level::Error, format!("{error:#}")),
            // Nobody asked: the model is not here, or somebody else is at work.
            Err(error) => tracing::info!("tokens are not counted: {error:#}"),
        }
    }
}

/// Whether it came to its end.
enum CountEnd {
    AtTheEnd,
    Stopped,
}

fn count_once(lane: &RecordsLane, model: &Model, why: Count) -> Result<(CountedTokens, CountEnd)> {
    let mut session = lane.open(Access::Write)?;
    if why == Count::Changed && is_importing(&session) {
        return Ok((CountedTokens::default(), CountEnd::AtTheEnd));
    }
    let tokenizer = model.tokenizer()?;
    session.use_tokenizer(&model.name)?;
    let waiting = session.uncounted()?.len();
    if waiting == 0 {
        return Ok((CountedTokens::default(), CountEnd::AtTheEnd));
    }
    if waiting <= QUIET {
        return Ok((tokenizer.count_all(&mut session, |_, _| true)?, CountEnd::AtTheEnd));
    }
    let job = Working::start(&lane.events, &format!("count tokens for {}", model.name), OnQuit::LetEnd);
    let outcome = tokenizer.count_all(&mut session, |done, total| {
        job.go_on(Progress { done, total: Some(total), ..Progress::default() })
    });
    match outcome {
        Ok(counted) if counted.counted + counted.refused >= waiting as u64 => {
            job.end(JobEnd::Done);
            Ok((counted, CountEnd::AtTheEnd))
        }
        // Dropping the job says that it was stopped.
        Ok(counted) => Ok((counted, CountEnd::Stopped)),
        Err(error) => {
            job.end(JobEnd::Failed(format!("{error:#}")));
            Err(error)
        }
    }
}

/// Counting would only hold an import up; it asks again at its end.
fn is_importing(session: &Session) -> bool {
    let last = session.imports().ok().and_then(|imports| imports.into_iter().next());
    last.is_some_and(|import| import.state == ImportState::Unfinished)
}
