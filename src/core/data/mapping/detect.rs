//! Finds the mapping of a dataset from its column names and the form of its values.

use std::collections::HashMap;

use serde_json::Value;

use super::calls::are_calls;
use super::forms::{is_conversation, is_span, is_texts, is_unsaid};
use super::options::{is_options, may_name};
use super::pairs::is_whole;
use super::verdicts::{CORRECT, DECISION, decides, names_options};
use super::words::snake;
use super::{ColumnPart, Mapping, MappingKind};
use crate::domain::record::Fields;

/// What is translated, beside a target; elsewhere mostly where a row comes from.
pub(super) const SOURCE: &str = "source";

/// The turns, as Gemini has them; elsewhere mostly a document.
pub(super) const CONTENTS: &str = "contents";

/// Names that datasets use for a part, best first.
pub(super) const NAMES: &[(ColumnPart, &[&str])] = &[
    (
        ColumnPart::Messages,
        &["messages", "conversations", "conversation", "dialogue", "dialog", "chat", "items", CONTENTS],
    ),
    (ColumnPart::Chosen, &["chosen", "preferred", "accepted"]),
    (ColumnPart::Rejected, &["rejected", "dispreferred"]),
    (
        ColumnPart::System,
        &[
            "system",
            "system_prompt",
            "system_message",
            "system_instruction",
            "system_instructions",
            "sys_prompt",
        ],
    ),
    (ColumnPart::Premise, &["premise", "premises", "sentence1", "text1", "evidence_text"]),
    (ColumnPart::Hypothesis, &["hypothesis", "conclusion", "sentence2", "text2", "claim"]),
    (
        ColumnPart::Prompt,
        &["prompt", "instruction", "question", "query", "problem", "user", "inputs", SOURCE],
    ),
    (ColumnPart::Input, &["input", "context", "options", "choices"]),
    (
        ColumnPart::Completion,
        &[
            "completion",
            "response",
            "solution",
            "answer",
            "output",
            "reference_answer",
            "responses",
            "answers",
            "assistant",
            "generated_solution",
            "target",
            "targets",
            "rationale",
        ],
    ),
    (
        ColumnPart::Explanation,
        &["improved_thought_process", "explanation", "explanations", "explanation_1", "rationale"],
    ),
    (
        ColumnPart::Thought,
        &[
            "reasoning_content",
            "reasoning",
            "thinking",
            "thought",
            "thoughts",
            "thought_process",
            "chain_of_thought",
            "cot",
            "complex_cot",
            "think",
            "thinking_content",
            "thinking_process",
            "thinking_trace",
            "reasoning_text",
            "reasoning_trace",
            "reasoning_process",
            "reasoning_steps",
            "scratchpad",
            "rationale",
        ],
    ),
    (ColumnPart::Label, &["label", "true_label", "gold_label", "labels", "correct"]),
    (ColumnPart::Text, &["text", "content", "body", "document"]),
    (ColumnPart::Split, &["split"]),
    (ColumnPart::Tags, &["tags"]),
];

/// A column that is there in less than one of so many rows that another one is there for the same part says nothing of
/// the file.
const RARE: usize = 4;

/// A part goes to the first of its columns most of whose values have its form. A column that says nothing here is
/// taken where saying nothing does no harm.
pub(super) fn detect(rows: &[Fields]) -> Mapping {
    let columns = columns(rows);
    let mut mapping = Mapping::default();
    let decides = decides(rows);
    for (part, names) in NAMES {
        let known = names.iter().filter(|name| !decides || **name != DECISION);
        let known: Vec<&str> = known.filter_map(|name| columns.get(*name).map(String::as_str)).collect();
        let silent = || {
            let harmless = !is_needed(*part);
            known.iter().find(|column| harmless && counted(*part, column, rows) == (0, 0))
        };
        let most = known.iter().map(|column| counted(*part, column, rows).0).max().unwrap_or_default();
        let is_common = |column: &str| counted(*part, column, rows).0 * RARE >= most;
        let fits = |column: &&&str| fits_mostly(*part, column, rows) && is_common(column);
        let fitting = known.iter().find(fits).or_else(silent);
        if let Some(column) = fitting {
            mapping.columns.insert(*part, (*column).to_owned());
        }
    }
    pass_over_rare_turns(&mut mapping, rows);
    ask_by_input(&mut mapping, &columns, rows);
    answer_by_option(&mut mapping, &columns, rows);
    let asks = mapping.column(ColumnPart::Prompt).is_some_and(|column| column.eq_ignore_ascii_case(SOURCE));
    if asks && is_provenance(&mapping, rows) {
        mapping.columns.remove(&ColumnPart::Prompt);
    }
    settle(&mut mapping, rows);
    mapping
}

