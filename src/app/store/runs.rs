//! Runs: how they stand, and of the watched ones their values, samples and log.
//!
//! Bounds: series as [`RunSeries`] says, [`SAMPLES_KEPT`] samples and [`LOG_KEPT`] log lines a run; the follower watches
//! 62 runs at most, and what belongs to others is let go.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::domain::doctor::{self, Finding, Weight};
use crate::domain::protocol::RunsEvent;
use crate::domain::protocol::runs::{Busy, Elsewhere, FileReading, Preflight, Promise, RecipeFile};
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::rollout::StepGroups;
use crate::domain::run::Sample;
use crate::domain::run_info::{RunId, RunInfo};
use crate::domain::series::{Detail, RunSeries, Series};

/// Samples kept of a run; beyond, every second one of the older half is dropped.
pub const SAMPLES_KEPT: usize = 1_000;
/// Lines kept of a run's log: the last ones.
pub const LOG_KEPT: usize = 500;
/// Lines that come at once from a run that goes on; more are what its file held already.
const NEWS_LINES: u64 = 8;

/// Everything known of runs.
#[derive(Debug, Default)]
pub struct Runs {
    infos: BTreeMap<RunId, Arc<RunInfo>>,
    watched: BTreeMap<RunId, RunData>,
    recipes: Option<Vec<RecipeFile>>,
    preflight: Option<Preflight>,
    elsewhere: Vec<Elsewhere>,
    /// What a run would have been started beside, last; the number moves with each.
    busy: (u64, Option<Busy>),
    /// Also those of sessions that were left: they start there.
    promised: Vec<Promise>,
    /// What the doctor has found in runs that go on, and nobody was told yet.
    news: Vec<Notice>,
}

/// What the files of a watched run hold.
#[derive(Debug, Default)]
pub struct RunData {
    pub series: RunSeries,
    /// The part that is looked at closely, where `series` holds several values in a bucket.
    pub looked_at: Option<Detail>,
    /// What a step drew, as it was asked for last.
    pub rolled: Option<Arc<StepGroups>>,
    /// By step, oldest first.
    pub samples: Vec<Sample>,
    pub log: VecDeque<String>,
    pub reading: FileReading,
    /// What looks wrong, worst first.
    pub findings: Vec<Finding>,
    /// What was found so far: a finding's sentence changes with every value.
    found: BTreeSet<(String, Weight)>,
}

impl Runs {
    /// Living runs first, then the newest.
    #[must_use]
    pub fn all(&self) -> Vec<&RunInfo> {
        let mut runs: Vec<&RunInfo> = self.infos.values().map(|info| &**info).collect();
        let started = |run: &RunInfo| run.state.as_ref().map_or(f64::INFINITY, |state| state.started);
        runs.sort_by(|a, b| {
            let live = b.standing().is_live().cmp(&a.standing().is_live());
            live.then(started(b).total_cmp(&started(a))).then(b.id.cmp(&a.id))
        });
        runs
    }

    /// Of the runs that go on or wait, the one that was queued or started last: it ends last.
    #[must_use]
    pub fn last_live(&self) -> Option<&RunInfo> {
        let live = self.infos.values().map(|info| &**info).filter(|run| run.standing().is_live());
        let started = |run: &RunInfo| run.state.as_ref().map_or(f64::INFINITY, |state| state.started);
        live.max_by(|a, b| started(a).total_cmp(&started(b)))
    }

    #[must_use]
    pub fn info(&self, id: &RunId) -> Option<&RunInfo> {
        self.infos.get(id).map(|info| &**info)
    }

    /// Of a watched run, once its reading has begun.
    #[must_use]
    pub fn data(&self, id: &RunId) -> Option<&RunData> {
        self.watched.get(id)
    }

    /// `None` until they were looked for.
    #[must_use]
    pub fn recipes(&self) -> Option<&[RecipeFile]> {
        self.recipes.as_deref()
    }

    /// The last that was asked for.
    #[must_use]
    pub const fn preflight(&self) -> Option<&Preflight> {
        self.preflight.as_ref()
    }

    /// Runs of other sessions that go on or wait, the one that was started last first.
    #[must_use]
    pub fn elsewhere(&self) -> &[Elsewhere] {
        &self.elsewhere
    }

    /// A run that was to be started while one of another session goes on, and how often that has happened.
    #[must_use]
    pub const fn busy(&self) -> (u64, Option<&Busy>) {
        (self.busy.0, self.busy.1.as_ref())
    }

