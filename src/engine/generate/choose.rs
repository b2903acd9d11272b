//! Choosing each ready sequence's next token from its logits.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

use super::backend::{Backend, Logits};
use super::cache::{Cache, PAGE};
use super::generator::Generator;
use super::request::{Event, Fault, Finish};
use super::sequence::Sequence;
use super::team::Team;
use dojo_core::ground::clock;

/// A sequence whose next token can be chosen.
pub(super) struct Ready {
    /// Its place among the active sequences.
    pub index: usize,
    /// The rows of its logits among those that the step wanted: of the last token, and of those that were guessed.
    pub rows: Range<usize>,
}

impl Generator {
    /// Gives the siblings of the ready sequences what these have computed.
    fn fork_ready(&mut self, ready: &[Ready]) -> Result<Vec<Sequence>> {
        let mut forked = Vec::new();
        for &Ready { index, .. } in ready {
            let Some(sequence) = self.active.get_mut(index) else { continue };
            for mut sibling in std::mem::take(&mut sequence.siblings) {
                fork((&mut self.cache, &mut *self.backend), sequence, &mut sibling)?;
                forked.push(sibling);
            }
        }
        Ok(forked)
    }

    /// Chooses a token for every ready sequence (and each sibling of it), all workers together; a constraint's choice may
    /// be put off to the next step.
    pub(super) fn choose(&mut self, ready: &[Ready], events: &mut Vec<Event>) -> Result<()> {
        let mut forked = self.fork_ready(ready)?;
        let (vocabulary, eos) = (self.vocabulary(), self.backend.config().eos.clone());
        let mut kept: Vec<(usize, Vec<f32>)> = Vec::new();
        for (index, sequence) in self.active.iter_mut().enumerate() {
            kept.extend(sequence.put_off.take().map(|logits| (index, logits)));
        }
        let mut left = ready.iter().peekable();
        let mut kept = kept.iter_mut().peekable();
        let Logits { values, stride } = self.backend.logits();
        let (mut rest, mut passed) = (values, 0);
        let mut families = Vec::new();
        let mut jobs: Vec<Mutex<ChoiceJob<'_>>> = Vec::new();
        for (index, sequence) in self.active.iter_mut().enumerate() {
            if let Some((_, logits)) = kept.next_if(|(of, _)| *of == index) {
                jobs.push(ChoiceJob::new(sequence, logits, ChoiceOrder::PutOffBefore));
                continue;
            }
            let Some(Ready { rows, .. }) = left.next_if(|ready| ready.index == index) else { continue };
            let all = std::mem::take(&mut rest);
            let Some((_, after)) = all.split_at_mut_checked((rows.start - passed) * stride) else { break };
            let Some((logits, after)) = after.split_at_mut_checked(rows.len() * stride) else { break };
            (rest, passed) = (after, rows.end);
            for row in logits.chunks_mut(stride) {
                hide(row, &self.hidden, sequence);
            }
            families.push((sequence, logits));
        }
        let mut copies: Vec<Vec<f32>> = Vec::new();
        for sibling in &forked {
            let family = families.iter().find(|(parent, _)| parent.request == sibling.request);
            copies.push(family.map(|(_, logits)| logits.to_vec()).unwrap_or_default());
        }
        for (sequence, logits) in families {
            jobs.push(ChoiceJob::new(sequence, logits, ChoiceOrder::First));
        }
        for (sibling, logits) in forked.iter_mut().zip(&mut copies) {
            jobs.push(ChoiceJob::new(sibling, logits, ChoiceOrder::First));
        }
        self.team.choose(jobs, ((stride, vocabulary), (&*eos, self.context)), events);
        self.active.extend(forked);
        Ok(())
    }
}

impl Team {
    /// Does all jobs, as far as constraints leave time.
    fn choose(
        &mut self,
        mut jobs: Vec<Mutex<ChoiceJob<'_>>>,
        (sizes, ends): ChoiceBounds<'_>,
        events: &mut Vec<Event>,
    ) {
        jobs.sort_by_key(|job| job.lock().unwrap_or_else(PoisonError::into_inner).rank());
        if jobs.len() == 1 {
            take_turns(jobs.iter(), (sizes, ends));
        } else {
            self.run(&|worker| {
                take_turns(jobs.iter().skip(worker.index).step_by(worker.count), (sizes, ends));
            });
        }
        for job in jobs {
            events.extend(job.into_inner().unwrap_or_else(PoisonError::into_inner).events);
        }
    }
}

