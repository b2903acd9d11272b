//! `dojo review show`, `aside` and `provenance`: reflections as they stand, one with its history, what was set aside,
//! and what a record gives to training.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::PrintedResult;
use crate::domain::recipe::Balance;
use crate::domain::record::RecordId;
use crate::domain::review::{QueueOrder, ReviewItem, Reviewed, VerdictState};
use crate::domain::review_filter::ReviewFilter;
use crate::domain::review_leads::Leads;
use crate::session::{Session, question};

pub(super) fn filter(words: &str) -> Result<ReviewFilter> {
    ReviewFilter::parse(words).map_err(|why| anyhow::anyhow!("the filter can't be read: {why}"))
}

pub(super) fn list(session: &Session, words: &str) -> Result<PrintedResult> {
    let rows = session.review_queue(&filter(words)?, QueueOrder::default())?;
    let mut lines = Vec::with_capacity(rows.len());
    let mut values = Vec::with_capacity(rows.len());
    for row in &rows {
        let score = row.score.map_or_else(|| "-".to_owned(), |score| score.to_string());
        let (number, verdict, labels) = match row.id {
            Reviewed::Correction(id) => (
                id.to_string(),
                format!("{} {:<9}", row.verdict.sign(), row.verdict.name()),
                format!("{} -> {}", row.flawed, row.label),
            ),
            Reviewed::Thought(id) => (format!("t{id}"), "· uncorrected".to_owned(), row.flawed.to_string()),
        };
        lines.push(format!(
            "{:>6}  {} record {:<7} {} (true {})  judge {score}  {} tokens  {}",
            number, verdict, row.record.0, labels, row.truth, row.tokens, row.teacher
        ));
        let (id, thought) = (row.id.correction(), row.id.thought());
        values.push(json!({
            "id": id, "thought": thought, "record": row.record, "verdict": row.verdict, "student": &*row.student,
            "student_label": &*row.flawed, "teacher": &*row.teacher, "label": &*row.label, "truth": &*row.truth,
            "score": row.score, "tokens": row.tokens,
        }));
    }
    let text = if lines.is_empty() { "nothing waits for a verdict".to_owned() } else { lines.join("\n") };
    Ok((values.into(), text))
}

pub(super) fn one(session: &Session, id: Reviewed) -> Result<PrintedResult> {
    let item = session.review_item(id)?.with_context(|| format!("find {id}"))?;
    let (thought, reflection) = (&item.thought, &item.reflection);
    let asked = question(&session.record(thought.record)?);
    let mut text = format!(
        "{asked}\n\nstudent ({}), label {} where {} is true\n{}\n",
        thought.model,
        thought.label,
        thought.truth.as_deref().unwrap_or("none"),
        thought.text,
    );
    if let Some(reflection) = reflection {
        text.push_str(&format!(
            "\nwhat went wrong\n{}\n\nteacher ({}), label {}\n{}\n",
            reflection.error_analysis,
            reflection.teacher,
            reflection.label,
            reflection.text(),
        ));
    }
    text.push_str(&format!("\nchecks     {}\n{}", checks(&item), chain(&item)));
    let said: Vec<Value> = item
        .verdicts
        .iter()
        .map(|said| {
            json!({"at": said.at, "who": said.who, "verdict": said.verdict, "edited": said.edited,
                   "comment": said.comment, "taken_back": said.state == VerdictState::TakenBack})
        })
        .collect();
    let value = json!({
        "question": asked, "source": item.source, "thought": thought, "reflection": reflection, "verdicts": said,
        "leads": super::leads::named(&item.checks.leads), "analysis_leads": super::leads::named(&item.checks.analysis),
        "odds": item.checks.odds,
    });
    Ok((value, text))
}

