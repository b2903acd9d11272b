//! What follows a field's name: figures, states, properties, numbers of records.

use std::ops::Range;

use super::parse::Parsed;
use super::{Filter, FilterError, Property, Term};
use crate::domain::record::{RecordId, Status};

pub(super) fn figure(text: &str, span: Range<usize>) -> Parsed<f64> {
    text.replace('_', "").parse::<f64>().ok().filter(|number| number.is_finite()).ok_or_else(|| {
        FilterError::new(span, format!("{text:?} is not a number; ranges are written 100..200"))
    })
}

pub(super) fn statuses(values: &[String], span: Range<usize>) -> Parsed<Term> {
    let read = |value: &String| {
        Status::from_name(&value.to_lowercase()).ok_or_else(|| {
            FilterError::new(span.clone(), format!("there is no status {value:?}: new, approved or rejected"))
        })
    };
    values.iter().map(read).collect::<Parsed<Vec<_>>>().map(Term::Status)
}

pub(super) fn property(value: &str, span: Range<usize>) -> Parsed<Term> {
    let wanted = value.to_lowercase();
    Property::ALL.into_iter().find(|property| property.name() == wanted).map(Term::Is).ok_or_else(|| {
        let known = Property::ALL.map(Property::name).join(", ");
        FilterError::new(span, format!("a record can't be {value:?}: {known}"))
    })
}

pub(super) fn like(value: &str, span: Range<usize>) -> Parsed<Term> {
    value.parse().map(|id| Term::Like(RecordId(id))).map_err(|_| {
        FilterError::new(
            span,
            format!("{value:?} is no record's number: like:12 finds what reads like record 12"),
        )
    })
}

/// One of several values: an alternative for each.
pub(super) fn any(values: Vec<String>, term: impl Fn(String) -> Parsed<Term>) -> Parsed<Filter> {
    let mut parts =
        values.into_iter().map(|value| term(value).map(Filter::Term)).collect::<Parsed<Vec<_>>>()?;
    Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::Or(parts) })
}

pub(super) fn or_none(value: String) -> Option<String> {
    (value != "none").then_some(value)
}
