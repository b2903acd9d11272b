//! `dojo review stats`: how thoughts agree with the labels, how reviews stand, how reviewers agree.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::PrintedResult;
use crate::domain::agreement::Confusion;
use crate::domain::agreement_report::{AgreementReport, CURVE_STEP, Share};
use crate::session::Session;

pub(super) fn stats(session: &Session) -> Result<PrintedResult> {
    let report = session.agreement()?;
    let counts = session.review_counts()?;
    let confusion = &report.overall.confusion;
    let mut lines = vec![format!(
        "thoughts   {} of {} right ({}), {} without a true label",
        confusion.right(),
        confusion.total(),
        percent(confusion.accuracy()),
        report.overall.without_truth
    )];
    lines.extend(labels(confusion));
    for (name, share) in report.by_length().into_iter().filter(|(_, share)| share.all > 0) {
        lines.push(format!("{name:<10} {} of {} right, by tokens", share.right, share.all));
    }
    for (what, shares) in groups(&report) {
        lines.extend(group(what, shares));
    }
    lines.extend(curve(&report));
    lines.push(format!(
        "reviews    {} pending, {} approved, {} edited, {} rejected, {} sent back",
        counts.pending, counts.approved, counts.edited, counts.rejected, counts.sent_back
    ));
    if counts.uncorrected > 0 {
        lines.push(format!("           {} wrong thoughts that nobody has corrected", counts.uncorrected));
    }
    lines.push(format!(
        "ready      {} for SFT, {} preference pairs",
        counts.ready_for_sft, counts.preference_pairs
    ));
    if counts.contradicting > 0 {
        lines.push(super::leads::left_out(counts.contradicting));
    }
    for pair in &report.reviewers {
        let kappa = pair.kappa.map_or_else(|| "-".to_owned(), |kappa| format!("{kappa:.2}"));
        lines.push(format!(
            "kappa      {kappa} between {} and {}: {} of {} alike",
            pair.one, pair.other, pair.agreed, pair.shared
        ));
    }
    for (what, count) in &report.set_aside {
        lines.push(format!("set aside  {count} {what}"));
    }
    Ok((value(&report, counts), lines.join("\n")))
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1}%", share * 100.0))
}

fn labels(confusion: &Confusion) -> Vec<String> {
    let names = confusion.labels();
    let wide = names.iter().map(|name| name.chars().count()).max().unwrap_or(4).max(4);
    let mut lines: Vec<String> = names
        .iter()
        .map(|label| {
            let scores = confusion.scores(label);
            let (precision, recall, f1) =
                (percent(scores.precision), percent(scores.recall), percent(scores.f1));
            let row: Vec<String> =
                names.iter().map(|drawn| confusion.count(label, drawn).to_string()).collect();
            format!(
                "label {label:<wide$} precision {precision}, recall {recall}, F1 {f1}; answered {}",
                row.join(" / ")
            )
        })
        .collect();
    if names.len() > 1 {
        lines.push(format!("           (answered as {})", names.join(" / ")));
    }
    lines
}

fn groups(report: &AgreementReport) -> [(&'static str, &BTreeMap<String, Share>); 3] {
    [("model", &report.by_model), ("split", &report.by_split), ("tag", &report.by_tag)]
}

/// One group alone says what stands above already.
fn group(what: &str, shares: &BTreeMap<String, Share>) -> Vec<String> {
    if shares.len() < 2 && what != "model" {
        return Vec::new();
    }
    let line = |(name, share): (&String, &Share)| {
        format!("{what:<10} {name}: {} of {} right ({})", share.right, share.all, percent(share.ratio()))
    };
    shares.iter().map(line).collect()
}

fn curve(report: &AgreementReport) -> Option<String> {
    let points: Vec<String> = report
        .curve
        .iter()
        .enumerate()
        .filter(|(_, share)| share.all > 0)
        .map(|(at, share)| format!("{}: {} of {}", at as u32 * CURVE_STEP, percent(share.ratio()), share.all))
        .collect();
    (points.len() > 1).then(|| format!("curve      from tokens: {}", points.join(", ")))
}

fn value(report: &AgreementReport, counts: crate::session::ReviewCounts) -> Value {
    let confusion = &report.overall.confusion;
    let mut labels = Map::new();
    for label in confusion.labels() {
        let scores = confusion.scores(label);
        let answered: Map<String, Value> = confusion
            .labels()
            .into_iter()
            .map(|drawn| (drawn.to_owned(), confusion.count(label, drawn).into()))
            .collect();
        labels.insert(
            label.to_owned(),
            json!({"precision": scores.precision, "recall": scores.recall, "f1": scores.f1, "answered": answered}),
        );
    }
    let share = |share: &Share| json!({"right": share.right, "all": share.all});
    let lengths: Vec<Value> = report
        .by_length()
        .iter()
        .map(|(name, of)| json!({"tokens": name, "right": of.right, "all": of.all}))
        .collect();
    let mut value = json!({
        "thoughts": confusion.total(), "right": confusion.right(), "accuracy": confusion.accuracy(),
        "labels": labels, "lengths": lengths,
        "curve": {"tokens_a_point": CURVE_STEP, "points": report.curve.iter().map(share).collect::<Vec<_>>()},
        "pending": counts.pending, "approved": counts.approved, "edited": counts.edited,
        "rejected": counts.rejected, "sent_back": counts.sent_back, "uncorrected": counts.uncorrected,
        "ready_for_sft": counts.ready_for_sft,
        "preference_pairs": counts.preference_pairs, "contradicting": counts.contradicting, "set_aside": report.set_aside,
    });
    for (what, shares) in groups(report) {
        let named: Map<String, Value> = shares.iter().map(|(name, of)| (name.clone(), share(of))).collect();
        value[format!("by_{what}")] = named.into();
    }
    let pairs: Vec<Value> = report
        .reviewers
        .iter()
        .map(|pair| {
            json!({"one": pair.one, "other": pair.other, "shared": pair.shared, "agreed": pair.agreed,
                   "kappa": pair.kappa})
        })
        .collect();
    value["reviewers"] = pairs.into();
    value
}
