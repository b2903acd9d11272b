//! Work on a thread of its own, with something that takes long to load: whoever asks waits only as long as they want.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use anyhow::{Context, Result, bail};

/// Jobs that wait: those of askers who have gone are taken quickly.
const WAITING: usize = 4;

/// How far the thread is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Loading {
    UnderWay,
    Done,
    Failed(String),
}

/// A thread that loads something once, then works on jobs with it. It ends when this is dropped.
pub(super) struct Background<J> {
    jobs: SyncSender<J>,
    loading: Arc<(Mutex<Loading>, Condvar)>,
}

impl<J: Send + 'static> Background<J> {
    /// Starts it.
    ///
    /// # Errors
    /// Where no thread can be had.
    pub(super) fn start<M: 'static>(
        name: &str,
        load: impl FnOnce() -> Result<M> + Send + 'static,
        work: impl Fn(&mut M, J) + Send + 'static,
    ) -> Result<Self> {
        let (jobs, waiting): (SyncSender<J>, Receiver<J>) = sync_channel(WAITING);
        let loading = Arc::new((Mutex::new(Loading::UnderWay), Condvar::new()));
        let told = Arc::clone(&loading);
        let run = move || {
            let (state, changed) = &*told;
            let tell = |now: Loading| {
                *state.lock().unwrap_or_else(PoisonError::into_inner) = now;
                changed.notify_all();
            };
            match load() {
                Ok(mut model) => {
                    tell(Loading::Done);
                    waiting.into_iter().for_each(|job| work(&mut model, job));
                }
                Err(error) => tell(Loading::Failed(format!("{error:#}"))),
            }
        };
        let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(run);
        spawned.context("start a thread for a model")?;
        Ok(Self { jobs, loading })
    }

    pub(super) fn loading(&self) -> Loading {
        self.loading.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it is loaded.
    ///
    /// # Errors
    /// Where it can't be.
    pub(super) fn wait_until_loaded(&self) -> Result<()> {
        let (state, changed) = &*self.loading;
        let mut now = state.lock().unwrap_or_else(PoisonError::into_inner);
        while *now == Loading::UnderWay {
            now = changed.wait(now).unwrap_or_else(PoisonError::into_inner);
        }
        match &*now {
            Loading::Failed(why) => bail!("{why}"),
            Loading::Done | Loading::UnderWay => Ok(()),
        }
    }

    /// Hands it a job.
    ///
    /// # Errors
    /// In words: it failed to load, or is busy with the questions of others.
    pub(super) fn give(&self, job: J) -> Result<(), String> {
        self.jobs.try_send(job).map_err(|refused| match (refused, self.loading()) {
            (TrySendError::Disconnected(_), Loading::Failed(why)) => why,
            (TrySendError::Disconnected(_), _) => "its thread has ended".to_owned(),
            (TrySendError::Full(_), _) => "it is busy with earlier questions".to_owned(),
        })
    }
}
