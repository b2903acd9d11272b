//! How the turns of phrase are laid over the words of one clause, and what negates or softens them.

use super::phrases::{Near, Phrase, Rest, beginning_with};
use super::words::Relations;

const N: Relations = Relations::NEUTRAL;

/// How much a cue counts against others of its sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Something isn't stated: a reason rather than a conclusion.
    Reason,
    Plain,
    /// Said of the hypothesis by name.
    OfHypothesis,
    /// The label is named.
    Label,
}

/// What a clause says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cue {
    pub(super) says: Relations,
    pub(super) weight: Weight,
}

/// Words that change nothing for what is looked for here.
pub(super) const FILLERS: [&str; 27] = [
    "also",
    "still",
    "indeed",
    "clearly",
    "logically",
    "directly",
    "actually",
    "simply",
    "really",
    "itself",
    "definitely",
    "certainly",
    "surely",
    "both",
    "fully",
    "explicitly",
    "completely",
    "entirely",
    "truly",
    "just",
    "only",
    "reasonably",
    "safely",
    "definitively",
    "conclusively",
    "then",
    "always",
];
pub(super) const CONCLUSIVE: [&str; 7] =
    ["so", "therefore", "thus", "hence", "consequently", "meaning", "making"];
pub(super) const ASIDE: [&str; 24] = [
    "because",
    "since",
    "although",
    "though",
    "while",
    "if",
    "when",
    "where",
    "whereas",
    "even",
    "despite",
    "as",
    "given",
    "based",
    "unless",
    "whether",
    "due",
    "considering",
    "regardless",
    "without",
    "unlike",
    "with",
    "by",
    "according",
];

/// Whether a clause begins in the midst of a sentence.
pub(super) fn begins_clause(words: &[&str], at: usize) -> bool {
    // `determine if it is true` asks, and makes no condition.
    const ASKS: [&str; 12] = [
        "determine",
        "tell",
        "know",
        "say",
        "decide",
        "verify",
        "see",
        "infer",
        "conclude",
        "clear",
        "certain",
        "sure",
    ];
    let before = at.checked_sub(1).and_then(|before| words.get(before));
    if words.get(at) == Some(&"if") && before.is_some_and(|before| ASKS.contains(before)) {
        return false;
    }
    let word = |offset: usize| words.get(at + offset).copied().unwrap_or_default();
    match word(0) {
        "so" => word(1) != "far" && word(1) != "much" && word(1) != "many",
        "therefore" | "thus" | "hence" | "but" | "however" | "because" | "since" | "although" | "though"
        | "while" | "whereas" | "yet" | "unless" | "consequently" | "meaning" | "making" | "and" | "if"
        | "when" | "where" => true,
        "which" => ["means", "makes", "shows"].contains(&word(1)),
        "as" => ["there", "it", "the", "he", "she", "they", "we", "no", "nothing", "this"].contains(&word(1)),
        _ => false,
    }
}

/// Whether a clause tells what somebody else thought.
pub(super) fn is_of_another(words: &[&str]) -> bool {
    const WHO: [&str; 18] = [
        "student",
        "student's",
        "students",
        "initial",
        "original",
        "initially",
        "incorrectly",
        "wrongly",
        "mistakenly",
        "erroneously",
        "concluded",
        "assumed",
        "assumes",
        "claimed",
        "believed",
        "overlooked",
        "instead",
        "thought",
    ];
    words.iter().any(|word| WHO.contains(word))
}

/// Whether a clause says what somebody could take for true: `someone might think that it is false`.
pub(super) fn is_supposed(words: &[&str]) -> bool {
    const WHO: [&str; 6] = ["someone", "somebody", "one", "people", "some", "you"];
    const WHETHER: [&str; 4] = ["might", "may", "could", "would"];
    const DOES: [&str; 8] = ["think", "believe", "assume", "say", "argue", "guess", "suppose", "object"];
    let mut triples = words.windows(3);
    triples.any(|three| {
        matches!(three, [who, whether, does] if WHO.contains(who) && WHETHER.contains(whether) && DOES.contains(does))
    })
}

