//! Turns that are empty, missing or out of order.

use super::FindingKind;
use crate::domain::message::{Message, Role};
use crate::domain::record::Record;

pub(super) fn check(record: &Record, find: &mut impl FnMut(FindingKind, String)) {
    if record.messages.is_empty() {
        if record.text.as_deref().is_none_or(|text| text.trim().is_empty()) {
            find(FindingKind::Turns, "it has neither a conversation nor text".into());
        }
        return;
    }
    let Some(pair) = &record.preference else {
        empty(&record.messages, 1, "", find);
        let speaks = |role| record.messages.iter().any(|turn| turn.role == role);
        if !speaks(Role::Assistant) {
            find(FindingKind::Turns, "nobody answers".into());
        }
        if !speaks(Role::User) {
            find(FindingKind::Turns, "nobody asks".into());
        }
        order(&record.messages, find);
        return;
    };
    let behind = record.messages.len() + 1;
    empty(&record.messages, 1, "", find);
    empty(&pair.chosen, behind, " of the chosen answer", find);
    empty(&pair.rejected, behind, " of the rejected answer", find);
    order(&[record.messages.as_slice(), pair.chosen.as_slice()].concat(), find);
    if pair.chosen == pair.rejected {
        find(FindingKind::Pair, "the chosen and the rejected answer are the same".into());
    }
}

fn empty(turns: &[Message], first: usize, whose: &str, find: &mut impl FnMut(FindingKind, String)) {
    for (turn, number) in turns.iter().zip(first..) {
        if turn.is_empty() {
            find(FindingKind::Turns, format!("turn {number}{whose} ({}) is empty", turn.role.name()));
        } else if turn.is_thought_alone() {
            find(
                FindingKind::Turns,
                format!("turn {number}{whose} is a thought, and no answer is behind it"),
            );
        }
    }
}

/// What of a conversation's order changes what is learnt: an answer to nothing, or rules that come when they were to be
/// obeyed.
pub(in crate::data) fn out_of_order(record: &Record) -> Option<String> {
    let turns = &record.messages;
    let late = late_rules(turns).map(|(number, who)| told_of_late(number, who));
    let first = turns.iter().find(|turn| !matches!(turn.role, Role::System | Role::Developer));
    late.or_else(|| {
        first.is_some_and(|turn| turn.role == Role::Assistant).then(|| "the assistant speaks first".into())
    })
}

/// The number of a turn of the system's, or a developer's, behind those of others, and whose it is.
fn late_rules(turns: &[Message]) -> Option<(usize, &'static str)> {
    turns.windows(2).zip(2..).find_map(|(pair, number)| match [pair.first()?.role, pair.get(1)?.role] {
        [Role::System, Role::Developer] | [_, Role::User | Role::Assistant | Role::Tool] => None,
        [_, role @ (Role::System | Role::Developer)] => Some((number, role.name())),
    })
}

fn told_of_late(number: usize, who: &str) -> String {
    format!("turn {number} is the {who}'s, which speaks first or not at all")
}

/// The first thing that is out of order.
fn order(turns: &[Message], find: &mut impl FnMut(FindingKind, String)) {
    let talk: Vec<(usize, Role)> = turns.iter().map(|turn| turn.role).enumerate().collect();
    if let Some((number, who)) = late_rules(turns) {
        find(FindingKind::Order, told_of_late(number, who));
        return;
    }
    let talk: Vec<_> =
        talk.into_iter().filter(|(_, role)| !matches!(role, Role::System | Role::Developer)).collect();
    let twice = talk.windows(2).find_map(|pair| match pair {
        [(_, before), (index, after)] if before == after && *after != Role::Tool => {
            Some((index + 1, after.name()))
        }
        _ => None,
    });
    match (talk.first(), talk.last(), twice) {
        (_, _, Some((number, who))) => {
            find(FindingKind::Order, format!("turn {number} is the {who}'s, as the one before"));
        }
        (Some((_, Role::Assistant)), _, None) => {
            find(FindingKind::Order, "the assistant speaks first".into());
        }
        (_, Some((_, Role::User)), None) if talk.iter().any(|(_, role)| *role == Role::Assistant) => {
            find(FindingKind::Order, "the last turn is the user's, and is not answered".into());
        }
        _ => {}
    }
}
