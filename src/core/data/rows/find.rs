//! Which files an import reads, and which it leaves out.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::Format;

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    pub path: PathBuf,
    /// As named in records: the path given, or for a folder its name and the path within.
    pub source: String,
    pub format: Format,
    pub bytes: u64,
}

/// Something in a folder that is not read, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct LeftOut {
    pub path: PathBuf,
    pub reason: &'static str,
}

impl std::fmt::Display for LeftOut {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "left out: {} ({})", self.path.display(), self.reason)
    }
}

/// What was found at a path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundFiles {
    /// In the order of their names.
    pub files: Vec<DataFile>,
    /// In the order of their names. Hidden files, licences and the descriptions that datasets carry are not named.
    pub left_out: Vec<LeftOut>,
    /// The descriptions that a dataset carries: they aren't read as data.
    pub described: Vec<PathBuf>,
}

/// Folders nested deeper than this are not entered.
const DEEPEST: usize = 16;

/// The file of that path, or the files of that folder in the order of their names, as [`look`] finds them.
///
/// # Errors
/// Where nothing is there, nothing readable is in it, or the format can't be told.
pub fn find_files(path: &Path, format: Option<Format>) -> Result<Vec<DataFile>> {
    Ok(look(path, format)?.files)
}

/// The file of that path, or the files of that folder. Of a folder with tables and JSON, text files (notes) are left
/// out, as are links that lead out of the folder, and descriptions that datasets carry.
///
/// # Errors
/// Where nothing is there, nothing readable is in it, or the format can't be told.
pub fn look(path: &Path, format: Option<Format>) -> Result<FoundFiles> {
    let name = path.display();
    let facts = std::fs::metadata(path).with_context(|| format!("find {name}"))?;
    if facts.is_file() {
        let Some(format) = format.or_else(|| Format::of_name(path)) else {
            bail!(
                "{name}: the format can't be told from the name; let it end in .jsonl, .json, .csv, .tsv, .parquet or .txt, or say \
                 it with --format jsonl|json|csv|tsv|parquet|text"
            )
        };
        let source = path.display().to_string();
        let file = DataFile { path: path.to_owned(), source, format, bytes: facts.len() };
        return Ok(FoundFiles { files: vec![file], described: described_by(path), ..FoundFiles::default() });
    }
    ensure!(facts.is_dir(), "{name} is neither a file nor a folder");
    let mut files = Vec::new();
    let mut found = FoundFiles::default();
    collect(path, &root_of(path)?, DEEPEST, &mut files, &mut found.left_out)?;
    files.sort();
    found.described = files.iter().filter(|file| is_description(file)).cloned().collect();
    for file in files {
        match chosen(&file, format)? {
            Ok(chosen) => found.files.push(chosen),
            Err(Some(reason)) => found.left_out.push(LeftOut { path: file, reason }),
            Err(None) => {}
        }
    }
    if found.files.iter().any(|file| file.format != Format::Text) {
        let (texts, files) = found.files.into_iter().partition(|file| file.format == Format::Text);
        found.files = files;
        let texts: Vec<DataFile> = texts;
        let reason = "a text beside tables or JSON";
        found.left_out.extend(texts.into_iter().map(|file| LeftOut { path: file.path, reason }));
    }
    found.left_out.sort();
    if found.files.is_empty() {
        let others = match found.left_out.first() {
            Some(first) => format!("; {first}"),
            None => String::new(),
        };
        bail!("{name} holds no JSONL, JSON, CSV, TSV, Parquet or text file{others}");
    }
    Ok(found)
}

/// The file as one to read, or why not; `None` where that is not worth a word.
fn chosen(file: &Path, format: Option<Format>) -> Result<Result<DataFile, Option<&'static str>>> {
    if is_description(file) {
        return Ok(Err(None));
    }
    let Some(own) = Format::of_name(file) else {
        return Ok(Err(Some("its ending is that of no data file")));
    };
    let bytes = std::fs::metadata(file).with_context(|| format!("find {}", file.display()))?.len();
    if bytes == 0 {
        return Ok(Err(Some("it is empty")));
    }
    if format.is_some_and(|wanted| wanted != own) {
        return Ok(Err(Some("it is of another format")));
    }
    let source = file.display().to_string();
    Ok(Ok(DataFile { source, path: file.to_owned(), format: own, bytes }))
}

/// Where a folder's links may lead. The hub's cache keeps a snapshot's files beside it, and links to them.
fn root_of(folder: &Path) -> Result<PathBuf> {
    let whole = folder.canonicalize().with_context(|| format!("find {}", folder.display()))?;
    let cache = whole.ancestors().find(|above| above.file_name().is_some_and(|name| name == "snapshots"));
    Ok(cache.and_then(Path::parent).filter(|cache| cache.join("blobs").is_dir()).unwrap_or(&whole).to_owned())
}

fn collect(
    folder: &Path,
    root: &Path,
    deeper: usize,
    files: &mut Vec<PathBuf>,
    left_out: &mut Vec<LeftOut>,
) -> Result<()> {
    let context = || format!("read the folder {}", folder.display());
    for entry in std::fs::read_dir(folder).with_context(context)? {
        let entry = entry.with_context(context)?;
        if entry.file_name().to_string_lossy().starts_with(['.', '_']) {
            continue;
        }
        let path = entry.path();
        let kind = entry.file_type().with_context(context)?;
        let inside = || path.canonicalize().is_ok_and(|target| target.starts_with(root));
        if kind.is_symlink() && !inside() {
            left_out.push(LeftOut { path, reason: "a link that leads out of the folder" });
        } else if kind.is_dir() && deeper > 0 {
            collect(&path, root, deeper - 1, files, left_out)?;
        } else if kind.is_dir() {
            left_out.push(LeftOut { path, reason: "folders nested too deep" });
        } else if path.is_file() {
            files.push(path);
        } else {
            left_out.push(LeftOut { path, reason: "neither a file nor a folder of its own" });
        }
    }
    Ok(())
}

/// The descriptions beside a file, or beside its folder `data`.
fn described_by(file: &Path) -> Vec<PathBuf> {
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    let folder = if folder == Path::new("") { Path::new(".") } else { folder };
    let of_data = folder.file_name().is_some_and(|name| name == "data").then(|| folder.parent()).flatten();
    let beside = [Some(folder), of_data].into_iter().flatten();
    let paths = beside.flat_map(|folder| DESCRIBING.map(|name| folder.join(name)));
    paths.filter(|path| path.is_file()).collect()
}

/// The descriptions that say something of rows.
const DESCRIBING: [&str; 3] = ["README.md", "dataset_info.json", "dataset_infos.json"];

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
