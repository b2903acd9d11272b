//! `dojo bench review`: how long a person waits for the next reflection, with the program's own parts and a session on
//! disk in which many wait.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::bench::{Figure, figure, quantile};
use super::headless::Headless;
use crate::app::sessions;
use crate::config::Folders;
use crate::domain::record::{Fields, Provenance, Record, RecordId};
use crate::domain::reflection::{Reflection, Verdict};
use crate::domain::thought::{Thought, estimated_tokens};
use crate::session::{Importer, Prepared, Session};

/// The screen: columns and rows.
const SIZE: (u16, u16) = (120, 36);
/// Verdicts that count.
const ROUNDS: usize = 200;
/// So many reflections are written in one transaction.
const BATCH: usize = 5_000;
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Fills a session with reflections that wait, opens it in the studio and approves some of them, each as soon as it is
/// on the screen.
///
/// # Errors
/// Where the session can't be written, or the studio never shows what it should.
pub fn measure(folders: &Folders, waiting: usize) -> Result<Vec<Figure>> {
    let info = sessions::create(folders, "bench-review")?;
    fill(&mut Session::create(&info.path)?, waiting)?;
    let mut studio = Headless::start(folders, Some(info), SIZE)?;
    let opening = Instant::now();
    studio.press("2")?;
    wait(&mut studio, &place(1, waiting))?;
    let opened = opening.elapsed();
    let mut times = Vec::with_capacity(ROUNDS);
    let mut sums = Vec::with_capacity(ROUNDS);
    for number in 2..=ROUNDS.min(waiting) {
        let start = Instant::now();
        studio.press("enter")?;
        wait(&mut studio, &place(number, waiting))?;
        times.push(start.elapsed());
        sums.push(studio.take_in());
    }
    Ok(vec![
        figure("opening the queue, until the first reflection is on the screen", opened, 2_000.0),
        figure("key to next reflection, its verdict on disk, median", quantile(&mut times, 0.5), 50.0),
        figure("key to next reflection, its verdict on disk, p95", quantile(&mut times, 0.95), 50.0),
        figure("key to next reflection, its verdict on disk, slowest", quantile(&mut times, 1.0), 100.0),
        figure("one event taken in and drawn, slowest", quantile(&mut sums, 1.0), 50.0),
    ])
}

fn place(number: usize, all: usize) -> String {
    let count = |number: usize| crate::ui::widgets::text::count(number as u64);
    format!("reflection {} of {} · ◌ pending", count(number), count(all))
}

/// Until the screen holds a text, and the reflection in front was read.
fn wait(studio: &mut Headless, text: &str) -> Result<()> {
    studio.wait_until(PATIENCE, |studio| {
        let shown = studio.text();
        shown.contains(text) && !shown.contains("reading …")
    })
}

const FLAWED: &str = "step 1: The premise says that the ferry runs in summer. step 2: The hypothesis is about another \
    month, number {}, which is not named. step 3: So it does not follow.";
const CORRECTED: &str = "step 1: The premise limits the ferry to summer, in line {}. step 2: A winter month lies \
    outside of that time, so no ferry runs. step 3: It can't be taken then, so the hypothesis follows.";

fn fill(session: &mut Session, count: usize) -> Result<()> {
    let records: Vec<Record> = (0..count).map(record).collect();
    let mut importer = Importer::begin(session, "bench.jsonl", "")?;
    for batch in records.chunks(BATCH) {
        let prepared = batch.iter().cloned().map(Prepared::of).collect::<Result<Vec<_>, _>>()?;
        importer.add(&prepared, &[])?;
    }
    importer.finish()?;
    for begin in (0..count).step_by(BATCH) {
        let numbers = begin..(begin + BATCH).min(count);
        let thoughts: Vec<Thought> = numbers.clone().map(thought).collect();
        let ids = session.add_thoughts(&thoughts)?;
        let reflections: Vec<Reflection> =
            numbers.zip(ids).map(|(number, id)| reflection(number, id)).collect();
        session.add_reflections(&reflections)?;
    }
    Ok(())
}

fn record(number: usize) -> Record {
    let field = |name: &str, text: String| (name.to_owned(), serde_json::Value::String(text));
    let fields = Fields::from_iter([
        field("premise", format!("The ferry to island {number} only runs in summer.")),
        field("hypothesis", format!("In January one can't take the ferry to island {number}.")),
    ]);
    let hash = crate::data::hash::row_hash(&fields, &[]);
    let provenance =
        Provenance { source: "bench.jsonl".to_owned(), line: number as u64 + 1, hash, occurrence: 0 };
    Record { fields, label: Some("1".to_owned()), provenance, ..Record::default() }
}

fn thought(number: usize) -> Thought {
    let text = FLAWED.replace("{}", &number.to_string());
    Thought {
        record: RecordId(number as i64 + 1),
        tokens: estimated_tokens(&text),
        text,
        label: "0".to_owned(),
        truth: Some("1".to_owned()),
        model: "student".to_owned(),
        prompt: "think@bench".to_owned(),
    }
}

fn reflection(number: usize, thought: crate::domain::thought::ThoughtId) -> Reflection {
    Reflection {
        record: RecordId(number as i64 + 1),
        thought,
        error_analysis: "Step 2 overlooks that a winter month lies outside of summer.".to_owned(),
        corrected: CORRECTED.replace("{}", &number.to_string()),
        label: "1".to_owned(),
        teacher: "teacher".to_owned(),
        prompt: "reflect@bench".to_owned(),
        verdict: Verdict::Pending,
        edited: None,
        score: Some((number % 5 + 1) as u8),
        reasons: String::new(),
        reviewer: String::new(),
        comment: String::new(),
        judge: "judge".to_owned(),
        improved_by: String::new(),
    }
}
