//! `dojo runs data`: what a run was trained on.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::json;

use crate::app::review::sets::RowsNow;
use crate::app::runs::RunSummary;
use crate::app::train::recipe;
use crate::cli::print;
use crate::config::Folders;
use crate::domain::recipe::Recipe;
use crate::session::{self, Access, Purpose, Seen, Session, Since};
use crate::ui::widgets::text;

/// Records that are told one by one; `--json` tells all.
const TOLD: usize = 20;

pub(super) fn tell(run: &RunSummary, as_json: bool) -> Result<()> {
    let seen = session::what_a_run_saw(run.folder.path())?.with_context(|| {
        format!("{} has not read its data yet, or began under a version that did not note it", run.name)
    })?;
    let recipe = recipe::of_run(&run.folder, &[])?;
    let since = since(&recipe, &seen)?;
    if as_json {
        let records: Vec<_> = seen
            .iter()
            .enumerate()
            .map(
                |(at, seen)| json!({ "seen": seen, "since": since.as_ref().and_then(|since| since.get(at)) }),
            )
            .collect();
        let count = |wanted| since.as_ref().map(|since| of(since, wanted));
        let report = json!({
            "run": run.name, "train": purpose(&seen, Purpose::Train), "eval": purpose(&seen, Purpose::Eval),
            "data": recipe.data, "same": count(Since::Same), "changed": count(Since::Changed),
            "gone": count(Since::Gone), "records": records,
        });
        print::say(&report.to_string())?;
    } else {
        print::say(&words(&run.name, &recipe, &seen, since.as_deref()))?;
    }
    Ok(())
}

/// What became of each, where they are of a session that is still there.
fn since(recipe: &Recipe, seen: &[Seen]) -> Result<Option<Vec<Since>>> {
    let Some(folder) = recipe.data.session.as_deref().filter(|_| seen.iter().any(|seen| seen.id.is_some()))
    else {
        return Ok(None);
    };
    let session = Session::open(std::path::Path::new(folder), Access::Read)
        .with_context(|| format!("open the session that the run read, {folder}"))?;
    let mut rows = RowsNow::default();
    let folders = Folders::from_environment()?;
    for source in [Some(&recipe.data.train), recipe.data.eval.as_ref()].into_iter().flatten() {
        rows.add(&folders, &session, source)?;
    }
    let since = |seen: &Seen| match &seen.provenance {
        Some(chain) => Ok(rows.since(seen, chain)),
        None => session::since(&session, seen),
    };
    Ok(Some(seen.iter().map(since).collect::<Result<Vec<_>, _>>()?))
}

fn purpose(seen: &[Seen], wanted: Purpose) -> usize {
    seen.iter().filter(|seen| seen.purpose == wanted).count()
}

fn of(since: &[Since], wanted: Since) -> usize {
    since.iter().filter(|since| **since == wanted).count()
}

fn words(name: &str, recipe: &Recipe, seen: &[Seen], since: Option<&[Since]>) -> String {
    let count = |number: usize| text::count(number as u64);
    let (train, eval) = (purpose(seen, Purpose::Train), purpose(seen, Purpose::Eval));
    let mut lines = vec![format!("{name}: trained on {}, evaluated on {}", count(train), count(eval))];
    lines.push(format!("train  {}", recipe.data.train));
    lines.extend(recipe.data.eval.iter().map(|eval| format!("eval   {eval}")));
    lines.extend(recipe.data.session.iter().map(|session| format!("of     {session}")));
    let mut sources: BTreeMap<&str, usize> = BTreeMap::new();
    for seen in seen {
        *sources.entry(if seen.source.is_empty() { "written by hand" } else { &seen.source }).or_default() +=
            1;
    }
    lines.extend(
        sources.iter().take(TOLD).map(|(source, records)| format!("{:>8}  {source}", count(*records))),
    );
    let chains = seen.iter().filter_map(|seen| seen.provenance.as_ref());
    let (corrections, thoughts): (Vec<_>, Vec<_>) = chains.partition(|chain| chain["reflection"].is_i64());
    if corrections.len() + thoughts.len() > 0 {
        lines.push(format!(
            "review {} right thoughts, {} accepted corrections; --json tells each one's student, teacher, judge and reviewer",
            count(thoughts.len()),
            count(corrections.len())
        ));
    }
    if let Some(since) = since {
        let [same, changed, gone] =
            [Since::Same, Since::Changed, Since::Gone].map(|wanted| of(since, wanted));
        lines.push(format!(
            "since  {} are as the run saw them, {} were changed, {} are gone",
            count(same),
            count(changed),
            count(gone)
        ));
        let others = seen.iter().zip(since).filter(|(_, since)| **since != Since::Same);
        lines.extend(others.take(TOLD).filter_map(|(seen, since)| {
            let word = if *since == Since::Gone { "gone" } else { "changed" };
            Some(format!(
                "{word:>8}  record {} ({}:{}), version {}",
                seen.id?, seen.source, seen.line, seen.version
            ))
        }));
        if changed + gone > TOLD {
            lines.push(format!("{:>8}  and {} more: --json tells all", "", count(changed + gone - TOLD)));
        }
    }
    lines.join("\n")
}
