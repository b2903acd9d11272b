//! `dojo bench ui`: the Data pane over many rows, in a session that is made for it.

use anyhow::Result;

use super::bench::{Figure, figure, quantile};
use super::bench_data;
use crate::app::sessions;
use crate::config::Folders;
use crate::data::hash::row_hash;
use crate::domain::message::{Message, Role};
use crate::domain::record::{Fields, Provenance, Record};
use crate::session::{Importer, Prepared, Session};

/// Records of `dojo bench ui`.
pub const ROWS: usize = 200_000;
/// So many are written in one transaction.
const BATCH: usize = 10_000;
/// Filters that are pasted: a word of the index, a column, both.
const FILTERS: [&str; 3] = ["ferry", "turns:2", "island turns>1"];

/// Fills a session with so many records, opens it and scrolls, jumps and filters.
///
/// # Errors
/// Where the session can't be written, or the studio never shows what it should.
pub fn measure(folders: &Folders, rows: usize) -> Result<Vec<Figure>> {
    let info = sessions::create(folders, "bench-rows")?;
    fill(&mut Session::create(&info.path)?, rows)?;
    let mut times = bench_data::measure(folders, info, &FILTERS)?;
    Ok(vec![
        figure("many rows, from nothing to the first ones", times.first_rows, 500.0),
        figure("many rows, key to screen, p99", quantile(&mut times.frames, 0.99), 50.0),
        figure("many rows, a jump until they are there, p99", quantile(&mut times.jumps, 0.99), 100.0),
        figure("many rows, a filter until its first ones, slowest", quantile(&mut times.filters, 1.0), 500.0),
    ])
}

fn fill(session: &mut Session, rows: usize) -> Result<()> {
    let mut importer = Importer::begin(session, "bench.jsonl", "")?;
    for first in (0..rows).step_by(BATCH) {
        let batch = (first..rows.min(first + BATCH)).map(|number| Prepared::of(record(number)));
        importer.add(&batch.collect::<Result<Vec<_>, _>>()?, &[])?;
    }
    importer.finish()?;
    while !session.index_state()?.complete() {
        session.build_index(|_| true)?;
    }
    Ok(())
}

fn record(number: usize) -> Record {
    let messages = vec![
        Message::new(Role::User, format!("When does the ferry to island {number} run, and who may take it?")),
        Message::new(Role::Assistant, format!("From May to September, {} times a day; all may.", number % 9)),
    ];
    let fields = Fields::from_iter([("number".to_owned(), number.into())]);
    let hash = row_hash(&fields, &[]);
    let provenance =
        Provenance { source: "bench.jsonl".to_owned(), line: number as u64 + 1, hash, occurrence: 0 };
    Record { fields, messages, provenance, ..Record::default() }
}
