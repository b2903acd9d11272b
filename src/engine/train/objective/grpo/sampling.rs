//! Completions drawn and scored: whole groups go to the rewards, on threads of their own, while others are still written.

use std::sync::mpsc::sync_channel;
use std::time::Instant;

use anyhow::{Result, anyhow};

use crate::adapter::Adapter;
use dojo_core::domain::record::Record;
use dojo_core::domain::reward::{Attempt, CompletionScorer, RewardTotal, ScoreDetail};

/// Draws completions with the adapter as it stands.
pub trait RolloutSampler: Send + Sync {
    /// Tells `done` each order's number and its completions as soon as all of them are whole. False if `tick` said no.
    ///
    /// # Errors
    /// Where the device fails or a prompt doesn't fit the context.
    fn draw(
        &mut self,
        adapter: &Adapter,
        orders: &[DrawOrder<'_>],
        done: &mut dyn FnMut(usize, Vec<Drawn>),
        tick: &mut dyn FnMut() -> Result<bool>,
    ) -> Result<bool>;
}

/// A prompt and how many completions of it are drawn.
#[derive(Debug, Clone, Copy)]
pub struct DrawOrder<'a> {
    pub prompt: &'a [u32],
    pub completions: usize,
    /// Decides the completions, with the adapter: each has random numbers of its own.
    pub seed: u64,
}

/// One completion.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Drawn {
    /// The token that ends it among them; at least one.
    pub tokens: Vec<u32>,
    /// Of each token, at the temperature.
    pub log_probabilities: Vec<f32>,
    pub text: String,
    /// It would have gone on.
    pub cut: bool,
}

/// A prompt's completions, and what they are worth.
#[derive(Debug, Clone, Default)]
pub(super) struct ScoredGroup {
    pub(super) drawn: Vec<Drawn>,
    pub(super) totals: Vec<RewardTotal>,
}

/// Seconds that parts took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DrawTimes {
    pub(super) sample: f64,
    /// What was waited for rewards when everything was drawn.
    pub(super) reward: f64,
}

/// What all groups are drawn with.
pub(super) struct Drawing<'a, 'b> {
    pub(super) sampler: &'a mut dyn RolloutSampler,
    pub(super) scorer: &'a dyn CompletionScorer,
    pub(super) adapter: &'a Adapter,
    pub(super) tick: &'a mut (dyn FnMut() -> Result<bool> + 'b),
}

impl Drawing<'_, '_> {
    /// A group for each order; nothing if the run is to stop.
    pub(super) fn groups(
        &mut self,
        orders: &[DrawOrder<'_>],
        records: &[&Record],
        times: &mut DrawTimes,
    ) -> Result<Option<Vec<ScoredGroup>>> {
        let mut groups = vec![ScoredGroup::default(); orders.len()];
        let scorer = self.scorer;
        let scored = std::thread::scope(|scope| {
            // One place for each group: the sampler never waits.
            let (send, receive) = sync_channel::<(usize, Vec<String>)>(orders.len().max(1));
            let scoring = scope.spawn(move || {
                let score =
                    |(at, texts): (usize, Vec<String>)| (at, score(scorer, records.get(at).copied(), &texts));
                receive.into_iter().map(score).collect::<Vec<_>>()
            });
            let began = Instant::now();
            let mut done = |at: usize, drawn: Vec<Drawn>| {
                let texts = drawn.iter().map(|one| one.text.clone()).collect();
                if let Some(group) = groups.get_mut(at) {
                    group.drawn = drawn;
                }
                // It fails only if the scorer is gone, which joining tells.
                let _ = send.send((at, texts));
            };
            let went_on = self.sampler.draw(self.adapter, orders, &mut done, self.tick);
            times.sample += began.elapsed().as_secs_f64();
            drop(send);
            let began = Instant::now();
            let scored = scoring.join();
            times.reward += began.elapsed().as_secs_f64();
            let scored =
                scored.map_err(|_| anyhow!("a reward failed unexpectedly while it scored completions"))?;
            Ok::<_, anyhow::Error>(went_on?.then_some(scored))
        })?;
        let Some(scored) = scored else { return Ok(None) };
        for (at, totals) in scored {
            if let Some(group) = groups.get_mut(at) {
                group.totals = totals;
            }
        }
        Ok(Some(groups))
    }
}

fn score(scorer: &dyn CompletionScorer, record: Option<&Record>, texts: &[String]) -> Vec<RewardTotal> {
    let Some(record) = record else { return Vec::new() };
    let attempts: Vec<Attempt<'_>> =
        texts.iter().map(|text| Attempt { record, completion: text.as_str() }).collect();
    // The reasons are for people who look at the completions.
    scorer.score(&attempts, ScoreDetail::Reasons)
}
