//! The classes of texts that are sorted into folders (`train/pos/1.txt`, `train/neg/2.txt`): the folders' names are labels,
//! as scikit-learn and Keras read them. Reads no file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::data::rows::{DataFile, Format};
use crate::data::split::Use;

/// Texts that a folder holds at least, to be a class.
const FEWEST: usize = 2;
/// Classes that a sentence names.
const NAMED: usize = 8;

/// The class of each file, in their order: none of a table, nor of a text that is alone or beside no other class.
pub(in crate::data) fn of_files(files: &[DataFile]) -> Vec<Option<String>> {
    let mut counts: BTreeMap<&Path, usize> = BTreeMap::new();
    for folder in files.iter().filter_map(folder_of) {
        *counts.entry(folder).or_default() += 1;
    }
    let mut beside: BTreeMap<&Path, usize> = BTreeMap::new();
    for (folder, _) in counts.iter().filter(|(_, count)| **count >= FEWEST) {
        *beside.entry(folder.parent().unwrap_or(folder)).or_default() += 1;
    }
    let class = |file: &DataFile| {
        let folder = folder_of(file)?;
        let is_class = counts.get(folder).is_some_and(|count| *count >= FEWEST)
            && beside.get(folder.parent()?).is_some_and(|classes| *classes > 1);
        is_class.then(|| folder.file_name()?.to_str().map(str::to_owned))?
    };
    files.iter().map(class).collect()
}

/// The folder of a text, unless its name is a split's or has a column (`label=pos`).
fn folder_of(file: &DataFile) -> Option<&Path> {
    let folder = file.path.parent().filter(|_| file.format == Format::Text)?;
    let name = folder.file_name()?.to_str()?;
    (Use::named(name).is_none() && !name.contains('=')).then_some(folder)
}

/// What is to be known of labels that folders gave, in a sentence.
pub(in crate::data) fn told(classes: &[Option<String>]) -> Option<String> {
    let names: BTreeSet<&String> = classes.iter().flatten().collect();
    let named: Vec<String> = names.iter().take(NAMED).map(|name| format!("{name:?}")).collect();
    let more = names.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let without = classes.iter().filter(|class| class.is_none()).count();
    let without = match without {
        0 => String::new(),
        count => format!("; {count} files in no such folder have none"),
    };
    (!names.is_empty()).then(|| {
        format!(
            "the label of a text is its folder's name ({}{more}), which plays no part in what is learnt of a text; --map \
             label= leaves it out{without}",
            named.join(", ")
        )
    })
}
