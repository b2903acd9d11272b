//! The splits of a folder's files, by their names or those of the folders that they are in. Reads no file.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use crate::data::rows::stem;
use crate::data::split::{Use, words};

/// Words of names of files that say nothing of what is in them.
const NEUTRAL: [&str; 19] = [
    "data",
    "dataset",
    "datasets",
    "all",
    "main",
    "full",
    "rest",
    "examples",
    "records",
    "rows",
    "samples",
    "corpus",
    "sft",
    "messages",
    "conversations",
    "chat",
    "chats",
    "instructions",
    "part",
];
/// Words at the end of a name that may name a split together: `held_out`, `test_set`.
const LONGEST: usize = 3;

/// The split of each file, in their order. None is held out where nothing else would be left; `dev` and its like are only
/// where another file is of a split too, or says nothing of itself.
pub(in crate::data) fn of_files(sources: &[&str]) -> Vec<Option<String>> {
    let common = common_folders(sources);
    let inner = |source: &&str| -> Vec<String> {
        let parts = Path::new(*source).components().skip(common).map(Component::as_os_str);
        parts.filter_map(|part| part.to_str()).map(|name| bare(name).to_owned()).collect()
    };
    let files: Vec<Vec<String>> = sources.iter().map(inner).collect();
    let names: BTreeSet<Vec<String>> = files.iter().flatten().map(|name| words(name)).collect();
    // The file's own name counts before those of its folders.
    let named = |file: &Vec<String>| file.iter().rev().find_map(|name| split_of(name, &names));
    let named: Vec<Option<String>> = files.iter().map(named).collect();
    let held_out = |name: &Option<String>| name.as_deref().and_then(Use::of) == Some(Use::HeldOut);
    if !named.iter().any(held_out) || named.iter().all(held_out) {
        return vec![None; sources.len()];
    }
    let is_sure = |name: &String| Use::of(name) == Some(Use::Training) || Use::is_certain(name);
    let is_neutral = |(file, split): (&Vec<String>, &Option<String>)| {
        let says_nothing = |word: &String| {
            NEUTRAL.contains(&word.as_str()) || word.bytes().all(|byte| byte.is_ascii_digit())
        };
        held_out(split) || file.last().is_some_and(|name| words(name).iter().all(says_nothing))
    };
    let counts = named.iter().flatten().any(is_sure) || files.iter().zip(&named).all(is_neutral);
    if counts { named } else { vec![None; sources.len()] }
}

/// How many folders all files share.
fn common_folders(sources: &[&str]) -> usize {
    let folders = |source: &str| -> Vec<String> {
        let parts: Vec<String> = Path::new(source)
            .components()
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect();
        parts.split_last().map(|(_, folders)| folders.to_vec()).unwrap_or_default()
    };
    let mut all = sources.iter().map(|source| folders(source));
    let first = all.next().unwrap_or_default();
    all.fold(first.len(), |common, other| {
        first.iter().zip(&other).take(common).take_while(|(a, b)| a == b).count()
    })
}

/// A file's name without its endings and without the number of a shard: `train-00000-of-00002` is `train`.
fn bare(name: &str) -> &str {
    let stem = stem(name);
    let is_number = |text: &str| text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = stem.split(['-', '_']).collect();
    let shard = match parts.as_slice() {
        [.., from, "of", count] if is_number(from) && is_number(count) => from.len() + count.len() + 5,
        [_, .., part] if part.bytes().all(|byte| byte.is_ascii_digit()) && !part.is_empty() => part.len() + 1,
        _ => 0,
    };
    stem.get(..stem.len().saturating_sub(shard)).unwrap_or(stem)
}

/// The split that a name is of: all of it, or its end or beginning where a sibling has the same beside `train`, or alone.
fn split_of(name: &str, siblings: &BTreeSet<Vec<String>>) -> Option<String> {
    if Use::named(name).is_some() {
        return Some(name.to_owned());
    }
    let own = words(name);
    let at_end = (1..=LONGEST).filter_map(|count| {
        let (rest, end) = own.split_at_checked(own.len().checked_sub(count)?)?;
        part_of(rest, end, siblings, LoneName::Counts)
    });
    let at_begin = (1..=LONGEST).filter_map(|count| {
        let (begin, rest) = own.split_at_checked(count)?;
        part_of(rest, begin, siblings, LoneName::IsAnother)
    });
    at_end.chain(at_begin).next()
}

/// Whether the rest of a name, as the whole name of another file, tells that both are parts of one dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LoneName {
    /// `squad` beside `squad_test`.
    Counts,
    /// `blog` beside `dev-blog`.
    IsAnother,
}

fn part_of(
    rest: &[String],
    named: &[String],
    siblings: &BTreeSet<Vec<String>>,
    alone: LoneName,
) -> Option<String> {
    let name = named.join("_");
    let own = Use::named(&name).filter(|_| !rest.is_empty())?;
    let is_other_part = |sibling: &Vec<String>| {
        let other = sibling.strip_prefix(rest).or_else(|| sibling.strip_suffix(rest)).unwrap_or_default();
        let other = (other.len() <= LONGEST).then(|| Use::named(&other.join("_"))).flatten();
        match own {
            Use::HeldOut => {
                other == Some(Use::Training) || alone == LoneName::Counts && sibling.as_slice() == rest
            }
            Use::Training => other == Some(Use::HeldOut),
        }
    };
    siblings.iter().any(is_other_part).then_some(name)
}