/// What a clause says; nothing where it has none of the turns of phrase. What it says is nothing at all where they
/// contradict each other.
pub(super) fn of_clause(words: &[&str], names: &[(String, Relations)]) -> Option<Cue> {
    let mut found: Vec<Cue> = Vec::new();
    let mut at = 0;
    // Behind the last turn of phrase, and whether that was negated: `does not confirm or deny`.
    let (mut behind, mut was_negated) = (0, false);
    let mut turned = false;
    let neither = words.contains(&"neither") && words.contains(&"nor");
    while at < words.len() {
        let rest = words.get(at..).unwrap_or_default();
        if let Some((says, length)) = label_named(rest, names) {
            found.push(Cue { says, weight: Weight::Label });
            at += length;
            behind = at;
            continue;
        }
        if let Some(length) =
            fits("not .. case|true|correct that", rest).or_else(|| fits("false|wrong|incorrect that", rest))
        {
            turned = !turned;
            at += length;
            behind = at;
            continue;
        }
        let fitting = rest.first().and_then(|word| {
            beginning_with(word).find_map(|phrase| Some((phrase, fits(phrase.words, rest)?)))
        });
        let of_premise = |phrase: &Phrase| phrase.rest != Rest::Reason || !names_hypothesis(words.get(..at));
        let near = |phrase: &Phrase, length: usize| is_near(phrase.near, words, (at, at + length));
        let Some((phrase, length)) =
            fitting.filter(|(phrase, length)| near(phrase, *length) && of_premise(phrase))
        else {
            at += 1;
            continue;
        };
        let negated = neither || is_negated(words, behind, at, was_negated);
        let says = match (negated, neither && phrase.rest == Rest::Free) {
            // `neither true nor false`: not the one, and not the other.
            (_, true) => phrase.says.others(),
            (true, false) => phrase.negated,
            (false, false) => phrase.says,
        };
        let says = softened(words, (behind, at), says, negated);
        // What is turned round is turned at its plainest.
        let says = if turned { says.others() } else { says };
        let weight = match phrase.rest {
            Rest::Reason => Weight::Reason,
            Rest::Free | Rest::Swallowed if names_hypothesis(Some(words)) => Weight::OfHypothesis,
            Rest::Free | Rest::Swallowed => Weight::Plain,
        };
        found.push(Cue { says, weight });
        if phrase.rest != Rest::Free {
            break;
        }
        at += length;
        (behind, was_negated) = (at, negated);
    }
    let weight = found.iter().map(|cue| cue.weight).max()?;
    let weighty = found.iter().filter(|cue| cue.weight == weight);
    Some(Cue { says: weighty.fold(Relations::ALL, |all, cue| all.and(cue.says)), weight })
}

const SUBJECTS_BY_NAME: [&str; 9] = [
    "hypothesis",
    "statement",
    "claim",
    "conclusion",
    "assertion",
    "label",
    "relation",
    "relationship",
    "answer",
];
const STANDING_FOR: [&str; 5] = ["it", "this", "that", "which", "these"];
const OTHERS: [&str; 6] = ["premise", "text", "passage", "description", "sentence", "reasoning"];

fn names_hypothesis(words: Option<&[&str]>) -> bool {
    words.unwrap_or_default().iter().any(|word| SUBJECTS_BY_NAME.contains(word))
}

/// Whether a phrase stands near what it must; and none of them before `that`, which opens what is told.
fn is_near(near: Near, words: &[&str], (start, end): (usize, usize)) -> bool {
    let is_subject = |word: &&str| SUBJECTS_BY_NAME.contains(word) || STANDING_FOR.contains(word);
    let before = words.get(..start).unwrap_or_default();
    let next = words.get(end).copied().unwrap_or_default();
    let opens = next == "that" || next == "about";
    let subject = before.iter().rev().find(|word| is_subject(word) || OTHERS.contains(word));
    match near {
        Near::Anything => true,
        Near::Subject => !opens && subject.is_some_and(is_subject),
        Near::Predicate => {
            let is = before
                .iter()
                .rev()
                .take(3)
                .any(|word| ["is", "be", "are", "not", "as", ":", "remains"].contains(word));
            !opens
                && subject.is_none_or(is_subject)
                && (subject.is_some() || is || before.iter().all(|word| CONCLUSIVE.contains(word)))
        }
        Near::Object => {
            let behind: Vec<&str> = words.get(end..).unwrap_or_default().iter().copied().take(5).collect();
            // `implies that the boys ...` tells something of the boys.
            !opens
                && behind.iter().any(|word| SUBJECTS_BY_NAME.contains(word) || ["it", "this"].contains(word))
        }
    }
}