    /// Runs that start by themselves once what they wait for is done, unless the program ends before.
    #[must_use]
    pub fn promised(&self) -> &[Promise] {
        &self.promised
    }

    /// What is to be said once.
    pub(super) fn take_news(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.news)
    }

    /// Bytes held by series, for the memory bound.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let of = |data: &RunData| data.series.bytes() + data.looked_at.as_ref().map_or(0, Detail::bytes);
        self.watched.values().map(of).sum()
    }

    /// Takes in what has happened.
    pub fn apply(&mut self, event: RunsEvent) {
        match event {
            RunsEvent::Cleared => {
                let promised = std::mem::take(&mut self.promised);
                *self = Self { busy: (self.busy.0, None), promised, ..Self::default() };
            }
            RunsEvent::Seen(info) => drop(self.infos.insert(info.id.clone(), info)),
            RunsEvent::Removed(id) => {
                self.infos.remove(&id);
                self.watched.remove(&id);
            }
            RunsEvent::Watched(runs) => self.watched.retain(|id, _| runs.contains(id)),
            RunsEvent::Restarted(id) => drop(self.watched.insert(id, RunData::default())),
            RunsEvent::Reading(id, reading) => {
                if let Some(data) = self.watched.get_mut(&id) {
                    data.reading = reading;
                }
            }
            RunsEvent::MetricsAppended(id, chunk) => {
                let live = self.infos.get(&id).is_some_and(|info| info.standing().is_live());
                if let Some(data) = self.watched.get_mut(&id) {
                    let newest = data.series.last_step();
                    data.looked_at.take_if(|detail| !detail.follow(newest, &chunk));
                    data.series.append(&chunk);
                    data.findings = doctor::diagnose(&data.series);
                    let news = data.news(&id.name());
                    if live && chunk.lines <= NEWS_LINES {
                        self.news.extend(news);
                    }
                }
            }
            RunsEvent::DetailRead(id, steps, lines) => {
                if let Some(data) = self.watched.get_mut(&id) {
                    data.looked_at = Some(Detail::new(steps, &lines));
                }
            }
            RunsEvent::CompletionsRead(id, groups) => {
                if let Some(data) = self.watched.get_mut(&id) {
                    data.rolled = Some(groups);
                }
            }
            RunsEvent::SamplesAppended(id, samples) => {
                if let Some(data) = self.watched.get_mut(&id) {
                    for sample in samples {
                        data.add_sample(sample);
                    }
                }
            }
            RunsEvent::LogAppended(id, lines) => {
                if let Some(data) = self.watched.get_mut(&id) {
                    data.log.extend(lines);
                    data.log.drain(..data.log.len().saturating_sub(LOG_KEPT));
                }
            }
            RunsEvent::RecipesListed(recipes) => self.recipes = Some(recipes),
            RunsEvent::Preflighted(preflight) => self.preflight = Some(preflight),
            RunsEvent::GoesOnElsewhere(runs) => self.elsewhere = runs,
            RunsEvent::Busy(busy) => self.busy = (self.busy.0 + 1, Some(busy)),
            RunsEvent::Promised(promise) => self.promised.push(promise),
            RunsEvent::PromiseEnded(recipe) => self.promised.retain(|promise| promise.recipe != recipe),
        }
    }
}

impl RunData {
    /// What is found for the first time and isn't in order.
    fn news(&mut self, run: &str) -> Vec<Notice> {
        let mut news = Vec::new();
        for finding in &self.findings {
            let level = match finding.weight {
                Weight::Note => continue,
                Weight::Warning => Level::Warning,
                Weight::Bad => Level::Error,
            };
            if self.found.insert((finding.metric.clone(), finding.weight)) {
                news.push(Notice::new(level, format!("{run}: {}", finding.text)));
            }
        }
        news
    }

    /// A metric value by value, where all of it between two steps (both included) is known so.
    #[must_use]
    pub fn detail(&self, name: &str, steps: (u32, u32)) -> Option<&Series> {
        self.looked_at.as_ref()?.get(name, steps, self.series.last_step())
    }

    /// A resumed run answers again: of one prompt at one step, the later answer counts, and later steps are gone.
    fn add_sample(&mut self, sample: Sample) {
        self.samples.retain(|old| old.step < sample.step || old.prompt != sample.prompt);
        self.samples.push(sample);
        if self.samples.len() > SAMPLES_KEPT {
            let mut at = 0;
            self.samples.retain(|_| {
                at += 1;
                at > SAMPLES_KEPT / 2 || at % 2 == 0
            });
        }
    }
}
