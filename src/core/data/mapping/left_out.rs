//! Rows that bring an answer under names of their own, such as thoughts: whether their other columns leave them out, by
//! the same names and words as rows of data.

use super::Mapping;
use super::apply::MappedRow;
use super::columns::Columns;
use super::excluded::excluded;
use super::options::Answers;
use super::verdicts::finds_wrong;
use crate::domain::message::{Message, Role};
use crate::domain::record::{Fields, Record};

/// Why a row is left out: somebody marked it, or it is given no weight.
#[must_use]
pub fn left_out(fields: &Fields) -> Option<String> {
    let mapping = Mapping::default();
    let columns = Columns::of(std::slice::from_ref(fields), Answers::default());
    if let Some(told) = excluded(&mapping, &columns, fields) {
        return Some(format!("it is left out: {told}"));
    }
    let messages = vec![Message::new(Role::User, "asked"), Message::new(Role::Assistant, "answered")];
    let mut record = Record { messages, ..Record::default() };
    let row = MappedRow { mapping: &mapping, columns: &columns, fields };
    match row.weigh(&mut record) {
        Err(why) => Some(why),
        Ok(()) if record.is_unlearnt() => {
            Some(format!("it is left out: {} gives it no weight", weighing(fields)))
        }
        Ok(()) => None,
    }
}

/// The column that gives a row no weight, for messages.
fn weighing(fields: &Fields) -> String {
    let speaks = |(name, _): &(&String, &serde_json::Value)| super::masks::speaks_of_learning(name);
    fields.iter().find(speaks).map_or_else(String::new, |(name, value)| format!("{name:?}, {value},"))
}

/// The column that finds a row's answer wrong, with what it says.
#[must_use]
pub fn finds_answer_wrong(fields: &Fields) -> Option<String> {
    let (name, value) = fields.iter().find(|(name, value)| finds_wrong(name, value))?;
    Some(format!("{name:?} is {value}"))
}