/// Whether a turn of phrase is negated by a word before it.
fn is_negated(words: &[&str], behind: usize, at: usize, was_negated: bool) -> bool {
    let between = words.get(behind..at).unwrap_or_default();
    if was_negated && between.iter().any(|word| ["or", "nor"].contains(word)) && between.len() <= 3 {
        return true;
    }
    let close = |word: &&str| ["not", "never", "without", "hardly", "nor"].contains(word);
    let wide = |word: &&str| ["no", "nothing", "none", "nobody", "lack", "absence", "neither"].contains(word);
    let free = between.iter().rev().take_while(|word| !["that", "as"].contains(word));
    let near: Vec<&str> = free.copied().collect();
    near.iter().take(4).filter(|word| close(word)).count() % 2 == 1 || near.iter().take(8).any(wide)
}

/// With `may` and `likely` before it, less is said.
fn softened(words: &[&str], (behind, at): (usize, usize), says: Relations, negated: bool) -> Relations {
    let before = words.get(behind..at).unwrap_or_default();
    let soft = before.iter().rev().take(4).any(|word| {
        ["may", "might", "possibly", "perhaps", "likely", "probably", "maybe"].contains(word)
            || (!negated && *word == "could")
            || (!negated
                && *word == "can"
                && words.get(at).is_some_and(|word| ["true", "false", "correct"].contains(word)))
    });
    if soft { says.or(N) } else { says }
}

/// `the label is 1`, `labelled as neutral`: what it says and how many words that takes.
fn label_named(words: &[&str], names: &[(String, Relations)]) -> Option<(Relations, usize)> {
    const HEADS: [&str; 12] = [
        "label",
        "labeled",
        "labelled",
        "answer",
        "classification",
        "classified",
        "categorized",
        "prediction",
        "class",
        "category",
        "verdict",
        "relation",
    ];
    const BETWEEN: [&str; 12] =
        ["is", "be", "should", "must", ":", "to", "would", "the", "as", "of", "a", "\""];
    if !words.first().is_some_and(|word| HEADS.contains(word)) {
        return None;
    }
    let mut at = 1;
    let mut negated = false;
    while let Some(word) = words.get(at).filter(|word| BETWEEN.contains(word) || **word == "not") {
        negated |= *word == "not";
        at += 1;
    }
    if at == 1 || at > 6 {
        return None;
    }
    let rest = words.get(at..).unwrap_or_default();
    let starts = |name: &str| {
        let name: Vec<&str> = name.split_whitespace().collect();
        rest.starts_with(&name).then_some(name.len())
    };
    let longest = names
        .iter()
        .filter_map(|(name, says)| Some((starts(name)?, *says)))
        .max_by_key(|(length, _)| *length);
    let (length, says) = longest?;
    Some((if negated { says.others() } else { says }, at + length))
}

/// Lays a turn of phrase over the beginning of some words; says how many of them it takes.
fn fits(phrase: &str, words: &[&str]) -> Option<usize> {
    let Some((first, rest)) = phrase.split_once(' ') else {
        return words.first().filter(|word| is_one_of(phrase, word)).map(|_| 1);
    };
    if first == ".." {
        return (0..=3).find_map(|skipped| Some(skipped + fits(rest, words.get(skipped..)?)?));
    }
    let (word, others) = words.split_first()?;
    if !is_one_of(first, word) {
        return None;
    }
    Some(1 + fits(rest, others)?)
}

fn is_one_of(choices: &str, word: &str) -> bool {
    choices.split('|').any(|choice| match choice.strip_suffix('*') {
        Some(start) => word.starts_with(start),
        None => choice == word,
    })
}
