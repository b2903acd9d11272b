//! The table: the turns of phrase by which English says that a hypothesis follows, is false, or stays open.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::words::Relations;

const E: Relations = Relations::ENTAILMENT;
const N: Relations = Relations::NEUTRAL;
const C: Relations = Relations::CONTRADICTION;

/// A turn of phrase. Its words stand in order; `a|b` is either, `wor*` any word that begins so, and `..` up to three
/// words.
pub(super) struct Phrase {
    pub(super) words: &'static str,
    pub(super) says: Relations,
    /// What it says where it is negated.
    pub(super) negated: Relations,
    pub(super) near: Near,
    pub(super) rest: Rest,
}

/// What must stand near a turn of phrase.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Near {
    Anything,
    /// Before it the hypothesis, or a word that stands for it, and no premise between them.
    Subject,
    /// As the subject, but a clause may leave it out (`so it must be`, `which is false`).
    Predicate,
    /// Behind it the hypothesis.
    Object,
}

/// What follows a turn of phrase.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// Says what it says.
    Free,
    /// Depends on it, and says nothing of its own.
    Swallowed,
    /// As swallowed; and all of it is only a reason.
    Reason,
}

const fn cue(words: &'static str, says: Relations, negated: Relations, near: Near) -> Phrase {
    Phrase { words, says, negated, near, rest: Rest::Free }
}

const fn turn(words: &'static str, says: Relations, rest: Rest) -> Phrase {
    Phrase { words, says, negated: says, near: Near::Anything, rest }
}

/// Places in the table by a first word.
type WholeWords = HashMap<&'static str, Vec<usize>>;
/// First words that may go on, with their places.
type PhraseStarts = Vec<(&'static str, usize)>;

/// Places in the table by the first word, and those whose first word may go on (`contradict*`).
static BY_FIRST_WORD: LazyLock<(WholeWords, PhraseStarts)> = LazyLock::new(|| {
    let (mut whole, mut begun) = (HashMap::new(), Vec::new());
    for (place, phrase) in PHRASES.iter().enumerate() {
        let first = phrase.words.split(' ').next().unwrap_or_default();
        for word in first.split('|') {
            match word.strip_suffix('*') {
                Some(start) => begun.push((start, place)),
                None => whole.entry(word).or_insert_with(Vec::new).push(place),
            }
        }
    }
    (whole, begun)
});

/// The turns of phrase that may begin with a word, in the order of the table.
pub(super) fn beginning_with(word: &str) -> impl Iterator<Item = &'static Phrase> {
    let (whole, begun) = &*BY_FIRST_WORD;
    let mut places = whole.get(word).cloned().unwrap_or_default();
    places.extend(begun.iter().filter(|(start, _)| word.starts_with(start)).map(|(_, place)| *place));
    places.sort_unstable();
    places.into_iter().filter_map(|place| PHRASES.get(place))
}

