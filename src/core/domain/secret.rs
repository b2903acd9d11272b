//! What looks like a key is masked before it is shown or kept, here and nowhere else.

use std::sync::{LazyLock, Mutex, PoisonError};

use regex::{Captures, Regex};

/// What stands in a key's place.
pub const MASK: &str = "***";

/// A form of keys, or of what carries one. Records are checked by the strict one, which words rarely have; messages are
/// masked by the loose one, which leaves nothing.
pub struct SecretForm {
    /// What it is, in words, if records are checked for it.
    pub what: Option<&'static str>,
    pub strict: &'static str,
    /// The group `key` is what is masked, or the whole if there is no group.
    loose: &'static str,
}

/// What carries keys.
pub const CARRIERS: &[SecretForm] = &[
    SecretForm {
        what: Some("a private key"),
        strict: r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
        loose: r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*",
    },
    SecretForm {
        what: Some("a JSON web token"),
        strict: r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
        loose: r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]+)?",
    },
    SecretForm { what: None, strict: "", loose: r"(?i)\bbearer\s+(?P<key>[^\s,;]{6,})" },
    SecretForm {
        what: Some("a URL with a password"),
        strict: r"\b[a-z][a-z0-9+.-]*://[^\s:/@]+:[^\s:/@]+@",
        loose: r"[a-z][a-z0-9+.-]*://(?P<key>[^\s/@]+)@",
    },
    SecretForm {
        what: None,
        strict: "",
        loose: r#"(?i)[?&;][a-z0-9_-]*(?:key|token|secret|password|passwd|auth|signature|credential|session|sessionid)=(?P<key>[^&;\s"'<>]+)"#,
    },
    // Short names that are more than words: signed addresses, one-time codes, sessions.
    SecretForm {
        what: None,
        strict: "",
        loose: r#"(?i)[?&;](?:sig|pwd|pass|sid|jwt|ticket|otp|sas)=(?P<key>[^&;\s"'<>]+)"#,
    },
    SecretForm {
        what: None,
        strict: "",
        loose: r#"(?i)[?&;](?:code|state|hash|h)=(?P<key>[^&;\s"'<>]{16,})"#,
    },
    SecretForm {
        what: Some("a password"),
        strict: r#"(?i)\b(?:password|passwd|secret|api[_-]?key|access[_-]?token)["']?\s*[:=]\s*["'][^"'\s]{8,}["']"#,
        loose: r#"(?i)\b[a-z_-]*(?:api[_-]?key|secret|token|passw(?:or)?d|authorization)["']?\s*[:=]\s*["'](?P<key>[^"'\n]+)["']?"#,
    },
    SecretForm { what: None, strict: "", loose: r#"(?i)\bapi[_-]?key\s*=\s*(?P<key>[^\s"'&]+)"# },
];

/// What those who give out keys put in front of them.
pub const ISSUED: &[SecretForm] = &[
    issued("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", "AKIA|ASIA"),
    issued("a GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36,}\b", "gh[pousr]_"),
    issued("a GitHub token", r"\bgithub_pat_[A-Za-z0-9_]{50,}\b", "github_pat_"),
    issued("an API key that begins with sk-", r"\bsk-[A-Za-z0-9_-]{20,}", "[spr]k[-_]|gsk[-_]|csk[-_]"),
    issued("a Hugging Face token", r"\bhf_[A-Za-z0-9]{30,}\b", "hf[-_]"),
    issued("a Google API key", r"\bAIza[0-9A-Za-z_-]{35}", "AIza"),
    issued("a Slack token", r"\bxox[abprs]-[A-Za-z0-9-]{10,}", "xox[abprs][-_]"),
    issued("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}", "glpat[-_]"),
    issued(
        "an API key",
        r"\b(?:gsk_|xai-|nvapi-|pplx-)[A-Za-z0-9_-]{32,}",
        "(?:xai|nvapi|pplx|r8|tgp|key|sess|fw|jina|vck|lsv2|wk)[-_]|dapi",
    ),
];

const fn issued(what: &'static str, strict: &'static str, loose: &'static str) -> SecretForm {
    SecretForm { what: Some(what), strict, loose }
}

