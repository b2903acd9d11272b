//! Which class a label means, however the model wrote it. An unclear one means none.

/// One class and the ways in which models write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// The label as records hold it: `1`.
    pub name: String,
    /// Other ways of writing it, lower-case: `true`, `yes`, `entailment`.
    pub words: Vec<String>,
}

impl Class {
    pub fn new(name: &str, words: &[&str]) -> Self {
        Self { name: name.to_owned(), words: words.iter().map(|word| word.to_lowercase()).collect() }
    }

    fn is(&self, written: &str) -> bool {
        self.name.to_lowercase() == written || self.words.iter().any(|word| word == written)
    }

    fn starts_with(&self, written: &str) -> bool {
        self.name.to_lowercase().starts_with(written)
            || self.words.iter().any(|word| word.starts_with(written))
    }
}

/// The classes of natural language inference with two labels: 1 the hypothesis follows, 0 it doesn't.
#[must_use]
pub fn entailment() -> Vec<Class> {
    let follows = ["true", "yes", "entailment", "entailed", "entails", "entail"];
    let does_not = [
        "false",
        "no",
        "not entailment",
        "not entailed",
        "non-entailment",
        "not_entailment",
        "not-entailment",
        "no entailment",
        "neutral",
        "contradiction",
        "contradicted",
    ];
    vec![Class::new("0", &does_not), Class::new("1", &follows)]
}

/// Classes known by their names alone.
#[must_use]
pub fn plain(names: &[String]) -> Vec<Class> {
    names.iter().map(|name| Class { name: name.clone(), words: Vec::new() }).collect()
}

/// Whether what follows a label could have been cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LabelEnd {
    Whole,
    MaybeCut,
}

/// The one class that a text means: a class's word alone, or several words that all mean the same class
/// (`1 (entailment)`).
pub(super) fn read<'a>(classes: &'a [Class], text: &str, written: LabelEnd) -> Option<&'a str> {
    match written {
        LabelEnd::Whole => {
            let text = normal(text);
            exact(classes, &text).or_else(|| agreeing(classes, &text)).map(|class| class.name.as_str())
        }
        LabelEnd::MaybeCut => {
            // Only what is a class's word to the letter, and the beginning of no other class's.
            let text = text.trim().to_lowercase();
            let class = exact(classes, &text)?;
            let mut others = classes.iter().filter(|other| other.name != class.name);
            (!others.any(|other| other.starts_with(&text))).then_some(class.name.as_str())
        }
    }
}

fn normal(text: &str) -> String {
    let bare = text.trim().trim_matches(|letter: char| "\"'`.<>()[]*".contains(letter)).trim().to_lowercase();
    // 1.0 is 1, but 0.5 is no class.
    match bare.strip_suffix(".0") {
        Some(whole) if whole.parse::<i64>().is_ok() => whole.to_owned(),
        _ => bare,
    }
}

fn exact<'a>(classes: &'a [Class], text: &str) -> Option<&'a Class> {
    let mut fitting = classes.iter().filter(|class| class.is(text));
    let class = fitting.next()?;
    fitting.next().is_none().then_some(class)
}

fn agreeing<'a>(classes: &'a [Class], text: &str) -> Option<&'a Class> {
    let parts =
        text.split(['(', ')', ':', '/', ',', ';', '=', '–', '—', '\n']).flat_map(|part| part.split(" - "));
    let mut found: Option<&Class> = None;
    for part in parts.map(normal).filter(|part| !part.is_empty() && part != "label") {
        let class = exact(classes, &part)?;
        if found.is_some_and(|found| found.name != class.name) {
            return None;
        }
        found = Some(class);
    }
    found
}
