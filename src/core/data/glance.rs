//! A look at the head of data files: whether there is something to learn from. Reads the first rows and no more.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};

use crate::data::encode;
use crate::data::mapping::{Mapping, RowMapping, learn_chosen};
use crate::data::rows::hive::FolderColumns;
use crate::data::rows::{self, DataFile, Parsed, TextUnit, look};
use crate::domain::name::one_line;

/// Of a folder.
const FILES: usize = 8;
/// Of a file.
const ROWS: usize = 20;
const BYTES: usize = 1 << 20;

/// Why nothing can be learnt from a file or a folder, in one sentence; nothing where the heads of its files don't tell.
/// `map` holds `part=column`, as a recipe gives them.
#[must_use]
pub fn missing(path: &Path, map: &[String]) -> Option<String> {
    let looked = match look(path, None) {
        Ok(looked) => looked,
        Err(error) => return Some(one_line(&format!("{error:#}"))),
    };
    let mut first = None;
    for file in looked.files.iter().take(FILES) {
        match head(file, map) {
            Ok(()) => return None,
            Err(error) => first.get_or_insert(one_line(&format!("{error:#}"))),
        };
    }
    first.filter(|_| looked.files.len() <= FILES)
}

/// Refuses a file that can't be read, and one that is over already without a row that can be learnt from.
fn head(file: &DataFile, map: &[String]) -> Result<()> {
    let told = |why: String| anyhow!("{}: {why}", file.source);
    let beside = FolderColumns::of(&file.path);
    let mut pieces = rows::open(&file.path, file.format, TextUnit::default(), &Arc::default())?;
    let (mut found, mut bad, mut bytes) = (Vec::new(), None, 0);
    let mut ended = false;
    while found.len() < ROWS && bytes < BYTES && !ended {
        let Some(piece) = pieces.next_piece()? else {
            ended = true;
            continue;
        };
        bytes += piece.size();
        match piece.parse() {
            Parsed::Row { line, mut fields, numbers } => match beside.put(&mut fields) {
                Ok(()) => found.push((fields, numbers)),
                Err(reason) => bad = bad.or_else(|| Some(format!("line {line}: {reason}"))),
            },
            Parsed::Bad { line, reason, .. } => bad = bad.or_else(|| Some(format!("line {line}: {reason}"))),
        }
    }
    let sample: Vec<_> = found.iter().map(|(fields, _)| fields.clone()).collect();
    let (mut mapping, by_hand) = (Mapping::detect(&sample), Mapping::by_hand(map)?);
    map.iter().try_for_each(|assignment| mapping.set(assignment))?;
    if !sample.is_empty() {
        mapping.check(&sample).map_err(|error| told(format!("{error:#}")))?;
    }
    if !ended {
        return Ok(());
    }
    let rows = RowMapping::new(mapping, by_hand, &sample);
    let mut refused = None;
    for (fields, numbers) in &found {
        if let Some(told) = rows.excluded(fields) {
            refused.get_or_insert(format!("every row is left out: {told}"));
            continue;
        }
        match rows.record(fields, numbers) {
            Ok(record) if record.preference.is_some() => refused.get_or_insert(format!(
                "every row is a preference pair, and sft learns answers, not preferences; data.map = [\"{}\"] learns the \
                 chosen answers",
                learn_chosen(fields)
            )),
            Ok(record) => match encode::check(&record) {
                Ok(()) => return Ok(()),
                Err(error) => refused.get_or_insert(format!("no row can be trained on: {error:#}")),
            },
            Err(reason) => refused.get_or_insert(reason),
        };
    }
    match refused.or(bad) {
        Some(reason) => Err(told(reason)),
        None => bail!("{} holds no rows", file.source),
    }
}