/// A conversation in a few rows, where the others are questions with their answers, is for those rows to be read by.
fn pass_over_rare_turns(mapping: &mut Mapping, rows: &[Fields]) {
    let said = |part| mapping.column(part).map_or(0, |column| counted(part, column, rows).0);
    let is_rare =
        said(ColumnPart::Messages) * RARE < said(ColumnPart::Prompt).min(said(ColumnPart::Completion));
    if is_rare {
        mapping.columns.remove(&ColumnPart::Messages);
    }
}

/// Beside an output or a pair of answers and without a question, an input is what is asked: a text, or turns.
fn ask_by_input(mapping: &mut Mapping, columns: &HashMap<String, String>, rows: &[Fields]) {
    let is_answered =
        mapping.column(ColumnPart::Completion).is_some_and(|name| name.eq_ignore_ascii_case("output"))
            || mapping.has(ColumnPart::Rejected)
                && mapping.column(ColumnPart::Chosen).is_some_and(|column| lacks_question(column, rows));
    let asks =
        [ColumnPart::Messages, ColumnPart::Prompt, ColumnPart::Text].iter().any(|part| mapping.has(*part));
    let input = columns.get("input").filter(|input| fits_mostly(ColumnPart::Prompt, input, rows));
    if let Some(input) = input.filter(|_| is_answered && !asks) {
        mapping.columns.remove(&ColumnPart::Input);
        mapping.columns.insert(ColumnPart::Prompt, input.clone());
    }
}

/// Whether the answers of pairs in a column are no whole conversations, which have their question in them.
fn lacks_question(column: &str, rows: &[Fields]) -> bool {
    !rows.iter().filter_map(|row| row.get(column)).any(is_whole)
}

/// Columns that say which option is right, best first.
const KEYS: [&str; 13] = [
    "answer",
    "answerkey",
    "answer_key",
    "correct",
    "correct_answer",
    "answer_idx",
    "answer_index",
    "correct_option",
    "correct_choice",
    "correct_idx",
    "correct_index",
    "cop",
    "label",
];
/// Columns that say why, where another one says which.
const REASONS: [&str; 3] = ["rationale", "solution", "generated_solution"];

/// Where a column says which of the options is right, that is the answer, and what explains it is the thought before it.
fn answer_by_option(mapping: &mut Mapping, columns: &HashMap<String, String>, rows: &[Fields]) {
    let answer = mapping.column(ColumnPart::Completion).map(str::to_owned);
    let explains = |column: &String| REASONS.iter().any(|name| column.eq_ignore_ascii_case(name));
    if !mapping.has(ColumnPart::Prompt)
        || mapping.has(ColumnPart::Messages)
        || answer.as_ref().is_some_and(|name| !explains(name))
    {
        return;
    }
    // AQuA's and MathQA's options may be a text, and "correct" is a letter then.
    let of_rationale = answer.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(REASONS[0]));
    let is_letter = |value: &Value| value.as_str().is_some_and(|text| text.trim().chars().count() == 1);
    let names_one =
        |row: &Fields, value: &Value| may_name(mapping, row, value) || of_rationale && is_letter(value);
    let names_all = |column: &&String| {
        let mut said = rows.iter().filter_map(|row| Some((row, row.get(*column)?))).peekable();
        let is_one = |(row, value): (&Fields, &Value)| is_unsaid(value) || names_one(row, value);
        said.peek().is_some() && said.all(is_one)
    };
    let Some(key) = KEYS.iter().filter_map(|name| columns.get(*name)).find(names_all).cloned() else {
        return;
    };
    mapping.columns.insert(ColumnPart::Completion, key);
    if let Some(reason) = answer {
        mapping.columns.entry(ColumnPart::Thought).or_insert(reason);
    }
}