/// What the constraints of one step may take of each worker's processor. Those that are left wait for the next step: one
/// token of sixteen hard ones would hold all others up for seconds.
const GUIDED: Duration = Duration::from_millis(50);

/// The stride of logits and the vocabulary; the end tokens and the context.
type ChoiceBounds<'a> = ((usize, usize), (&'a [u32], usize));

/// Whether a choice was put off before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ChoiceOrder {
    PutOffBefore,
    First,
}

struct ChoiceJob<'a> {
    sequence: &'a mut Sequence,
    /// (rows, stride)
    logits: &'a mut [f32],
    order: ChoiceOrder,
    events: Vec<Event>,
}

impl<'a> ChoiceJob<'a> {
    fn new(sequence: &'a mut Sequence, logits: &'a mut [f32], order: ChoiceOrder) -> Mutex<Self> {
        Mutex::new(Self { sequence, logits, order, events: Vec::new() })
    }

    /// Lower is earlier: what takes no time first, then what has waited.
    fn rank(&self) -> (bool, ChoiceOrder) {
        (self.sequence.is_constrained(), self.order)
    }

    /// Leaves it to the next step. What was guessed after the token is computed again.
    fn put_off(&mut self, stride: usize) {
        self.sequence.guessed.clear();
        self.sequence.put_off = self.logits.get(..stride).map(<[f32]>::to_vec);
    }
}

/// Does one worker's jobs, the first that is held to a constraint in any case.
fn take_turns<'j, 'a: 'j>(
    own: impl Iterator<Item = &'j Mutex<ChoiceJob<'a>>>,
    (sizes, ends): ChoiceBounds<'_>,
) {
    let mut begun = None;
    for job in own {
        let mut job = job.lock().unwrap_or_else(PoisonError::into_inner);
        if job.sequence.is_constrained() {
            let now = clock::of_thread();
            if now.saturating_sub(*begun.get_or_insert(now)) > GUIDED {
                job.put_off(sizes.0);
                continue;
            }
        }
        go_on(&mut job, sizes, ends);
    }
}

/// Takes a sequence's next tokens.
fn go_on(job: &mut ChoiceJob<'_>, sizes: (usize, usize), ends: (&[u32], usize)) {
    let ChoiceJob { sequence, logits, events, .. } = job;
    // Where only the prompt is asked about, nothing is chosen.
    if sequence.options.max_tokens == 0 {
        sequence.finish(Finish::Length, events);
    } else if logits.iter().any(|logit| logit.is_nan()) {
        sequence.finish(Finish::Failed(Fault::Numbers), events);
    } else if let Err(error) = sequence.go_on(logits, sizes, ends, events) {
        tracing::warn!("a constrained sequence can't go on: {error:#}");
        sequence.finish(Finish::Failed(Fault::Constraint), events);
    }
}

/// Takes away tokens that mean nothing to the sequence's adapter.
fn hide(logits: &mut [f32], hidden: &[u32], sequence: &Sequence) {
    for &token in hidden {
        if !sequence.lora.as_ref().is_some_and(|lora| lora.knows(token))
            && let Some(logit) = logits.get_mut(token as usize)
        {
            *logit = f32::NEG_INFINITY;
        }
    }
}

/// Gives a sibling what its parent has computed: full pages shared, the last one copied.
fn fork(
    (cache, backend): (&mut Cache, &mut dyn Backend),
    parent: &Sequence,
    sibling: &mut Sequence,
) -> Result<()> {
    let full = parent.computed / PAGE;
    sibling.computed = parent.computed;
    sibling.cached = parent.computed;
    sibling.remembered = full;
    for (number, &page) in parent.pages.iter().enumerate() {
        if number < full {
            cache.share(page);
            sibling.pages.push(page);
        } else {
            let copy = cache.take().context("the cache of keys and values is full")?;
            backend.copy_page(page, copy)?;
            sibling.pages.push(copy);
        }
    }
    Ok(())
}
