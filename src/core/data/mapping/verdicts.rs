//! What somebody who went through the rows thought of one, as words and marks: a verdict, thumbs, a decision of an
//! annotation tool. A row whose answer was found wrong is left out, and so is one that was rejected.

use serde_json::Value;

use super::beside::opened;
use super::detect::names;
use super::forms::is_unsaid;
use super::judged::is_answer;
use super::marks::Mark;
use super::words::{head, is_any, wanted, yes_or_no};
use super::{ColumnPart, Mapping, MappingKind};
use crate::domain::record::Fields;

/// The column that says which option is right, or whether an answer is.
pub(super) const CORRECT: &str = "correct";

/// Columns that judge an answer by a word.
const VERDICTS: [&str; 38] = [
    "verdict",
    "final_verdict",
    "judge_verdict",
    "human_verdict",
    "judgement",
    "judgment",
    "judge",
    "thumbs",
    "thumb",
    "thumbs_rating",
    "vote",
    "user_vote",
    "reaction",
    "user_reaction",
    "feedback",
    "user_feedback",
    "human_feedback",
    "rating",
    "user_rating",
    "human_rating",
    "assessment",
    "evaluation",
    "grade",
    "quality",
    "decision",
    CORRECT,
    "is_correct",
    "correctness",
    "answer_correct",
    "is_right",
    "score",
    "quality_label",
    "answer_quality",
    "response_quality",
    "judge_label",
    "passed",
    "pass",
    "tests_passed",
];
/// Of these, those that also judge by false, and those that do by a number: 0, or less than 0.
const BY_TRUTH: [&str; 13] = [
    "verdict",
    "final_verdict",
    "judge_verdict",
    "human_verdict",
    CORRECT,
    "is_correct",
    "correctness",
    "answer_correct",
    "is_right",
    "thumbs",
    "passed",
    "pass",
    "tests_passed",
];
const BY_NONE: [&str; 8] = [
    CORRECT,
    "is_correct",
    "answer_correct",
    "is_right",
    "verdict",
    "final_verdict",
    "judge_verdict",
    "human_verdict",
];
const BY_SIGN: [&str; 6] = ["thumbs", "thumb", "vote", "user_vote", "reaction", "user_reaction"];
/// Columns that say by true that an answer is wrong.
const WRONG: [&str; 4] = ["is_wrong", "is_incorrect", "wrong", "incorrect"];
/// More words of a verdict on an answer, which elsewhere are about something else.
const DOWN: [&str; 6] = ["down", "fail", "failed", "negative", "inaccurate", "false"];
/// Columns that speak of nothing else, also beside a text that is learnt as it stands.
const PLAIN: [&str; 12] = [
    "verdict",
    "final_verdict",
    "judge_verdict",
    "human_verdict",
    "thumbs",
    "thumb",
    "thumbs_rating",
    "vote",
    "user_vote",
    "is_correct",
    "answer_correct",
    "is_right",
];

/// The column of Prodigy's decisions, and these. The other columns are Prodigy's own.
pub(super) const DECISION: &str = "answer";
const DECISIONS: [&str; 3] = ["accept", "reject", "ignore"];
const PRODIGY: [&str; 5] = ["_task_hash", "_input_hash", "_session_id", "_view_id", "_annotator_id"];

/// Whether a cell is Prodigy's decision over its row.
fn is_decision(name: &str, value: &Value) -> bool {
    name.eq_ignore_ascii_case(DECISION) && value.as_str().is_some_and(|text| is_any(&DECISIONS, text.trim()))
}

/// Whether the column `answer` holds Prodigy's decisions: nothing else is there, and the rows are Prodigy's, have another
/// answer, or ask nothing.
pub(super) fn decides(rows: &[Fields]) -> bool {
    let is_named = |name: &str| name.eq_ignore_ascii_case(DECISION);
    let mut cells = rows.iter().flatten().filter(|(name, value)| is_named(name) && !is_unsaid(value));
    let all = rows.iter().flatten().any(|(name, _)| is_named(name))
        && cells.all(|(name, value)| is_decision(name, value));
    let has = |parts: &[ColumnPart]| {
        let of_part = |name: &String| {
            !is_named(name)
                && parts.iter().any(|part| names(*part).iter().any(|own| name.eq_ignore_ascii_case(own)))
        };
        rows.iter().flat_map(Fields::keys).any(of_part)
    };
    let of_prodigy = || rows.iter().flat_map(Fields::keys).any(|name| PRODIGY.contains(&name.as_str()));
    all && (of_prodigy()
        || has(&[ColumnPart::Completion, ColumnPart::Messages])
        || !has(&[ColumnPart::Prompt]))
}

