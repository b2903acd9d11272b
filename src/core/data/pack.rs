//! Which examples share a training batch. Knows lengths only.
//!
//! Best-fit decreasing, as TRL's `packing_strategy="bfd"`: the longest example first, each into the fullest pack that
//! still has room. Nothing is padded and nothing is split; attention stops at each example's border, so that a packed
//! batch has the loss of the same examples one by one.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};

use crate::domain::recipe::Packing;
use crate::ground::random::SplitMix64;

/// How examples are laid into batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackSettings {
    /// Tokens in a pack at most.
    pub max_length: usize,
    pub packing: Packing,
    /// Packs in a batch; without packing, examples in a batch (`per_device_train_batch_size`).
    pub batch_size: usize,
    /// Decides the order of the batches, with the epoch.
    pub seed: u64,
}

/// The batches of one epoch, as indices into the examples; each example stands in exactly one of them. The same for
/// the same lengths, settings and epoch, on every machine, so that a resumed run goes on where it was.
///
/// # Errors
/// Where there are no examples, a setting is 0, or an example is longer than `max_length`.
pub fn plan(lengths: &[usize], settings: &PackSettings, epoch: u64) -> Result<Vec<Vec<usize>>> {
    ensure!(!lengths.is_empty(), "the dataset is empty: there is nothing to train on");
    ensure!(settings.max_length > 0, "max_length is 0; a pack needs room for at least one token");
    ensure!(settings.batch_size > 0, "the batch size is 0; a batch needs at least one example");
    if let Some((index, length)) =
        lengths.iter().enumerate().find(|(_, length)| **length > settings.max_length)
    {
        bail!("example {index} has {length} tokens, more than max_length {}", settings.max_length);
    }
    let mut random = random(settings.seed, epoch);
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    random.shuffle(&mut order);
    let packs = match settings.packing {
        Packing::Off => order.into_iter().map(|index| vec![index]).collect(),
        Packing::Bfd => {
            let mut packs = best_fit_decreasing(lengths, &order, settings.max_length);
            random.shuffle(&mut packs);
            packs
        }
    };
    Ok(packs.chunks(settings.batch_size).map(<[Vec<usize>]>::concat).collect())
}

/// The batch with the most tokens, for a dry step that shows at once whether memory suffices.
#[must_use]
pub fn longest<'a>(batches: &'a [Vec<usize>], lengths: &[usize]) -> Option<&'a [usize]> {
    let tokens = |batch: &Vec<usize>| batch.iter().filter_map(|&index| lengths.get(index)).sum::<usize>();
    batches.iter().max_by_key(|batch| tokens(batch)).map(Vec::as_slice)
}

/// Examples of one length are taken in `order`, so that every epoch packs others together.
fn best_fit_decreasing(lengths: &[usize], order: &[usize], max_length: usize) -> Vec<Vec<usize>> {
    let length = |index: usize| lengths.get(index).copied().unwrap_or_default();
    let mut longest_first = order.to_vec();
    longest_first.sort_by_key(|&index| std::cmp::Reverse(length(index)));
    let mut packs: Vec<Vec<usize>> = Vec::new();
    // Free tokens -> the packs that have as many.
    let mut free: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for index in longest_first {
        let needed = length(index);
        let room = free.range(needed..).next().map(|(&room, _)| room);
        let (pack, room) = room.and_then(|room| Some((take(&mut free, room)?, room))).unwrap_or_else(|| {
            packs.push(Vec::new());
            (packs.len() - 1, max_length)
        });
        if let Some(members) = packs.get_mut(pack) {
            members.push(index);
        }
        free.entry(room - needed).or_default().push(pack);
    }
    packs
}

fn take(free: &mut BTreeMap<usize, Vec<usize>>, room: usize) -> Option<usize> {
    let packs = free.get_mut(&room)?;
    let pack = packs.pop();
    if packs.is_empty() {
        free.remove(&room);
    }
    pack
}

/// What an epoch of a run draws from.
fn random(seed: u64, epoch: u64) -> SplitMix64 {
    let mixed = SplitMix64::new(seed).next();
    SplitMix64::new(mixed ^ epoch.wrapping_mul(0xD134_2543_DE82_EF95))
}
