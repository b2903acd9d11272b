//! What a template leaves out of the turns that aren't learnt, or changes in them: the model doesn't read it as it stands.
//!
//! A turn may be written anywhere (a system turn inside of the user's, a result among the tools), laid out anew, or quoted
//! as JSON has it. So its text is looked for in the whole rendering, white space apart, and each place counts once.

use super::hidden::{Hidden, ink, is_ink};
use super::spans::LearntSpan;
use crate::data::control::without_signs;
use crate::domain::inline_thought::MARKS;
use crate::domain::message::{Message, Role};

/// The first part of a role's turns that isn't in the rendering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unshown {
    pub role: Role,
    pub part: Hidden,
}

/// Words that templates take out of a system turn because they obey them (SmolLM3).
const OBEYED: [&str; 3] = ["/no_think", "/think", "/system_override"];
/// Texts up to so many bytes must stand apart from other letters: longer ones are hardly found by chance.
const SHORT: usize = 8;
/// Whose names may stand directly behind a turn, where a template puts nothing between them.
const ROLES: [Role; 5] = [Role::System, Role::Developer, Role::User, Role::Assistant, Role::Tool];
/// Places that are looked at for one text.
const MOST_PLACES: usize = 1 << 10;

/// What becomes of the turns that aren't learnt, one for each role.
#[derive(Debug, Default)]
pub(super) struct UnlearntTurns {
    pub unshown: Vec<Unshown>,
    /// What stands within what is learnt, and nowhere else.
    pub taught: Vec<Unshown>,
}

/// One for each role whose turns are not all there. `learnt` are the spans of the turns for which `is_learnt` holds, in
/// the order of the text; `source` is the template's.
pub(super) fn unshown(
    messages: &[Message],
    (text, source): (&str, &str),
    learnt: &[LearntSpan],
    is_learnt: impl Fn(usize) -> bool,
) -> UnlearntTurns {
    let answers = || messages.iter().enumerate().filter(|(turn, _)| is_learnt(*turn));
    let mut looked = SearchedRendering {
        others: Ink::between(text, learnt),
        learnt: learnt.iter().filter_map(|span| text.get(span.start..span.end)).map(ink).collect(),
        answers: answers()
            .flat_map(|(_, message)| [message.thought().unwrap_or_default(), &message.content])
            .map(ink)
            .collect(),
    };
    let mut turns: Vec<(usize, &Message)> =
        messages.iter().enumerate().filter(|(turn, _)| !is_learnt(*turn)).collect();
    let mut found = looked.unlearnt(&turns, source);
    if !found.unshown.is_empty() {
        // In another order, a short text may have taken the place of a longer one that has it in it.
        turns.sort_by_key(|(_, message)| std::cmp::Reverse(message.content.len()));
        looked.others.forget();
        let again = looked.unlearnt(&turns, source);
        if again.unshown.len() < found.unshown.len() {
            found.unshown = again.unshown;
        }
    }
    found
}

/// What of a turn a template should write.
fn said(message: &Message, source: &str) -> String {
    let content = &message.content;
    match message.role {
        Role::System | Role::Developer => {
            let obeyed = OBEYED.iter().filter(|word| source.contains(**word));
            obeyed.fold(content.clone(), |text, word| text.replace(word, ""))
        }
        // Thoughts of earlier answers are left out by design.
        Role::Assistant => {
            let ends = MARKS.iter().filter_map(|(_, end)| content.rfind(end).map(|at| at + end.len()));
            content.get(ends.max().unwrap_or(0)..).unwrap_or_default().to_owned()
        }
        Role::User | Role::Tool => content.clone(),
    }
}

/// A rendering that texts are looked for in.
struct SearchedRendering {
    /// What isn't learnt of it.
    others: Ink,
    /// What is, span by span, and as the turns have it.
    learnt: Vec<String>,
    answers: Vec<String>,
}

