//! Which part of the trained numbers learns at which rate: LoRA+ (Hayou et al. 2024) and rates by name pattern.

use std::ops::Range;

use crate::domain::recipe::TrainPart;
use crate::engine::adapter::peft::{rows_tensor, whole_tensor};
use crate::engine::adapter::{Adapter, Module, Slot};

/// Factors of the learning rate over the flat vector of trained numbers; where no part is named, the factor is 1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rates {
    /// Rising, without overlap.
    parts: Vec<(Range<usize>, f32)>,
}

impl Rates {
    /// The first pattern that fits a tensor's name decides; without one, B learns `loraplus_lr_ratio` times as fast
    /// as A, and so do vectors (magnitudes and norms), as in PEFT.
    #[must_use]
    pub fn new(train: &TrainPart, adapter: &Adapter) -> Self {
        let mut parts: Vec<(Range<usize>, f32)> = Vec::new();
        let mut add = |name: &str, range: Range<usize>, faster: bool| {
            let otherwise = if faster { train.loraplus_lr_ratio } else { 1.0 };
            parts.push((range, factor(train, name, otherwise)));
        };
        for slot in &adapter.slots {
            let (name, rank) = (stem(slot), adapter.config.r);
            add(&format!("{name}.lora_A.weight"), slot.a..slot.a + rank * slot.inputs, false);
            add(&format!("{name}.lora_B.weight"), slot.b..slot.b + rank * slot.outputs, true);
            if let Some(start) = slot.magnitudes {
                add(&format!("{name}.lora_magnitude_vector"), start..start + slot.outputs, true);
            }
        }
        for it in &adapter.modules {
            let vector = !matches!(it.module, Module::Embedding | Module::Output);
            add(&whole_tensor(it.module), it.start..it.start + it.length, vector);
        }
        for rows in &adapter.rows {
            add(&rows_tensor(rows.module), rows.start..rows.start + rows.length(), false);
        }
        parts.retain(|(range, factor)| factor.to_bits() != 1.0_f32.to_bits() && !range.is_empty());
        parts.sort_by_key(|(range, _)| range.start);
        Self { parts }
    }

    /// Splits a range into pieces of one factor each.
    pub(crate) fn pieces(&self, range: Range<usize>) -> impl Iterator<Item = (Range<usize>, f32)> + '_ {
        let mut at = range.start;
        let mut next = self.parts.partition_point(|(part, _)| part.end <= at);
        std::iter::from_fn(move || {
            if at >= range.end {
                return None;
            }
            let (end, factor) = match self.parts.get(next) {
                Some((part, factor)) if part.start <= at => {
                    next += 1;
                    (part.end.min(range.end), *factor)
                }
                Some((part, _)) => (part.start.min(range.end), 1.0),
                None => (range.end, 1.0),
            };
            let piece = at..end;
            at = end;
            Some((piece, factor))
        })
    }
}

fn factor(train: &TrainPart, name: &str, otherwise: f64) -> f32 {
    let fitting = train.learning_rates.iter().find(|rate| fits(&rate.pattern, name));
    fitting.map_or(otherwise, |rate| rate.learning_rate / train.learning_rate) as f32
}

/// How the PEFT names of a projection's tensors begin.
fn stem(slot: &Slot) -> String {
    let projection = slot.projection;
    format!("base_model.model.model.layers.{}.{}.{}", slot.layer, projection.block(), projection.name())
}

/// Whether a whole name fits a pattern in which `*` stands for any characters, none among them.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut remaining) = name.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        match remaining.find(part) {
            Some(at) => remaining = &remaining[at + part.len()..],
            None => return false,
        }
    }
    remaining.ends_with(tail)
}
