//! What the pane can be asked for, and the keys that ask.

use crate::ui::action;
use crate::ui::keymap::Binding;

/// What this pane can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Down,
    Up,
    PageDown,
    PageUp,
    First,
    Last,
    Open,
    Close,
    EditFilter,
    Search,
    Jump,
    Edit,
    Tag,
    Untag,
    Label,
    SetSplit,
    Approve,
    Reject,
    MarkNew,
    Choose,
    ChooseAll,
    New,
    Duplicate,
    Delete,
    Undo,
    Redo,
    SortNext,
    SortTurn,
    NextTab,
    PreviousTab,
    ScrollDown,
    ScrollUp,
    NextColumn,
    Wider,
    Narrower,
    HideColumn,
    ShowColumns,
    Statistics,
    Copy,
    CountTokens,
    Import,
    NextColumnOfPart,
    ColumnOfPartBefore,
    Check,
    Mend,
    Similar,
    Accept,
    Complete,
    NextTurn,
    Save,
    Cancel,
}

const fn bind(
    name: &'static str,
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
    action: Action,
) -> Binding {
    Binding::new(name, keys, label, help, action::Action::Data(action))
}

/// Those of a text field come first: they are available only while there is one.
pub(super) const BINDINGS: &[Binding] = &[
    bind("data.accept", &["enter"], "accept", "Accept what was typed", Action::Accept),
    bind("data.complete", &["tab"], "complete", "Take the first suggestion", Action::Complete),
    bind("data.next_turn", &["tab"], "next turn", "Edit the next turn", Action::NextTurn),
    bind("data.save", &["ctrl-s"], "save", "Save what was edited", Action::Save),
    bind("data.cancel", &["esc"], "cancel", "Leave without changing anything", Action::Cancel),
    bind(
        "data.part_next",
        &["right"],
        "next column",
        "Give the part the next column",
        Action::NextColumnOfPart,
    ),
    bind(
        "data.part_before",
        &["left"],
        "column before",
        "Give the part the column before",
        Action::ColumnOfPartBefore,
    )
    .hidden(),
    bind("data.mend", &["F"], "mend", "Mend what can safely be: exact repeats, odd characters", Action::Mend),
    bind(
        "data.search",
        &["/"],
        "search",
        "Search for words, a phrase or /a regular expression/",
        Action::Search,
    ),
    bind("data.filter", &["f"], "filter", "Edit the filter", Action::EditFilter),
    bind("data.edit", &["e"], "edit", "Edit the record's turns", Action::Edit),
    bind("data.tag", &["t"], "tag", "Tag the chosen records", Action::Tag),
    bind("data.choose", &["space"], "select", "Choose the record, or let it go", Action::Choose),
    bind("data.approve", &["a"], "approve", "Mark as approved", Action::Approve),
    bind("data.reject", &["backspace"], "reject", "Mark as rejected", Action::Reject),
    bind("data.check", &["x"], "check", "Look for what may be wrong, and show what was found", Action::Check),
    bind("data.open", &["enter"], "open", "Open the record, or close it", Action::Open),
    bind("data.undo", &["u"], "undo", "Take the last change back", Action::Undo),
    bind("data.sort", &["o"], "sort", "Sort by the next field", Action::SortNext),
    bind("data.similar", &["v"], "similar", "Find what reads like this record", Action::Similar).hidden(),
    bind(
        "data.import",
        &["i"],
        "import",
        "Bring in a file, a folder or a dataset of the hub",
        Action::Import,
    )
    .hidden(),
    bind("data.redo", &["ctrl-r"], "redo", "Do again what was undone", Action::Redo).hidden(),
    bind("data.label", &["l"], "label", "Set the label", Action::Label).hidden(),
    bind("data.split", &["p"], "split", "Set the split", Action::SetSplit).hidden(),
    bind("data.untag", &["T"], "untag", "Take a tag off", Action::Untag).hidden(),
    bind("data.mark_new", &["N"], "new again", "Mark as new again", Action::MarkNew).hidden(),
    bind("data.choose_all", &["A"], "all", "Choose everything that the filter matches", Action::ChooseAll)
        .hidden(),
    bind("data.new", &["n"], "new", "Write a new record", Action::New).hidden(),
    bind("data.duplicate", &["d"], "duplicate", "Duplicate the record", Action::Duplicate).hidden(),
    bind(
        "data.delete",
        &["D", "delete"],
        "delete",
        "Delete the chosen records; undo brings them back",
        Action::Delete,
    )
    .hidden(),
    bind("data.jump", &["g"], "jump", "Jump to a row", Action::Jump).hidden(),
    bind("data.sort_turn", &["O"], "turn", "Turn the order round", Action::SortTurn).hidden(),
    bind(
        "data.next_tab",
        &["right"],
        "next view",
        "Messages, tokens, raw, history: the next one",
        Action::NextTab,
    )
    .hidden(),
    bind("data.previous_tab", &["left"], "view before", "The view of the record before", Action::PreviousTab)
        .hidden(),
    bind("data.scroll_down", &["J", "shift-down"], "scroll", "Scroll the record down", Action::ScrollDown)
        .hidden(),
    bind("data.scroll_up", &["K", "shift-up"], "scroll", "Scroll the record up", Action::ScrollUp).hidden(),
    bind("data.column", &["c"], "column", "Choose the next column", Action::NextColumn).hidden(),
    bind("data.wider", &[">"], "wider", "Make the chosen column wider", Action::Wider).hidden(),
    bind("data.narrower", &["<"], "narrower", "Make the chosen column narrower", Action::Narrower).hidden(),
    bind("data.hide", &["minus"], "hide", "Hide the chosen column", Action::HideColumn).hidden(),
    bind("data.columns", &["C"], "columns", "Show all columns at their first widths", Action::ShowColumns)
        .hidden(),
    bind("data.statistics", &["z"], "statistics", "Show or hide the statistics", Action::Statistics).hidden(),
    bind(
        "data.count_tokens",
        &["m"],
        "measure",
        "Count every record's tokens with the session's model",
        Action::CountTokens,
    )
    .hidden(),
    bind("data.copy", &["y"], "copy", "Copy the record as JSON", Action::Copy).hidden(),
    bind("data.down", &["down", "j"], "down", "Go to the next record", Action::Down).hidden(),
    bind("data.up", &["up", "k"], "up", "Go to the record before", Action::Up).hidden(),
    bind("data.page_down", &["pagedown", "ctrl-d"], "page down", "Go a page down", Action::PageDown).hidden(),
    bind("data.page_up", &["pageup", "ctrl-u"], "page up", "Go a page up", Action::PageUp).hidden(),
    bind("data.first", &["home"], "first", "Go to the first record", Action::First).hidden(),
    bind("data.last", &["end", "G"], "last", "Go to the last record", Action::Last).hidden(),
    bind(
        "data.close",
        &["esc"],
        "back",
        "Close the record, let the choice go, clear the filter",
        Action::Close,
    )
    .hidden(),
];
