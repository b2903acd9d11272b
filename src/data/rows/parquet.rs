//! Parquet files, row by row.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, anyhow};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use serde_json::Value;

use super::{Parsed, Piece, Pieces};

pub(super) fn open(path: &Path, file: File, read: Arc<AtomicU64>) -> Result<Box<dyn Pieces>> {
    let name = path.display();
    let bytes = file.metadata().with_context(|| format!("read {name}"))?.len();
    let opened = guarded(|| -> Result<_> {
        let reader = SerializedFileReader::new(file)?;
        let rows = reader.metadata().file_metadata().num_rows().max(0) as u64;
        Ok((rows, RowIter::from_file_into(Box::new(reader))))
    });
    let (rows, iterator) =
        opened.and_then(|opened| opened).with_context(|| format!("read {name} as Parquet"))?;
    let bytes_per_row = bytes / rows.max(1);
    Ok(Box::new(Rows { iterator, path: path.to_owned(), row: 0, bytes_per_row, read }))
}

struct Rows {
    iterator: RowIter<'static>,
    path: PathBuf,
    row: u64,
    bytes_per_row: u64,
    read: Arc<AtomicU64>,
}

impl Pieces for Rows {
    fn next_piece(&mut self) -> Result<Option<Piece>> {
        let next = guarded(|| self.iterator.next().map(|row| row.map(|row| row.to_json_value())));
        let next = next.with_context(|| format!("read {}, after row {}", self.path.display(), self.row))?;
        self.row += 1;
        self.read.fetch_add(self.bytes_per_row, Ordering::Relaxed);
        match next {
            None => Ok(None),
            Some(Ok(Value::Object(fields))) => Ok(Some(Piece::Done(Parsed::Row { line: self.row, fields }))),
            Some(Ok(_)) => Ok(Some(Piece::bad(self.row, "the row is no object", b""))),
            Some(Err(error)) => {
                Err(error).with_context(|| format!("read {}, row {}", self.path.display(), self.row))
            }
        }
    }
}

/// The Parquet reader panics on some corrupt files; this makes an error of it.
fn guarded<T>(read: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|_| anyhow!("the file is corrupt"))
}
