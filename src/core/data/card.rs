//! What a dataset's description says of its rows that the rows don't: told, since it isn't read.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::data::file_splits::of_files;
use crate::data::rows::{DataFile, Format, LeftOut};

/// Bytes of a description that are looked at: the head of a card is far shorter.
const LOOKED_AT: u64 = 256 << 10;

/// The descriptions that name classes which files without a schema have only as numbers, or splits which no file's name
/// tells. Parquet has its classes with it.
pub(in crate::data) fn passed_over(described: &[PathBuf], files: &[DataFile]) -> Vec<LeftOut> {
    let bare = files.iter().any(|file| file.format != Format::Parquet);
    let sources: Vec<&str> = files.iter().map(|file| file.source.as_str()).collect();
    let unsplit = files.len() > 1 && of_files(&sources).iter().all(Option::is_none);
    let told = described.iter().filter_map(|path| {
        let head = head(path)?;
        let classes = bare && ["class_label", "ClassLabel"].iter().any(|word| head.contains(word));
        let reason = match (classes, unsplit && head.contains("data_files:")) {
            (true, _) => {
                "it names the classes of numbered columns, which stay numbers, also where they are learnt: `dojo data label` \
                 names labels; write other classes' names into the rows, or import the dataset as Parquet"
            }
            (false, true) => "it says which files are which split, which isn't read: names like train.csv and test.csv tell it",
            (false, false) => return None,
        };
        Some(LeftOut { path: path.clone(), reason })
    });
    told.collect()
}

/// The part of a description that programs read: of a card what stands between its first two lines of dashes.
fn head(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(LOOKED_AT).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if path.extension().is_none_or(|ending| !ending.eq_ignore_ascii_case("md")) {
        return Some(text);
    }
    let card = text.strip_prefix("---")?;
    Some(card.split("\n---").next().unwrap_or_default().to_owned())
}
