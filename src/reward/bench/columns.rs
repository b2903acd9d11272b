//! What the columns of scored rows mean: which hold the completion, and which the record that it answers. A column is the
//! completion by its name or by a person's word. What the record's own truth would make is none, unless it is asked for.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use crate::data::mapping::{ColumnPart, Mapping, RowMapping};
use crate::domain::record::{Fields, Record};
use crate::task::Task;

/// Which completions are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CompletionWanted {
    /// Those of a column, which is taken out of the record.
    #[default]
    FromColumn,
    /// The records' own answers, which a person asked for by name.
    ReferenceAnswers,
    /// None: they come from elsewhere, and every column is the record's.
    Elsewhere,
}

/// A row as it is scored.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BenchRow {
    pub record: Record,
    pub completion: Option<String>,
}

/// Where completions are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum CompletionPlace {
    Column(String),
    /// The members of the task's JSON answer, each in a column of its own name.
    Members(Vec<String>),
    Reference,
    Nowhere,
}

/// How rows are read.
pub struct BenchColumns<'t> {
    task: &'t Task,
    place: CompletionPlace,
    mapping: Mapping,
    rows: RowMapping,
    /// Columns of the task's fields, and the column that a person named for each.
    renamed: Vec<(String, String)>,
    /// What the task reads from which column, for people.
    read: Vec<String>,
}

/// Columns that hold a model's answer rather than the one to learn, best first.
const COMPLETIONS: [&str; 5] = ["completion", "expansion", "response", "generation", "prediction"];
/// Columns that hold the answer to compare with, where an import knows none, best first.
const REFERENCES: [&str; 3] = ["reference", "ground_truth", "gold_answer"];
/// The parts that a person may name besides those of an import.
const COMPLETION: &str = "completion";
const REFERENCE: &str = "reference";
/// Rows that the columns are found from.
const SAMPLE: usize = 100;

impl<'t> BenchColumns<'t> {
    /// Finds out what the columns of these rows are, with what a person says of them (`part=column`).
    ///
    /// # Errors
    /// Where a column or part is named that isn't there, or a completion is wanted and no column holds one.
    pub fn find(task: &'t Task, rows: &[Fields], map: &[String], wanted: CompletionWanted) -> Result<Self> {
        let sample = rows.get(..rows.len().min(SAMPLE)).unwrap_or_default();
        let told = ToldColumns::read(task, map, wanted)?;
        told.check(rows)?;
        let place = match wanted {
            CompletionWanted::FromColumn => told.place(task, rows),
            CompletionWanted::ReferenceAnswers => CompletionPlace::Reference,
            CompletionWanted::Elsewhere => CompletionPlace::Nowhere,
        };
        ensure!(
            wanted != CompletionWanted::FromColumn || place != CompletionPlace::Nowhere,
            "none of the columns {} is known to hold completions: name it with --map completion=COLUMN, or score the \
             records' own answers with --reference-answers",
            names(rows).into_iter().collect::<Vec<_>>().join(", ")
        );
        let sample: Vec<Fields> = sample.iter().map(|row| place.rest(row, &told.renamed)).collect();
        let mut mapping = Mapping::detect(&sample);
        let by_hand = Mapping::by_hand(&told.import)?;
        told.import.iter().try_for_each(|assignment| mapping.set(assignment))?;
        if by_hand.column(ColumnPart::Completion).is_none()
            && let Some(name) = REFERENCES.iter().find(|name| says(&sample, name))
        {
            mapping.set(&format!("completion={name}"))?;
        }
        mapping.check(&sample)?;
        let read = read_from(task, &mapping, &sample, &told.renamed);
        let rows = RowMapping::new(mapping.clone(), by_hand, &sample);
        Ok(Self { task, place, mapping, rows, renamed: told.renamed, read })
    }