/// As long as the keys of those who put nothing in front of them.
const LONG: &str = r"\b[A-Za-z0-9_-]{32,}\b";
/// Without marks between words: digits and letters of one case are random too, as in a UUID.
const UNBROKEN: &str = r"\b(?:[A-Za-z0-9]{32,}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\b";
/// Base64, which may look like a path.
const BASE64: &str = r"[A-Za-z0-9+/]{40,}={0,2}";
/// Values, as errors of settings quote them.
const QUOTED: &str =
    r#"(?s)\b(?P<kind>string) ".*"|\b(?P<other>boolean|integer|floating point|character) `[^`]*`"#;

static CARRIED: LazyLock<Vec<Regex>> =
    LazyLock::new(|| CARRIERS.iter().filter_map(|form| Regex::new(form.loose).ok()).collect());
static BEGUN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let beginnings: Vec<&str> = ISSUED.iter().map(|form| form.loose).collect();
    Regex::new(&format!(r"\b(?:{})[A-Za-z0-9_-]{{8,}}", beginnings.join("|"))).ok()
});
static RANDOM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(LONG).ok());
static RANDOM_UNBROKEN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(UNBROKEN).ok());
static RANDOM_BASE64: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(BASE64).ok());
static VALUES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(QUOTED).ok());

/// Keys that this process holds.
static KNOWN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// From now on no message has this key, whole or cut.
pub fn remember(key: &str) {
    /// A shorter one is a word, or is in too many of them.
    const SHORTEST: usize = 6;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if key.len() >= SHORTEST && !known.iter().any(|other| other == key) {
        known.push(key.to_owned());
    }
}

/// A message for people: without what has the form of a key, and without any that this process holds. A long name stays.
#[must_use]
pub fn clean(text: &str) -> String {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.iter().fold(without_forms(text), |text, key| without(&text, key))
}

/// What somebody else says, in which whatever looks like a key is masked: a hash or a long name may be masked too.
#[must_use]
pub fn mask(text: &str) -> String {
    // Before its parts between signs are taken for whole keys.
    let text = without_random(&without_forms(text), RANDOM_BASE64.as_ref(), Letters::Scrambled);
    let text = without_random(&text, RANDOM.as_ref(), Letters::Mixed);
    without_random(&text, RANDOM_UNBROKEN.as_ref(), Letters::Any)
}

/// Whether somebody's own name for something is a key: nobody calls a thing so.
#[must_use]
pub fn is_key(name: &str) -> bool {
    is_key_as_model(name)
        || RANDOM_UNBROKEN
            .as_ref()
            .is_some_and(|form| form.is_match(name) && name.contains(|c: char| c.is_ascii_digit()))
}

/// Whether a model's name, which others give, is a key: some are numbers of deployments.
#[must_use]
pub fn is_key_as_model(name: &str) -> bool {
    clean(name) != name || has_scrambled_word(name)
}

/// Whether a long part of it, without marks between words, is drawn at random.
fn has_scrambled_word(name: &str) -> bool {
    const LONG: usize = 20;
    let of_base64 = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '+' | '=');
    name.split(|sign: char| !of_base64(sign)).any(|word| word.len() >= LONG && is_scrambled(word))
}

/// Whether digits and letters of both cases follow each other as nobody writes them: words keep to one kind for some
/// letters, with a capital in front perhaps. A `/` may be a path's as well.
fn is_scrambled(text: &str) -> bool {
    #[derive(PartialEq, Eq, Clone, Copy)]
    enum SignKind {
        Small,
        Capital,
        Digit,
        Sign,
    }
    let kind = |letter: char| match letter {
        'a'..='z' => SignKind::Small,
        'A'..='Z' => SignKind::Capital,
        '0'..='9' => SignKind::Digit,
        _ => SignKind::Sign,
    };
    let (mut kinds, mut changes, mut run) = (Vec::new(), 0, 0);
    for next in text.trim_end_matches('=').chars().filter(|letter| *letter != '/').map(kind) {
        let last = kinds.last().copied();
        let begins_word = last == Some(SignKind::Capital) && next == SignKind::Small && run == 1;
        changes += usize::from(last.is_some_and(|last| last != next) && !begins_word);
        run = if last == Some(next) { run + 1 } else { 1 };
        kinds.push(next);
    }
    let has = |kind: SignKind| kinds.contains(&kind);
    has(SignKind::Small) && has(SignKind::Capital) && has(SignKind::Digit) && changes * 3 >= kinds.len()
}

