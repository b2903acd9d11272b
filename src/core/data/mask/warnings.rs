//! What a run on examples would not learn, or would learn of others, in sentences.

use std::collections::{BTreeMap, BTreeSet};

use super::begun::{BegunAnswer, begun_otherwise};
use super::hidden::{Hidden, Unlearnt};
use super::unshown::Unshown;
use crate::data::tally::more;
use crate::data::turn_marks::{learnt_as_letters, learnt_as_tokens};

/// Keys that are told by name.
const KEYS: usize = 6;

/// What is told once for all examples: of each kind how many, and the first with its place.
#[derive(Debug, Default)]
pub(in crate::data) struct Whole {
    begun: Option<(usize, String, BegunAnswer)>,
    letters: Option<(usize, String, Vec<String>)>,
    tokens: Option<(usize, String, Vec<String>)>,
    joint: Option<(usize, String, String)>,
}

impl Whole {
    pub(in crate::data) fn look(&mut self, place: &str, unlearnt: &Unlearnt) {
        add(&mut self.begun, place, unlearnt.begun.as_ref());
        add(&mut self.letters, place, Some(&unlearnt.letters).filter(|names| !names.is_empty()));
        add(&mut self.tokens, place, Some(&unlearnt.tokens).filter(|names| !names.is_empty()));
        add(&mut self.joint, place, unlearnt.joint.as_ref());
    }

    pub(in crate::data) fn told(&self, all: usize) -> Vec<String> {
        let begun = self.begun.iter().map(|(count, place, one)| begun_otherwise(*count, all, place, one));
        let letters =
            self.letters.iter().map(|(count, place, names)| learnt_as_letters(*count, all, place, names));
        let tokens =
            self.tokens.iter().map(|(count, place, names)| learnt_as_tokens(*count, all, place, names));
        let joint = self.joint.iter().map(|(count, place, joint)| {
            format!(
                "the model has no chat template (or none called \"default\"), so question and answer are learnt as one text \
                 with nothing between them in {count} of {all} examples; choose a model with a chat template, give its \
                 folder one (chat_template.jinja), or write what stands between them at the question's end; the first is \
                 {place}: {joint:?}"
            )
        });
        begun.chain(letters).chain(tokens).chain(joint).collect()
    }
}

fn add<T: Clone>(found: &mut Option<(usize, String, T)>, place: &str, one: Option<&T>) {
    if let Some(one) = one {
        found.get_or_insert_with(|| (0, place.to_owned(), one.clone())).0 += 1;
    }
}

/// In how many examples something is, and its first place.
#[derive(Default)]
struct Occurrences(usize, String);

impl Occurrences {
    fn add(&mut self, place: &str, part: &Hidden) {
        if self.0 == 0 {
            self.1 = format!("{place}: {}", part.told());
        }
        self.0 += 1;
    }
}

/// The same by role.
type ByRole<'e> = BTreeMap<&'e str, Occurrences>;

/// What a run on examples would not learn, a sentence for each kind; none when all of it is learnt. Each example is its
/// place and what is left out of it.
pub fn warnings<'e>(examples: impl IntoIterator<Item = (&'e str, &'e Unlearnt)>) -> Vec<String> {
    let (mut all, mut thinking, mut thoughtless, mut keyed) = (0_usize, 0_usize, 0_usize, 0_usize);
    let (mut hidden, mut unmarked) = (Occurrences::default(), Occurrences::default());
    let mut unread: BTreeSet<&str> = BTreeSet::new();
    let (mut unshown, mut taught) = (ByRole::new(), ByRole::new());
    let mut whole = Whole::default();
    for (place, unlearnt) in examples {
        all += 1;
        whole.look(place, unlearnt);
        thinking += usize::from(unlearnt.thoughts > 0);
        thoughtless += usize::from(unlearnt.thoughts > 0 && unlearnt.hidden_thoughts == unlearnt.thoughts);
        keyed += usize::from(!unlearnt.unread.is_empty());
        unread.extend(unlearnt.unread.iter().map(String::as_str));
        let by_role = |all: &mut ByRole<'e>, found: &'e [Unshown]| {
            found.iter().for_each(|one| all.entry(one.role.name()).or_default().add(place, &one.part));
        };
        by_role(&mut unshown, &unlearnt.unshown);
        by_role(&mut taught, &unlearnt.taught);
        unlearnt.first.iter().for_each(|part| hidden.add(place, part));
        unlearnt.unmarked.iter().for_each(|part| unmarked.add(place, part));
    }
    let Occurrences(hidden, first) = hidden;
    let hides = (hidden > 0).then(|| {
        let thoughts = match thoughtless {
            0 => String::new(),
            _ => format!("; nothing of a thought would be learnt in {thoughtless} of the {thinking} with one"),
        };
        format!(
            "the model's chat template hides a part of what the assistant says in {hidden} of {all} examples, and \
             it isn't learnt{thoughts}; the first is {first}"
        )
    });
    let keys: Vec<String> = unread.iter().take(KEYS).map(|key| format!("{key:?}")).collect();
    let more = more(unread.len().saturating_sub(KEYS), false);
    let skips = (keyed > 0).then(|| {
        format!(
            "the model's chat template doesn't read {}{more} of the turns in {keyed} of {all} examples; nothing of \
             it is learnt",
            keys.join(", ")
        )
    });
    let told = hides.into_iter().chain(not_marked(&unmarked, all)).chain(marked(&taught, all));
    told.chain(not_shown(&unshown, all)).chain(skips).chain(whole.told(all)).collect()
}

fn not_marked(Occurrences(count, first): &Occurrences, all: usize) -> Option<String> {
    (*count > 0).then(|| {
        format!(
            "the chat template's generation blocks leave out a part of what the assistant says in {count} of {all} \
             examples, and it isn't learnt; give the model a template that marks the assistant's turns; the first is {first}"
        )
    })
}

/// Of each role, in how many examples what it says is learnt, and the first.
fn marked(taught: &ByRole<'_>, all: usize) -> Vec<String> {
    let told = |(role, Occurrences(count, first)): (&&str, &Occurrences)| {
        format!(
            "the chat template's generation blocks hold what {role} turns say in {count} of {all} examples, so it is \
             learnt as if the model were to write it; give the model a template that marks the assistant's turns alone; \
             the first is {first}"
        )
    };
    taught.iter().map(told).collect()
}

/// Of each role, in how many examples its turns aren't there as they stand, and the first.
fn not_shown(unshown: &ByRole<'_>, all: usize) -> Vec<String> {
    let told = |(role, Occurrences(count, first)): (&&str, &Occurrences)| {
        format!(
            "the model's chat template leaves out or changes what {role} turns say in {count} of {all} examples, and \
             the model doesn't read it; give the model a template that writes it, or change the data; the first is \
             {first}"
        )
    };
    unshown.iter().map(told).collect()
}
