//! Work that takes a while: announced to the screen, stoppable from it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::app::events::Events;
use crate::domain::protocol::system::{Job, JobEnd, JobId, OnQuit, Progress};
use crate::domain::protocol::{Event, SystemEvent};
use crate::domain::secret;
use crate::ground::clock;

static NEXT: AtomicU64 = AtomicU64::new(1);
static STOPS: LazyLock<Mutex<HashMap<JobId, Arc<AtomicBool>>>> = LazyLock::new(Mutex::default);

/// One piece of work, from its announcement to its end. Dropped without [`Working::end`], it counts as stopped.
pub(crate) struct Working {
    id: JobId,
    events: Events,
    stop: Arc<AtomicBool>,
    end: Option<JobEnd>,
}

impl Working {
    /// Announces it: what it does, with its object, as the jobs drawer shows it.
    pub(crate) fn start(events: &Events, what: &str, on_quit: OnQuit) -> Self {
        let id = JobId(NEXT.fetch_add(1, Ordering::Relaxed));
        let stop = Arc::new(AtomicBool::new(false));
        STOPS.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&stop));
        let started = clock::now();
        let progress = Progress::default();
        let opening = events.opening();
        let job = Job { id, what: what.to_owned(), progress, started, on_quit, opening };
        // Without listeners there is nobody to tell.
        events.send(Event::System(SystemEvent::JobStarted(job))).ok();
        Self { id, events: events.clone(), stop, end: None }
    }

    /// Says how far it is, and whether it may go on.
    pub(crate) fn go_on(&self, progress: Progress) -> bool {
        self.events.offer(Event::System(SystemEvent::JobMoved(self.id, progress)));
        self.is_wanted()
    }

    /// Whether it may go on: nobody has asked it to stop.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// True once a person wants it to stop, for what looks at a flag while it waits.
    pub(crate) fn stop(&self) -> &AtomicBool {
        &self.stop
    }

    /// Says how it ended.
    pub(crate) fn end(mut self, end: JobEnd) {
        self.end = Some(match end {
            JobEnd::Failed(why) => JobEnd::Failed(secret::clean(&why)),
            JobEnd::Done | JobEnd::Stopped => end,
        });
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        STOPS.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        let end = self.end.take().unwrap_or(JobEnd::Stopped);
        // Without listeners there is nobody to tell.
        self.events.send(Event::System(SystemEvent::JobEnded(self.id, end))).ok();
    }
}

/// Asks a piece of work to stop; one that has ended is not there any more.
pub(crate) fn stop(id: JobId) {
    if let Some(flag) = STOPS.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
        flag.store(true, Ordering::Relaxed);
    }
}
