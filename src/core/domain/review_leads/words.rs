//! What the words of a conclusion say of a hypothesis, or of the names of labels. English only. Knows nothing of
//! records and corrections.

use super::cues::{self, Cue, Weight};

/// Which of the three relations of natural language inference are meant: any of them may be left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Relations(u8);

impl Relations {
    pub(super) const ENTAILMENT: Self = Self(1);
    pub(super) const NEUTRAL: Self = Self(2);
    pub(super) const CONTRADICTION: Self = Self(4);
    pub(super) const ALL: Self = Self(7);

    /// All that this is not.
    pub(super) const fn others(self) -> Self {
        Self(7 & !self.0)
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn is_none(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// In the words of the field: `neutral or contradiction`.
    pub(super) fn words(self) -> String {
        let named = [
            (Self::ENTAILMENT, "entailment"),
            (Self::NEUTRAL, "neutral"),
            (Self::CONTRADICTION, "contradiction"),
        ];
        named
            .into_iter()
            .filter(|(one, _)| self.meets(*one))
            .map(|(_, name)| name)
            .collect::<Vec<_>>()
            .join(" or ")
    }

    /// Whether all of the other is part of this.
    pub(super) const fn holds(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What a text says in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TextConclusion(pub(super) Relations);

/// How a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextReading {
    /// Of one's own reasoning: its last word counts.
    Conclusion,
    /// Of somebody else's mistake: what that one thought is left out, and so is what is only not stated.
    Analysis,
}

/// A part of a sentence without a comma or a conjunction in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clause<'a> {
    pub(super) words: &'a [&'a str],
    pub(super) kind: ClauseKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClauseKind {
    Main,
    /// Begins with so, therefore, thus.
    Conclusive,
    /// A reason, a condition or a concession.
    Aside,
}

/// Words of English that other languages with these letters don't have, or seldom.
const ENGLISH: [&str; 22] = [
    "the",
    "and",
    "of",
    "to",
    "that",
    "is",
    "are",
    "be",
    "it",
    "not",
    "by",
    "from",
    "with",
    "this",
    "which",
    "has",
    "have",
    "can",
    "there",
    "so",
    "therefore",
    "does",
];
/// Of a hundred words of an English text about fifteen and more are among these.
const FEWEST_OF_A_HUNDRED: usize = 15;

/// Whether a text is English.
pub(super) fn is_english(text: &str) -> bool {
    let lower = text.to_lowercase();
    let (mut all, mut known) = (0, 0);
    for word in lower.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()) {
        all += 1;
        known += usize::from(ENGLISH.contains(&word));
    }
    known >= 2 && known * 100 >= all * FEWEST_OF_A_HUNDRED
}

/// The last step of a text, or its last two sentences where it has no steps.
pub(super) fn conclusion(text: &str) -> &str {
    let mut places = text.char_indices().filter(|(at, _)| {
        let rest = text.get(*at..).unwrap_or_default();
        let step = rest.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("step"));
        let number = rest.get(4..).unwrap_or_default().trim_start();
        let behind = number.trim_start_matches(|letter: char| letter.is_ascii_digit());
        // `as step 2 shows` begins no step.
        let before = text.get(..*at).unwrap_or_default();
        let begins = before.ends_with('\n') || before.trim_end().ends_with(['.', '!', '?', ':', ';', '"']);
        step && behind.len() < number.len() && (behind.starts_with(':') || begins || before.trim().is_empty())
    });
    if let Some((at, _)) = places.next_back() {
        let step = text.get(at + 4..).unwrap_or_default().trim_start();
        return step.trim_start_matches(|letter: char| letter.is_ascii_digit() || ":. )".contains(letter));
    }
    let text = text.trim_end();
    let body = text.trim_end_matches(['.', '!', '?', ';', '\n']);
    let mut ends = body.rmatch_indices(['.', '!', '?', '\n']).filter(|(at, end)| {
        body.get(at + end.len()..).is_some_and(|rest| *end == "\n" || rest.starts_with(char::is_whitespace))
    });
    ends.nth(1).map_or(text, |(at, _)| text.get(at + 1..).unwrap_or(text))
}

/// What a text says of its hypothesis in the end; nothing where it says nothing that is known, or two things at once.
pub(super) fn said(
    text: &str,
    names: &[(String, Relations)],
    reading: TextReading,
) -> Option<TextConclusion> {
    let mut last: Option<(Weight, Relations)> = None;
    let sentences = sentences(text);
    for (at, sentence) in sentences.iter().enumerate() {
        let words = spoken(sentence);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let found = of_sentence(&words, names, reading);
        if let Some((weight, relations)) = found
            && last.is_none_or(|(known, _)| weight >= known)
            // That something isn't stated is a conclusion only where it is the last word.
            && (weight > Weight::Reason || at + 1 == sentences.len())
        {
            last = Some((weight, relations));
        }
    }
    let (_, relations) = last?;
    (!relations.is_none()).then_some(TextConclusion(relations))
}

