//! Why a filter that can be read finds nothing: names that nothing bears.

use super::complete::Vocabulary;
use super::{Filter, Term};

/// A sentence on the first name in a filter that is not in use, with the name that was likely meant.
#[must_use]
pub fn explain(filter: &Filter, vocabulary: &Vocabulary) -> Option<String> {
    match filter {
        Filter::Term(term) => unknown(term, vocabulary),
        Filter::And(parts) | Filter::Or(parts) => parts.iter().find_map(|part| explain(part, vocabulary)),
        Filter::Everything | Filter::Not(_) => None,
    }
}

fn unknown(term: &Term, vocabulary: &Vocabulary) -> Option<String> {
    let of = |what: &str, name: &String, known: &[String]| {
        (!known.contains(name)).then(|| sentence(what, name, known))
    };
    let one_of = |what: &str, names: &[Option<String>], known: &[String]| {
        names.iter().flatten().find_map(|name| of(what, name, known))
    };
    match term {
        Term::Tag(Some(name)) => of("tag", name, &vocabulary.tags),
        Term::Split(names) => one_of("split", names, &vocabulary.splits),
        Term::Label(names) => one_of("label", names, &vocabulary.labels),
        Term::Check(name) => of("check", name, &vocabulary.checks),
        Term::Field { column, .. } => of("column", column, &vocabulary.columns),
        Term::Status(_)
        | Term::Tag(None)
        | Term::Source(_)
        | Term::Like(_)
        | Term::Number(..)
        | Term::Is(_)
        | Term::Text(_)
        | Term::Regex(_) => None,
    }
}

fn sentence(what: &str, name: &str, known: &[String]) -> String {
    let near = |other: &&String| strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase());
    let meant = known.iter().min_by_key(near).filter(|other| near(other) <= 2);
    match (meant, known.is_empty()) {
        (Some(meant), _) => format!("No record has the {what} \"{name}\"; did you mean \"{meant}\"?"),
        (None, true) => format!("No record has a {what}."),
        (None, false) => format!("No record has the {what} \"{name}\"."),
    }
}
