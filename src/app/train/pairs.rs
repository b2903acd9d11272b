//! Preference pairs among what a recipe trains on: supervised training learns answers, so they are left out, in words that
//! say how their better answers are learnt all the same.

use crate::data::mapping::learn_chosen;
use crate::domain::filter::{Property, parse};
use crate::domain::record::Record;

/// How the chosen answers of a session's pairs are learnt.
const OF_SESSION: &str = "data.train = \"session:is:preference\"";

/// Whether a filter of records says nothing of preference pairs. Supervised training learns answers, so it passes over
/// them then: a vote in Chat makes one, and is no answer to learn.
pub(crate) fn leaves_pairs_out(filter: &str) -> bool {
    parse(filter).is_ok_and(|filter| !filter.speaks_of(Property::Preference))
}

/// That pairs of a session are left out, and how their better answers are learnt all the same.
pub(super) fn pairs_left_out(pairs: usize, source: &str) -> String {
    left_out(pairs, source, OF_SESSION)
}

/// The same where there is nothing else.
pub(crate) fn pairs_alone(pairs: usize, source: &str) -> String {
    alone(pairs, source, OF_SESSION)
}

/// The records of a file without its pairs.
///
/// # Errors
/// Says so in a sentence where nothing else is there; `told` gets it otherwise.
pub(super) fn without_pairs(
    records: Vec<Record>,
    source: &str,
    told: &mut Vec<String>,
) -> Result<Vec<Record>, String> {
    let Some(how) = how(&records) else { return Ok(records) };
    let all = records.len();
    let rest: Vec<Record> = records.into_iter().filter(|record| record.preference.is_none()).collect();
    if rest.is_empty() {
        return Err(alone(all, source, &how));
    }
    told.push(left_out(all - rest.len(), source, &how));
    Ok(rest)
}

/// That training leaves pairs among the records of a file out.
#[must_use]
pub(crate) fn pairs_told(records: &[Record]) -> Option<String> {
    let how = how(records)?;
    let pairs = records.iter().filter(|record| record.preference.is_some()).count();
    Some(format!(
        "{pairs} of {} examples {}; training leaves them out: sft learns answers, not preferences; {how} \
         learns the chosen answers",
        records.len(),
        are_pairs(pairs)
    ))
}

const fn are_pairs(count: usize) -> &'static str {
    if count == 1 { "is a preference pair" } else { "are preference pairs" }
}

/// How the chosen answers of a file are learnt, where it has pairs.
fn how(records: &[Record]) -> Option<String> {
    let pair = records.iter().find(|record| record.preference.is_some())?;
    Some(format!("data.map = [\"{}\"]", learn_chosen(&pair.fields)))
}

fn left_out(pairs: usize, source: &str, how: &str) -> String {
    let (noun, verb) = if pairs == 1 { ("preference pair", "is") } else { ("preference pairs", "are") };
    format!(
        "{pairs} {noun} of {source} {verb} left out: sft learns answers, not preferences; {how} learns the chosen answers"
    )
}

fn alone(pairs: usize, source: &str, how: &str) -> String {
    let what = if pairs == 1 { "the only record".to_owned() } else { format!("all {pairs} records") };
    let are = are_pairs(pairs);
    format!(
        "{what} of {source} {are}, and sft learns answers, not preferences; {how} learns the chosen answers"
    )
}
