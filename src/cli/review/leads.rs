//! `dojo review leads`: what concludes another label than its own.

use std::collections::HashSet;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::PrintedResult;
use crate::app::review::{ThoughtReader, measure};
use crate::cli::job_bar;
use crate::config::Folders;
use crate::domain::filter::Filter;
use crate::domain::review_leads::{Leads, Odds};
use crate::domain::view::SortOrder;
use crate::session::{Led, Reviewed, Session};

pub(super) fn leads(
    folders: &Folders,
    session: &mut Session,
    model: Option<&str>,
    filter: &Filter,
) -> Result<PrintedResult> {
    let wanted: Option<HashSet<i64>> = match filter {
        Filter::Everything => None,
        filter => {
            let view =
                session.view(filter, SortOrder::default()).context("find the records of the filter")?;
            Some(view.ids().iter().copied().collect())
        }
    };
    let is_wanted = |led: &Led| wanted.as_ref().is_none_or(|wanted| wanted.contains(&led.record.0));
    if let Some(model) = model {
        let reader = ThoughtReader::load(folders, session, model)?;
        measure(session, &reader, is_wanted, &AtomicBool::new(false), &mut job_bar::counting())?;
    }
    let led: Vec<Led> = session.led()?.into_iter().filter(is_wanted).collect();
    let (corrections, thoughts): (Vec<&Led>, Vec<&Led>) =
        led.iter().partition(|led| matches!(led.of, Reviewed::Correction(_)));
    let mut lines: Vec<String> = Vec::new();
    for led in led.iter().filter(|led| led.is_elsewhere() || led.analysis.is_elsewhere()) {
        lines.push(line(led));
    }
    lines.push(summary("corrections", &corrections));
    lines.push(summary("right", &thoughts));
    let values: Vec<Value> = led.iter().map(value).collect();
    Ok((values.into(), lines.join("\n")))
}

fn summary(what: &str, of: &[&Led]) -> String {
    let count = |fits: &dyn Fn(&Led) -> bool| of.iter().filter(|led| fits(led)).count();
    let by_odds = |led: &Led| led.odds.as_ref().is_some_and(|odds| odds.leads(&led.label).is_elsewhere());
    let measured = count(&|led| led.odds.is_some());
    let odds = if measured == 0 {
        "none read by a model".to_owned()
    } else {
        format!("{} by the odds of {measured} read by a model", count(&by_odds))
    };
    let analyses = count(&|led| led.analysis.is_elsewhere());
    let analyses = if analyses == 0 { String::new() } else { format!("; {analyses} with such an analysis") };
    format!(
        "{what:<11} {} of {} conclude another label: {} by their words ({} undecided), {odds}{analyses}",
        count(&Led::is_elsewhere),
        of.len(),
        count(&|led| led.words.is_elsewhere()),
        count(&|led| led.words == Leads::Undecided),
    )
}

fn line(led: &Led) -> String {
    let named = match led.of {
        Reviewed::Correction(id) => format!("correction {id}"),
        Reviewed::Thought(id) => format!("thought {id}"),
    };
    let mut why = Vec::new();
    if let Leads::Elsewhere(other) = &led.words {
        why.push(format!("its words conclude {other}"));
    }
    if let Some(odds) = led.odds.as_ref().filter(|odds| odds.leads(&led.label).is_elsewhere()) {
        why.push(said(odds, &led.label));
    }
    if let Leads::Elsewhere(other) = &led.analysis {
        why.push(format!("its error analysis argues for {other}"));
    }
    format!("{named:<16} record {:<7} label {}: {}", led.record, led.label, why.join("; "))
}

/// `odds of neutral -3.1 (qwen); likeliest entailment`.
pub(super) fn said(odds: &Odds, label: &str) -> String {
    let own = odds.log_odds(label).map_or_else(|| "none".to_owned(), |odds| format!("{odds:+.1}"));
    let likeliest = odds.labels.iter().max_by(|(_, one), (_, other)| one.total_cmp(other));
    let other = likeliest.filter(|(name, _)| name != label);
    let other = other.map_or_else(String::new, |(name, _)| format!(", likeliest {name}"));
    format!("log-odds of {label} {own} by {}{other}", odds.model)
}

pub(super) fn left_out(count: u64) -> String {
    let thoughts = if count == 1 {
        "1 right thought that concludes"
    } else {
        &format!("{count} right thoughts that conclude")
    };
    format!("left out: {thoughts} another label; `dojo review leads` names what and why")
}

fn value(led: &Led) -> Value {
    let (correction, thought) = match led.of {
        Reviewed::Correction(id) => (Some(id), None),
        Reviewed::Thought(id) => (None, Some(id)),
    };
    json!({
        "correction": correction, "thought": thought, "record": led.record, "label": led.label,
        "words": named(&led.words), "analysis": named(&led.analysis),
        "log_odds": led.odds.as_ref().and_then(|odds| odds.log_odds(&led.label)), "odds": led.odds,
        "leads_elsewhere": led.is_elsewhere(),
    })
}

/// `label`, `undecided`, or the other label.
pub(super) fn named(leads: &Leads) -> Value {
    match leads {
        Leads::ToLabel => json!({"leads": "label"}),
        Leads::Elsewhere(other) => json!({"leads": "elsewhere", "to": other}),
        Leads::Undecided => json!({"leads": "undecided"}),
    }
}
