//! Why a filter that can be read finds nothing: names that nothing bears.

use super::complete::Vocabulary;
use super::{Filter, Term};

/// A sentence on the first name in a filter that is not in use, with the name that was likely meant.
#[must_use]
pub fn explain(filter: &Filter, vocabulary: &Vocabulary) -> Option<String> {
    match filter {
        Filter::Term(term) => unknown(term, vocabulary),
        Filter::Or(parts) => {
            alternative(parts, vocabulary).or_else(|| parts.iter().find_map(|part| explain(part, vocabulary)))
        }
        Filter::And(parts) => parts.iter().find_map(|part| explain(part, vocabulary)),
        Filter::Everything | Filter::Not(_) => None,
    }
}

/// `split:train|eval` is the split or the word; several names of a field are parted by commas.
fn alternative(parts: &[Filter], vocabulary: &Vocabulary) -> Option<String> {
    parts.iter().zip(parts.iter().skip(1)).find_map(|(one, next)| {
        let (Filter::Term(field), Filter::Term(Term::Text(words))) = (one, next) else { return None };
        let (name, names, known) = if let Term::Split(names) = field {
            ("split", names, &vocabulary.splits)
        } else if let Term::Label(names) = field {
            ("label", names, &vocabulary.labels)
        } else {
            return None;
        };
        let first = names.iter().flatten().next()?;
        let word = &words.text;
        (known.contains(word) || !known.contains(first)).then(|| {
            format!("After | the text is searched for \"{word}\"; several names are {name}:{first},{word}.")
        })
    })
}

/// A sentence on words whose signs the search passes over, so that it finds more than was typed: letters and digits are
/// what its index holds.
#[must_use]
pub fn passed_over(filter: &Filter) -> Option<String> {
    match filter {
        Filter::Term(Term::Text(words)) => {
            let is_read = |sign: char| sign.is_alphanumeric() || sign.is_whitespace();
            let read: Vec<&str> = words
                .text
                .split(|sign: char| !sign.is_alphanumeric())
                .filter(|part| !part.is_empty())
                .collect();
            if read.is_empty() || words.text.chars().all(is_read) {
                return None;
            }
            let literal = regex::escape(&words.text).replace('/', r"\/");
            Some(format!(
                "Signs are passed over in words: {} finds \"{}\". /{literal}/ finds it as it stands.",
                words.text,
                read.join(" ")
            ))
        }
        Filter::Or(parts) | Filter::And(parts) => parts.iter().find_map(passed_over),
        Filter::Not(part) => passed_over(part),
        Filter::Everything | Filter::Term(_) => None,
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
        Term::Text(words) if !words.text.chars().any(char::is_alphanumeric) => Some(format!(
            "No text has the sign {} in it; therm* finds what begins so, /a.c/ is a pattern, nothing finds everything.",
            words.text
        )),
        Term::Status(_)
        | Term::Tag(None)
        | Term::Source(_)
        | Term::Like(_)
        | Term::Number(..)
        | Term::Is(_)
        | Term::Regex(_)
        | Term::Text(_) => None,
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
