//! Which files an import reads.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::Format;

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    /// As named in records: the path given, or for a folder its name and the path within.
    pub source: String,
    pub format: Format,
    pub bytes: u64,
}

/// Folders nested deeper than this are not entered.
const DEEPEST: usize = 16;

/// The file of that path, or the files of that folder in the order of their names. Of a folder with tables and JSON,
/// text files (licences, notes) are left out, as are hidden files and descriptions that datasets carry.
///
/// # Errors
/// Where nothing is there, nothing readable is in it, or the format can't be told.
pub fn find_files(path: &Path, format: Option<Format>) -> Result<Vec<Found>> {
    let name = path.display();
    let facts = std::fs::metadata(path).with_context(|| format!("find {name}"))?;
    if facts.is_file() {
        let Some(format) = format.or_else(|| Format::of_name(path)) else {
            bail!(
                "{name}: the format can't be told from the name; say it with --format jsonl|json|csv|tsv|parquet|text"
            )
        };
        let source = path.display().to_string();
        return Ok(vec![Found { path: path.to_owned(), source, format, bytes: facts.len() }]);
    }
    ensure!(facts.is_dir(), "{name} is neither a file nor a folder");
    let mut files = Vec::new();
    collect(path, DEEPEST, &mut files)?;
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let Some(own) = Format::of_name(&file) else { continue };
        let bytes = std::fs::metadata(&file).with_context(|| format!("find {}", file.display()))?.len();
        if !is_description(&file) && bytes > 0 && format.is_none_or(|wanted| wanted == own) {
            found.push(Found { source: file.display().to_string(), path: file, format: own, bytes });
        }
    }
    if found.iter().any(|file| file.format != Format::Text) {
        found.retain(|file| file.format != Format::Text);
    }
    ensure!(!found.is_empty(), "{name} holds no JSONL, JSON, CSV, TSV, Parquet or text file");
    Ok(found)
}

fn collect(folder: &Path, deeper: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    let context = || format!("read the folder {}", folder.display());
    for entry in std::fs::read_dir(folder).with_context(context)? {
        let entry = entry.with_context(context)?;
        let hidden = entry.file_name().to_string_lossy().starts_with(['.', '_']);
        let path = entry.path();
        let kind = entry.file_type().with_context(context)?;
        if hidden {
        } else if kind.is_dir() && deeper > 0 {
            collect(&path, deeper - 1, files)?;
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

fn is_description(path: &Path) -> bool {
    const NAMES: [&str; 9] = [
        "dataset_info.json",
        "dataset_infos.json",
        "dataset_dict.json",
        "state.json",
        "config.json",
        "package.json",
        "readme.md",
        "license.md",
        "license.txt",
    ];
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    NAMES.contains(&name.as_str()) || name.starts_with("license")
}
