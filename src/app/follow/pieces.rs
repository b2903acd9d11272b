//! Where in a metrics file which steps stand, so that a part of a long run is read without the rest.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::scan::Scanner;
use crate::domain::series::{MetricChunk, MetricColumn};

/// Neighbouring looks become one piece up to so many bytes.
const PIECE_BYTES: u64 = 1 << 20;

/// The pieces of one file, in its order.
#[derive(Debug, Default)]
pub(super) struct FilePieces(Vec<FilePiece>);

/// Whole lines.
#[derive(Debug, Clone, Copy)]
struct FilePiece {
    from: u64,
    to: u64,
    /// The lowest and the highest step.
    first: u64,
    last: u64,
}

impl FilePieces {
    /// Notes what stands between two places of the file.
    pub(super) fn note(&mut self, (from, to): (u64, u64), chunk: &MetricChunk) {
        let Some((first, last)) = chunk.range() else { return };
        match self.0.last_mut().filter(|piece| to - piece.from <= PIECE_BYTES) {
            Some(piece) => {
                (piece.to, piece.first, piece.last) = (to, piece.first.min(first), piece.last.max(last));
            }
            None => self.0.push(FilePiece { from, to, first, last }),
        }
    }

    /// The values between two steps, both included, as the file has them: what a resumed run logged anew counts, and
    /// what it went back behind is left out.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub(super) fn read(&self, path: &Path, first: u64, last: u64) -> std::io::Result<MetricChunk> {
        let mut file = File::open(path)?;
        let (mut all, mut bytes) = (MetricChunk::default(), Vec::new());
        for piece in &self.0 {
            if piece.last < first || piece.first > last {
                all.columns.iter_mut().for_each(|column| go_back(column, piece.first));
                continue;
            }
            file.seek(SeekFrom::Start(piece.from))?;
            bytes.clear();
            Read::take(&mut file, piece.to - piece.from).read_to_end(&mut bytes)?;
            let mut scanner = Scanner::default();
            scanner.feed(&bytes);
            let chunk = scanner.take();
            for column in chunk.columns {
                let at = all.columns.iter().position(|known| known.name == column.name);
                let at = at.unwrap_or_else(|| {
                    let name = column.name.clone();
                    all.columns.push(MetricColumn { name, steps: Vec::new(), values: Vec::new() });
                    all.columns.len() - 1
                });
                let Some(known) = all.columns.get_mut(at) else { continue };
                for (&step, &value) in column.steps.iter().zip(&column.values) {
                    go_back(known, step);
                    if (first..=last).contains(&step) {
                        known.steps.push(step);
                        known.values.push(value);
                    }
                }
            }
        }
        Ok(all)
    }
}

/// Drops what a line of this step is logged instead of.
fn go_back(column: &mut MetricColumn, step: u64) {
    let kept = column.steps.iter().rposition(|&known| known < step).map_or(0, |at| at + 1);
    column.steps.truncate(kept);
    column.values.truncate(kept);
}
