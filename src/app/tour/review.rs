//! The step in which a corrected thought waits for a verdict.

use anyhow::{Context, Result};

use super::{Tour, TourHost};
use crate::app::review;
use crate::domain::reflection::{Decision, Verdict};
use crate::domain::review::{QueueOrder, Reviewed};
use crate::domain::review_filter::ReviewFilter;
use crate::session::{Session, question};

pub(super) fn run(tour: &mut Tour, host: &mut dyn TourHost) -> Result<String> {
    let mut session = review::open(&tour.session)?;
    bring_in(tour, &mut session)?;
    let waiting = session.review_queue(&pending()?, QueueOrder::default())?;
    let first = waiting.iter().find_map(|row| row.id.correction());
    let id = first.context("no correction waits for a verdict: all of the sample's are decided on")?;
    let item = session.review_item(Reviewed::Correction(id))?.context("find the correction that waits")?;
    let reflection = item.reflection.as_ref().context("find the correction that waits")?;
    let thought = &item.thought;
    host.say(&format!(
        "{}\n\nthe student thought (label {}, true is {}):\n{}\n\nwhat went wrong:\n{}\n\nthe teacher's correction (label {}):\n{}\n",
        question(&session.record(thought.record)?),
        thought.label,
        thought.truth.as_deref().unwrap_or("none"),
        thought.text,
        reflection.error_analysis,
        reflection.label,
        reflection.text(),
    ))?;
    let verdict =
        if host.agrees("approve this correction?")? { Verdict::Approved } else { Verdict::Rejected };
    session.decide(&[id], &Decision::of(verdict))?;
    let counts = session.review_counts()?;
    let told = format!(
        "correction {id} is {}; {} ready for SFT, {} pairs for DPO, {} wait",
        verdict.name(),
        counts.ready_for_sft,
        counts.preference_pairs,
        waiting.len().saturating_sub(1)
    );
    host.say(&told)?;
    Ok(told)
}

/// The thoughts and corrections that the sample ships, once.
fn bring_in(tour: &Tour, session: &mut Session) -> Result<()> {
    if session.has_thoughts()? {
        return Ok(());
    }
    let read = |name: &str| {
        let path = tour.session.path.join(name);
        std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    };
    session.import_thoughts("thoughts.jsonl", &read("thoughts.jsonl")?)?;
    session.import_reflections("reflections.jsonl", &read("reflections.jsonl")?)?;
    Ok(())
}

fn pending() -> Result<ReviewFilter> {
    ReviewFilter::parse("verdict:pending").map_err(|why| anyhow::anyhow!("find what waits: {why}"))
}
