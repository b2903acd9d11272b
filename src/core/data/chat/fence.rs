//! A fence around a stranger's program: it runs on a thread of its own, with a deep stack, a bound on its memory and a
//! deadline. Knows no template.
//!
//! A thread can't be ended from outside, and an allocation that fails would end the process. So a program that takes
//! too much is held: its next allocation never returns. It keeps what it has taken so far, which the bound limits,
//! and whoever waits for it is told. The bound on memory holds where [`Metered`] is the process's allocator.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::data::quiet::quietly;

/// What a program may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes that it holds at once.
    pub bytes: usize,
    pub time: Duration,
}

/// Why a program didn't come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    #[error("takes more than {} MB of memory", .0 / 1_000_000)]
    Memory(usize),
    #[error("takes longer than {} seconds", .0.as_secs())]
    Time(Duration),
    #[error("goes deeper than its stack")]
    Depth,
    #[error("makes its interpreter fail")]
    Failed,
    #[error("can't be run: there is no memory for another thread")]
    NoThread,
}

/// Bytes of a program's stack. Only what is used of it is taken from the machine; the depth that a program can reach
/// is bounded by its source and its steps.
const STACK: usize = if cfg!(target_pointer_width = "64") { 1 << 30 } else { 64 << 20 };

/// Of these, what a program that asks for memory may have used.
const DEEPEST: usize = STACK / 2;

/// How often a program that doesn't answer is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Runs a program inside the fence and waits for it; tells also how long it took. Inside a fence already, it just runs.
pub fn run<T: Send + 'static>(
    bounds: Bounds,
    program: impl FnOnce() -> T + Send + 'static,
) -> Result<(T, Duration), Stopped> {
    if METER.get().is_some() {
        return Ok((program(), Duration::ZERO));
    }
    let worker = match idle().pop() {
        Some(worker) => worker,
        None => FenceWorker::start().ok_or(Stopped::NoThread)?,
    };
    let (answer, answered) = mpsc::sync_channel(1);
    let job: FenceJob = Box::new(move || drop(answer.send(quietly(program))));
    worker.jobs.send((bounds.bytes, job)).map_err(|_| Stopped::NoThread)?;
    // A look takes what the program worked since the last one, and where nobody knows that, the time between looks: a
    // machine that is busy with others, or asleep, doesn't use up a program's time.
    let mut left = bounds.time;
    let mut worked = worker.worked();
    loop {
        match answered.recv_timeout(LOOK) {
            Ok(Ok(value)) => {
                idle().push(worker);
                return Ok((value, bounds.time.saturating_sub(left)));
            }
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => return Err(Stopped::Failed),
            Err(RecvTimeoutError::Timeout) if worker.meter.held.load(Ordering::Acquire) => {
                let deep = worker.meter.deep.load(Ordering::Acquire);
                return Err(if deep { Stopped::Depth } else { Stopped::Memory(bounds.bytes) });
            }
            Err(RecvTimeoutError::Timeout) if left.is_zero() => {
                worker.meter.stop.store(true, Ordering::Release);
                return Err(Stopped::Time(bounds.time));
            }
            Err(RecvTimeoutError::Timeout) => {
                let now = worker.worked();
                let since = now.zip(worked).map_or(LOOK, |(now, before)| now.saturating_sub(before));
                left = left.saturating_sub(since);
                worked = now;
            }
        }
    }
}

type FenceJob = Box<dyn FnOnce() + Send>;

/// A thread inside the fence, waiting for a program.
struct FenceWorker {
    jobs: SyncSender<(usize, FenceJob)>,
    meter: &'static Meter,
    thread: JoinHandle<()>,
}

static IDLE: Mutex<Vec<FenceWorker>> = Mutex::new(Vec::new());

