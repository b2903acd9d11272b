//! How much work a schema's `multipleOf` is: its automaton has a state for each remainder, and no limit of the library's
//! stops it while it is being made.

use anyhow::{Result, ensure};
use serde_json::Value;

/// Remainders at most, of all multiples in a schema together.
const MOST: u64 = 10_000;

const KEY: &str = "multipleOf";

/// Every `multipleOf` in a schema, as it is written.
pub(super) fn of_schema(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![schema];
    while let Some(value) = left.pop() {
        match value {
            Value::Array(values) => left.extend(values),
            Value::Object(fields) => {
                if let Some(Value::Number(number)) = fields.get(KEY) {
                    found.push(number.to_string());
                }
                left.extend(fields.values());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found
}

/// The same in a grammar, which may hold schemas.
pub(super) fn of_text(text: &str) -> Vec<String> {
    let number = |rest: &str| -> String {
        let rest = rest.trim_start_matches(|sign: char| sign == '"' || sign == ':' || sign.is_whitespace());
        rest.chars().take_while(|sign| sign.is_ascii_digit() || "+-.eE".contains(*sign)).collect()
    };
    text.split(KEY).skip(1).map(number).filter(|number| !number.is_empty()).collect()
}

/// # Errors
/// If together they have more remainders than may be computed.
pub(super) fn check(kind: &str, multiples: Vec<String>) -> Result<()> {
    let mut together = 1;
    for written in multiples {
        together = units(&written).map_or(u64::MAX, |units| common(together, units));
        ensure!(
            together <= MOST,
            "the {kind} asks for multiples of {written}, which is too much to compute: its multipleOf may come to \
             {MOST} remainders, all together"
        );
    }
    Ok(())
}

/// How many remainders there are of a number: 2500 of 2.5e3, 100 of 0.25, and one of 0.01, which only counts digits. None if that is too large, or no positive number.
fn units(written: &str) -> Option<u64> {
    let (digits, exponent) = written.split_once(['e', 'E']).unwrap_or((written, "0"));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = part.trim_end_matches('0');
    let zeros = exponent.parse::<i64>().ok()? - i64::try_from(part.len()).ok()?;
    let plain: u64 = format!("{whole}{part}").parse().ok()?;
    let scale = 10_u64.checked_pow(u32::try_from(zeros.unsigned_abs()).ok()?)?;
    let units = match (zeros < 0, plain) {
        (true, 1) => 1,
        (true, _) => plain.max(scale),
        (false, _) => plain.checked_mul(scale)?,
    };
    (units > 0).then_some(units)
}

/// The least common multiple; the largest number if it is larger.
fn common(one: u64, other: u64) -> u64 {
    let (mut a, mut b) = (one, other);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    (one / a.max(1)).saturating_mul(other)
}