    /// A row's record, without the completion's columns, and its completion.
    #[must_use]
    pub fn row(&self, fields: &Fields, numbers: &[String]) -> BenchRow {
        let row = self.place.rest(fields, &self.renamed);
        let made = self.rows.record(&row, numbers).or_else(|_| self.mapping.apply(&row));
        // A row that an import can't use is its columns alone.
        let mut record = made.unwrap_or_default();
        if record.label.is_none() {
            let label = self.mapping.column(ColumnPart::Label).unwrap_or("label");
            let cell = row.get(label).filter(|cell| cell.is_string() || cell.is_number());
            record.label = cell.map(Task::cell).filter(|label| !label.is_empty());
        }
        record.fields = row;
        let completion = match &self.place {
            CompletionPlace::Column(column) => fields.get(column).and_then(said),
            CompletionPlace::Members(members) => whole(fields, members),
            CompletionPlace::Reference => self.task.answer_to_learn(&record).ok().flatten(),
            CompletionPlace::Nowhere => None,
        };
        BenchRow { record, completion }
    }

    /// What was taken from which column, in sentences.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let completions = match &self.place {
            CompletionPlace::Column(column) => Some(format!("completions: the column {column:?}")),
            CompletionPlace::Members(members) => Some(format!(
                "completions: JSON of the columns {}, as the task's answer has them",
                members.join(", ")
            )),
            CompletionPlace::Reference => Some("completions: the records' own answers".to_owned()),
            CompletionPlace::Nowhere => None,
        };
        let read = (!self.read.is_empty()).then(|| format!("records: {}", self.read.join(", ")));
        completions.into_iter().chain(read).collect()
    }
}

/// What a person has said of the columns.
struct ToldColumns {
    completion: Option<String>,
    renamed: Vec<(String, String)>,
    /// For the mapping of an import.
    import: Vec<String>,
    named: Vec<(String, String)>,
}

impl ToldColumns {
    fn read(task: &Task, map: &[String], wanted: CompletionWanted) -> Result<Self> {
        let mut told = Self { completion: None, renamed: Vec::new(), import: Vec::new(), named: Vec::new() };
        for assignment in map {
            let parts = assignment.split_once('=').map(|(part, column)| (part.trim(), column.trim()));
            let Some((part, column)) = parts.filter(|(_, column)| !column.is_empty()) else {
                bail!("{assignment:?} is no mapping; write part=column, such as completion=answer_of_model")
            };
            told.named.push((part.to_owned(), column.to_owned()));
            match (part, wanted) {
                (COMPLETION, CompletionWanted::FromColumn) => {
                    let before = told.completion.replace(column.to_owned());
                    ensure!(
                        before.is_none(),
                        "the part \"completion\" is mapped twice, also in {assignment:?}; keep one"
                    );
                }
                (COMPLETION, CompletionWanted::ReferenceAnswers) => bail!(
                    "--map {assignment} and --reference-answers both say what the completions are; keep one of them"
                ),
                (COMPLETION, CompletionWanted::Elsewhere) | (REFERENCE, _) => {
                    told.import.push(format!("{COMPLETION}={column}"));
                    // A task with an answer of its own reads its fields.
                    told.rename(task, COMPLETION, column);
                }
                _ => {
                    let is_field = told.rename(task, part, column);
                    let is_part = ColumnPart::ALL.iter().any(|known| known.name() == part);
                    if is_part || !is_field {
                        told.import.push(assignment.clone());
                    }
                }
            }
        }
        Ok(told)
    }

    /// Lets the task's field of that name, or the one that reads a column of that name, read another column.
    fn rename(&mut self, task: &Task, part: &str, column: &str) -> bool {
        let field = task.fields.get(part).and_then(|columns| columns.first());
        let reads = || task.fields.values().find(|columns| columns.iter().any(|known| known == part));
        let first = field.or_else(|| reads().and_then(|columns| columns.first()));
        self.renamed.extend(first.map(|first| (first.clone(), column.to_owned())));
        field.is_some()
    }

    fn check(&self, rows: &[Fields]) -> Result<()> {
        for (part, column) in self.named.iter().filter(|(part, _)| part != ColumnPart::Unused.name()) {
            ensure!(
                rows.iter().any(|row| row.contains_key(column)),
                "no row has a column {column:?} for the part {part:?}; there are {}",
                names(rows).into_iter().collect::<Vec<_>>().join(", ")
            );
        }
        Ok(())
    }

