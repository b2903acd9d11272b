//! Moments that older programs write as 96 bits. The reader of rows gives their milliseconds only; here they are whole.

use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, bail};
use parquet::basic::{Repetition, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{Int96, Int96Type};
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::cells::whole_moment;
use crate::data::regular;
use crate::domain::record::Fields;

/// Values that are read at once.
const CHUNK: usize = 1024;

/// The day that 96 bits count as 1970-01-01.
const EPOCH: i64 = 2_440_588;

/// The columns of such moments that are no part of a list or group.
pub(super) struct Moments {
    file: SerializedFileReader<File>,
    columns: Vec<Int96Column>,
    /// The row group that is read next.
    group: usize,
}

struct Int96Column {
    name: String,
    leaf: usize,
    optional: bool,
    reader: Option<ColumnReaderImpl<Int96Type>>,
    waiting: VecDeque<Option<Int96>>,
}

impl Moments {
    /// `None` where the file has no such column.
    pub(super) fn open(path: &Path) -> Result<Option<Self>> {
        let file = SerializedFileReader::new(regular::open(path)?.0)?;
        let schema = file.metadata().file_metadata().schema_descr();
        let columns: Vec<Int96Column> = schema
            .columns()
            .iter()
            .enumerate()
            .filter(|(_, column)| {
                column.physical_type() == Physical::INT96 && column.path().parts().len() == 1
            })
            .filter(|(_, column)| column.max_rep_level() == 0)
            .map(|(leaf, column)| Int96Column {
                name: column.name().to_owned(),
                leaf,
                optional: column.self_type().get_basic_info().repetition() == Repetition::OPTIONAL,
                reader: None,
                waiting: VecDeque::new(),
            })
            .collect();
        Ok((!columns.is_empty()).then_some(Self { file, columns, group: 0 }))
    }

    /// Puts the next row's moments into it.
    pub(super) fn put(&mut self, row: &mut Fields) -> Result<()> {
        while self
            .columns
            .iter_mut()
            .try_fold(false, |short, column| Ok::<_, anyhow::Error>(short | column.is_short()?))?
        {
            let group = self.file.get_row_group(self.group).context("read the moments")?;
            self.group += 1;
            for column in &mut self.columns {
                let ColumnReader::Int96ColumnReader(reader) = group.get_column_reader(column.leaf)? else {
                    bail!("column {:?} holds no moments", column.name)
                };
                column.reader = Some(reader);
            }
        }
        for column in &mut self.columns {
            if let Some(Some(moment)) = column.waiting.pop_front() {
                row.insert(column.name.clone(), text(&moment));
            }
        }
        Ok(())
    }
}

impl Int96Column {
    /// Whether the row group holds no further value.
    fn is_short(&mut self) -> Result<bool> {
        if !self.waiting.is_empty() {
            return Ok(false);
        }
        let Some(reader) = &mut self.reader else { return Ok(true) };
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        let (records, ..) = reader.read_records(CHUNK, Some(&mut levels), None, &mut values)?;
        let mut values = values.into_iter();
        self.waiting.extend((0..records).map(|record| {
            let is_there = !self.optional || levels.get(record) == Some(&1);
            if is_there { values.next() } else { None }
        }));
        Ok(records == 0)
    }
}

fn text(moment: &Int96) -> serde_json::Value {
    let [low, high, days] =
        [0, 1, 2].map(|part| i64::from(moment.data().get(part).copied().unwrap_or_default()));
    let nanos = (high << 32) | low;
    whole_moment((days - EPOCH) * 86_400 + nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000))
}
