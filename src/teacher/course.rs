//! A job's course: many questions at once, each result kept as it comes. While nothing comes, it is said who is waited
//! for; a person who stops it doesn't wait for an endpoint that hangs.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::{AskError, Speaker};

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TeacherJobEnd {
    /// Every question was asked.
    Finished,
    /// A person stopped it.
    Stopped,
    /// Nothing more could be asked; run again, it goes on where it was.
    Cut(AskError),
}

/// What happens in a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobFact<I, T> {
    /// A question has its result.
    Done(I, T),
    /// Nothing has come for a while.
    Waits(Silence),
}

impl<I, T> JobFact<I, T> {
    /// The question and its result; a silence is told instead.
    pub fn result(self, tell: impl FnOnce(Silence)) -> Option<(I, T)> {
        match self {
            Self::Done(item, result) => Some((item, result)),
            Self::Waits(silence) => {
                tell(silence);
                None
            }
        }
    }
}

/// A time in which nothing came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    pub seconds: u64,
    /// Who is waited for, and what was tried, in a line.
    pub words: String,
}

/// Who answers a job's questions, and how long it waits.
pub struct JobWatch<'a> {
    pub at_once: usize,
    pub stop: &'a AtomicBool,
    pub speakers: &'a [&'a dyn Speaker],
    pub patience: JobPatience,
}

/// How long a job waits.
#[derive(Debug, Clone, Copy)]
pub struct JobPatience {
    /// Before it says that nothing comes.
    pub silent: Duration,
    /// For answers under way after a person has stopped it: they are paid for.
    pub stopping: Duration,
    /// Silence after which nothing is expected any more: a stop then waits for nobody.
    pub hanging: Duration,
}

impl Default for JobPatience {
    fn default() -> Self {
        Self { silent: Duration::from_secs(5), stopping: STOPPING, hanging: Duration::from_secs(10) }
    }
}

/// What answers under way get after a person has stopped a job.
pub const STOPPING: Duration = Duration::from_secs(3);

/// How soon a stop is seen while nothing comes.
const TICK: Duration = Duration::from_millis(100);

/// Works on many items at once, and keeps each result as it comes. After a stop or an error that ends the job, what is
/// under way is still awaited and kept, for it is paid for; after a stop not for long.
///
/// # Errors
/// Where a result can't be kept.
pub async fn run<I, T, F, W>(
    items: impl IntoIterator<Item = I>,
    watch: JobWatch<'_>,
    work: W,
    mut tell: impl FnMut(JobFact<I, T>) -> Result<()>,
) -> Result<TeacherJobEnd>
where
    I: Clone,
    F: Future<Output = std::result::Result<T, AskError>>,
    W: Fn(I) -> F,
{
    let mut items = items.into_iter();
    let mut under_way = FuturesUnordered::new();
    let mut ended = TeacherJobEnd::Finished;
    let mut since = SilentTime::begin(&watch);
    let mut stopped: Option<Instant> = None;
    loop {
        while ended == TeacherJobEnd::Finished && under_way.len() < watch.at_once.max(1) {
            if watch.stop.load(Ordering::Relaxed) {
                ended = TeacherJobEnd::Stopped;
                break;
            }
            let Some(item) = items.next() else { break };
            let doing = work(item.clone());
            under_way.push(async move { (item, doing.await) });
        }
        let next = tokio::select! {
            biased;
            next = under_way.next() => next,
            () = tokio::time::sleep(TICK) => {
                if watch.stop.load(Ordering::Relaxed) {
                    if ended == TeacherJobEnd::Finished {
                        ended = TeacherJobEnd::Stopped;
                    }
                    let waited = stopped.get_or_insert_with(Instant::now).elapsed();
                    if waited >= watch.patience.stopping || since.begun.elapsed() >= watch.patience.hanging {
                        return Ok(ended);
                    }
                }
                if let Some(silence) = since.news() {
                    tell(JobFact::Waits(silence))?;
                }
                continue;
            }
        };
        since = SilentTime::begin(&watch);
        match next {
            None => return Ok(ended),
            Some((item, Ok(result))) => tell(JobFact::Done(item, result))?,
            Some((_, Err(error))) if !matches!(ended, TeacherJobEnd::Cut(_)) => {
                ended = TeacherJobEnd::Cut(error);
            }
            Some((_, Err(_))) => {}
        }
    }
}

/// The time since something came.
struct SilentTime<'a> {
    watch: &'a JobWatch<'a>,
    begun: Instant,
    troubles: BTreeMap<&'static str, u64>,
    /// Seconds that were told of.
    told: Option<u64>,
}

impl<'a> SilentTime<'a> {
    fn begin(watch: &'a JobWatch<'a>) -> Self {
        Self { watch, begun: Instant::now(), troubles: troubles(watch), told: None }
    }

    /// What there is to say, once a second.
    fn news(&mut self) -> Option<Silence> {
        let waited = self.begun.elapsed();
        let seconds = waited.as_secs();
        if waited < self.watch.patience.silent || self.told == Some(seconds) {
            return None;
        }
        self.told = Some(seconds);
        let mut names: Vec<String> = self.watch.speakers.iter().map(|speaker| speaker.name()).collect();
        names.dedup();
        let mut words = format!("waiting for {} for {seconds} s", names.join(" or "));
        let failed = troubles(self.watch).into_iter().filter_map(|(kind, count)| {
            let new = count - self.troubles.get(kind).copied().unwrap_or_default().min(count);
            (new > 0).then(|| format!("{new} {kind}"))
        });
        let failed: Vec<String> = failed.collect();
        if !failed.is_empty() {
            words.push_str(&format!(", tried again after {}", failed.join(", ")));
            let last = self.watch.speakers.iter().find_map(|speaker| speaker.account().last_trouble);
            words.push_str(&last.map(|why| format!(" ({why})")).unwrap_or_default());
        }
        Some(Silence { seconds, words })
    }
}

fn troubles(watch: &JobWatch<'_>) -> BTreeMap<&'static str, u64> {
    let mut all = BTreeMap::new();
    for (kind, count) in watch.speakers.iter().flat_map(|speaker| speaker.account().troubles) {
        let most: &mut u64 = all.entry(kind).or_default();
        // One that does two jobs is there twice.
        *most = (*most).max(count);
    }
    all
}