/// Whether `source` says where rows come from: nothing answers it, or another column holds what may be a conversation.
fn is_provenance(mapping: &Mapping, rows: &[Fields]) -> bool {
    let is_named =
        |key: &String| names(ColumnPart::Messages).iter().any(|name| key.eq_ignore_ascii_case(name));
    let is_used = |key: &String| mapping.iter().any(|(_, column)| column == key);
    let may_talk = |(key, value): (&String, &Value)| {
        !is_unsaid(value) && !is_used(key) && (is_named(key) || value.is_array())
    };
    let answered = mapping.has(ColumnPart::Completion)
        || (mapping.has(ColumnPart::Chosen) && mapping.has(ColumnPart::Rejected));
    !answered || rows.iter().flatten().any(may_talk)
}

/// Whether a record is another one with the part than without it, even where it is empty.
const fn is_needed(part: ColumnPart) -> bool {
    match part {
        ColumnPart::Messages
        | ColumnPart::Prompt
        | ColumnPart::Completion
        | ColumnPart::Chosen
        | ColumnPart::Rejected
        | ColumnPart::Premise
        | ColumnPart::Hypothesis
        | ColumnPart::Text => true,
        ColumnPart::System
        | ColumnPart::Input
        | ColumnPart::Thought
        | ColumnPart::Explanation
        | ColumnPart::Label
        | ColumnPart::Split
        | ColumnPart::Tags
        | ColumnPart::Unused => false,
    }
}

/// The names that a part's columns have.
pub(super) fn names(part: ColumnPart) -> &'static [&'static str] {
    NAMES.iter().find(|(named, _)| *named == part).map_or(&[], |(_, names)| names)
}

/// The columns by their names in small letters.
fn columns(rows: &[Fields]) -> HashMap<String, String> {
    let longest = NAMES.iter().flat_map(|(_, names)| *names).map(|name| name.len()).max().unwrap_or_default();
    let mut columns = HashMap::new();
    for key in rows.iter().flat_map(Fields::keys).filter(|key| key.len() <= longest) {
        if !columns.contains_key(key.as_str()) {
            columns.entry(snake(key)).or_insert_with(|| key.clone());
        }
    }
    columns
}

/// How many of a column's values have the form that its part needs, and how many have another.
fn counted(part: ColumnPart, column: &str, rows: &[Fields]) -> (usize, usize) {
    let values = rows.iter().filter_map(|row| row.get(column)).filter(|value| !is_unsaid(value));
    values.fold((0, 0), |(fit, other), value| {
        if fits(part, value) && !is_listed(part, column, value) { (fit + 1, other) } else { (fit, other + 1) }
    })
}

/// Whether a column lists things by their names, or holds a document, and no turns.
pub(super) fn is_listed(part: ColumnPart, column: &str, value: &Value) -> bool {
    let is = |name: &str| column.eq_ignore_ascii_case(name);
    part == ColumnPart::Messages
        && (is("items") && is_texts(value) || is(CONTENTS) && (is_texts(value) || !value.is_array()))
}

fn fits_mostly(part: ColumnPart, column: &str, rows: &[Fields]) -> bool {
    let (fit, other) = counted(part, column, rows);
    fit > 0 && fit >= other
}

/// Whether values of another form in a part's column are mistakes, as they are where most have the right one.
pub(super) fn is_settled(part: ColumnPart, column: &str, rows: &[Fields]) -> bool {
    let (fit, other) = counted(part, column, rows);
    fit >= other
}

