//! Keys, passwords, and the addresses and numbers of people. What is found is described, never repeated.

use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use super::{FindingKind, texts};
use crate::domain::record::Record;
use crate::domain::secret;

/// Numbers of people: what it looks like, and its form.
const NUMBERS: &[(&str, &str)] = &[
    ("an IBAN", r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
    ("a social security number", r"\b\d{3}-\d{2}-\d{4}\b"),
    (
        "a telephone number",
        r"(?:\+\d{1,3}[ .-]?)(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]\d{2,4}){2,3}\b|\(\d{3}\) \d{3}-\d{4}\b",
    ),
];

/// All that is looked for by its form: keys as they are masked elsewhere, and numbers.
static PATTERNS: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let keys = secret::CARRIERS.iter().chain(secret::ISSUED);
    keys.filter_map(|form| Some((form.what?, form.strict))).chain(NUMBERS.iter().copied()).collect()
});

static SET: LazyLock<Option<RegexSet>> =
    LazyLock::new(|| RegexSet::new(PATTERNS.iter().map(|(_, form)| form)).ok());
static MAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\b[A-Za-z0-9._%+-]+@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})\b").ok()
});
static CARD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b(?:\d[ -]?){12,18}\d\b").ok());

/// Domains that stand for no one (RFC 2606).
const EXAMPLES: [&str; 5] = ["example.com", "example.org", "example.net", "test.com", "domain.com"];

pub(super) fn check(record: &Record, find: &mut impl FnMut(FindingKind, String)) {
    let mut told: Vec<String> = Vec::new();
    for text in texts(record) {
        let text = text.as_ref();
        let hits = SET.iter().flat_map(|set| set.matches(text)).filter_map(|index| PATTERNS.get(index));
        told.extend(hits.map(|(name, _)| (*name).to_owned()));
        if text.contains('@') {
            let domains =
                MAIL.iter().flat_map(|mail| mail.captures_iter(text)).filter_map(|found| found.get(1));
            let domains = domains.map(|domain| domain.as_str().to_ascii_lowercase());
            told.extend(
                domains.filter(|d| !EXAMPLES.contains(&d.as_str())).map(|d| format!("an address at {d}")),
            );
        }
        let numbers = CARD.iter().flat_map(|card| card.find_iter(text));
        told.extend(numbers.filter(|number| is_card(number.as_str())).map(|_| "a payment card".to_owned()));
    }
    told.sort_unstable();
    told.dedup();
    if !told.is_empty() {
        find(FindingKind::Secret, format!("what looks like {}", told.join(", ")));
    }
}

/// By the check digit (Luhn, ISO/IEC 7812) and the first digit of the large networks.
fn is_card(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, &digit)| match digit * 2 {
            _ if index % 2 == 0 => digit,
            doubled if doubled > 9 => doubled - 9,
            doubled => doubled,
        })
        .sum();
    matches!(digits.first(), Some(3..=6)) && (13..=19).contains(&digits.len()) && sum.is_multiple_of(10)
}
