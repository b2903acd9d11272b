//! Choosing each ready sequence's next token from its logits.

use std::sync::{Mutex, PoisonError};

use anyhow::Result;

use super::backend::{Backend, Logits};
use super::cache::{Cache, PAGE};
use super::generator::Generator;
use super::request::{Event, Finish};
use super::sequence::{Chosen, Sequence};

impl Generator {
    /// Gives the siblings of the ready sequences what these have computed.
    fn fork_ready(&mut self, ready: &[usize]) -> Result<Vec<Sequence>> {
        let mut forked = Vec::new();
        for &index in ready {
            let Some(sequence) = self.active.get_mut(index) else { continue };
            for mut sibling in std::mem::take(&mut sequence.siblings) {
                fork((&mut self.cache, &mut *self.backend), sequence, &mut sibling)?;
                forked.push(sibling);
            }
        }
        Ok(forked)
    }

    /// Chooses a token for every ready sequence (and each sibling of it), all workers together.
    pub(super) fn choose(&mut self, ready: &[usize], events: &mut Vec<Event>) -> Result<()> {
        let mut forked = self.fork_ready(ready)?;
        let (vocabulary, eos) = (self.vocabulary(), self.backend.config().eos.clone());
        let mut jobs: Vec<Mutex<Job<'_>>> = Vec::new();
        let mut next = 0;
        let Logits { values, stride } = self.backend.logits();
        let mut rows = values.chunks_mut(stride);
        let mut families = Vec::new();
        for (index, sequence) in self.active.iter_mut().enumerate() {
            if ready.get(next) != Some(&index) {
                continue;
            }
            next += 1;
            let Some(logits) = rows.next().and_then(|row| row.get_mut(..vocabulary)) else { break };
            for &token in &self.hidden {
                if !sequence.lora.as_ref().is_some_and(|lora| lora.knows(token))
                    && let Some(logit) = logits.get_mut(token as usize)
                {
                    *logit = f32::NEG_INFINITY;
                }
            }
            families.push((sequence, logits));
        }
        let mut copies: Vec<Vec<f32>> = Vec::new();
        for sibling in &forked {
            let family = families.iter().find(|(parent, _)| parent.request == sibling.request);
            copies.push(family.map(|(_, logits)| logits.to_vec()).unwrap_or_default());
        }
        for (sequence, logits) in families {
            jobs.push(Mutex::new(Job { sequence, logits, chosen: None }));
        }
        for (sibling, logits) in forked.iter_mut().zip(&mut copies) {
            jobs.push(Mutex::new(Job { sequence: sibling, logits, chosen: None }));
        }
        if jobs.len() == 1 {
            jobs.iter().for_each(choose_one);
        } else {
            self.team.run(&|worker| {
                jobs.iter().skip(worker.index).step_by(worker.count).for_each(choose_one);
            });
        }
        for job in jobs {
            let Job { sequence, chosen, .. } = job.into_inner().unwrap_or_else(PoisonError::into_inner);
            match chosen {
                Some(Ok(chosen)) => sequence.accept(chosen, &eos, self.context, events),
                Some(Err(error)) => {
                    tracing::warn!("a constrained sequence ended early: {error:#}");
                    sequence.finish(Finish::EndToken, events);
                }
                None => {}
            }
        }
        self.active.extend(forked);
        Ok(())
    }
}

struct Job<'a> {
    sequence: &'a mut Sequence,
    logits: &'a mut [f32],
    chosen: Option<Result<Chosen>>,
}

fn choose_one(job: &Mutex<Job<'_>>) {
    let mut job = job.lock().unwrap_or_else(PoisonError::into_inner);
    let Job { sequence, logits, chosen } = &mut *job;
    *chosen = Some(sequence.choose(logits));
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
        } else if let Some(copy) = cache.take() {
            backend.copy_page(page, copy)?;
            sibling.pages.push(copy);
        }
    }
    Ok(())
}
