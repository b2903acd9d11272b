//! What no key of a blueprint can tell alone: names that are there twice, weights that leave nothing, templates that name
//! what isn't there.

use std::collections::BTreeSet;

use super::reader::{Issues, TableReader, nearest};
use super::{Blueprint, FormBody, template};

/// What every template may name beside the columns.
pub(super) const NAMES: [&str; 9] = [
    "domain",
    "topic",
    "subtopic",
    "subtopic_about",
    "evolution",
    "evolution_number",
    "evolution_about",
    "evolution_here",
    "form",
];
/// Parts of an answer, at most.
const MOST_SECTIONS: usize = 16;

/// Names that are there twice, and weights of which all are 0.
pub(super) fn names(blueprint: &Blueprint, top: &TableReader<'_>, issues: &Issues<'_>) {
    let subtopics = blueprint.subtopics.iter().map(|one| (one.name.as_str(), one.weight));
    list(subtopics, "map.subtopics", "map", top, issues);
    let evolutions = blueprint.evolutions.iter().map(|one| (one.name.as_str(), one.weight));
    list(evolutions, "map.evolutions", "map", top, issues);
    let forms = blueprint.forms.iter().map(|one| (one.name.as_str(), one.weight));
    list(forms, "forms", "forms", top, issues);
}

fn list<'n>(
    named: impl Iterator<Item = (&'n str, f64)>,
    key: &str,
    at: &str,
    top: &TableReader<'_>,
    issues: &Issues<'_>,
) {
    let mut seen = BTreeSet::new();
    let (mut sum, mut all) = (0.0, 0);
    for (name, weight) in named.filter(|(name, _)| !name.is_empty()) {
        (sum, all) = (sum + weight, all + 1);
        if !seen.insert(name) {
            issues.add(key, top.line_of(at), format!("`{key}` names {name:?} twice"));
        }
        if name.chars().any(char::is_control) {
            issues.add(key, top.line_of(at), format!("`{key}` has a name with control characters in it"));
        }
    }
    if all > 0 && sum == 0.0 {
        issues.add(
            key,
            top.line_of(at),
            format!("`{key}` has only weights of 0, which leave nothing to write"),
        );
    }
}

/// Templates that name what isn't there, and parts that a reader could not tell apart.
pub(super) fn templates(blueprint: &Blueprint, top: &TableReader<'_>) {
    if blueprint.forms.is_empty() {
        return;
    }
    let columns: Vec<&str> = blueprint.columns.iter().map(|column| column.name.as_str()).collect();
    let known: Vec<&str> = NAMES.into_iter().chain(columns).collect();
    for (form, table) in blueprint.forms.iter().zip(top.tables("forms")) {
        for ask in &form.ask {
            look(&table, "ask", ask, &known);
        }
        look(&table, "write", &form.write, &known);
        if let FormBody::Sections(sections) = &form.body {
            self::sections(&table, sections);
        }
    }
}

fn look(table: &TableReader<'_>, key: &str, text: &str, known: &[&str]) {
    let names = match template::names_in(text) {
        Ok(names) => names,
        Err(error) => {
            let why = error.to_string().replace('\n', "; ");
            return table.wrong(key, &format!("can't be read as a template: {why}"));
        }
    };
    for name in names.iter().filter(|name| !known.contains(&name.as_str())) {
        let hint = nearest(name, known.iter().copied()).map_or_else(
            || format!("known are {}", known.join(", ")),
            |near| format!("the nearest is `{near}`"),
        );
        table.wrong(key, &format!("names {{{{ {name} }}}}, which isn't there; {hint}"));
    }
}

fn sections(table: &TableReader<'_>, sections: &[String]) {
    if sections.len() > MOST_SECTIONS {
        table.wrong(
            "sections",
            &format!("has {} parts; at most {MOST_SECTIONS} can be asked for", sections.len()),
        );
    }
    let keys: Vec<String> = sections.iter().map(|section| section_key(section)).collect();
    for (index, (section, key)) in sections.iter().zip(&keys).enumerate() {
        if key.is_empty() || key == QUESTION {
            table
                .wrong("sections", &format!("has {section:?}, which can't be a part's heading: use letters"));
        } else if keys.iter().take(index).any(|other| other == key) {
            table.wrong("sections", &format!("has {section:?} twice"));
        }
    }
}

/// The key under which a teacher writes the question.
pub const QUESTION: &str = "question";

/// The key under which a teacher writes the part under a heading: `final_principle`.
#[must_use]
pub fn section_key(section: &str) -> String {
    let letters = section.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' });
    let words: String = letters.collect();
    words.split_whitespace().collect::<Vec<_>>().join("_")
}