fn idle() -> std::sync::MutexGuard<'static, Vec<FenceWorker>> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FenceWorker {
    fn start() -> Option<Self> {
        let (jobs, queue) = mpsc::sync_channel::<(usize, FenceJob)>(1);
        // A held thread looks at its meter for as long as the process runs.
        let meter: &'static Meter = Box::leak(Box::new(Meter::default()));
        let work = move || {
            meter.left.store(isize::MAX, Ordering::Relaxed);
            let on_the_stack = 0_u8;
            meter.top.store(std::ptr::from_ref(&on_the_stack).addr(), Ordering::Relaxed);
            METER.set(Some(meter));
            while let Ok((bytes, job)) = queue.recv() {
                meter.left.store(isize::try_from(bytes).unwrap_or(isize::MAX), Ordering::Relaxed);
                job();
                meter.left.store(isize::MAX, Ordering::Relaxed);
            }
        };
        let thread = std::thread::Builder::new().name("template".to_owned()).stack_size(STACK);
        let thread = thread.spawn(work).ok()?;
        Some(Self { jobs, meter, thread })
    }

    /// How long the thread has been at work on a processor.
    #[cfg(target_os = "linux")]
    fn worked(&self) -> Option<Duration> {
        use std::os::unix::thread::JoinHandleExt;
        let mut clock: libc::clockid_t = 0;
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the thread is neither joined nor detached while its handle is held, so that its name is valid; both
        // calls write to what they are given only.
        let known = unsafe {
            libc::pthread_getcpuclockid(self.thread.as_pthread_t(), &raw mut clock) == 0
                && libc::clock_gettime(clock, &raw mut time) == 0
        };
        known.then(|| Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32))
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the form of the one that knows")]
    fn worked(&self) -> Option<Duration> {
        let _ = &self.thread;
        None
    }
}

/// What a program has left.
#[derive(Debug, Default)]
struct Meter {
    /// Bytes.
    left: AtomicIsize,
    /// Nobody waits for it any more.
    stop: AtomicBool,
    /// It asked for more than it has left, or too deep down.
    held: AtomicBool,
    deep: AtomicBool,
    /// Where its stack begins.
    top: AtomicUsize,
}

thread_local! {
    static METER: Cell<Option<&'static Meter>> = const { Cell::new(None) };
}

impl Meter {
    fn take(&self, bytes: usize) {
        let bytes = isize::try_from(bytes).unwrap_or(isize::MAX);
        let left = self.left.load(Ordering::Relaxed).saturating_sub(bytes);
        // A stack grows downwards. Its end can't be caught, so that a recursion is held before it.
        let depth = self.top.load(Ordering::Relaxed).saturating_sub(std::ptr::from_ref(&bytes).addr());
        if depth > DEEPEST {
            self.deep.store(true, Ordering::Release);
        }
        let too_much = left < 0 || depth > DEEPEST;
        if too_much {
            self.held.store(true, Ordering::Release);
        }
        if too_much || self.stop.load(Ordering::Acquire) {
            loop {
                std::thread::park();
            }
        }
        self.left.store(left, Ordering::Relaxed);
    }

    fn give(&self, bytes: usize) {
        let bytes = isize::try_from(bytes).unwrap_or(isize::MAX);
        let left = self.left.load(Ordering::Relaxed).saturating_add(bytes);
        self.left.store(left, Ordering::Relaxed);
    }
}

/// An allocator that counts what programs inside the fence take, and holds those that take too much. Elsewhere it is
/// the allocator that it wraps.
pub struct Metered<A>(pub A);

// SAFETY: every call is handed on as it is; what is done beside it neither allocates nor unwinds, and a call that is
// held never returns, so that no memory is given out that the inner allocator didn't give.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Metered<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if let Some(meter) = METER.get() {
            meter.take(layout.size());
        }
        // SAFETY: the caller keeps to the contract of `alloc`.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if let Some(meter) = METER.get() {
            meter.take(layout.size());
        }
        // SAFETY: the caller keeps to the contract of `alloc_zeroed`.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if let Some(meter) = METER.get() {
            meter.give(layout.size());
        }
        // SAFETY: the caller keeps to the contract of `dealloc`.
        unsafe { self.0.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if let Some(meter) = METER.get() {
            // While it is moved, both are held.
            meter.take(size);
            meter.give(layout.size());
        }
        // SAFETY: the caller keeps to the contract of `realloc`.
        unsafe { self.0.realloc(pointer, layout, size) }
    }
}
