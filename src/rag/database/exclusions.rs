//! What a person has taken out of a folder or a search that stays: it doesn't come back when that is added again.

use std::path::Path;

use anyhow::{Context, Result};

use super::LibraryDatabase;

impl LibraryDatabase {
    /// What stays out, by path.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn exclusions(&self) -> Result<Vec<String>> {
        let mut asked = self.connection.prepare_cached("SELECT path FROM exclusions ORDER BY path")?;
        let rows = asked.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>();
        rows.context("read what stays out of the library")
    }

    /// A path stays out from now on, and all that is under it.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn exclude(&mut self, path: &str) -> Result<()> {
        let set = self.connection.execute("INSERT OR IGNORE INTO exclusions VALUES (?)", [path]);
        set.map(|_| ()).context("write the library")
    }

    /// A path is wanted again.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn include(&mut self, path: &str) -> Result<()> {
        let removed = self.connection.execute("DELETE FROM exclusions WHERE path = ?", [path]);
        removed.map(|_| ()).context("write the library")
    }

    /// What stays out, against what was added.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn excluded_paths(&self) -> Result<ExcludedPaths> {
        let roots = self.roots()?.into_iter().map(|root| root.path).collect();
        Ok(ExcludedPaths { exclusions: self.exclusions()?, roots })
    }
}

/// Tells whether a path stays out: what is said of the innermost folder counts, so that a file which was added by its own
/// name is in, although its folder is out.
#[derive(Debug, Clone, Default)]
pub struct ExcludedPaths {
    exclusions: Vec<String>,
    roots: Vec<String>,
}

impl ExcludedPaths {
    #[must_use]
    pub fn holds(&self, path: &Path) -> bool {
        let innermost = |among: &[String]| {
            among
                .iter()
                .filter(|one| path.starts_with(one))
                .map(|one| Path::new(one).components().count())
                .max()
        };
        innermost(&self.exclusions) > innermost(&self.roots)
    }
}
