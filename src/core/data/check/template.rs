//! What the model's chat template makes of the records as a whole, in sentences.

use std::collections::BTreeMap;

use super::FindingKind;
use crate::data::mask::Unlearnt;
use crate::data::tally::more;

/// Keys of turns that a sentence names.
const KEYS: usize = 6;

/// What of the turns the template doesn't read.
pub(super) fn unread(keys: &BTreeMap<String, u64>) -> Option<String> {
    let named = |(key, count): (&String, &u64)| format!("{key:?} (in {count} records)");
    let named: Vec<String> = keys.iter().take(KEYS).map(named).collect();
    let more = more(keys.len().saturating_sub(KEYS), false);
    (!named.is_empty()).then(|| {
        format!(
            "the model's chat template doesn't read {}{more} of the turns; nothing of it is learnt",
            named.join(", ")
        )
    })
}

/// What of a record isn't learnt or read as it stands, or is learnt and shouldn't be.
pub(super) fn unlearnt(unlearnt: &Unlearnt, find: &mut impl FnMut(FindingKind, String)) {
    let mut found = |what: String| find(FindingKind::Hidden, what);
    if let Some(hidden) = &unlearnt.first {
        found(format!("the chat template hides {}, which isn't learnt", hidden.told()));
    }
    if let Some(part) = &unlearnt.unmarked {
        found(format!("the chat template doesn't mark {} as generated, so it isn't learnt", part.told()));
    }
    for one in &unlearnt.taught {
        let (told, role) = (one.part.told(), one.role.name());
        found(format!("the chat template marks {told} ({role}) as generated, so it is learnt"));
    }
    for one in &unlearnt.unshown {
        let (told, role) = (one.part.told(), one.role.name());
        found(format!("the chat template leaves out or changes {told} ({role}), which isn't read"));
    }
}
