//! Records that read like one of them: by what they mean if that is known, else by their words. Then the index proposes
//! those that share its rarer words, and their texts decide.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::vectors::{self, text};
use super::{Result, SessionError};
use crate::data::check::Sketch;

/// A word that so many records have tells little.
const COMMON: usize = 2_000;
/// Words of the record that are looked up: the longest, which are rare more often than not.
const WORDS: usize = 48;
/// Candidates whose texts are read.
const READ: usize = 400;
/// Records in the answer at most, the most alike of all.
const MOST: usize = 100;
/// Texts that share less of their word triples are not alike.
const ALIKE: f64 = 0.15;

/// The numbers of the records that are like one, that one among them. Those that are not in the index yet are not
/// found.
pub(super) fn like(connection: &Connection, record: i64) -> Result<Vec<i64>> {
    if let Some(near) = vectors::near(connection, record)? {
        return Ok(near);
    }
    let own = text(connection, record)?.ok_or(SessionError::NoSuchRecord(record))?;
    let Some(sketch) = Sketch::of(&own) else { return Ok(vec![record]) };
    let mut alike: Vec<(f64, i64)> = Vec::new();
    for candidate in candidates(connection, &own)? {
        let Some(text) = text(connection, candidate)? else { continue };
        let likeness = Sketch::of(&text).map_or(0.0, |other| sketch.likeness(&other));
        if candidate == record || likeness >= ALIKE {
            alike.push((likeness, candidate));
        }
    }
    alike.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
    let mut found: Vec<i64> = alike.into_iter().take(MOST).map(|(_, id)| id).collect();
    if !found.contains(&record) {
        found.push(record);
    }
    found.sort_unstable();
    Ok(found)
}

/// Those that share most, a word weighing the more the fewer have it; where all words are common, those that have all.
fn candidates(connection: &Connection, text: &str) -> Result<Vec<i64>> {
    let words = words(text);
    let mut shared: BTreeMap<i64, f64> = BTreeMap::new();
    for word in words.iter().take(WORDS) {
        let having = having(connection, &format!("\"{word}\""))?;
        if having.len() < COMMON {
            let weight = 1.0 / having.len().max(1) as f64;
            having.into_iter().for_each(|id| *shared.entry(id).or_default() += weight.sqrt());
        }
    }
    if shared.len() < 2 {
        let all: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        let having = having(connection, &all.join(" AND "))?;
        shared.extend(having.into_iter().map(|id| (id, 0.0)));
    }
    let mut ranked: Vec<(f64, i64)> = shared.into_iter().map(|(id, weight)| (weight, id)).collect();
    ranked.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
    Ok(ranked.into_iter().take(READ).map(|(_, id)| id).collect())
}

/// The first records that match, [`COMMON`] at most.
fn having(connection: &Connection, matched: &str) -> Result<Vec<i64>> {
    let mut statement = connection
        .prepare_cached(&format!("SELECT rowid FROM search WHERE search MATCH ?1 LIMIT {COMMON}"))?;
    let ids = statement.query_map([matched], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// The distinct words, the longest first.
fn words(text: &str) -> Vec<String> {
    let distinct: BTreeSet<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let mut words: Vec<String> = distinct.into_iter().collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    words
}
