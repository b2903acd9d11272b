//! What a person is asked before it is done to records: what to take back, what to write over.

use super::act::send;
use crate::app::store::Store;
use crate::domain::change::{Body, ChangeState, HistoryEntry};
use crate::domain::message::Message;
use crate::domain::protocol::DataCommand;
use crate::domain::protocol::data::{EditMet, MadeBy};
use crate::ui::pane::Confirmation;
use crate::ui::widgets::text;

/// Columns of what the other version says.
const SHOWN: usize = 160;

/// Of a change that is large or was not made here.
pub(super) fn undo(entry: &HistoryEntry, by: MadeBy, store: &Store) -> Confirmation {
    let when = text::ago(entry.at as f64 / 1000.0, store.now);
    let records = match entry.records {
        1 => "1 record".to_owned(),
        many => format!("{} records", text::count(many)),
    };
    let text = match by {
        MadeBy::Here => format!("That was for {records}, by {}, {when}. ctrl-r does it again.", entry.who),
        MadeBy::Elsewhere => format!(
            "The last change was not made here: another window, a command or another pane made it, as {}, {when}, \
             for {records}. What you did here before it stays. ctrl-r does it again.",
            entry.who
        ),
    };
    Confirmation {
        title: format!("Take back: {}?", entry.what),
        text,
        yes: "take it back".to_owned(),
        then: vec![send(DataCommand::UndoThis(entry.id))],
    }
}

/// Of an edit of a record that is not what the editing began with.
pub(super) fn overwrite(met: &EditMet, store: &Store) -> Confirmation {
    let EditMet { record, body, now, by } = met;
    let Some(now) = now else {
        return Confirmation {
            title: format!("Record {record} was deleted"),
            text: "It was deleted while you edited it. Your text can be added as a new record; else it stays as \
                   a draft: n opens it."
                .to_owned(),
            yes: "add as a new record".to_owned(),
            then: vec![send(DataCommand::AddInstead(*record, body.clone()))],
        };
    };
    let by = by.as_ref().map(|entry| said_by(entry, store)).unwrap_or_default();
    let says = text::shorten(&difference(body, now), SHOWN);
    let edit = DataCommand::Edit { record: *record, over: Box::new(now.clone()), body: body.clone() };
    Confirmation {
        title: format!("Record {record} was changed while you edited it"),
        text: format!(
            "It was changed elsewhere{by}, and now {says}\nWriting over it puts your text in its place; u takes \
             that back. Else your text stays as a draft: e opens it, and alt-o there shows the other version."
        ),
        yes: "write over it".to_owned(),
        then: vec![send(edit)],
    }
}

fn said_by(entry: &HistoryEntry, store: &Store) -> String {
    let (who, at) = match entry.state {
        ChangeState::Done => (&entry.who, entry.at),
        ChangeState::Undone | ChangeState::Abandoned => {
            (entry.undone_by.as_ref().unwrap_or(&entry.who), entry.undone_at.unwrap_or(entry.at))
        }
    };
    format!(" (by {who}, {})", text::ago(at as f64 / 1000.0, store.now))
}

/// What the other version says first that this one doesn't.
fn difference(own: &Body, other: &Body) -> String {
    let (mine, theirs) = (turns(own), turns(other));
    let differs = theirs.iter().enumerate().find(|(at, turn)| mine.get(*at) != Some(*turn));
    match differs {
        Some((_, (name, message))) => format!("its {name} turn says: {}", message.content),
        None if own.text != other.text => {
            format!("it says: {}", other.text.as_deref().unwrap_or_default())
        }
        None => format!("it has {} turns.", theirs.len()),
    }
}

fn turns(body: &Body) -> Vec<(&'static str, &Message)> {
    let mut all: Vec<_> = body.messages.iter().map(|message| (message.role.name(), message)).collect();
    if let Some(pair) = &body.preference {
        all.extend(pair.chosen.iter().map(|message| ("chosen", message)));
        all.extend(pair.rejected.iter().map(|message| ("rejected", message)));
    }
    all
}
