//! What the filters over runs and over the review queue share: a term turned round by `-`, and comparisons.

/// Whether a term asks for what its test finds, or for all else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MatchWanted {
    Match,
    NoMatch,
}

impl MatchWanted {
    /// Takes the `-` off that turns a term round; alone it is a word.
    pub(super) fn read(text: &str) -> (Self, &str) {
        match text.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            Some(rest) => (Self::NoMatch, rest),
            None => (Self::Match, text),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    Greater,
}

/// Longest first, so that `>=` is not read as `>`.
pub(super) const COMPARISONS: [(&str, Comparison); 5] = [
    (">=", Comparison::AtLeast),
    ("<=", Comparison::AtMost),
    (">", Comparison::Greater),
    ("<", Comparison::Less),
    ("=", Comparison::Equal),
];

impl Comparison {
    pub(super) fn holds(self, value: f64, than: f64) -> bool {
        match self {
            Self::Less => value < than,
            Self::AtMost => value <= than,
            // Rates such as 1e-4 are compared too: what is equal goes by their size.
            Self::Equal => (value - than).abs() <= than.abs() * 1e-9,
            Self::AtLeast => value >= than,
            Self::Greater => value > than,
        }
    }
}
