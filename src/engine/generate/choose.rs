//! Choosing each ready sequence's next token from its logits.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};

use super::backend::{Backend, Logits};
use super::cache::{Cache, PAGE};
use super::generator::Generator;
use super::request::{Event, Fault, Finish};
use super::sequence::Sequence;

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

    /// Chooses a token for every ready sequence (and each sibling of it), all workers together.
    pub(super) fn choose(&mut self, ready: &[Ready], events: &mut Vec<Event>) -> Result<()> {
        let mut forked = self.fork_ready(ready)?;
        let (vocabulary, eos) = (self.vocabulary(), self.backend.config().eos.clone());
        let mut jobs: Vec<Mutex<ChoiceJob<'_>>> = Vec::new();
        let mut left = ready.iter().peekable();
        let Logits { values, stride } = self.backend.logits();
        let (mut rest, mut passed) = (values, 0);
        let mut families = Vec::new();
        for (index, sequence) in self.active.iter_mut().enumerate() {
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
            jobs.push(Mutex::new(ChoiceJob { sequence, logits, events: Vec::new() }));
        }
        for (sibling, logits) in forked.iter_mut().zip(&mut copies) {
            jobs.push(Mutex::new(ChoiceJob { sequence: sibling, logits, events: Vec::new() }));
        }
        let (sizes, ends) = ((stride, vocabulary), (&*eos, self.context));
        if jobs.len() == 1 {
            jobs.iter().for_each(|job| go_on(job, sizes, ends));
        } else {
            self.team.run(&|worker| {
                let own = jobs.iter().skip(worker.index).step_by(worker.count);
                own.for_each(|job| go_on(job, sizes, ends));
            });
        }
        for job in jobs {
            events.extend(job.into_inner().unwrap_or_else(PoisonError::into_inner).events);
        }
        self.active.extend(forked);
        Ok(())
    }
}

struct ChoiceJob<'a> {
    sequence: &'a mut Sequence,
    /// (rows, stride)
    logits: &'a mut [f32],
    events: Vec<Event>,
}

/// Takes a sequence's next tokens.
fn go_on(job: &Mutex<ChoiceJob<'_>>, sizes: (usize, usize), ends: (&[u32], usize)) {
    let mut job = job.lock().unwrap_or_else(PoisonError::into_inner);
    let ChoiceJob { sequence, logits, events } = &mut *job;
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
