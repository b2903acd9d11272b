//! The editing keys of text fields, for the help. They are fixed: no setting changes them.

use crate::ui::keymap::Chord;
use crate::ui::pane::Editing;

use super::help::{HelpRow, Section};

/// Keys that do the same, where they do it, and what they do.
type EditingRow = (&'static [&'static str], &'static [Editing], &'static str);

const EVERY: &[Editing] = &[Editing::Line, Editing::Suggested, Editing::Text];
const LINES: &[Editing] = &[Editing::Line, Editing::Suggested];
const TEXT: &[Editing] = &[Editing::Text];

const ROWS: &[EditingRow] = &[
    (&["down", "up"], &[Editing::Suggested], "Pick another suggestion"),
    (&["home", "ctrl-a"], EVERY, "Go to the beginning of the line"),
    (&["end", "ctrl-e"], EVERY, "Go to the end of the line"),
    (&["ctrl-left", "alt-b"], EVERY, "Go a word back"),
    (&["ctrl-right", "alt-f"], EVERY, "Go a word on"),
    (&["alt-<"], TEXT, "Go to the beginning of the text"),
    (&["alt->"], TEXT, "Go to the end of the text"),
    (&["ctrl-w", "alt-backspace"], EVERY, "Delete the word before the caret"),
    (&["alt-d", "alt-delete"], EVERY, "Delete the word after the caret"),
    (&["ctrl-u"], LINES, "Delete all before the caret"),
    (&["ctrl-j"], TEXT, "Delete what the line has before the caret"),
    (&["ctrl-k"], EVERY, "Delete what the line has after the caret"),
    (&["shift-left", "shift-right"], EVERY, "Select"),
    (&["ctrl-x"], EVERY, "Cut what is selected"),
    (&["ctrl-y"], EVERY, "Put in what was cut or deleted last"),
    (&["ctrl-u"], TEXT, "Take back what was typed last"),
    (&["ctrl-r"], TEXT, "Type again what was taken back"),
];

/// The keys that work in what is being written; `taken` says which mean something else there.
pub(crate) fn section(editing: Editing, taken: impl Fn(Chord) -> bool) -> Section {
    let title = match editing {
        Editing::Nothing | Editing::Line | Editing::Suggested => "In this line",
        Editing::Text => "In this text",
    };
    let rows =
        ROWS.iter().filter(|(_, places, _)| places.contains(&editing)).filter_map(|(keys, _, help)| {
            let chords = keys.iter().filter_map(|key| Chord::parse(key).ok()).filter(|chord| !taken(*chord));
            let keys = chords.map(|chord| chord.to_string()).collect::<Vec<_>>().join(" ");
            (!keys.is_empty()).then_some(HelpRow { keys, help, label: "", name: "" })
        });
    Section { title: title.to_owned(), rows: rows.collect() }
}
