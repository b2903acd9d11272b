//! Files into a session: reading and preparing on one side, writing on the other, with little waiting between them.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rayon::prelude::*;

use super::content::Prepared;
use super::import::{ImportCounts, Importer, Reject};
use super::{Result, Session, SessionError};
use crate::data::import::Import;
use crate::domain::record::Fields;

/// Prepared batches that may wait for the writer: with those in hand, some 50 MB.
const WAITING: usize = 2;

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct ImportProgress {
    #[serde(flatten)]
    pub counts: ImportCounts,
    pub bytes: u64,
    pub total_bytes: u64,
}

/// How an import ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportEnd {
    AtTheEnd,
    /// It was told to stop: what was committed stays, and the same import takes it up again.
    Stopped,
}

struct PreparedBatch {
    records: Vec<Prepared>,
    rejects: Vec<Reject>,
    bytes: u64,
    total_bytes: u64,
}

/// Imports what was opened, under the name by which it can be resumed. Asks after every batch whether to go on.
///
/// # Errors
/// Where a file can't be read any further or the session can't be written; whole batches stay.
pub fn import(
    session: &mut Session,
    name: &str,
    source: Import,
    mut go_on: impl FnMut(ImportProgress) -> bool,
) -> Result<(ImportCounts, ImportEnd)> {
    let mappings: Vec<_> = source.files().iter().map(|file| (&file.source, &file.mapping)).collect();
    let mapping = serde_json::to_string(&mappings)?;
    let mut importer = Importer::begin(session, name, &mapping)?;
    std::thread::scope(|scope| {
        let (sender, batches) = sync_channel(WAITING);
        scope.spawn(move || produce(source, &sender));
        let ended = consume(&mut importer, &batches, &mut go_on);
        // The other side ends when nobody takes its batches.
        drop(batches);
        match ended.map_err(|error| error.after(importer.counts().added))? {
            ImportEnd::AtTheEnd => {
                let added = importer.counts().added;
                Ok((importer.finish().map_err(|error| error.after(added))?, ImportEnd::AtTheEnd))
            }
            ImportEnd::Stopped => Ok((importer.counts(), ImportEnd::Stopped)),
        }
    })
}

fn produce(mut source: Import, sender: &SyncSender<Result<PreparedBatch>>) {
    loop {
        let batch = match source.next_batch() {
            Ok(Some(batch)) => batch,
            Ok(None) => return,
            Err(error) => {
                // Nobody listens any more if this fails: then somebody else has stopped the import.
                sender.send(Err(SessionError::Reading(error))).ok();
                return;
            }
        };
        let (bytes, total_bytes) = source.progress();
        let prepared: Result<Vec<Prepared>> = batch.records.into_par_iter().map(Prepared::of).collect();
        let rejects = batch.malformed.into_iter().map(|bad| Reject {
            source: bad.source,
            line: bad.line,
            reason: bad.reason,
            start: bad.start,
        });
        let rejects = rejects.collect();
        let batch = prepared.map(|records| PreparedBatch { records, rejects, bytes, total_bytes });
        if sender.send(batch).is_err() {
            return;
        }
    }
}

fn consume(
    importer: &mut Importer<'_>,
    batches: &Receiver<Result<PreparedBatch>>,
    go_on: &mut impl FnMut(ImportProgress) -> bool,
) -> Result<ImportEnd> {
    while let Ok(batch) = batches.recv() {
        let batch = batch?;
        let counts = importer.add(&batch.records, &batch.rejects)?;
        if !go_on(ImportProgress { counts, bytes: batch.bytes, total_bytes: batch.total_bytes }) {
            return Ok(ImportEnd::Stopped);
        }
    }
    Ok(ImportEnd::AtTheEnd)
}

/// The columns of a file's first rows, by which a mapping is remembered.
#[must_use]
pub fn columns(sample: &[Fields]) -> Vec<String> {
    let mut columns: Vec<String> = sample.iter().flat_map(Fields::keys).cloned().collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}