impl SearchedRendering {
    /// What becomes of some turns, which are looked for in this order.
    fn unlearnt(&mut self, turns: &[(usize, &Message)], source: &str) -> UnlearntTurns {
        let mut found = UnlearntTurns::default();
        for &(turn, message) in turns {
            let told = |part: String| Hidden { turn: turn + 1, text: without_signs(&part).into_owned() };
            let said = said(message, source);
            let add = |found: &mut Vec<Unshown>, part: String| {
                if found.iter().all(|one| one.role != message.role) {
                    found.push(Unshown { role: message.role, part: told(part) });
                }
            };
            if self.is_learnt(&said) {
                add(&mut found.taught, said.trim().to_owned());
            }
            if let Some(part) = self.missing(&said, message.role) {
                add(&mut found.unshown, part);
            }
        }
        found
    }

    /// The first line of a text that isn't there; none where all of it is.
    fn missing(&mut self, text: &str, role: Role) -> Option<String> {
        if self.has(text, role) {
            return None;
        }
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.find(|line| !self.has(line, role)).map(str::to_owned)
    }

    fn has(&mut self, text: &str, role: Role) -> bool {
        let quoted = serde_json::Value::from(text.trim()).to_string();
        let quoted = quoted.trim_matches('"');
        let ways = if quoted == text.trim() { vec![ink(text)] } else { vec![ink(text), ink(quoted)] };
        ways.iter().any(|words| words.is_empty() || self.others.take(words, role) || self.is_within(words))
    }

    /// Whether a text stands within what is learnt, and nowhere else.
    fn is_learnt(&self, text: &str) -> bool {
        let words = ink(text);
        !words.is_empty() && !self.others.text.contains(&words) && self.is_within(&words)
    }

    /// Whether it stands where an answer was found more often than the answers say it.
    fn is_within(&self, words: &str) -> bool {
        let count = |texts: &[String]| texts.iter().map(|text| text.matches(words).count()).sum::<usize>();
        count(&self.learnt) > count(&self.answers)
    }
}

/// A text without its white space.
#[derive(Default)]
struct Ink {
    text: String,
    /// Of each byte, whether a letter or digit begins there that follows one directly.
    glued: Vec<bool>,
    taken: Vec<bool>,
    /// Behind what was taken last: turns mostly stand in their order.
    next: usize,
}

impl Ink {
    /// Of a text without some spans of it.
    fn between(text: &str, spans: &[LearntSpan]) -> Self {
        let mut ink = Self::default();
        let mut from = 0;
        for span in spans {
            ink.add(text.get(from..span.start).unwrap_or_default());
            // No text goes over a span.
            ink.add("\0");
            from = from.max(span.end);
        }
        ink.add(text.get(from..).unwrap_or_default());
        ink.taken = vec![false; ink.text.len()];
        ink
    }

    fn add(&mut self, text: &str) {
        let mut before = ' ';
        for character in text.chars() {
            if is_ink(character) {
                let glued = before.is_ascii_alphanumeric() && character.is_ascii_alphanumeric();
                self.text.push(character);
                self.glued.push(glued);
                self.glued.resize(self.text.len(), false);
            }
            before = character;
        }
    }

    /// Gives all places back.
    fn forget(&mut self) {
        self.taken.fill(false);
        self.next = 0;
    }

    /// Takes a place of a text that no other has taken; false where there is none.
    fn take(&mut self, words: &str, role: Role) -> bool {
        let places = |from: usize| {
            let rest = self.text.get(from..).unwrap_or_default();
            rest.match_indices(words).map(move |(at, _)| from + at).take(MOST_PLACES)
        };
        let is_free = |&at: &usize| {
            let end = at + words.len();
            let glued = |at: usize| self.glued.get(at) == Some(&true);
            let named = || self.text.get(..at).is_some_and(|before| before.ends_with(role.name()));
            let before_a_role = || {
                let rest = self.text.get(end..).unwrap_or_default();
                ROLES.iter().any(|role| rest.starts_with(role.name()))
            };
            let is_part = glued(end) && !before_a_role() || glued(at) && !named();
            let apart = words.len() > SHORT || !is_part;
            apart && self.taken.get(at..end).is_some_and(|taken| !taken.contains(&true))
        };
        let Some(at) = places(self.next).find(is_free).or_else(|| places(0).find(is_free)) else {
            return false;
        };
        self.next = at + words.len();
        self.taken.get_mut(at..self.next).into_iter().for_each(|taken| taken.fill(true));
        true
    }
}
