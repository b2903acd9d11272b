//! Which part of the trained numbers learns at which rate, and which of them decay: LoRA+ (Hayou et al. 2024), rates by
//! name pattern, and norms, which don't decay.

use std::ops::Range;

use anyhow::{Context, Result};
use globset::{Glob, GlobMatcher};

use crate::adapter::peft::{rows_tensor, whole_tensor};
use crate::adapter::{Adapter, Module, Slot};
use dojo_core::domain::recipe::TrainPart;

/// Paces over the flat vector of trained numbers; where no part is named, the usual one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ParameterGroups {
    /// Rising, without overlap.
    parts: Vec<(Range<usize>, ParameterGroup)>,
}

/// How a part of the trained numbers is updated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ParameterGroup {
    /// Of the learning rate.
    pub(crate) factor: f32,
    /// Whether weight decay counts: not for norms, as in Hugging Face's Trainer.
    pub(crate) decays: bool,
}

impl ParameterGroup {
    const USUAL: Self = Self { factor: 1.0, decays: true };
}

impl ParameterGroups {
    /// The first pattern that fits a tensor's name decides; without one, B learns `loraplus_lr_ratio` times as fast
    /// as A, and so do vectors (magnitudes and norms), as in PEFT.
    ///
    /// # Errors
    /// Where a pattern can't be read.
    pub fn new(train: &TrainPart, adapter: &Adapter) -> Result<Self> {
        let factors = train
            .learning_rates
            .iter()
            .map(|rate| Ok((pattern(&rate.pattern)?, rate.learning_rate / train.learning_rate)))
            .collect::<Result<Vec<_>>>()?;
        let mut parts: Vec<(Range<usize>, ParameterGroup)> = Vec::new();
        let mut push = |name: &str, range: Range<usize>, faster: bool, decays: bool| {
            let otherwise = if faster { train.loraplus_lr_ratio } else { 1.0 };
            let factor = factors.iter().find(|(pattern, _)| pattern.is_match(name));
            let factor = factor.map_or(otherwise, |(_, factor)| *factor) as f32;
            parts.push((range, ParameterGroup { factor, decays }));
        };
        for it in &adapter.modules {
            let is_norm = !matches!(it.module, Module::Embedding | Module::Output);
            push(&whole_tensor(it.module), it.start..it.start + it.length, is_norm, !is_norm);
        }
        let mut add = |name: &str, range: Range<usize>, faster: bool| push(name, range, faster, true);
        for slot in &adapter.slots {
            let (name, rank) = (stem(slot), adapter.config.r);
            add(&format!("{name}.lora_A.weight"), slot.a..slot.a + rank * slot.inputs, false);
            add(&format!("{name}.lora_B.weight"), slot.b..slot.b + rank * slot.outputs, true);
            if let Some(start) = slot.magnitudes {
                add(&format!("{name}.lora_magnitude_vector"), start..start + slot.outputs, true);
            }
        }
        for rows in &adapter.rows {
            add(&rows_tensor(rows.module), rows.start..rows.start + rows.length(), false);
        }
        parts.retain(|(range, group)| *group != ParameterGroup::USUAL && !range.is_empty());
        parts.sort_by_key(|(range, _)| range.start);
        Ok(Self { parts })
    }

    /// Splits a range into pieces of one group each.
    pub(crate) fn pieces(
        &self,
        range: Range<usize>,
    ) -> impl Iterator<Item = (Range<usize>, ParameterGroup)> + '_ {
        let mut at = range.start;
        let mut next = self.parts.partition_point(|(part, _)| part.end <= at);
        std::iter::from_fn(move || {
            if at >= range.end {
                return None;
            }
            let (end, group) = match self.parts.get(next) {
                Some((part, group)) if part.start <= at => {
                    next += 1;
                    (part.end.min(range.end), *group)
                }
                Some((part, _)) => (part.start.min(range.end), ParameterGroup::USUAL),
                None => (range.end, ParameterGroup::USUAL),
            };
            let piece = at..end;
            at = end;
            Some((piece, group))
        })
    }
}

/// A pattern over whole names, in which `*` stands for any characters, none among them.
///
/// # Errors
/// Where it can't be read.
pub fn pattern(text: &str) -> Result<GlobMatcher> {
    let glob =
        Glob::new(text).with_context(|| format!("read the pattern {text:?} of train.learning_rates"))?;
    Ok(glob.compile_matcher())
}

/// How the PEFT names of a projection's tensors begin.
fn stem(slot: &Slot) -> String {
    let projection = slot.projection;
    format!("base_model.model.model.layers.{}.{}.{}", slot.layer, projection.block(), projection.name())
}
