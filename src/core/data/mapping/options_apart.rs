//! Options of which each has a column of its own: `A` to `D` as in MMLU's tables, `opa`, `option_b`, `choice1`.

use serde_json::Value;

use super::Mapping;
use super::forms::is_unsaid;
use super::values::text;
use crate::domain::record::Fields;

/// How names of such columns begin; a letter or a digit is behind it.
const BEGINNINGS: [&str; 8] = ["", "option", "options", "opt", "op", "choice", "ending", "candidate"];

/// The signs and the texts of such options, in the order of the signs; none where these are the alphabet's letters, which
/// options have anyway.
pub(super) fn of_columns(mapping: &Mapping, fields: &Fields) -> Option<(Vec<String>, Vec<String>)> {
    BEGINNINGS.iter().find_map(|begin| {
        let mut found: Vec<(char, String)> = fields
            .iter()
            .filter_map(|(name, value)| Some((sign(begin, name)?, name, value)))
            .filter(|(_, name, value)| !mapping.takes(name) && !is_unsaid(value))
            .filter(|(.., value)| matches!(value, Value::String(_) | Value::Number(_)))
            .map(|(sign, _, value)| (sign, text(value)))
            .collect();
        found.sort_unstable();
        let first = found.first().map(|(sign, _)| *sign).filter(|sign| ['A', '0', '1'].contains(sign))?;
        let follows = |(at, (sign, _)): (usize, &(char, String))| *sign as usize == first as usize + at;
        let is_row = found.len() > 1 && found.iter().enumerate().all(follows);
        let own = found.iter().filter(|_| first != 'A').map(|(sign, _)| sign.to_string()).collect();
        is_row.then(|| (own, found.into_iter().map(|(_, text)| text).collect()))
    })
}

/// What tells a column from the others that begin so: a letter, or a digit where the name says what it is.
fn sign(begin: &str, name: &str) -> Option<char> {
    if name.len() > begin.len() + 2 {
        return None;
    }
    let head = name.get(..begin.len()).filter(|head| head.eq_ignore_ascii_case(begin))?;
    let rest = name.get(head.len()..)?.trim_start_matches(['_', ' ', '-']);
    let mut signs = rest.chars();
    let sign = signs
        .next()
        .filter(|sign| sign.is_ascii_alphabetic() || sign.is_ascii_digit() && !begin.is_empty())?;
    signs.next().is_none().then_some(sign.to_ascii_uppercase())
}