    fn place(&self, task: &Task, rows: &[Fields]) -> CompletionPlace {
        if let Some(column) = &self.completion {
            return CompletionPlace::Column(column.clone());
        }
        let is_named = |name: &str| self.named.iter().any(|(_, column)| column == name);
        let by_name = COMPLETIONS.iter().find(|name| !is_named(name) && says(rows, name));
        if let Some(name) = by_name {
            return CompletionPlace::Column((*name).to_owned());
        }
        let members = task.answer_members();
        let truth = Mapping::detect(rows.get(..rows.len().min(SAMPLE)).unwrap_or_default());
        let truth = truth.column(ColumnPart::Label).unwrap_or("label");
        let are_columns = members.iter().all(|name| *name != truth && !is_named(name) && says(rows, name));
        if members.is_empty() || !are_columns {
            return CompletionPlace::Nowhere;
        }
        CompletionPlace::Members(members.into_iter().map(str::to_owned).collect())
    }
}

impl CompletionPlace {
    /// The row without the completion, and with the columns of the task's fields.
    fn rest(&self, row: &Fields, renamed: &[(String, String)]) -> Fields {
        let is_taken = |name: &String| match self {
            Self::Column(column) => column == name,
            Self::Members(members) => members.contains(name),
            Self::Reference | Self::Nowhere => false,
        };
        let kept = row.iter().filter(|(name, _)| !is_taken(name));
        let mut rest: Fields = kept.map(|(name, cell)| (name.clone(), cell.clone())).collect();
        for (name, column) in renamed {
            if let Some(cell) = row.get(column) {
                rest.insert(name.clone(), cell.clone());
            }
        }
        rest
    }
}

/// The columns of rows.
fn names(rows: &[Fields]) -> BTreeSet<&str> {
    rows.iter().flat_map(Fields::keys).map(String::as_str).collect()
}

/// Whether some row says something in a column.
fn says(rows: &[Fields], column: &str) -> bool {
    rows.iter().any(|row| row.get(column).is_some_and(|cell| !cell.is_null()))
}

/// A cell as a completion: of turns, what the last one says.
fn said(cell: &Value) -> Option<String> {
    let turns = cell.as_array().and_then(|turns| turns.last()?.get("content")?.as_str());
    match cell {
        Value::Null => None,
        _ => Some(turns.map_or_else(|| Task::cell(cell), str::to_owned)),
    }
}

fn whole(fields: &Fields, members: &[String]) -> Option<String> {
    let member =
        |name: &String| Some((name.clone(), fields.get(name).filter(|cell| !cell.is_null())?.clone()));
    let answer: Fields = members.iter().map(member).collect::<Option<_>>()?;
    Some(Value::Object(answer).to_string())
}

/// What is read from which column, for people: the task's fields, or an import's parts where it has none.
fn read_from(task: &Task, mapping: &Mapping, sample: &[Fields], renamed: &[(String, String)]) -> Vec<String> {
    let named = |name: &str, column: &str| {
        let column = renamed.iter().find(|(own, _)| own == column).map_or(column, |(_, told)| told.as_str());
        format!("{name} from {column:?}")
    };
    let of_record = |column: &str| match column {
        "prompt" => mapping.column(ColumnPart::Prompt),
        COMPLETION => mapping.column(ColumnPart::Completion),
        _ => None,
    };
    let field = |(name, columns): (&String, &Vec<String>)| {
        let found = columns
            .iter()
            .find_map(|column| if says(sample, column) { Some(column.as_str()) } else { of_record(column) });
        found.map(|column| named(name, column))
    };
    let part = |(part, column): (ColumnPart, &str)| match part {
        ColumnPart::Completion => named(REFERENCE, column),
        _ => named(part.name(), column),
    };
    let label = mapping.column(ColumnPart::Label).or_else(|| says(sample, "label").then_some("label"));
    if task.fields.is_empty() {
        return mapping.iter().map(part).collect();
    }
    task.fields.iter().filter_map(field).chain(label.map(|column| named("label", column))).collect()
}
