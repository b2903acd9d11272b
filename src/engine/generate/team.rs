//! Threads that stay: one job at a time, with barriers that cost a fraction of a microsecond.
//!
//! A layer of a small model takes some 200 microseconds and has ten phases; waking threads for each of them would
//! cost more than the arithmetic. Workers spin for a while and then go to sleep.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Turns of the waiting loop before a thread yields its core, and before an idle worker goes to sleep.
const SPINS_BEFORE_YIELD: u32 = 4_000;
const SPINS_BEFORE_SLEEP: u32 = 40_000;

/// A fixed number of threads, the caller's own among them.
pub(crate) struct Team {
    shared: Arc<TeamState>,
    handles: Vec<JoinHandle<()>>,
}

/// One thread's place in a job.
#[derive(Clone, Copy)]
pub(crate) struct TeamWorker<'a> {
    pub index: usize,
    pub count: usize,
    barrier: &'a Barrier,
}

type TeamJob = dyn Fn(TeamWorker<'_>) + Sync;

struct TeamState {
    barrier: Barrier,
    /// Rises by one with every job.
    round: AtomicUsize,
    job: Mutex<Option<JobPointer>>,
    wake: Condvar,
    finished: AtomicUsize,
    stop: AtomicBool,
}

#[derive(Clone, Copy)]
struct JobPointer(*const TeamJob);

// SAFETY: the job is `Sync`, and `Team::run` returns only when no worker uses it any more.
unsafe impl Send for JobPointer {}

struct Barrier {
    count: usize,
    arrived: AtomicUsize,
    round: AtomicUsize,
    broken: AtomicBool,
}

impl Barrier {
    fn wait(&self) {
        if self.count == 1 {
            return;
        }
        let round = self.round.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.count {
            self.arrived.store(0, Ordering::Relaxed);
            self.round.store(round.wrapping_add(1), Ordering::Release);
            return;
        }
        let mut turns = 0;
        while self.round.load(Ordering::Acquire) == round {
            if self.broken.load(Ordering::Relaxed) {
                resume_unwind(Box::new("another worker failed"));
            }
            pause(&mut turns);
        }
    }
}

fn pause(turns: &mut u32) {
    *turns += 1;
    if *turns < SPINS_BEFORE_YIELD {
        std::hint::spin_loop();
    } else {
        std::thread::yield_now();
    }
}

impl TeamWorker<'_> {
    /// Waits until every worker is here.
    pub(crate) fn meet(&self) {
        self.barrier.wait();
    }

    /// This worker's part of `total` equal things.
    pub(crate) fn share(&self, total: usize) -> std::ops::Range<usize> {
        total * self.index / self.count..total * (self.index + 1) / self.count
    }
}

impl Team {
    /// `threads` workers: the caller and `threads - 1` more. Fewer where the system gives no more.
    pub(crate) fn new(threads: usize) -> Self {
        let threads = threads.max(1);
        let mut shared = Arc::new(TeamState::new(threads));
        let mut handles = Vec::new();
        for index in 1..threads {
            let own = Arc::clone(&shared);
            let spawned = std::thread::Builder::new()
                .name(format!("dojo-generate-{index}"))
                .spawn(move || own.work(index));
            match spawned {
                Ok(handle) => handles.push(handle),
                Err(error) => {
                    tracing::warn!("generation runs on one thread only: {error}");
                    shared.dismiss();
                    handles.clear();
                    shared = Arc::new(TeamState::new(1));
                    break;
                }
            }
        }
        Self { shared, handles }
    }

    pub(crate) fn threads(&self) -> usize {
        self.shared.barrier.count
    }

    /// Runs `job` on every worker at once; returns when all are done.
    pub(crate) fn run(&mut self, job: &(dyn Fn(TeamWorker<'_>) + Sync)) {
        let shared = &*self.shared;
        let count = shared.barrier.count;
        shared.finished.store(0, Ordering::Relaxed);
        {
            let mut slot = shared.job.lock().unwrap_or_else(PoisonError::into_inner);
            // SAFETY: only the lifetime changes; this function doesn't return before all workers are done.
            let job =
                unsafe { std::mem::transmute::<&(dyn Fn(TeamWorker<'_>) + Sync), &'static TeamJob>(job) };
            *slot = Some(JobPointer(job));
            shared.round.fetch_add(1, Ordering::Release);
            shared.wake.notify_all();
        }
        let own =
            catch_unwind(AssertUnwindSafe(|| job(TeamWorker { index: 0, count, barrier: &shared.barrier })));
        if own.is_err() {
            shared.barrier.broken.store(true, Ordering::Relaxed);
        }
        let mut turns = 0;
        while shared.finished.load(Ordering::Acquire) + 1 < count {
            pause(&mut turns);
        }
        shared.job.lock().unwrap_or_else(PoisonError::into_inner).take();
        let broken = shared.barrier.broken.swap(false, Ordering::Relaxed);
        shared.barrier.arrived.store(0, Ordering::Relaxed);
        match own {
            Err(cause) => resume_unwind(cause),
            Ok(()) if broken => resume_unwind(Box::new("a generation worker failed")),
            Ok(()) => {}
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.dismiss();
        for handle in self.handles.drain(..) {
            drop(handle.join());
        }
    }
}

impl TeamState {
    fn new(count: usize) -> Self {
        Self {
            barrier: Barrier {
                count,
                arrived: AtomicUsize::new(0),
                round: AtomicUsize::new(0),
                broken: AtomicBool::new(false),
            },
            round: AtomicUsize::new(0),
            job: Mutex::new(None),
            wake: Condvar::new(),
            finished: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        }
    }

    fn dismiss(&self) {
        let _slot = self.job.lock().unwrap_or_else(PoisonError::into_inner);
        self.stop.store(true, Ordering::Release);
        self.wake.notify_all();
    }

    fn work(&self, index: usize) {
        let mut seen = 0;
        while let Some(job) = self.next_job(&mut seen) {
            let worker = TeamWorker { index, count: self.barrier.count, barrier: &self.barrier };
            // SAFETY: `Team::run` keeps the job alive until `finished` counts this worker.
            let outcome = catch_unwind(AssertUnwindSafe(|| unsafe { (*job.0)(worker) }));
            if outcome.is_err() {
                self.barrier.broken.store(true, Ordering::Relaxed);
            }
            self.finished.fetch_add(1, Ordering::Release);
        }
    }

    /// Spins for the next job, then sleeps for it. None when the team is dismissed.
    fn next_job(&self, seen: &mut usize) -> Option<JobPointer> {
        let mut turns = 0;
        while turns < SPINS_BEFORE_SLEEP && self.round.load(Ordering::Acquire) == *seen {
            if self.stop.load(Ordering::Relaxed) {
                return None;
            }
            pause(&mut turns);
        }
        let mut slot = self.job.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return None;
            }
            let round = self.round.load(Ordering::Acquire);
            if round != *seen {
                *seen = round;
                return *slot;
            }
            slot = self.wake.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
