//! What means the same in several panes has the same key: the table of these verbs, and the keys of a release before.
//! `docs/keys.md` shows the table to people.

/// Something that several panes can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verb {
    pub name: &'static str,
    /// The first key of all its bindings.
    pub key: &'static str,
    /// By their names, over all panes.
    pub bindings: &'static [&'static str],
}

const fn verb(name: &'static str, key: &'static str, bindings: &'static [&'static str]) -> Verb {
    Verb { name, key, bindings }
}

/// Decisions first: what comes first here is left out of a narrow footer last.
pub const VERBS: &[Verb] = &[
    verb("approve", "a", &["data.approve", "review.approve", "chat.good"]),
    verb("reject", "backspace", &["data.reject", "review.reject"]),
    verb("stop", "x", &["train.stop", "chat.stop", "eval.stop"]),
    verb("save", "ctrl-s", &["data.save", "review.save", "chat.save", "train.save"]),
    verb(
        "accept",
        "enter",
        &[
            "data.accept",
            "data.import.look",
            "data.import.begin",
            "data.import.other",
            "data.import.train",
            "data.export.write",
            "data.label_type",
            "review.accept",
            "chat.accept",
            "train.accept",
            "models.pull.start",
            "welcome.file",
            "library.accept",
            "reward.accept",
        ],
    ),
    verb(
        "open",
        "enter",
        &[
            "data.open",
            "review.open",
            "train.detail.large",
            "welcome.open",
            "welcome.look",
            "library.open",
            "reward.open",
            "eval.open",
        ],
    ),
    verb(
        "edit",
        "e",
        &["data.edit", "review.edit", "chat.edit", "train.recipes", "library.describe", "reward.edit"],
    ),
    verb("train", "t", &["train.start", "review.train"]),
    verb("search", "/", &["data.search", "library.search", "chat.find"]),
    verb("filter", "f", &["data.filter", "review.filter", "train.filter"]),
    verb("as it was", "alt-o", &["data.revert", "review.restore", "train.recipe.revert", "reward.restore"]),
    verb("bring back", "alt-z", &["data.turn_back", "review.bring_back", "train.recipe.bring_back"]),
    verb("undo", "u", &["data.undo", "review.undo"]),
    verb("sort", "o", &["data.sort", "review.sort"]),
    verb("turn the order", "O", &["data.sort_turn", "review.sort_turn"]),
    verb(
        "copy",
        "y",
        &[
            "data.copy",
            "review.copy",
            "chat.copy",
            "train.command.copy",
            "models.copy",
            "library.copy",
            "reward.copy",
        ],
    ),
    verb("new", "n", &["data.new", "chat.new", "train.recipe.new", "eval.new"]),
    verb("again", "r", &["train.resume", "chat.again", "models.reload"]),
    verb("chat", "C", &["train.chat", "models.chat"]),
    verb("delete", "D", &["data.delete", "train.delete", "models.delete", "library.delete"]),
    verb("complete", "tab", &["data.complete", "review.complete", "library.complete"]),
    verb(
        "leave",
        "esc",
        &[
            "data.cancel",
            "review.cancel",
            "chat.cancel",
            "train.leave",
            "models.pull.leave",
            "library.cancel",
            "reward.cancel",
        ],
    ),
    verb(
        "back",
        "esc",
        &["data.close", "review.close", "train.back", "library.close", "reward.close", "eval.back"],
    ),
    verb("everything in the filter", "A", &["data.choose_all", "review.approve_all"]),
    verb(
        "down",
        "down",
        &[
            "data.down",
            "review.down",
            "chat.down",
            "train.run.next",
            "train.recipe.next",
            "train.field.next",
            "models.down",
            "welcome.down",
            "library.down",
            "reward.down",
        ],
    ),
    verb(
        "up",
        "up",
        &[
            "data.up",
            "review.up",
            "chat.up",
            "train.run.previous",
            "train.recipe.previous",
            "train.field.previous",
            "models.up",
            "welcome.up",
            "library.up",
            "reward.up",
        ],
    ),
    verb(
        "page down",
        "pagedown",
        &[
            "data.page_down",
            "review.page_down",
            "chat.page_down",
            "train.field.pagedown",
            "train.scroll.down",
            "library.page_down",
            "reward.page_down",
        ],
    ),
    verb(
        "page up",
        "pageup",
        &[
            "data.page_up",
            "review.page_up",
            "chat.page_up",
            "train.field.pageup",
            "train.scroll.up",
            "library.page_up",
            "reward.page_up",
        ],
    ),
    verb(
        "first",
        "home",
        &[
            "data.first",
            "review.first",
            "chat.first",
            "train.run.first",
            "models.first",
            "library.first",
            "reward.first",
        ],
    ),
    verb(
        "last",
        "end",
        &[
            "data.last",
            "review.last",
            "chat.last",
            "train.run.last",
            "models.last",
            "library.last",
            "reward.last",
        ],
    ),
    verb("pin", "+", &["chat.pin", "library.pin"]),
    verb("exclude", "-", &["chat.exclude", "library.exclude"]),
    verb("scroll down", "J", &["data.scroll_down", "review.scroll_down"]),
    verb("scroll up", "K", &["data.scroll_up", "review.scroll_up"]),
];

/// Verbs that no footer leaves out while another key could go.
const FOREMOST: usize = 6;

/// Keys that worked a release ago and still do, if nothing else in the pane wants them.
const OLD_KEYS: &[(&str, &[&str])] = &[
    ("data.reject", &["r"]),
    ("data.sort", &["s"]),
    ("data.sort_turn", &["S"]),
    ("chat.good", &["g"]),
    ("train.command.copy", &["C"]),
    ("train.recipe.new", &["N"]),
];

/// The keys of a release before of a binding.
#[must_use]
pub fn old_keys(binding: &str) -> &'static [&'static str] {
    OLD_KEYS.iter().find(|(name, _)| *name == binding).map_or(&[], |(_, keys)| keys)
}

/// How soon a binding may be left out of a narrow footer: greater ones go first.
#[must_use]
pub fn rank(binding: &str) -> usize {
    VERBS.iter().take(FOREMOST).position(|verb| verb.bindings.contains(&binding)).unwrap_or(FOREMOST)
}
