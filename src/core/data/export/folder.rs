//! A Hugging Face dataset folder: `data/SPLIT.parquet`, and a card that says what is inside.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::file::beside;
use super::parquet::Parquet;
use super::{Added, Sink, plain_name};
use crate::domain::record::Record;
use crate::ground::files;

pub(super) struct Folder {
    path: PathBuf,
    temporary: PathBuf,
    splits: BTreeMap<String, (u64, Box<Parquet>)>,
    sources: BTreeMap<String, u64>,
}

impl Folder {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let temporary = beside(path);
        std::fs::create_dir_all(temporary.join("data"))
            .with_context(|| format!("write {}", path.display()))?;
        Ok(Self { path: path.to_owned(), temporary, splits: BTreeMap::new(), sources: BTreeMap::new() })
    }

    fn card(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let total: u64 = self.splits.values().map(|(rows, _)| rows).sum();
        let mut card = String::from("---\n");
        let _ = writeln!(
            card,
            "size_categories:\n- {}\nconfigs:\n- config_name: default\n  data_files:",
            size(total)
        );
        for split in self.splits.keys() {
            let _ = writeln!(card, "  - split: {split}\n    path: data/{split}.parquet");
        }
        let _ = writeln!(
            card,
            "---\n\n# {name}\n\n{total} records, exported by Dojo.\n\n| split | records |\n| --- | ---: |"
        );
        for (split, (rows, _)) in &self.splits {
            let _ = writeln!(card, "| {split} | {rows} |");
        }
        card.push_str("\n## Where the records come from\n\n| source | records |\n| --- | ---: |\n");
        for (source, rows) in &self.sources {
            let _ = writeln!(card, "| {} | {rows} |", source.replace('|', "\\|"));
        }
        card.push_str("\nThe licence of the data is that of its sources; say it here before you publish.\n");
        card
    }
}

impl Sink for Folder {
    fn add(&mut self, record: &Record) -> Result<Added> {
        let split = plain_name(record.split.as_deref().filter(|split| !split.is_empty()).unwrap_or("train"));
        if !self.splits.contains_key(&split) {
            let file = Parquet::create(&self.temporary.join("data").join(format!("{split}.parquet")))?;
            self.splits.insert(split.clone(), (0, Box::new(file)));
        }
        let Some((rows, file)) = self.splits.get_mut(&split) else {
            return Ok(Added::LeftOut("no split".into()));
        };
        let added = file.add(record)?;
        if added == Added::Written {
            *rows += 1;
            let source = &record.provenance.source;
            let name =
                Path::new(source).file_name().map_or_else(|| "by hand".into(), |name| name.to_string_lossy());
            *self.sources.entry(name.into_owned()).or_default() += 1;
        }
        Ok(added)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.splits.retain(|_, (rows, _)| *rows > 0);
        let card = self.card();
        let context = format!("write {}", self.path.display());
        for (_, file) in std::mem::take(&mut self.splits).into_values() {
            file.finish()?;
        }
        files::write_flushed(&self.temporary.join("README.md"), card.as_bytes())
            .with_context(|| context.clone())?;
        std::fs::rename(&self.temporary, &self.path).context(context)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.splits.clear();
        // After `finish` it has moved; then there is nothing to remove.
        std::fs::remove_dir_all(&self.temporary).ok();
    }
}

/// The hub's words for how many rows there are.
const fn size(rows: u64) -> &'static str {
    match rows {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        _ => "1M<n<10M",
    }
}
