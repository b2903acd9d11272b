//! Reads a model's answer into the fields that a job asked for. Knows JSON and labels, no model and no job.
//!
//! The last whole object that has all fields counts. An object without its end counts only where every field was
//! there in full. Where two readings disagree about a label, the answer is refused: better asked again than wrong.

mod json;
mod label;
mod loose;

use std::borrow::Cow;
use std::collections::BTreeMap;

use label::LabelEnd;
pub use label::{Class, entailment, plain};
use loose::{Loose, LooseObject};

/// What an answer must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerShape {
    pub fields: Vec<AnswerField>,
}

/// One field of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerField {
    /// The name under which its value is given back, and the first that is looked for.
    pub name: Cow<'static, str>,
    /// Other names that models use for it.
    pub aliases: &'static [&'static str],
    pub kind: FieldKind,
    pub need: Need,
}

/// What a field's value is.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldKind {
    /// Any text that isn't empty; a list of texts is joined.
    Text,
    /// A JSON value, given back as it is written in JSON.
    Json,
    /// One of these classes, given back by its name.
    Label(Vec<Class>),
    /// A whole number in this range.
    Whole { least: i64, most: i64 },
}

/// Whether an answer without the field is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Required,
    Optional,
}

/// The fields found, by name.
pub type FoundFields = BTreeMap<Cow<'static, str>, String>;

/// Why an answer can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum Unreadable {
    #[error("the answer is empty")]
    Empty,
    #[error("the answer holds no JSON object")]
    NoObject,
    #[error("the JSON object is cut off before its end")]
    CutOff,
    #[error("the JSON object has no `{0}`")]
    Missing(Cow<'static, str>),
    #[error("`{0}` has a value that isn't allowed")]
    WrongValue(Cow<'static, str>),
    #[error("the answer gives `{0}` several times with different values")]
    Ambiguous(Cow<'static, str>),
    #[error(
        "the answer repeats the words of the instructions or of an example instead of reasoning about this question"
    )]
    Echo,
}

impl Unreadable {
    /// A short name, for counting.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NoObject => "no-object",
            Self::CutOff => "cut-off",
            Self::Missing(_) => "missing-field",
            Self::WrongValue(_) => "wrong-value",
            Self::Ambiguous(_) => "ambiguous",
            Self::Echo => "echo",
        }
    }
}

/// Reads an answer.
///
/// # Errors
/// Why it can't be read without guessing.
pub fn extract(answer: &str, shape: &AnswerShape) -> Result<FoundFields, Unreadable> {
    if answer.trim().is_empty() {
        return Err(Unreadable::Empty);
    }
    let text: Vec<char> = answer.chars().collect();
    let readings: Vec<ObjectReading> = objects(&text).iter().map(|object| read(object, shape)).collect();
    choose(&readings).or_else(|reason| inner(&text, shape).ok_or(reason))
}

/// One object as the shape sees it.
struct ObjectReading {
    whole: bool,
    found: Result<FoundFields, Unreadable>,
    /// Labels that could be read, whether or not the rest fits.
    labels: FoundFields,
}

fn choose(readings: &[ObjectReading]) -> Result<FoundFields, Unreadable> {
    let whole = readings.iter().rposition(|reading| reading.whole && reading.found.is_ok());
    let cut = || readings.iter().rposition(|reading| reading.found.is_ok());
    let Some(index) = whole.or_else(cut) else {
        return Err(reason(readings));
    };
    let Some(ObjectReading { found: Ok(found), .. }) = readings.get(index) else {
        return Err(Unreadable::NoObject);
    };
    // What comes later and isn't whole may be the model's second thought.
    for later in readings.iter().skip(index + 1).filter(|later| !later.whole) {
        for (name, label) in &later.labels {
            if found.get(name) != Some(label) {
                return Err(Unreadable::Ambiguous(name.clone()));
            }
        }
    }
    Ok(found.clone())
}

/// Of the last object that was close to fitting.
fn reason(readings: &[ObjectReading]) -> Unreadable {
    let Some(last) = readings.last() else { return Unreadable::NoObject };
    match &last.found {
        Err(reason @ Unreadable::Ambiguous(_)) => reason.clone(),
        _ if !last.whole => Unreadable::CutOff,
        Err(reason) => reason.clone(),
        Ok(_) => Unreadable::NoObject,
    }
}

/// Every object of the text, outermost first, in order. Objects inside objects stand behind those that hold them.
fn objects(text: &[char]) -> Vec<LooseObject> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = text.get(at..).and_then(|rest| rest.iter().position(|&letter| letter == '{')) {
        let start = at + offset;
        let (object, end) = loose::object(text, start);
        // An object without an end may have swallowed whole ones.
        at = if object.whole { end.max(start + 1) } else { start + 1 };
        if found.len() < MOST_OBJECTS {
            flatten(object, &mut found);
        }
    }
    found
}

/// More than any answer has; a text of nothing but braces must not take long.
const MOST_OBJECTS: usize = 256;

fn flatten(object: LooseObject, found: &mut Vec<LooseObject>) {
    let inside: Vec<LooseObject> = object.pairs.iter().flat_map(|(_, value)| nested(value)).collect();
    if !object.pairs.is_empty() {
        found.push(object);
    }
    for object in inside {
        flatten(object, found);
    }
}

fn nested(value: &Loose) -> Vec<LooseObject> {
    match value {
        Loose::Object(object) => vec![object.clone()],
        Loose::List(items) => items.iter().flat_map(nested).collect(),
        Loose::Text { .. } | Loose::Bare { .. } => Vec::new(),
    }
}

