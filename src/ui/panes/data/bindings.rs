//! What the pane can be asked for, and the keys that ask.

use crate::ui::action;
use crate::ui::keymap::Binding;

/// What this pane can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataAction {
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
    Coverage,
    Mend,
    Similar,
    Accept,
    AcceptAs(Accepted),
    Complete,
    NextTurn,
    TurnBefore,
    AddTurn,
    RemoveTurn,
    BringBack,
    TurnUp,
    TurnDown,
    TurnRole,
    Revert,
    Save,
    Cancel,
    LabelKeys,
    NextMatch,
    MatchBefore,
    Mark,
    ExtendDown,
    ExtendUp,
    Invert,
    Export,
}

/// What enter does in a form or a list of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Accepted {
    LookInto,
    Import,
    OtherPath,
    ToTraining,
    Export,
    TypeLabel,
}

const fn bind(
    name: &'static str,
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
    action: DataAction,
) -> Binding {
    Binding::new(name, keys, label, help, action::Action::Data(action))
}

/// Those of a text field come first: they are available only while there is one.
pub(super) const BINDINGS: &[Binding] = &[
    bind("data.accept", &["enter"], "accept", "Accept what was typed", DataAction::Accept),
    bind(
        "data.import.look",
        &["enter"],
        "look into it",
        "Look into what the path names",
        DataAction::AcceptAs(Accepted::LookInto),
    ),
    bind(
        "data.import.begin",
        &["enter"],
        "import",
        "Import what is shown",
        DataAction::AcceptAs(Accepted::Import),
    ),
    bind(
        "data.import.other",
        &["enter"],
        "another path",
        "Type another path",
        DataAction::AcceptAs(Accepted::OtherPath),
    ),
    bind(
        "data.import.train",
        &["enter"],
        "to training",
        "Go on to Train with what was imported",
        DataAction::AcceptAs(Accepted::ToTraining),
    ),
    bind(
        "data.export.write",
        &["enter"],
        "export",
        "Write the file that is named",
        DataAction::AcceptAs(Accepted::Export),
    ),
    bind(
        "data.label_type",
        &["enter"],
        "type a label",
        "Type a label that has no digit",
        DataAction::AcceptAs(Accepted::TypeLabel),
    ),
    bind("data.complete", &["tab"], "complete", "Take the suggestion that is picked", DataAction::Complete),
    bind("data.save", &["ctrl-s"], "save", "Save what was edited", DataAction::Save),
    bind("data.cancel", &["esc"], "leave", "Leave; what was edited stays as a draft", DataAction::Cancel),
    bind("data.next_turn", &["tab"], "next turn", "Edit the next turn", DataAction::NextTurn),
    bind("data.turn_before", &["shift-tab"], "turn before", "Edit the turn before", DataAction::TurnBefore)
        .hidden(),
    bind("data.turn_add", &["alt-n", "ctrl-o"], "add", "Add a turn after this one", DataAction::AddTurn),
    bind("data.turn_remove", &["alt-x", "f8"], "take out", "Take the turn out", DataAction::RemoveTurn),
    bind(
        "data.turn_role",
        &["alt-r", "ctrl-t"],
        "role",
        "Give the turn to another speaker",
        DataAction::TurnRole,
    ),
    bind("data.turn_up", &["alt-up", "ctrl-up"], "move", "Move the turn up", DataAction::TurnUp),
    bind("data.turn_down", &["alt-down", "ctrl-down"], "down", "Move the turn down", DataAction::TurnDown)
        .hidden(),
    bind(
        "data.turn_back",
        &["alt-z"],
        "bring back",
        "Bring back the turn that was taken out",
        DataAction::BringBack,
    )
    .hidden(),
    bind("data.revert", &["alt-o"], "as it was", "Begin again with what the record says", DataAction::Revert)
        .hidden(),
    // Digits are read as text: which label each sets is on the screen.
    bind("data.label_keys", &["1"], "to 9 set a label", "Set a label with its digit", DataAction::LabelKeys),
    bind(
        "data.part_next",
        &["right"],
        "next column",
        "Give the part the next column",
        DataAction::NextColumnOfPart,
    ),
    bind(
        "data.part_before",
        &["left"],
        "column before",
        "Give the part the column before",
        DataAction::ColumnOfPartBefore,
    )
    .hidden(),
    bind(
        "data.mend",
        &["F"],
        "mend",
        "Mend what can safely be: exact repeats, odd characters",
        DataAction::Mend,
    ),
    // While something is searched for, these keys walk its matches; ctrl-n and M still do what n and N do otherwise.
    bind(
        "data.match_next",
        &["n"],
        "next match",
        "Go to the next match of the search",
        DataAction::NextMatch,
    ),
    bind("data.match_before", &["N"], "match before", "Go to the match before", DataAction::MatchBefore)
        .hidden(),
    bind(
        "data.approve",
        &["a"],
        "approve",
        "Mark as approved, and go to the next record",
        DataAction::Approve,
    ),
    bind(
        "data.reject",
        &["backspace"],
        "reject",
        "Mark as rejected, and go to the next record",
        DataAction::Reject,
    ),
    bind("data.edit", &["e"], "edit", "Edit the record's turns", DataAction::Edit),
    bind(
        "data.search",
        &["/"],
        "search",
        "Search for words, a phrase or /a regular expression/",
        DataAction::Search,
    ),
    bind("data.filter", &["f"], "filter", "Edit the filter", DataAction::EditFilter),
    bind("data.tag", &["t"], "tag", "Tag the chosen records", DataAction::Tag),
    bind("data.label", &["l"], "label", "Set the label: a digit for each that is in use", DataAction::Label),
    bind("data.choose", &["space"], "select", "Choose the record, or let it go", DataAction::Choose),
    bind("data.range", &["v"], "range", "Choose a range of rows: begin it here, or end it", DataAction::Mark),
    bind("data.open", &["enter"], "open", "Open the record, or close it", DataAction::Open),
    bind("data.undo", &["u"], "undo", "Take the last change back", DataAction::Undo),
    bind(
        "data.check",
        &["x"],
        "check",
        "Look for what may be wrong, and show what was found",
        DataAction::Check,
    ),
    bind(
        "data.coverage",
        &["b"],
        "blueprints",
        "Show what is written of blueprints, cell by cell",
        DataAction::Coverage,
    )
    .hidden(),
    bind("data.sort", &["o"], "sort", "Sort by the next field", DataAction::SortNext),
    bind(
        "data.export",
        &["E"],
        "export",
        "Write what is selected, or what the filter matches, to a file",
        DataAction::Export,
    ),
    bind(
        "data.extend_down",
        &["shift-down"],
        "range",
        "Choose this row and the next",
        DataAction::ExtendDown,
    )
    .hidden(),
    bind(
        "data.extend_up",
        &["shift-up"],
        "range",
        "Choose this row and the one before",
        DataAction::ExtendUp,
    )
    .hidden(),
    bind(
        "data.invert",
        &["I"],
        "invert",
        "Choose what isn't chosen, of what the filter matches",
        DataAction::Invert,
    )
    .hidden(),
    bind("data.similar", &["~"], "similar", "Find what reads like this record", DataAction::Similar).hidden(),
    bind(
        "data.import",
        &["i"],
        "import",
        "Bring in a file, a folder or a dataset of the hub",
        DataAction::Import,
    )
    .hidden(),
    bind("data.redo", &["ctrl-r"], "redo", "Do again what was undone", DataAction::Redo).hidden(),
    bind("data.split", &["p"], "split", "Set the split", DataAction::SetSplit).hidden(),
    bind("data.untag", &["T"], "untag", "Take a tag off", DataAction::Untag).hidden(),
    bind("data.mark_new", &["N", "M"], "new again", "Mark as new again", DataAction::MarkNew).hidden(),
    bind(
        "data.choose_all",
        &["A"],
        "all",
        "Choose everything that the filter matches",
        DataAction::ChooseAll,
    )
    .hidden(),
    bind("data.new", &["n", "ctrl-n"], "new", "Write a new record", DataAction::New).hidden(),
    bind("data.duplicate", &["d"], "duplicate", "Duplicate the record", DataAction::Duplicate).hidden(),
    bind(
        "data.delete",
        &["D", "delete"],
        "delete",
        "Delete the chosen records; undo brings them back",
        DataAction::Delete,
    )
    .hidden(),
    bind("data.jump", &["g"], "jump", "Jump to a row", DataAction::Jump).hidden(),
    bind("data.sort_turn", &["O"], "turn", "Turn the order round", DataAction::SortTurn).hidden(),
    bind(
        "data.next_tab",
        &["right"],
        "next view",
        "Messages, tokens, raw, history: the next one",
        DataAction::NextTab,
    )
    .hidden(),
    bind(
        "data.previous_tab",
        &["left"],
        "view before",
        "The view of the record before",
        DataAction::PreviousTab,
    )
    .hidden(),
    bind("data.scroll_down", &["J"], "scroll", "Scroll the record down", DataAction::ScrollDown).hidden(),
    bind("data.scroll_up", &["K"], "scroll", "Scroll the record up", DataAction::ScrollUp).hidden(),
    bind("data.column", &["c"], "column", "Choose the next column", DataAction::NextColumn).hidden(),
    bind("data.wider", &[">"], "wider", "Make the chosen column wider", DataAction::Wider).hidden(),
    bind("data.narrower", &["<"], "narrower", "Make the chosen column narrower", DataAction::Narrower)
        .hidden(),
    bind("data.hide", &["minus"], "hide", "Hide the chosen column", DataAction::HideColumn).hidden(),
    bind(
        "data.columns",
        &["C"],
        "columns",
        "Show all columns at their first widths",
        DataAction::ShowColumns,
    )
    .hidden(),
    bind("data.statistics", &["z"], "statistics", "Show or hide the statistics", DataAction::Statistics)
        .hidden(),
    bind(
        "data.count_tokens",
        &["m"],
        "measure",
        "Count every record's tokens with the session's model",
        DataAction::CountTokens,
    )
    .hidden(),
    bind("data.copy", &["y"], "copy", "Copy the record as JSON", DataAction::Copy).hidden(),
    bind("data.down", &["down", "j"], "down", "Go to the next record", DataAction::Down).hidden(),
    bind("data.up", &["up", "k"], "up", "Go to the record before", DataAction::Up).hidden(),
    bind("data.page_down", &["pagedown", "ctrl-d"], "page down", "Go a page down", DataAction::PageDown)
        .hidden(),
    bind("data.page_up", &["pageup", "ctrl-u"], "page up", "Go a page up", DataAction::PageUp).hidden(),
    bind("data.first", &["home"], "first", "Go to the first record", DataAction::First).hidden(),
    bind("data.last", &["end", "G"], "last", "Go to the last record", DataAction::Last).hidden(),
    bind(
        "data.close",
        &["esc"],
        "back",
        "Close the record, let the choice go, clear the filter",
        DataAction::Close,
    )
    .hidden(),
];
