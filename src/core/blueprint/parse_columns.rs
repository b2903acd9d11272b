//! Columns as a blueprint writes them: values with weights, and what they depend on.

use toml_edit::Item;

use super::check::NAMES;
use super::columns::{Choice, Column, ColumnParent};
use super::reader::{TableReader, WEIGHTS, few, nearest, number};
use super::{Evolution, Form, Subtopic};

/// Columns in an order in which each comes after the one that it depends on.
pub(super) fn columns(
    top: &TableReader<'_>,
    subtopics: &[Subtopic],
    evolutions: &[Evolution],
    forms: &[Form],
) -> Vec<Column> {
    let Some(table) = top.table("columns") else { return Vec::new() };
    let names: Vec<&str> = table.entries().map(|(name, _)| name).collect();
    let mut waiting: Vec<(&str, TableReader<'_>, Option<String>)> = Vec::new();
    for &name in &names {
        let Some(column) = table.named(name) else {
            table.wrong(name, "must be a table with values, such as { values = [\"beginner\", \"expert\"] }");
            continue;
        };
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty();
        if !plain || NAMES.contains(&name) {
            table.wrong(
                name,
                "can't be a column's name: use letters, digits and _, and none that a template knows",
            );
        }
        let on = column.item("on").is_some().then(|| column.text_or("on", "")).filter(|on| !on.is_empty());
        waiting.push((name, column, on));
    }
    let mut done: Vec<Column> = Vec::new();
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|(_, _, on)| {
            on.as_deref().is_none_or(|on| {
                NAMES.contains(&on) || done.iter().any(|column| column.name == on) || !names.contains(&on)
            })
        });
        let Some(ready) = ready else {
            let circle: Vec<&str> = waiting.iter().map(|(name, ..)| *name).collect();
            let message = format!("depend on each other in a circle: {}", circle.join(", "));
            top.wrong("columns", &message);
            break;
        };
        let (name, column, on) = waiting.remove(ready);
        let parent = on.and_then(|on| parent(&column, &on, &done, &names));
        let values_of_parent: Vec<&str> = match &parent {
            Some(ColumnParent::Subtopic) => subtopics.iter().map(|one| one.name.as_str()).collect(),
            Some(ColumnParent::Evolution) => evolutions.iter().map(|one| one.name.as_str()).collect(),
            Some(ColumnParent::Form) => forms.iter().map(|one| one.name.as_str()).collect(),
            Some(ColumnParent::Column(index)) => done.get(*index).map(Column::all_values).unwrap_or_default(),
            None => Vec::new(),
        };
        let read = one_column(name, &column, parent, &values_of_parent);
        done.push(read);
    }
    few(top, "columns", done)
}

fn parent(column: &TableReader<'_>, on: &str, done: &[Column], names: &[&str]) -> Option<ColumnParent> {
    match on {
        "subtopic" => Some(ColumnParent::Subtopic),
        "evolution" => Some(ColumnParent::Evolution),
        "form" => Some(ColumnParent::Form),
        on => {
            let index = done.iter().position(|column| column.name == on);
            if index.is_none() {
                let known = names.iter().copied().chain(["subtopic", "evolution", "form"]);
                let near =
                    nearest(on, known).map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
                let message =
                    format!("is {on:?}, which is neither a column nor subtopic, evolution or form{near}");
                column.wrong("on", &message);
            }
            index.map(ColumnParent::Column)
        }
    }
}

fn one_column(
    name: &str,
    column: &TableReader<'_>,
    parent: Option<ColumnParent>,
    values_of_parent: &[&str],
) -> Column {
    let values = column.item("values").map(|item| choices(column, "values", item)).unwrap_or_default();
    let mut when = Vec::new();
    if let Some(table) = column.table("when") {
        for (value, item) in table.entries() {
            if parent.is_some() && !values_of_parent.contains(&value) {
                let near = nearest(value, values_of_parent.iter().copied());
                let near = near.map_or_else(
                    || format!("it can be {}", values_of_parent.join(", ")),
                    |near| format!("did you mean {near:?}?"),
                );
                table.wrong(value, &format!("is no value that it depends on; {near}"));
            }
            when.push((value.to_owned(), choices(&table, value, item)));
        }
        if parent.is_none() {
            column.wrong("when", "says values for another column's, but `on` doesn't name one");
        }
    } else if parent.is_some() {
        column.wrong(
            "on",
            "names what it depends on, but there is no `when` with values for each of its values",
        );
    }
    let uncovered = values_of_parent.iter().find(|value| when.iter().all(|(name, _)| name != *value));
    match uncovered {
        Some(value) if values.is_empty() => {
            column.wrong(
                "when",
                &format!("has no values for {value:?}, and there are no `values` for the rest"),
            );
        }
        None if values.is_empty() && when.is_empty() => {
            column
                .wrong("values", "is missing: list what may be drawn, with weights if some come more often");
        }
        Some(_) | None => {}
    }
    column.finish();
    Column { name: name.to_owned(), parent, values, when }
}

/// A list of values, or a table of values with weights.
fn choices(table: &TableReader<'_>, key: &str, item: &Item) -> Vec<Choice> {
    let mut found: Vec<Choice> = Vec::new();
    if let Some(list) = item.as_array() {
        let texts = list.iter().filter_map(toml_edit::Value::as_str);
        found.extend(texts.map(|text| Choice { value: text.trim().to_owned(), weight: 1.0 }));
        if found.len() != list.len() {
            table.wrong(key, "must be a list of texts, or a table of texts with weights");
        }
    } else if let Some(weights) = item.as_table_like() {
        for (value, item) in weights.iter() {
            match number(item).filter(|weight| (WEIGHTS.0..=WEIGHTS.1).contains(weight)) {
                Some(weight) => found.push(Choice { value: value.to_owned(), weight }),
                None => table.wrong(key, &format!("gives {value:?} no weight: a number, 0 or more")),
            }
        }
    } else {
        table.wrong(key, "must be a list of texts, or a table of texts with weights");
        return found;
    }
    let twice = found
        .iter()
        .enumerate()
        .find(|(index, choice)| found.iter().take(*index).any(|other| other.value == choice.value));
    if let Some((_, choice)) = twice {
        table.wrong(key, &format!("names {:?} twice", choice.value));
    }
    if found.iter().any(|choice| choice.value.is_empty()) || found.iter().all(|choice| choice.weight == 0.0) {
        table.wrong(key, "needs at least one value with a weight above 0, and none that is empty");
    }
    found
}
