//! Files become records, in batches, with bounded memory. Knows no session: what is done with them is the caller's.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, bail};
use rayon::prelude::*;
use serde::Serialize;

use crate::data::card;
use crate::data::file_splits::of_files;
use crate::data::folder_classes;
use crate::data::hash::row_hash;
use crate::data::hub;
use crate::data::mapping::{ColumnPart, Mapping, RowMapping, Unused};
use crate::data::noticed::Noticed;
use crate::data::rows::hive::FolderColumns;
use crate::data::rows::{
    self, DataFile, Format, FoundFiles, LeftOut, Malformed, Parsed, RawRow, RowSource, TextUnit, look,
};
use crate::data::sample::{Sample, sample};
use crate::domain::name::one_line;
use crate::domain::recipe::OnMalformed;
use crate::domain::record::{ContentHash, Fields, Provenance, Record};

/// Rows in a batch at most.
const BATCH_ROWS: usize = 4096;
/// A batch is closed once its rows hold as many bytes.
const BATCH_BYTES: usize = 8 << 20;
/// So many lines that are no rows end an import, where they are more than the rows: each takes memory until it is told.
const MOST_MALFORMED: u64 = 200_000;
/// How to read.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// Where the file's name does not tell it.
    pub format: Option<Format>,
    pub text: TextUnit,
    /// `part=column`, over what is found.
    pub map: Vec<String>,
    /// Remembered from an earlier import, instead of what would be found.
    pub mapping: Option<Mapping>,
}

/// One file of an import, and how it will be read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedFile {
    #[serde(skip)]
    file: DataFile,
    pub source: String,
    pub format: Format,
    pub bytes: u64,
    pub mapping: Mapping,
    /// The split that its name tells, of a row that says of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// The class that a text's folder tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(skip)]
    rows: RowMapping,
    /// What its folders' names say of every row.
    #[serde(skip)]
    beside: FolderColumns,
    /// The first rows, to show.
    #[serde(skip)]
    pub sample: Vec<Fields>,
    /// Why no row of it can be read, where the first ones can't and there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<Malformed>,
}

impl PlannedFile {
    /// What a row becomes.
    ///
    /// # Errors
    /// Says what is missing or of the wrong form.
    pub fn preview(&self, row: &Fields) -> Result<Record, String> {
        self.rows.record(row, &[])
    }

    /// What the first rows hold that plays no part in what is learnt or is not used, in sentences.
    #[must_use]
    pub fn passes_over(&self) -> Vec<String> {
        let noticed = Noticed::default();
        for row in &self.sample {
            if let Ok((record, unused)) = self.rows.read(row, &[]) {
                let record = Record { fields: row.clone(), ..record };
                noticed.rows(&self.rows, &[record], unused.as_slice());
            }
        }
        noticed.idle().into_iter().chain(noticed.unused()).collect()
    }
}

/// An import, from its plan to its last batch.
pub struct Import {
    files: Vec<PlannedFile>,
    left_out: Vec<LeftOut>,
    waiting: VecDeque<usize>,
    open: Option<(usize, Box<dyn RowSource>)>,
    unit: TextUnit,
    seen: HashMap<ContentHash, u32>,
    /// Records so far, and lines that are none.
    records: u64,
    malformed: u64,
    read: Arc<AtomicU64>,
    total: u64,
    noticed: Arc<Noticed>,
}

/// Some of the records, in the file's order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImportBatch {
    pub records: Vec<Record>,
    pub malformed: Vec<Malformed>,
    /// Of a folder that is read as a whole, what is not read.
    pub left_out: Vec<LeftOut>,
    /// What of the files and rows is passed over, in sentences, where they are read as a whole.
    pub notes: Vec<String>,
    /// The columns that play no part in what is learnt, in a sentence.
    pub idle: Option<String>,
}

impl Import {
    /// Finds the files of a path, or of a dataset of the hub (`hf:owner/name[:config[:split]]`), and each one's
    /// mapping from its first rows.
    ///
    /// # Errors
    /// Where a file can't be opened, is no data file, or a mapping names a column that is not there.
    pub fn open(path: &Path, options: &ImportOptions) -> Result<Self> {
        let FoundFiles { files: found, mut left_out, described } =
            match path.to_str().filter(|_| hub::DatasetName::is_one(path)) {
                Some(name) => FoundFiles { files: hub::fetch(name)?, ..FoundFiles::default() },
                None => look(path, options.format)?,
            };
        left_out.extend(card::passed_over(&described, &found));
        let mut files = found.into_iter().map(|file| plan(file, options)).collect::<Result<Vec<_>>>()?;
        name_splits(&mut files);
        let noticed = Arc::new(Noticed::default());
        noticed.passed(name_classes(&mut files).into_iter().collect());
        Ok(Self {
            waiting: (0..files.len()).collect(),
            open: None,
            unit: options.text,
            seen: HashMap::new(),
            records: 0,
            malformed: 0,
            read: Arc::default(),
            total: files.iter().map(|file| file.bytes).sum(),
            files,
            left_out,
            noticed,
        })
    }