/// Whether the column `correct` says which option is right, by letters or places: one of them is no yes or no.
pub(super) fn names_options<'f>(rows: impl IntoIterator<Item = &'f Fields>) -> bool {
    let is_named = |(name, value): &(&String, &Value)| is_any(&[CORRECT], name) && !is_unsaid(value);
    let is_place = |text: &str| text.chars().count() == 1 || text.parse::<u32>().is_ok();
    let cells = rows.into_iter().flatten().filter(is_named);
    let texts: Vec<String> = cells
        .map(|(_, value)| value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned()))
        .collect();
    let of_neither =
        |text: &String| yes_or_no(&Value::String(text.clone())).is_none() && Mark::of(text).is_none();
    texts.iter().all(|text| is_place(text)) && texts.iter().any(of_neither)
}

/// What a column says, if it finds the row's answer wrong or rejects the row.
pub(super) fn found_wrong(mapping: &Mapping, fields: &Fields, name: &str, value: &Value) -> Option<String> {
    let said = || Some(value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned()));
    if is_decision(name, value) {
        return said().filter(|text| !text.eq_ignore_ascii_case(DECISIONS[0]));
    }
    let is_known = is_any(&VERDICTS, name) || is_any(&WRONG, name);
    let is_judged = match mapping.kind() {
        // A pair is judged by itself.
        MappingKind::Preference | MappingKind::Prompts | MappingKind::Columns => false,
        // What is beside a pair of sentences may be about its label; another row of the file is judged.
        MappingKind::Nli => {
            !mapping.column(ColumnPart::Premise).is_some_and(|column| fields.contains_key(column))
        }
        // Beside a text it may be a class.
        MappingKind::Text => is_any(&PLAIN, name),
        MappingKind::Messages
        | MappingKind::ShareGpt
        | MappingKind::Alpaca
        | MappingKind::PromptCompletion
        | MappingKind::QuestionAnswer
        | MappingKind::QueryExpansion => true,
    };
    let is_wrong = is_known && is_judged && finds_wrong(name, value) && !is_answer(mapping, fields, name);
    if is_wrong { said() } else { None }
}

/// Whether a column or key by that name finds an answer wrong.
pub(super) fn finds_wrong(name: &str, value: &Value) -> bool {
    if is_any(&WRONG, name) {
        return yes_or_no(&opened(value)) == Some(true);
    }
    is_any(&VERDICTS, name) && judges(name, value)
}

/// Whether the value of a verdict says that the answer is wrong.
fn judges(name: &str, value: &Value) -> bool {
    match opened(value) {
        Value::Bool(told) => !told && is_any(&BY_TRUTH, name),
        Value::Number(number) => {
            let number = number.as_f64();
            number == Some(0.0) && is_any(&BY_NONE, name)
                || number.is_some_and(|number| number < 0.0) && is_any(&BY_SIGN, name)
        }
        Value::String(text) => {
            wanted(&text) == Some(false)
                || is_any(&DOWN, head(&text))
                || is_any(&BY_NONE, name) && yes_or_no(&Value::String(text)) == Some(false)
        }
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Names of what annotators said of a row, as Argilla and Label Studio export it, and of a list of states alone.
const RESPONSES: [&str; 4] = ["responses", "response", "annotations", "completions"];
/// What became of one annotator's work.
const STATE: &str = "status";
const UNFINISHED: [&str; 3] = ["discarded", "draft", "pending"];

/// What annotators said of a row, where one discarded it and none submitted it.
pub(super) fn discarded(name: &str, value: &Value) -> Option<String> {
    let items = value.as_array().filter(|items| !items.is_empty())?;
    let lower = name.to_ascii_lowercase();
    let of_states = lower.ends_with("responses.status") || lower.ends_with("response.status");
    let last = lower.rsplit('.').next().unwrap_or_default();
    if !of_states && !RESPONSES.contains(&last) {
        return None;
    }
    let state = |item: &Value| {
        if item.get("was_cancelled").and_then(Value::as_bool) == Some(true) {
            return Some("discarded".to_owned());
        }
        item.get(STATE).unwrap_or(item).as_str().filter(|_| of_states || item.is_object()).map(str::to_owned)
    };
    let states: Option<Vec<String>> = items.iter().map(state).collect();
    let states = states?;
    let all = states.iter().all(|state| is_any(&UNFINISHED, state));
    let is_discarded = all && states.iter().any(|state| is_any(&UNFINISHED[..1], state));
    is_discarded.then(|| "discarded".to_owned())
}
