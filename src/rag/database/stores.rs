//! Where a library's index is kept, and what it was brought up to. An address is never here: a library may come from
//! somebody else, and must not be able to name who is sent what is asked of it.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::LibraryDatabase;

/// Where a library's index is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "store", rename_all = "snake_case")]
pub enum IndexStore {
    /// Beside the database, by the engine in this process.
    #[default]
    Edge,
    /// On the Qdrant server that the person named.
    Server { collection: String },
}

/// A collection that this library was pushed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PushedTo {
    url: String,
    collection: String,
    /// The last times, newest last. Two, since a kill may come between keeping one here and saying it there.
    turns: Vec<String>,
}

const STORE: &str = "store";
const PUSHED: &str = "pushed";
const AVERAGE: &str = "average_terms";

/// The average length of chunks may drift so far before their weights are computed again.
const DRIFT: f64 = 0.1;
/// Turns of a collection that are remembered.
const TURNS: usize = 2;

impl LibraryDatabase {
    /// # Errors
    /// Where the database can't be read.
    pub fn index_store(&self) -> Result<IndexStore> {
        let Some(said) = self.meta(STORE)? else { return Ok(IndexStore::Edge) };
        serde_json::from_str(&said).context("read where the library's index is kept: update dojo to open it")
    }

    /// # Errors
    /// Where the database can't be written.
    pub fn set_index_store(&mut self, store: &IndexStore) -> Result<()> {
        self.set_meta(STORE, &serde_json::to_string(store)?)
    }

    /// The collection that it was pushed to last, wherever that is.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn last_collection(&self) -> Result<Option<String>> {
        Ok(self.pushed()?.pop().map(|pushed| pushed.collection))
    }

    /// The last times that this library brought a collection up to date.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn turns(&self, url: &str, collection: &str) -> Result<Vec<String>> {
        let found = self.pushed()?.into_iter().find(|one| one.url == url && one.collection == collection);
        Ok(found.map(|one| one.turns).unwrap_or_default())
    }

    /// Remembers that it is about to bring a collection up to date.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn remember_turn(&self, url: &str, collection: &str, turn: &str) -> Result<()> {
        let mut turns = self.turns(url, collection)?;
        turns.push(turn.to_owned());
        turns.drain(..turns.len().saturating_sub(TURNS));
        let mut pushed = self.pushed()?;
        pushed.retain(|one| one.url != url || one.collection != collection);
        pushed.push(PushedTo { url: url.to_owned(), collection: collection.to_owned(), turns });
        self.set_meta(PUSHED, &serde_json::to_string(&pushed)?)
    }

    /// Tells one bringing up to date from every other.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn new_turn(&self) -> Result<String> {
        let turn = self.connection.query_row("SELECT lower(hex(randomblob(8)))", [], |row| row.get(0));
        turn.context("read the library")
    }

    fn pushed(&self) -> Result<Vec<PushedTo>> {
        let Some(said) = self.meta(PUSHED)? else { return Ok(Vec::new()) };
        serde_json::from_str(&said).context("read where the library was pushed to")
    }

    /// The average length that chunks are weighed by: the same in every index of this library, so that all rank alike. It
    /// stays while the real one is near it.
    ///
    /// # Errors
    /// Where the database can't be read or written.
    pub fn weighing_average(&self) -> Result<f64> {
        let now = self.average_terms()?;
        let kept = self.meta(AVERAGE)?.and_then(|kept| kept.parse::<f64>().ok());
        if let Some(kept) = kept
            && ((kept / now.max(1.0) - 1.0).abs() <= DRIFT || now < 1.0)
        {
            return Ok(kept);
        }
        self.weigh_by(now)?;
        Ok(now)
    }

    /// Weighs chunks by an average length from now on.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn weigh_by(&self, average: f64) -> Result<()> {
        // The shortest digits that read as the same number.
        self.set_meta(AVERAGE, &format!("{average:?}"))
    }
}