/// The first that fits counts, so longer ones stand first.
const PHRASES: &[Phrase] = &[
    // Open, in so many words.
    turn("may|might|could|can or may|might|could|can not", N, Rest::Swallowed),
    turn("may|might|could|can .. or not", N, Rest::Swallowed),
    turn("true or false|not|untrue", N, Rest::Swallowed),
    turn(
        "possible|likely|plausible but not certain|guaranteed|necessary|necessarily|stated|confirmed",
        N,
        Rest::Free,
    ),
    turn(
        "not provide|give|contain|offer|include|have|state .. enough|sufficient|adequate information|evidence|detail*|context|data",
        N,
        Rest::Swallowed,
    ),
    turn("not enough|sufficient|adequate information|evidence|detail*|context|data", N, Rest::Swallowed),
    turn("insufficient information|evidence|detail*|context|data", N, Rest::Swallowed),
    turn("impossible to determine|tell|know|say|decide|verify|infer|conclude", N, Rest::Swallowed),
    turn("not .. possible|able to determine|tell|know|say|decide|verify", N, Rest::Swallowed),
    turn(
        "not .. possible|able|sound|reasonable|valid|safe|logical|correct to infer|conclude|confirm|assume|deduce|say|claim",
        E.others(),
        Rest::Swallowed,
    ),
    turn("not be determined|known|decided|told", N, Rest::Swallowed),
    turn("can not|never determine|tell|know|decide|verify", N, Rest::Swallowed),
    turn("not|never .. infer|conclude|deduce|assume", E.others(), Rest::Swallowed),
    turn("not .. inferred|concluded|deduced|assumed|entailed that", E.others(), Rest::Swallowed),
    turn("not necessarily contradict*|false|refute*|impossible|conflict*", C.others(), Rest::Swallowed),
    turn("not necessarily|automatically", E.others(), Rest::Swallowed),
    turn("not have|need to", E.others(), Rest::Swallowed),
    turn("need not", E.others(), Rest::Swallowed),
    turn("not mean|guarantee|follow|imply that", E.others(), Rest::Swallowed),
    // Something is missing: a reason.
    turn(
        "no|any evidence|information|mention|indication|proof|basis|reason|detail*|way|clue|hint",
        E.others(),
        Rest::Reason,
    ),
    turn("lack of information|evidence|mention|indication|proof|detail*|support", E.others(), Rest::Reason),
    turn(
        "not say|state|mention|specify|indicate|tell|show|provide|give|describe|address|reveal|suggest|clarify|explain",
        E.others(),
        Rest::Reason,
    ),
    turn(
        "is|are|was|were|been|be not .. stated|mentioned|specified|said|indicated|told|shown|provided|given|described|addressed|suggested|known",
        E.others(),
        Rest::Reason,
    ),
    turn("not clear|certain|sure", E.others(), Rest::Reason),
    turn("whether", N, Rest::Reason),
    // False.
    turn("can|could|must|would not .. true|hold|happen|both", C, Rest::Free),
    turn("can|could not be the case", C, Rest::Free),
    cue("mutually exclusive", C, C.others(), Near::Anything),
    cue("at odds with", C, C.others(), Near::Anything),
    cue("contradict*", C, C.others(), Near::Anything),
    cue("false|untrue", C, C.others(), Near::Predicate),
    cue("inconsistent|incompatible", C, C.others(), Near::Anything),
    cue("impossible", C, C.others(), Near::Anything),
    cue("conflicts|conflict with", C, C.others(), Near::Anything),
    cue("incorrect|wrong|invalid|inaccurate", C, E, Near::Subject),
    cue("ruled out", C, C.others(), Near::Subject),
    cue("refuted|denied|negated|disproved|disproven|excluded|rejected", C, C.others(), Near::Subject),
    cue(
        "refutes|refute|denies|deny|negates|negate|disproves|disprove|excludes|rejects",
        C,
        C.others(),
        Near::Object,
    ),
    cue("rules|rule out", C, C.others(), Near::Object),
    // Follows.
    cue("entail*", E, E.others(), Near::Anything),
    cue("true", E, C, Near::Predicate),
    cue("correct|valid|accurate|right", E, E.others(), Near::Subject),
    cue("follows|follow", E, E.others(), Near::Subject),
    cue("holds|hold", E, E.others(), Near::Subject),
    cue("inferred|concluded|deduced|derived|drawn", E, E.others(), Near::Subject),
    cue(
        "supported|confirmed|implied|guaranteed|justified|warranted|proven|verified|established",
        E,
        E.others(),
        Near::Subject,
    ),
    cue(
        "supports|support|confirms|confirm|implies|imply|proves|prove|guarantees|guarantee|justifies|validates|verifies",
        E,
        E.others(),
        Near::Object,
    ),
    cue("infer|conclude|deduce", E, E.others(), Near::Object),
    // Open.
    cue("neutral*", N, N.others(), Near::Predicate),
    cue(
        "unknown|uncertain|undetermined|unclear|inconclusive|indeterminate|unverifiable|undecided",
        N,
        N.others(),
        Near::Anything,
    ),
    cue("unrelated|independent|irrelevant", N, N.others(), Near::Subject),
    cue(
        "unsupported|unproven|unjustified|unwarranted|unverified|unfounded|speculative|doubtful|unlikely",
        E.others(),
        E,
        Near::Subject,
    ),
    cue("consistent|compatible|plausible|likely|probable", C.others(), E.others(), Near::Subject),
    cue("possible", C.others(), C, Near::Anything),
];