/// What is wrong with a setting, without its value: that may be a key, which needs no form to be one.
#[must_use]
pub fn without_value(error: &str) -> String {
    let error = VALUES.as_ref().map_or(error.into(), |form| form.replace_all(error, "$kind$other"));
    mask(error.trim())
}

fn without_forms(text: &str) -> String {
    let mut masked = text.to_owned();
    for form in CARRIED.iter() {
        masked = form.replace_all(&masked, without_key).into_owned();
    }
    without_random(&masked, BEGUN.as_ref(), Letters::Any)
}

/// Which letters a key has beside its digits.
#[derive(Clone, Copy)]
enum Letters {
    Any,
    /// Of both cases.
    Mixed,
    /// Of both cases, in no order of words.
    Scrambled,
}

fn without_random(text: &str, form: Option<&Regex>, letters: Letters) -> String {
    let Some(form) = form else { return text.to_owned() };
    let mask = |found: &Captures<'_>| {
        let found = found.get(0).map_or("", |found| found.as_str());
        let has = |of: fn(&char) -> bool| found.chars().any(|letter| of(&letter));
        let digit = has(char::is_ascii_digit);
        let random = match letters {
            Letters::Any => digit,
            Letters::Mixed => digit && has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase),
            Letters::Scrambled => is_scrambled(found),
        };
        if random { MASK.to_owned() } else { found.to_owned() }
    };
    form.replace_all(text, mask).into_owned()
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
    /// Longer ones are written with a `_` between their words.
    const LONGEST_WORD: usize = 20;
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let fits = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let count = |of: fn(&char) -> bool| name.chars().filter(of).count();
    let digits = count(char::is_ascii_digit);
    let cases = count(char::is_ascii_lowercase) > 0 && count(char::is_ascii_uppercase) > 0;
    // Names are words; keys are long and full of digits, or mix upper and lower case with them.
    let random = name.len() >= 16 && digits > 0 && (cases || digits >= 4);
    let words = name.split('_').all(|word| word.len() <= LONGEST_WORD);
    begins && fits && words && !random && mask(name) == name
}

/// A text without a key that is known, whole or cut: every run of eight characters of it is masked with what follows.
/// A short key or one without digits (`ollama`, `not-needed`) keeps nothing from anyone: only the whole of it is masked.
#[must_use]
pub fn without(text: &str, key: &str) -> String {
    if key.is_empty() {
        return text.to_owned();
    }
    let whole = text.replace(key, MASK);
    if is_secret(key) { without_runs(&whole, key) } else { whole }
}

/// A text in which every run of eight characters of a key is masked, with what follows of it: in capitals or small letters,
/// and with blanks or line breaks within.
#[must_use]
pub fn without_runs(text: &str, key: &str) -> String {
    const RUN: usize = 8;
    let key = key.to_ascii_lowercase();
    let runs: std::collections::HashSet<&[u8]> = key.as_bytes().windows(RUN).collect();
    let signs = text.bytes().enumerate().filter(|(_, byte)| !byte.is_ascii_whitespace());
    let (places, signs): (Vec<usize>, Vec<u8>) =
        signs.map(|(place, byte)| (place, byte.to_ascii_lowercase())).unzip();
    let mut hidden = vec![false; text.len()];
    for (window, places) in signs.windows(RUN).zip(places.windows(RUN)) {
        if let ([first, .., last], true) = (places, runs.contains(window)) {
            hidden.iter_mut().take(last + 1).skip(*first).for_each(|byte| *byte = true);
        }
    }
    // A key is ASCII: no character is cut in two.
    let mut masked = String::with_capacity(text.len());
    let mut before = false;
    for (at, letter) in text.char_indices() {
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