fn checks(item: &ReviewItem) -> String {
    let checks = &item.checks;
    let passed = |good| if good { "✓" } else { "!" };
    // What the words don't tell is neither passed nor failed.
    let told = |leads: &Leads| match leads {
        Leads::ToLabel => "✓",
        Leads::Elsewhere(_) => "!",
        Leads::Undecided => "?",
    };
    let marks = [
        (passed(checks.reaches_label), "reaches the label"),
        (passed(checks.three_steps), "three steps"),
        (passed(checks.length_fits), "length"),
        (passed(!checks.leaks_label), "concludes last"),
        (passed(!checks.copies_record), "own words"),
        (passed(!checks.repeats_flawed), "thinks anew"),
        (told(&checks.leads), "leads to its label"),
        (told(&checks.analysis), "analysis argues for it"),
    ];
    let label = item.label();
    let named = marks.map(|(mark, name)| format!("{mark} {name}"));
    let mut lines = format!("{}; {} tokens", named.join("  "), checks.tokens);
    for (what, leads) in [("conclusion", &checks.leads), ("analysis", &checks.analysis)] {
        if let Leads::Elsewhere(other) = leads {
            lines.push_str(&format!("\n{what:<10} speaks for {other}, and the label is {label}"));
        }
        if *leads == Leads::Undecided {
            lines.push_str(&format!("\n{what:<10} which label it speaks for isn't told by its words"));
        }
    }
    if let Some(odds) = &checks.odds {
        lines.push_str(&format!("\nodds       {}", super::leads::said(odds, label)));
    }
    lines
}

/// Where it comes from, link by link, and every word on it.
fn chain(item: &ReviewItem) -> String {
    let from = |prompt: &str| if prompt.is_empty() { "imported".to_owned() } else { prompt.to_owned() };
    let mut lines = vec![format!("record     {} from {}", item.thought.record, item.source)];
    let by = format!("by {}, {}", item.thought.model, from(&item.thought.prompt));
    let Some(reflection) = &item.reflection else {
        lines.push(format!("thought    {} {by}\ncorrection none yet", item.id.number()));
        return lines.join("\n");
    };
    lines.push(format!("thought    {} {by}", reflection.thought));
    lines.push(format!("correction by {}, {}", reflection.teacher, from(&reflection.prompt)));
    if let Some(score) = reflection.score {
        let judge = if reflection.judge.is_empty() { "imported" } else { &reflection.judge };
        lines.push(format!("judge      {score} of 5 by {judge}: {}", reflection.reasons));
    }
    if !reflection.improved_by.is_empty() {
        lines.push(format!("improved   by {}", reflection.improved_by));
    }
    for said in &item.verdicts {
        let when = chrono::DateTime::from_timestamp_millis(said.at)
            .map_or_else(String::new, |at| at.format("%Y-%m-%d %H:%M UTC").to_string());
        let note = if said.state == VerdictState::TakenBack { " (taken back)" } else { "" };
        let comment = if said.comment.is_empty() { String::new() } else { format!(": {}", said.comment) };
        lines.push(format!("verdict    {} by {}, {when}{note}{comment}", said.verdict.name(), said.who));
    }
    if item.verdicts.is_empty() {
        lines.push(format!("verdict    {}", reflection.verdict.name()));
    }
    lines.join("\n")
}

pub(super) fn aside(session: &Session) -> Result<PrintedResult> {
    let all = session.all_set_aside()?;
    let mut lines = Vec::new();
    let mut values = Vec::new();
    for one in &all {
        lines.push(format!(
            "{} of record {} by {}: {}\n{}\n",
            one.job, one.record, one.model, one.reason, one.raw
        ));
        values.push(json!({
            "job": one.job, "record": one.record, "model": one.model, "reason": one.reason, "raw": one.raw,
        }));
    }
    let text = if lines.is_empty() { "nothing was set aside".to_owned() } else { lines.join("\n") };
    Ok((values.into(), text))
}

pub(super) fn provenance(session: &Session, record: i64) -> Result<PrintedResult> {
    let own = session.record(RecordId(record))?;
    let mut rows = Vec::new();
    let lessons = session.lessons(Balance::AsItIs)?;
    for lesson in lessons.iter().filter(|lesson| lesson.record == RecordId(record)) {
        rows.push(json!({
            "sets": if lesson.rejected.is_some() { vec!["sft", "pairs"] } else { vec!["sft"] },
            "source": own.provenance.source, "line": own.provenance.line,
            "label": lesson.label, "text": lesson.text, "chain": lesson.provenance,
        }));
    }
    let mut text = format!("record {record} from {}:{}\n", own.provenance.source, own.provenance.line);
    if rows.is_empty() {
        text.push_str("it gives nothing to the training set: no right thought, no accepted correction");
    }
    for row in &rows {
        text.push_str(&format!("\n{}\n{}\n", row["text"].as_str().unwrap_or_default(), row["chain"]));
    }
    Ok((rows.into(), text.trim_end().to_owned()))
}
