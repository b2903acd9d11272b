//! What the view of the library can be asked for, and the keys that ask.

use crate::ui::action;
use crate::ui::keymap::Binding;

/// What the view of the library can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LibraryAction {
    Accept,
    Complete,
    OtherField,
    Cancel,
    Open,
    Search,
    Add,
    Update,
    Describe,
    Embed,
    LeftOut,
    Pin,
    Exclude,
    Delete,
    Copy,
    NextPart,
    PreviousPart,
    Close,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
}

const fn bind(
    name: &'static str,
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
    action: LibraryAction,
) -> Binding {
    Binding::new(name, keys, label, help, action::Action::Library(action))
}

/// Those of fields come first: they are available only while there is one.
pub(in crate::ui::panes::chat) const LIBRARY_BINDINGS: &[Binding] = &[
    bind("library.accept", &["enter"], "take", "Take what is typed or chosen", LibraryAction::Accept),
    bind("library.complete", &["tab"], "complete", "Complete the path", LibraryAction::Complete),
    bind("library.other_field", &["tab"], "other field", "Go to the other field", LibraryAction::OtherField),
    bind("library.cancel", &["esc"], "leave", "Leave without changing anything", LibraryAction::Cancel),
    bind("library.open", &["enter"], "open", "Read the document, or the passage in it", LibraryAction::Open),
    bind("library.search", &["/"], "search", "Search the library while you type", LibraryAction::Search),
    bind("library.add", &["i"], "add", "Add a file or a folder to the library", LibraryAction::Add),
    bind(
        "library.describe",
        &["e"],
        "describe",
        "Say what a document is: its context and tags",
        LibraryAction::Describe,
    ),
    bind(
        "library.update",
        &["r"],
        "update",
        "Bring what was added up to date with its files",
        LibraryAction::Update,
    ),
    bind(
        "library.embed",
        &["m"],
        "embed",
        "Embed what is missing, or all with another model",
        LibraryAction::Embed,
    ),
    bind(
        "library.left_out",
        &["w"],
        "left out",
        "List the files that could not be read, and why",
        LibraryAction::LeftOut,
    ),
    bind("library.pin", &["+"], "pin", "Always look in this document in the open chat", LibraryAction::Pin),
    bind(
        "library.exclude",
        &["-"],
        "exclude",
        "Never use this document in the open chat",
        LibraryAction::Exclude,
    ),
    bind(
        "library.delete",
        &["D", "delete"],
        "delete",
        "Take a document out of the library",
        LibraryAction::Delete,
    ),
    bind("library.copy", &["y"], "copy", "Copy the text of the part in front", LibraryAction::Copy).hidden(),
    bind("library.next_part", &["n"], "next part", "Go to the document's next part", LibraryAction::NextPart)
        .hidden(),
    bind(
        "library.previous_part",
        &["N"],
        "part before",
        "Go to the document's part before",
        LibraryAction::PreviousPart,
    )
    .hidden(),
    bind("library.close", &["esc", "L"], "back", "Go back", LibraryAction::Close),
    bind("library.up", &["up", "k"], "up", "Go one up", LibraryAction::Up).hidden(),
    bind("library.down", &["down", "j"], "down", "Go one down", LibraryAction::Down).hidden(),
    bind("library.page_up", &["pageup", "ctrl-u"], "page up", "Go a page up", LibraryAction::PageUp).hidden(),
    bind(
        "library.page_down",
        &["pagedown", "ctrl-d"],
        "page down",
        "Go a page down",
        LibraryAction::PageDown,
    )
    .hidden(),
    bind("library.first", &["home", "g"], "first", "Go to the beginning", LibraryAction::First).hidden(),
    bind("library.last", &["end", "G"], "last", "Go to the end", LibraryAction::Last).hidden(),
];