    /// The files, in the order in which they are read.
    #[must_use]
    pub fn files(&self) -> &[PlannedFile] {
        &self.files
    }

    /// What of a folder is not read.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// What is passed over, which grows while batches are taken.
    #[must_use]
    pub fn noticed(&self) -> Arc<Noticed> {
        Arc::clone(&self.noticed)
    }

    /// Bytes read so far, and of all files.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        (self.read.load(Ordering::Relaxed).min(self.total), self.total)
    }

    /// The next records, or `None` at the end.
    ///
    /// # Errors
    /// Where a file can't be read any further.
    pub fn next_batch(&mut self) -> Result<Option<ImportBatch>> {
        loop {
            if self.open.is_none() {
                let Some(index) = self.waiting.pop_front() else { return Ok(None) };
                let Some(file) = self.files.get(index) else { return Ok(None) };
                let pieces = rows::open(&file.file.path, file.format, self.unit, &self.read)?;
                self.open = Some((index, pieces));
            }
            let Some((index, pieces)) = &mut self.open else { return Ok(None) };
            let (taken, ended) = take(pieces.as_mut())?;
            let passed = pieces.passed();
            if !passed.is_empty() {
                self.noticed.passed(passed);
            }
            let index = *index;
            let Some(file) = self.files.get(index) else { return Ok(None) };
            let made: Vec<Made> = taken.into_par_iter().map(|piece| record(file, piece)).collect();
            if ended {
                self.open = None;
            }
            if !made.is_empty() {
                return self.collect(index, made).map(Some);
            }
        }
    }

    /// `file` is where the rows stand.
    fn collect(&mut self, file: usize, made: Vec<Made>) -> Result<ImportBatch> {
        let (mut batch, mut unused) = (ImportBatch::default(), Vec::new());
        for one in made {
            match one {
                Made::Record(mut record, left) => {
                    let count = self.seen.entry(record.provenance.hash).or_default();
                    record.provenance.occurrence = *count;
                    *count += 1;
                    batch.records.push(*record);
                    unused.extend(left);
                }
                Made::Excluded(told) => self.noticed.excluded(&told),
                Made::Malformed(malformed) => batch.malformed.push(malformed),
            }
        }
        if let Some(file) = self.files.get(file) {
            self.noticed.rows(&file.rows, &batch.records, &unused);
        }
        self.records += batch.records.len() as u64;
        self.malformed += batch.malformed.len() as u64;
        if let Some(bad) =
            batch.malformed.last().filter(|_| self.malformed > MOST_MALFORMED.max(self.records))
        {
            let Malformed { source, line, reason, .. } = bad;
            bail!(
                "more than {MOST_MALFORMED} lines can't be read as records, and fewer can; {source}:{line}: {reason}"
            );
        }
        Ok(batch)
    }
}

/// What became of a row.
enum Made {
    /// With the columns that nothing of it has.
    Record(Box<Record>, Option<Unused>),
    /// It says of itself that it is left out.
    Excluded(String),
    Malformed(Malformed),
}

/// All records of a path, for training, which needs them all.
///
/// # Errors
/// As [`Import::next_batch`], where a malformed line is fatal, and where no record is left.
pub fn read_all(path: &Path, options: &ImportOptions, on_malformed: OnMalformed) -> Result<ImportBatch> {
    let mut all = ImportBatch::default();
    let mut import = Import::open(path, options)?;
    import.left_out().clone_into(&mut all.left_out);
    while let Some(batch) = import.next_batch()? {
        if let (OnMalformed::Fail, Some(bad)) = (on_malformed, batch.malformed.first()) {
            bail!("{}:{}: {}", bad.source, bad.line, bad.reason);
        }
        all.records.extend(batch.records);
        all.malformed.extend(batch.malformed);
    }
    all.notes = import.noticed().sentences();
    all.idle = import.noticed().idle();
    if all.records.is_empty() {
        match all.malformed.first() {
            None if !all.notes.is_empty() => {
                bail!("{} holds no record to learn from: {}", path.display(), all.notes.join("; "))
            }
            Some(bad) => {
                bail!("{} holds no record; {}:{}: {}", path.display(), bad.source, bad.line, bad.reason)
            }
            None => bail!("{} is empty: it holds no record", path.display()),
        }
    }
    Ok(all)
}

