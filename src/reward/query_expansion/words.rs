//! The reward's word lists, and words as it splits them: as Python does, whose figures it has to equal.

use std::collections::HashSet;
use std::sync::LazyLock;

type WordSet = LazyLock<HashSet<&'static str>>;

pub(super) static STOPWORDS: WordSet =
    LazyLock::new(|| set("the a is an are to for of in and or it this that be with as on by"));

pub(super) static KEY_TERM_STOPWORDS: WordSet = LazyLock::new(|| {
    set(
        "what is how to the a an in on for of and or with my your do does can i me we who where when why which find get show \
     tell about from into between through during before after like than then that this their its was were has had been \
     being have not but just also very so if at by up out all some any no each every both few more most other only same \
     such here there asked said notes meeting email discussion conversation call",
    )
});

pub(super) static QUERY_VERBS: WordSet = LazyLock::new(|| {
    set(
        "configure setup install build create make run start stop check test debug fix update change add remove delete use \
     using need want should would could help please best good new old latest recent setting settings compare comparing \
     implement implementing deploy deploying migrate migrating optimize optimizing understand understanding explain list \
     describe define convert connecting performance overview introduction tutorial example difference between about review \
     resolve resolving troubleshoot troubleshooting monitor monitoring manage managing enable disable set write read search \
     possible common typical recommended alternative",
    )
});

pub(super) const GENERIC: [&str; 12] = [
    "find information about",
    "search for",
    "look up",
    "get information",
    "learn about",
    "information on",
    "details about",
    "find out about",
    "what is",
    "how to",
    "guide to",
    "help with",
];

fn set(list: &'static str) -> HashSet<&'static str> {
    list.split(' ').collect()
}

/// White space as Python's `str.split` and `str.strip` see it.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(is_space)
}

pub(super) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}