/// An object written as a text inside an object (`{"answer": "{\"score\": 4}"}`).
fn inner(text: &[char], shape: &AnswerShape) -> Option<FoundFields> {
    let objects = objects(text);
    let texts = objects.iter().filter(|object| object.whole).flat_map(|object| &object.pairs);
    let mut fitting = texts.filter_map(|(_, value)| match value {
        Loose::Text { text, closed: true } if text.trim_start().starts_with('{') => {
            let inside: Vec<char> = text.chars().collect();
            let readings: Vec<ObjectReading> =
                self::objects(&inside).iter().map(|object| read(object, shape)).collect();
            choose(&readings).ok()
        }
        _ => None,
    });
    let found = fitting.next()?;
    fitting.all(|other| other == found).then_some(found)
}

fn read(object: &LooseObject, shape: &AnswerShape) -> ObjectReading {
    let mut found = FoundFields::new();
    let mut labels = FoundFields::new();
    let mut problem = None;
    for field in &shape.fields {
        match value(object, field) {
            Ok(Some(value)) => {
                if matches!(field.kind, FieldKind::Label(_)) {
                    labels.insert(field.name.clone(), value.clone());
                }
                found.insert(field.name.clone(), value);
            }
            Ok(None) if field.need == Need::Required => {
                problem = problem.or(Some(Unreadable::Missing(field.name.clone())));
            }
            Ok(None) => {}
            Err(reason) => problem = problem.or(Some(reason)),
        }
    }
    ObjectReading { whole: object.whole, found: problem.map_or(Ok(found), Err), labels }
}

/// The field's value; nothing where the object doesn't have the field.
fn value(object: &LooseObject, field: &AnswerField) -> Result<Option<String>, Unreadable> {
    let mut chosen: Option<String> = None;
    let last = object.pairs.len().saturating_sub(1);
    for (index, (key, value)) in object.pairs.iter().enumerate() {
        if !field.is_named(key) {
            continue;
        }
        let end = if object.whole || index < last { LabelEnd::Whole } else { LabelEnd::MaybeCut };
        let Some(value) = accept(value, &field.kind, end) else {
            return if chosen.is_some() {
                Err(Unreadable::Ambiguous(field.name.clone()))
            } else {
                Err(Unreadable::WrongValue(field.name.clone()))
            };
        };
        if chosen.as_ref().is_some_and(|chosen| *chosen != value) {
            return Err(Unreadable::Ambiguous(field.name.clone()));
        }
        chosen = Some(value);
    }
    Ok(chosen)
}

impl AnswerField {
    /// Names are compared without case, blanks, underscores and hyphens.
    fn is_named(&self, key: &str) -> bool {
        let key = bare_name(key);
        bare_name(&self.name) == key || self.aliases.iter().any(|alias| bare_name(alias) == key)
    }
}

fn bare_name(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a text is only the form that was asked for (`step 1: ... step 2: ...`): small models like to give it back.
fn repeats_the_form(text: &str) -> bool {
    let dots = text.contains("...") || text.contains('…');
    dots && text
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .all(|word| word.eq_ignore_ascii_case("step") || word.chars().all(|letter| letter.is_ascii_digit()))
}

fn accept(value: &Loose, kind: &FieldKind, end: LabelEnd) -> Option<String> {
    match kind {
        FieldKind::Text => text(value)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty() && !repeats_the_form(text)),
        FieldKind::Json => json::value(value).map(|value| value.to_string()),
        FieldKind::Label(classes) => {
            let (text, closed) = scalar(value)?;
            let written = if closed { LabelEnd::Whole } else { end };
            label::read(classes, text, written).map(str::to_owned)
        }
        FieldKind::Whole { least, most } => {
            let (text, closed) = scalar(value)?;
            if !closed && end == LabelEnd::MaybeCut {
                return None;
            }
            whole(text, *most)
                .filter(|number| (*least..=*most).contains(number))
                .map(|number| number.to_string())
        }
    }
}

fn scalar(value: &Loose) -> Option<(&str, bool)> {
    match value {
        Loose::Text { text, closed } | Loose::Bare { text, closed } => Some((text, *closed)),
        Loose::List(items) => match items.as_slice() {
            [item @ (Loose::Text { .. } | Loose::Bare { .. })] => scalar(item),
            _ => None,
        },
        Loose::Object(_) => None,
    }
}

/// `4`, `4.0` and `4/5`, the last where the whole is the most that is allowed.
fn whole(text: &str, most: i64) -> Option<i64> {
    let text = text.trim();
    let text = match text.split_once('/') {
        Some((number, of)) if of.trim().parse() == Ok(most) => number.trim(),
        Some(_) => return None,
        None => text,
    };
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}

fn text(value: &Loose) -> Option<String> {
    match value {
        Loose::Text { text, closed: true } => Some(text.clone()),
        Loose::List(items) => {
            let texts: Option<Vec<String>> = items.iter().map(text).collect();
            texts.filter(|texts| !texts.is_empty()).map(|texts| texts.join(" "))
        }
        Loose::Object(object) if object.whole => {
            let line = |(key, value): &(String, Loose)| text(value).map(|text| format!("{key}: {text}"));
            let texts: Option<Vec<String>> = object.pairs.iter().map(line).collect();
            texts.filter(|texts| !texts.is_empty()).map(|texts| texts.join(" "))
        }
        Loose::Text { .. } | Loose::Bare { .. } | Loose::Object(_) => None,
    }
}