/// Whether a value has the form that its part needs.
pub(super) fn fits(part: ColumnPart, value: &Value) -> bool {
    let text_like = match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => true,
        Value::Array(items) => items.iter().all(|item| !item.is_object()),
        Value::Null | Value::Object(_) => false,
    };
    match part {
        ColumnPart::Messages => is_conversation(value),
        ColumnPart::Chosen | ColumnPart::Rejected => text_like || value.is_object() || is_conversation(value),
        ColumnPart::Label | ColumnPart::Split => !value.is_array() && !value.is_object() && !value.is_null(),
        ColumnPart::Prompt => text_like || is_conversation(value),
        ColumnPart::Completion => text_like || is_conversation(value) || is_span(value) || are_calls(value),
        // Where models can think or not, a column of such a name may say which a row does.
        ColumnPart::Thought => value
            .as_str()
            .is_some_and(|said| !["on", "off"].iter().any(|name| said.eq_ignore_ascii_case(name))),
        ColumnPart::System | ColumnPart::Text => value.is_string(),
        ColumnPart::Input => text_like || is_options(value),
        ColumnPart::Premise | ColumnPart::Hypothesis | ColumnPart::Explanation | ColumnPart::Tags => {
            text_like
        }
        ColumnPart::Unused => true,
    }
}

/// Answers of other forms, which make no sense beside a pair of answers or a conversation.
const OTHER_FORMS: [ColumnPart; 5] = [
    ColumnPart::Completion,
    ColumnPart::Premise,
    ColumnPart::Hypothesis,
    ColumnPart::Explanation,
    ColumnPart::Text,
];

/// Clears parts that make no sense beside the others.
pub(super) fn settle(mapping: &mut Mapping, rows: &[Fields]) {
    let preference = mapping.has(ColumnPart::Chosen) && mapping.has(ColumnPart::Rejected);
    let pair = mapping.has(ColumnPart::Premise) && mapping.has(ColumnPart::Hypothesis);
    let prompt = mapping.has(ColumnPart::Prompt);
    let mut gone: Vec<ColumnPart> = Vec::new();
    if preference {
        gone.extend(OTHER_FORMS);
    } else {
        gone.extend([ColumnPart::Chosen, ColumnPart::Rejected]);
    }
    // A pair's prompt may have a column of its own beside the chosen conversation.
    if mapping.has(ColumnPart::Messages) && !preference {
        gone.extend([ColumnPart::Prompt, ColumnPart::Input]);
    }
    if mapping.has(ColumnPart::Messages) {
        gone.extend(OTHER_FORMS);
    } else if pair && !preference {
        gone.extend([ColumnPart::Prompt, ColumnPart::Input, ColumnPart::Completion, ColumnPart::Text]);
    } else if !preference {
        gone.extend([ColumnPart::Premise, ColumnPart::Hypothesis, ColumnPart::Explanation]);
        gone.push(if prompt { ColumnPart::Text } else { ColumnPart::Completion });
    }
    if !prompt {
        gone.push(ColumnPart::Input);
    }
    // "correct" is an answer's letter beside options, and elsewhere whether an answer is right.
    let is_correct =
        |column: &str| snake(column) == CORRECT && rows.iter().any(|row| row.contains_key(column));
    let is_number = |column: &str| rows.iter().filter_map(|row| row.get(column)).any(Value::is_number);
    let is_no_letter = |column: &str| is_number(column) || !names_options(rows);
    if mapping.column(ColumnPart::Label).is_some_and(|column| is_correct(column) && is_no_letter(column)) {
        gone.push(ColumnPart::Label);
    }
    if !is_answered(mapping) {
        gone.push(ColumnPart::Thought);
    }
    for part in gone {
        mapping.columns.remove(&part);
    }
    settle_thought(mapping);
}

/// Whether rows have an answer that a thought can belong to.
fn is_answered(mapping: &Mapping) -> bool {
    let has = |parts: [ColumnPart; 2]| parts.into_iter().all(|part| mapping.has(part));
    mapping.has(ColumnPart::Messages)
        || has([ColumnPart::Chosen, ColumnPart::Rejected])
        || has([ColumnPart::Premise, ColumnPart::Hypothesis])
        || has([ColumnPart::Prompt, ColumnPart::Completion])
}

/// A column with another part is no thought beside it, and in pairs of sentences `thought_process` is a student's, which
/// may be wrong.
pub(super) fn settle_thought(mapping: &mut Mapping) {
    let Some(column) = mapping.column(ColumnPart::Thought) else { return };
    let of_another = mapping.iter().any(|(part, other)| part != ColumnPart::Thought && other == column);
    let of_student = mapping.kind() == MappingKind::Nli && column.eq_ignore_ascii_case("thought_process");
    if of_student || of_another {
        mapping.columns.remove(&ColumnPart::Thought);
    }
}
