//! What looks like a key is masked before it is shown or kept, here and nowhere else.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What stands in a key's place.
pub const MASK: &str = "***";

/// Forms of keys and of what carries them; the group `key` is what is masked, or the whole where there is no group.
const FORMS: &[&str] = &[
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*",
    r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]+)?",
    r"(?i)\bbearer\s+(?P<key>[^\s,;]{6,})",
    r"[a-z][a-z0-9+.-]*://(?P<key>[^\s/@]+)@",
    r#"(?i)[?&][a-z_-]*(?:key|token|secret|password|auth)=(?P<key>[^&\s"'<>]+)"#,
    r#"(?i)\b[a-z_-]*(?:api[_-]?key|secret|token|passw(?:or)?d|authorization)["']?\s*[:=]\s*["'](?P<key>[^"'\n]+)["']?"#,
];

/// Beginnings that those who give out keys put in front of them.
const BEGINNINGS: &str = r"\b(?:(?:sk|pk|rk|gsk|csk|hf|gh[pousr]|github_pat|glpat|xai|nvapi|pplx|r8|tgp|key|sess|xox[abprs])[-_]|AIza|AKIA|ASIA)[A-Za-z0-9_-]{8,}";

/// As long as the keys of those who put nothing in front of them.
const LONG: &str = r"\b[A-Za-z0-9_-]{32,}\b";

static CARRIED: LazyLock<Vec<Regex>> =
    LazyLock::new(|| FORMS.iter().filter_map(|form| Regex::new(form).ok()).collect());
static BEGUN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(BEGINNINGS).ok());
static RANDOM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(LONG).ok());

/// A text for people, in which whatever looks like a key is masked. It is meant for messages: a hash may be masked too.
#[must_use]
pub fn mask(text: &str) -> String {
    let mut masked = text.to_owned();
    for form in CARRIED.iter() {
        masked = form.replace_all(&masked, without_key).into_owned();
    }
    let has = |found: &str, of: fn(&char) -> bool| found.chars().any(|letter| of(&letter));
    for (form, mixed) in [(&*BEGUN, false), (&*RANDOM, true)] {
        let Some(form) = form else { continue };
        let mask = |found: &Captures<'_>| {
            let found = found.get(0).map_or("", |found| found.as_str());
            let cases = has(found, char::is_ascii_lowercase) && has(found, char::is_ascii_uppercase);
            let random = has(found, char::is_ascii_digit) && (cases || !mixed);
            if random { MASK.to_owned() } else { found.to_owned() }
        };
        masked = form.replace_all(&masked, mask).into_owned();
    }
    masked
}

fn without_key(found: &Captures<'_>) -> String {
    let Some(whole) = found.get(0) else { return String::new() };
    let Some(key) = found.name("key") else { return MASK.to_owned() };
    let (from, to) = (key.start() - whole.start(), key.end() - whole.start());
    let text = whole.as_str();
    format!("{}{MASK}{}", text.get(..from).unwrap_or_default(), text.get(to..).unwrap_or_default())
}

/// Whether this names an environment variable, as people write such names, and is not a key that was put in its place.
#[must_use]
pub fn is_variable_name(name: &str) -> bool {
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let fits = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let count = |of: fn(&char) -> bool| name.chars().filter(of).count();
    let digits = count(char::is_ascii_digit);
    let cases = count(char::is_ascii_lowercase) > 0 && count(char::is_ascii_uppercase) > 0;
    // Names are words; keys are long and full of digits, or mix upper and lower case with them.
    let random = name.len() >= 16 && digits > 0 && (cases || digits >= 4);
    begins && fits && !random && mask(name) == name
}

/// A text without a key that is known, whole or cut: every run of eight characters of it is masked with what follows.
/// A short key or one without digits (`ollama`, `not-needed`) keeps nothing from anyone: only the whole of it is masked.
#[must_use]
pub fn without(text: &str, key: &str) -> String {
    const RUN: usize = 8;
    if key.is_empty() {
        return text.to_owned();
    }
    let whole = text.replace(key, MASK);
    if !is_secret(key) {
        return whole;
    }
    let (bytes, key) = (whole.as_bytes(), key.as_bytes());
    let runs: std::collections::HashSet<&[u8]> = key.windows(RUN).collect();
    let mut hidden = vec![false; bytes.len()];
    for (start, window) in bytes.windows(RUN).enumerate() {
        if runs.contains(window) {
            hidden.iter_mut().skip(start).take(RUN).for_each(|byte| *byte = true);
        }
    }
    // A key is ASCII: no character is cut in two.
    let mut masked = String::with_capacity(whole.len());
    let mut before = false;
    for (at, letter) in whole.char_indices() {
        let now = hidden.get(at).copied().unwrap_or_default();
        match (now, before) {
            (false, _) => masked.push(letter),
            (true, false) => masked.push_str(MASK),
            (true, true) => {}
        }
        before = now;
    }
    masked
}

/// Whether a key is long and varied enough to keep anything from anyone.
#[must_use]
pub fn is_secret(key: &str) -> bool {
    key.len() >= 12 && key.chars().any(|letter| letter.is_ascii_digit())
}
