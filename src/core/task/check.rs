//! Whether a task fits its records: every prompt renders, every label is known, every answer reads back.

use serde::Serialize;

use super::Task;
use crate::domain::record::Record;

/// What is wrong with one record under a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskProblem {
    /// `file:line`.
    pub place: String,
    pub what: String,
}

/// How a task fits records.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct TaskReport {
    pub records: u64,
    /// Records that become a prompt.
    pub prompts: u64,
    /// Records with an answer to learn.
    pub answers: u64,
    /// Records with a label that the task knows.
    pub labels: u64,
    /// Records with something wrong.
    pub wrong: u64,
    /// The first of what is wrong.
    pub problems: Vec<TaskProblem>,
}

/// Problems that a report keeps.
const SHOWN: usize = 20;

/// Tries a task on records.
#[must_use]
pub fn check_records<'r>(task: &Task, records: impl IntoIterator<Item = &'r Record>) -> TaskReport {
    let mut report = TaskReport::default();
    for record in records {
        report.records += 1;
        let problems = look(task, record, &mut report);
        report.wrong += u64::from(!problems.is_empty());
        let place = record.place();
        let room = SHOWN.saturating_sub(report.problems.len());
        report
            .problems
            .extend(problems.into_iter().take(room).map(|what| TaskProblem { place: place.clone(), what }));
    }
    report
}

fn look(task: &Task, record: &Record, report: &mut TaskReport) -> Vec<String> {
    let mut problems = Vec::new();
    let without_place = |error: anyhow::Error| {
        let text = format!("{error:#}");
        text.strip_prefix(&format!("{}: ", record.place())).map_or(text.clone(), str::to_owned)
    };
    match task.prompt(record) {
        Ok(_) => report.prompts += 1,
        Err(error) => problems.push(without_place(error)),
    }
    if let Some(label) = task.true_label(record) {
        if task.knows(&label) {
            report.labels += 1;
        } else {
            problems.push(format!("the label {label:?} is not one of the task's"));
        }
    }
    match task.answer_to_learn(record) {
        Ok(None) => {}
        Err(error) => problems.push(without_place(error)),
        Ok(Some(answer)) => {
            report.answers += 1;
            let read = task.read(&answer);
            problems.extend(
                read.problems.iter().map(|problem| format!("its answer does not read back: {problem}")),
            );
            if let (Some(read), Some(label)) = (&read.label, &task.true_label(record))
                && !task.same(read, label)
            {
                problems.push(format!("its answer reads back as {read:?}, its label is {label:?}"));
            }
        }
    }
    problems
}