/// The next pieces for a batch, and whether the file is over.
pub(super) fn take(pieces: &mut dyn RowSource) -> Result<(Vec<RawRow>, bool)> {
    let (mut taken, mut bytes) = (Vec::new(), 0);
    while taken.len() < BATCH_ROWS && bytes < BATCH_BYTES {
        match pieces.next_piece()? {
            Some(piece) => {
                bytes += piece.size();
                taken.push(piece);
            }
            None => return Ok((taken, true)),
        }
    }
    Ok((taken, false))
}

fn plan(file: DataFile, options: &ImportOptions) -> Result<PlannedFile> {
    // That nothing was found in an earlier file says nothing of this one.
    let remembered = options.mapping.clone().filter(|mapping| mapping.iter().next().is_some());
    let is_told = remembered.is_some() || !options.map.is_empty();
    let Sample { first: sample, telling, broken } = sample(&file, options.text, is_told)?;
    let telling = telling.as_ref().unwrap_or(&sample);
    let mut mapping = remembered.unwrap_or_else(|| Mapping::detect(telling));
    let by_hand = Mapping::by_hand(&options.map)?;
    options.map.iter().try_for_each(|assignment| mapping.set(assignment))?;
    if !telling.is_empty() {
        mapping.check(telling)?;
    }
    let rows = RowMapping::new(mapping.clone(), by_hand, telling);
    let (source, format, bytes) = (file.source.clone(), file.format, file.bytes);
    let beside = FolderColumns::of(&file.path);
    let (split, label) = (None, None);
    Ok(PlannedFile { file, source, format, bytes, mapping, split, label, rows, beside, sample, broken })
}

/// Gives texts the labels that their folders tell, unless a person has said what the label is; says so in a sentence.
fn name_classes(files: &mut [PlannedFile]) -> Option<String> {
    let found: Vec<DataFile> = files.iter().map(|file| file.file.clone()).collect();
    let classes = folder_classes::of_files(&found).into_iter().zip(&*files);
    let classes: Vec<Option<String>> =
        classes.map(|(class, file)| class.filter(|_| !file.rows.knows(ColumnPart::Label))).collect();
    for (file, class) in files.iter_mut().zip(&classes) {
        file.label.clone_from(class);
    }
    folder_classes::told(&classes)
}

/// Gives files the splits that their names tell, unless a person has said what the split is.
fn name_splits(files: &mut [PlannedFile]) {
    let splits = of_files(&files.iter().map(|file| file.source.as_str()).collect::<Vec<_>>());
    for (file, split) in files.iter_mut().zip(splits) {
        file.split = split.filter(|_| !file.rows.knows(ColumnPart::Split));
    }
}

fn record(file: &PlannedFile, piece: RawRow) -> Made {
    // Reasons quote what the row holds.
    let bad = |line, reason: String, start| {
        Made::Malformed(Malformed { source: file.source.clone(), line, reason: one_line(&reason), start })
    };
    match piece.parse() {
        Parsed::Bad { line, reason, start } => bad(line, reason, start),
        Parsed::Row { line, mut fields, numbers } => {
            if let Err(reason) = file.beside.put(&mut fields) {
                return bad(line, reason, start_of_row(&fields));
            }
            if let Some(told) = file.rows.excluded(&fields) {
                return Made::Excluded(told);
            }
            let hash = row_hash(&fields, &numbers);
            let (mut record, unused) = match file.rows.read(&fields, &numbers) {
                Ok(read) => read,
                Err(reason) => return bad(line, reason, start_of_row(&fields)),
            };
            record.fields = fields;
            record.numbers = numbers;
            record.split = record.split.or_else(|| file.split.clone());
            record.label = record.label.or_else(|| file.label.clone());
            record.provenance = Provenance { source: file.source.clone(), line, hash, occurrence: 0 };
            Made::Record(Box::new(record), unused)
        }
    }
}

/// The beginning of the row's first text, for a report.
fn start_of_row(fields: &Fields) -> String {
    fields.values().find_map(serde_json::Value::as_str).unwrap_or_default().chars().take(120).collect()
}
