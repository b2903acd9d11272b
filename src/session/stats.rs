//! Figures over what a filter matches, in one pass over the narrow table.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, params_from_iter};

use super::{Result, Session, names, query};
use crate::domain::filter::Filter;
use crate::domain::statistics::{Balance, Statistics, TokenBins};

impl Session {
    /// Counts and distributions over what a filter matches; `limit` is the length at which training would cut.
    ///
    /// # Errors
    /// Where the file can't be read, or the query was interrupted.
    pub fn statistics(&self, filter: &Filter, limit: Option<u32>) -> Result<Statistics> {
        let mut pass = StatsPass::default();
        let query = query::build(&self.connection, filter, "0")?;
        let sql = format!(
            "WITH matching (id, key) AS ({}) SELECT tokens, label, split, status, prompt, hash, characters
             FROM matching CROSS JOIN records USING (id)",
            query.sql
        );
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query(params_from_iter(query.parameters))?;
        while let Some(row) = rows.next()? {
            pass.tokens.extend(row.get::<_, Option<u32>>(0)?);
            pass.characters += row.get::<_, i64>(6)? as u64;
            *pass.labels.entry(row.get(1)?).or_default() += 1;
            let split: Option<i64> = row.get(2)?;
            *pass.splits.entry(split).or_default() += 1;
            let status: i64 = row.get(3)?;
            if let Some(count) = pass.statuses.get_mut(usize::try_from(status).unwrap_or(usize::MAX)) {
                *count += 1;
            }
            pass.prompts.insert(row.get(4)?);
            pass.hashes.insert(row.get(5)?);
            pass.records += 1;
        }
        pass.finish(&self.connection, limit)
    }

    /// Records in the session.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn total(&self) -> Result<usize> {
        let count: i64 = self
            .connection
            .prepare_cached("SELECT count(*) FROM records")?
            .query_row([], |row| row.get(0))?;
        Ok(count as usize)
    }
}

#[derive(Default)]
struct StatsPass {
    records: u64,
    tokens: Vec<u32>,
    characters: u64,
    labels: HashMap<Option<i64>, u64>,
    splits: HashMap<Option<i64>, u64>,
    statuses: [u64; 3],
    prompts: HashSet<i64>,
    hashes: HashSet<[u8; 16]>,
}

impl StatsPass {
    fn finish(mut self, connection: &Connection, limit: Option<u32>) -> Result<Statistics> {
        self.tokens.sort_unstable();
        let median = self.tokens.get(self.tokens.len() / 2).copied();
        let longest = self.tokens.last().copied();
        let over_limit = limit
            .map(|limit| (self.tokens.len() - self.tokens.partition_point(|&tokens| tokens <= limit)) as u64);
        Ok(Statistics {
            records: self.records,
            statuses: self.statuses,
            labels: balance(connection, &self.labels)?,
            splits: balance(connection, &self.splits)?,
            characters: self.characters,
            counted: self.tokens.len() as u64,
            tokens: self.tokens.iter().map(|&tokens| u64::from(tokens)).sum(),
            median,
            longest,
            limit,
            over_limit,
            bins: TokenBins::of(&self.tokens),
            distinct_prompts: self.prompts.len() as u64,
            equal_rows: self.records - self.hashes.len() as u64,
        })
    }
}

/// The most frequent first, at most so many; the rest is summed up.
const SHOWN: usize = 50;

fn balance(connection: &Connection, counts: &HashMap<Option<i64>, u64>) -> Result<Balance> {
    let mut sorted: Vec<(u64, Option<i64>)> = counts.iter().map(|(&id, &count)| (count, id)).collect();
    sorted.sort_unstable_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
    let rest = sorted.split_off(sorted.len().min(SHOWN));
    let mut named = Vec::with_capacity(sorted.len());
    for (count, id) in sorted {
        let name = id.map(|id| names::name(connection, id)).transpose()?.flatten();
        named.push((name, count));
    }
    let others = rest.iter().map(|(count, _)| count).sum();
    Ok(Balance { named, distinct: counts.len() as u64, others })
}
