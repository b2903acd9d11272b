//! Preference pairs among what a recipe trains on. Supervised training learns answers, so they are left out, in words that
//! say how their better answers are learnt all the same; training on preferences learns from nothing else.

use crate::data::mapping::learn_chosen;
use crate::domain::filter::{Property, parse};
use crate::domain::recipe::{ExampleSource, Method};
use crate::domain::record::Record;

use super::data::SourcedRecord;

/// How the chosen answers of a session's pairs are learnt.
const OF_SESSION: &str = "data.train = \"session:is:preference\"";

/// Whether a filter of records says nothing of preference pairs. Supervised training learns answers, so it passes over
/// them then: a vote in Chat makes one, and is no answer to learn.
pub(crate) fn leaves_pairs_out(filter: &str) -> bool {
    parse(filter).is_ok_and(|filter| !filter.speaks_of(Property::Preference))
}

/// The rows of a session's source that a method learns from.
///
/// # Errors
/// Says so in a sentence if there is none; `told` gets what is left out otherwise.
pub(super) fn of_session_method(
    method: Method,
    mut rows: Vec<SourcedRecord>,
    (source, words): (&str, &str),
    told: &mut Vec<String>,
) -> Result<Vec<SourcedRecord>, String> {
    let all = rows.len();
    match method {
        Method::Sft => {
            let is_set = matches!(ExampleSource::parse(source), Ok(ExampleSource::Set(_)));
            if is_set || !leaves_pairs_out(words) {
                return Ok(rows);
            }
            rows.retain(|row| row.record.preference.is_none());
            let pairs = all - rows.len();
            if pairs > 0 && rows.is_empty() {
                return Err(pairs_alone(all, source));
            }
            told.extend((pairs > 0).then(|| pairs_left_out(pairs, source)));
        }
        Method::Dpo => {
            rows.retain(|row| row.record.preference.is_some());
            told.extend(answers_left_out(rows.len(), all, source)?);
        }
        Method::Grpo => {}
    }
    Ok(rows)
}

/// The records of a file that a method learns from.
///
/// # Errors
/// As [`of_session_method`].
pub(super) fn of_method(
    method: Method,
    records: Vec<Record>,
    source: &str,
    told: &mut Vec<String>,
) -> Result<Vec<Record>, String> {
    match method {
        Method::Sft => without_pairs(records, source, told),
        Method::Dpo => {
            let all = records.len();
            let pairs: Vec<Record> =
                records.into_iter().filter(|record| record.preference.is_some()).collect();
            told.extend(answers_left_out(pairs.len(), all, source)?);
            Ok(pairs)
        }
        Method::Grpo => Ok(records),
    }
}

/// What training on preferences says of records that are no pairs.
fn answers_left_out(pairs: usize, all: usize, source: &str) -> Result<Option<String>, String> {
    let others = all - pairs;
    if others == 0 {
        return Ok(None);
    }
    if pairs == 0 {
        return Err(format!(
            "none of the {all} records of {source} is a preference pair, and dpo learns from a prompt with a chosen and \
             a rejected answer: set:pairs takes the corrections that were accepted in a review, session:is:preference \
             the pairs of a session; method = \"sft\" learns answers"
        ));
    }
    let (records, are) = if others == 1 {
        ("record", "is no preference pair")
    } else {
        ("records", "are no preference pairs")
    };
    Ok(Some(format!("{others} {records} of {source} {are} and left out: dpo learns from pairs")))
}

/// That pairs of a session are left out, and how their better answers are learnt all the same.
fn pairs_left_out(pairs: usize, source: &str) -> String {
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
fn without_pairs(records: Vec<Record>, source: &str, told: &mut Vec<String>) -> Result<Vec<Record>, String> {
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
