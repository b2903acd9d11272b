//! Records that repeat others, and held-out records that were trained on.

use std::collections::HashMap;

use super::minhash::{Signature, near_pairs};
use super::{Digested, Finding, FindingKind, SplitSide};

fn repeats(check: FindingKind, one: &Digested, other: &Digested, what: String) -> Finding {
    let other = other.place.is_none().then_some(other.id);
    Finding { check, record: one.id, other, what }
}

fn name(one: &Digested) -> String {
    one.place.as_deref().map_or_else(|| one.id.to_string(), str::to_owned)
}

/// Every record whose content an earlier one has.
pub(super) fn exact(digests: &[Digested]) -> Vec<Finding> {
    let mut first: HashMap<u128, &Digested> = HashMap::with_capacity(digests.len());
    let mut findings = Vec::new();
    for one in digests {
        match first.get(&one.content) {
            Some(earlier) => {
                findings.push(repeats(
                    FindingKind::Duplicate,
                    one,
                    earlier,
                    format!("the same as {}", earlier.id),
                ));
            }
            None => {
                first.insert(one.content, one);
            }
        }
    }
    findings
}

/// Records that almost repeat an earlier one. Exact duplicates are told by [`exact`] alone.
pub(super) fn near(digests: &[Digested]) -> Vec<Finding> {
    let mut seen = std::collections::HashSet::new();
    let distinct = digests.iter().enumerate().filter(|(_, one)| seen.insert(one.content));
    let signatures: Vec<(usize, &Signature)> =
        distinct.filter_map(|(index, one)| Some((index, one.near_content.as_ref()?))).collect();
    let pairs = near_pairs(&signatures, |_, _| true);
    pairs
        .into_iter()
        .filter_map(|(earlier, later, likeness)| {
            let (earlier, later) = (digests.get(earlier)?, digests.get(later)?);
            let what = format!("{:.0}% the same as {}", likeness * 100.0, earlier.id);
            Some(repeats(FindingKind::NearDuplicate, later, earlier, what))
        })
        .collect()
}

/// Held-out records whose prompt is in the training data.
pub(super) fn leaked(digests: &[&Digested]) -> Vec<Finding> {
    let mut trained: HashMap<u128, &Digested> = HashMap::new();
    for &one in digests.iter().filter(|one| one.side == SplitSide::Train) {
        trained.entry(one.prompt).or_insert(one);
    }
    digests
        .iter()
        .filter(|one| one.side == SplitSide::HeldOut)
        .filter_map(|one| {
            let train = trained.get(&one.prompt)?;
            let what = format!("its prompt is trained on, in {}", name(train));
            Some(repeats(FindingKind::Leakage, one, train, what))
        })
        .collect()
}

/// Held-out records whose prompt is almost one of the training data. Exact leakage is told by [`leaked`] alone.
pub(super) fn nearly_leaked(digests: &[&Digested]) -> Vec<Finding> {
    let trained: std::collections::HashSet<u128> =
        digests.iter().filter(|one| one.side == SplitSide::Train).map(|one| one.prompt).collect();
    let mut seen = std::collections::HashSet::new();
    // The training data first, so that a held-out record is always the later of a pair.
    let sides = [SplitSide::Train, SplitSide::HeldOut];
    let mut ordered: Vec<&Digested> = Vec::new();
    for side in sides {
        let of_side = digests.iter().copied().filter(|one| one.side == side);
        ordered.extend(of_side.filter(|one| match side {
            SplitSide::Train => seen.insert(one.prompt),
            SplitSide::HeldOut | SplitSide::Unknown => !trained.contains(&one.prompt),
        }));
    }
    let signatures: Vec<(usize, &Signature)> = ordered
        .iter()
        .enumerate()
        .filter_map(|(index, one)| Some((index, one.near_prompt.as_ref()?)))
        .collect();
    let side = |index: usize| ordered.get(index).map(|one| one.side);
    let pairs = near_pairs(&signatures, |earlier, later| side(earlier) != side(later));
    pairs
        .into_iter()
        .filter_map(|(train, held_out, likeness)| {
            let (train, held_out) = (ordered.get(train)?, ordered.get(held_out)?);
            let what =
                format!("its prompt is {:.0}% one that is trained on, in {}", likeness * 100.0, name(train));
            Some(repeats(FindingKind::NearLeakage, held_out, train, what))
        })
        .collect()
}
