//! What the keys of the session picker do, as the footer and the help say it. Knows nothing of sessions.

/// Keys and labels.
type KeyLabels = &'static [(&'static str, &'static str)];

/// All of them, for the help.
pub(super) const ALL: KeyLabels = &[
    ("↑ ↓ j k", "Choose a session"),
    ("⏎", "Open it; a sample is copied first"),
    ("n", "Make a new session"),
    ("/", "Show those whose name or words hold some letters; tab keeps them and makes letters keys again"),
    ("r", "Give it another name"),
    ("D delete", "Delete it with all that is in it, after a question"),
    ("esc", "Show all again, or close"),
    ("dojo new NAME", "In a shell: make a session and open it"),
    ("dojo open NAME", "In a shell: open a session, a sample or a folder"),
];

pub(super) const NEW: KeyLabels = &[("⏎", "make it"), ("esc", "close")];
pub(super) const NAME: KeyLabels = &[("⏎", "rename"), ("esc", "close")];
pub(super) const FILTER: KeyLabels =
    &[("↑↓", "choose"), ("⏎", "open"), ("tab", "rename, delete"), ("esc", "all")];

pub(super) const LIST: KeyLabels = &[
    ("↑↓", "choose"),
    ("⏎", "open"),
    ("n", "new"),
    ("/", "filter"),
    ("r", "rename"),
    ("D", "delete"),
    ("esc", "close"),
];

/// While only some are shown.
pub(super) const FILTERED: KeyLabels =
    &[("↑↓", "choose"), ("⏎", "open"), ("/", "filter"), ("r", "rename"), ("D", "delete"), ("esc", "all")];