/// The weightiest of what a sentence says. Nothing of relations: it contradicts itself.
fn of_sentence(
    words: &[&str],
    names: &[(String, Relations)],
    reading: TextReading,
) -> Option<(Weight, Relations)> {
    let mut found: Vec<(Cue, ClauseKind)> = Vec::new();
    let clauses = clauses(words);
    let conditional = clauses.iter().any(|clause| is_condition(clause));
    for clause in clauses {
        if cues::is_supposed(clause.words)
            || (reading == TextReading::Analysis && cues::is_of_another(clause.words))
        {
            continue;
        }
        let Some(cue) = cues::of_clause(clause.words, names) else { continue };
        let counts = match (clause.kind, reading) {
            (ClauseKind::Aside, _) => false,
            (ClauseKind::Main, _) if conditional => false,
            (ClauseKind::Main | ClauseKind::Conclusive, TextReading::Conclusion) => true,
            (ClauseKind::Main | ClauseKind::Conclusive, TextReading::Analysis) => {
                cue.weight >= Weight::OfHypothesis
            }
        };
        if counts {
            found.push((cue, clause.kind));
        }
    }
    let weight = found.iter().map(|(cue, _)| cue.weight).max()?;
    let weighty: Vec<&(Cue, ClauseKind)> = found.iter().filter(|(cue, _)| cue.weight == weight).collect();
    let together = weighty.iter().fold(Relations::ALL, |all, (cue, _)| all.and(cue.says));
    let last = weighty.last()?;
    let drawn = together.is_none() && last.1 == ClauseKind::Conclusive;
    let says = if drawn { last.0.says } else { together };
    // What counts less narrows it where it agrees: `may be true, but that isn't stated`.
    let lesser = found.iter().filter(|(cue, _)| cue.weight < weight);
    let narrowed =
        lesser.fold(says, |all, (cue, _)| if all.meets(cue.says) { all.and(cue.says) } else { all });
    Some((weight, narrowed))
}

/// What is said under a condition isn't said.
pub(super) fn is_condition(clause: &Clause<'_>) -> bool {
    clause.words.iter().find(|word| **word != "and").is_some_and(|word| ["if", "unless"].contains(word))
}

/// Sentences that state something: a question doesn't.
pub(super) fn sentences(text: &str) -> Vec<String> {
    let mut sentences = vec![String::new()];
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let ends = match letter {
            '\n' | ';' | '!' | '?' => true,
            // 3.5 and e.g. end nothing.
            '.' => letters.peek().is_none_or(|next| next.is_whitespace() || "\"'”’)".contains(*next)),
            _ => false,
        };
        if let Some(last) = sentences.last_mut() {
            last.push(letter);
        }
        if ends {
            sentences.push(String::new());
        }
    }
    sentences.retain(|sentence| !sentence.trim().is_empty() && !sentence.ends_with('?'));
    sentences
}

/// Words in lower case with their short forms written out; a comma and the like are words of their own.
pub(super) fn spoken(sentence: &str) -> Vec<String> {
    let sentence = sentence.to_lowercase().replace(['’', '‘', '`'], "'").replace("can't", "can not");
    let sentence = sentence.replace("cannot", "can not").replace("won't", "will not").replace("n't", " not");
    let sentence =
        ["it", "there", "that", "what", "he", "she"].iter().fold(without_asides(&sentence), |text, who| {
            text.replace(&format!(" {who}'s "), &format!(" {who} is "))
        });
    let mut words = Vec::new();
    let mut word = String::new();
    for letter in sentence.chars() {
        if letter.is_alphanumeric() || letter == '\'' {
            word.push(letter);
            continue;
        }
        // Compounds (not-entailed) are read as their words.
        words.push(std::mem::take(&mut word));
        if ",:()—–=→\"“”".contains(letter) {
            words.push(if letter == '=' || letter == '→' { ":".to_owned() } else { letter.to_string() });
        }
    }
    words.push(word);
    for word in &mut words {
        let bare = word.trim_matches('\'');
        if bare.len() < word.len() {
            *word = bare.to_owned();
        }
    }
    words.retain(|word| !word.is_empty() && !cues::FILLERS.contains(&word.as_str()));
    words
}

/// Without what stands in brackets.
fn without_asides(sentence: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::from(" ");
    for letter in sentence.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            letter if depth == 0 => kept.push(letter),
            _ => {}
        }
    }
    // A bracket that is never closed hides nothing.
    if depth == 0 { kept } else { format!(" {sentence}") }
}

/// Cut at commas and before conjunctions.
pub(super) fn clauses<'a>(words: &'a [&'a str]) -> Vec<Clause<'a>> {
    let mut clauses: Vec<Clause<'a>> = Vec::new();
    let mut start = 0;
    for at in 0..=words.len() {
        let here = words.get(at).copied();
        let ends = match here {
            None => true,
            Some(word) => {
                [",", "(", ")", "—", "–"].contains(&word) || (at > start && cues::begins_clause(words, at))
            }
        };
        if !ends {
            continue;
        }
        let part = words.get(start..at).unwrap_or_default();
        if !part.is_empty() {
            // `because of this and that`: the second is a reason too.
            let goes_on = part.first() == Some(&"and")
                && clauses.last().is_some_and(|last| last.kind == ClauseKind::Aside);
            clauses.push(Clause { words: part, kind: if goes_on { ClauseKind::Aside } else { kind(part) } });
        }
        start =
            if here.is_some_and(|word| [",", "(", ")", "—", "–"].contains(&word)) { at + 1 } else { at };
    }
    clauses
}

fn kind(words: &[&str]) -> ClauseKind {
    let mut first = words.iter().copied().filter(|word| !["and", "then", "but"].contains(word));
    match first.next() {
        Some(word) if cues::CONCLUSIVE.contains(&word) => ClauseKind::Conclusive,
        Some(word) if cues::ASIDE.contains(&word) => ClauseKind::Aside,
        Some(_) | None => ClauseKind::Main,
    }
}
