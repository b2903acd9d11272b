//! What stands behind a field's name: figures, states, properties, numbers of records.

use std::ops::Range;

use super::parse::Parsed;
use super::{FilterError, Property, Term};
use crate::domain::record::{RecordId, Status};

pub(super) fn figure(text: &str, span: Range<usize>) -> Parsed<f64> {
    text.replace('_', "").parse::<f64>().ok().filter(|number| number.is_finite()).ok_or_else(|| {
        FilterError::new(span, format!("{text:?} is not a number; ranges are written 100..200"))
    })
}

pub(super) fn statuses(values: &[String], span: Range<usize>) -> Parsed<Term> {
    let read = |value: &String| {
        Status::from_name(value).ok_or_else(|| {
            FilterError::new(span.clone(), format!("there is no status {value:?}: new, approved or rejected"))
        })
    };
    values.iter().map(read).collect::<Parsed<Vec<_>>>().map(Term::Status)
}

pub(super) fn property(value: &str, span: Range<usize>) -> Parsed<Term> {
    Property::ALL.into_iter().find(|property| property.name() == value).map(Term::Is).ok_or_else(|| {
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

pub(super) fn one(values: Vec<String>, span: Range<usize>) -> Parsed<String> {
    match <[String; 1]>::try_from(values) {
        Ok([value]) => Ok(value),
        Err(_) => {
            Err(FilterError::new(span, "only one value is possible here; write the term twice, with OR"))
        }
    }
}

pub(super) fn or_none(value: String) -> Option<String> {
    (value != "none").then_some(value)
}
