//! Taking out of a library what a person names: a document, a folder, an address, a search. What comes from a folder or a
//! search that stays is remembered, so that it doesn't come back by it.

use std::path::Path;

use anyhow::{Context, Result};

use super::library::Library;

impl Library {
    /// The sources that a person means: one as it is, what came of an address or a search, or a path with all that is
    /// under it.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn sources_named(&self, name: &str) -> Result<Vec<String>> {
        if let Some(document) = self.database.document(name)? {
            return Ok(vec![document.from.source]);
        }
        let mut named: Vec<String> =
            self.database.addresses_named(name)?.into_iter().map(|address| address.source).collect();
        for address in self.database.addresses_of(name)? {
            // What another search found too stays.
            let others = self.database.addresses_named(&address.source)?;
            if others.iter().all(|other| other.root == name) {
                named.push(address.source);
            }
        }
        named.sort();
        named.dedup();
        if named.is_empty() {
            let under = self.database.documents_under(&whole(name)?)?;
            named.extend(under.into_iter().map(|document| document.from.source));
        }
        Ok(named)
    }

    /// Takes out what a person names, and gives its sources. A folder or a search that held nothing is forgotten.
    ///
    /// # Errors
    /// Where the library knows nothing of that name, or can't be written.
    pub fn take_out_named(&mut self, name: &str) -> Result<Vec<String>> {
        let sources = self.sources_named(name)?;
        let path = if is_address(name) { name.to_owned() } else { whole(name)? };
        let is_root = self.database.root(&path)?.is_some();
        anyhow::ensure!(
            is_root || !sources.is_empty(),
            "the library has no document {name}: `dojo rag list` shows those that it has"
        );
        for source in &sources {
            self.database.remove(source)?;
            self.forget_addresses(source, name)?;
        }
        for address in self.database.addresses_of(name)? {
            self.database.forget_address(&address)?;
        }
        self.forget_path(&path)?;
        Ok(sources)
    }

    /// What led to a document leads there no more: a paper stays out of the searches that found it, but for one that goes
    /// itself.
    fn forget_addresses(&mut self, source: &str, leaving: &str) -> Result<()> {
        for address in self.database.addresses_named(source)? {
            if address.root == address.asked {
                self.database.forget_root(&address.root)?;
            } else if address.root != leaving {
                self.database.exclude(&address.asked)?;
            }
            self.database.forget_address(&address)?;
        }
        Ok(())
    }

    /// A path and what was said of anything under it are forgotten; if it is in a folder that stays, it stays out.
    fn forget_path(&mut self, path: &str) -> Result<()> {
        for root in self.database.roots()?.into_iter().filter(|root| Path::new(&root.path).starts_with(path))
        {
            self.database.forget_root(&root.path)?;
        }
        for under in self.database.exclusions()?.into_iter().filter(|one| Path::new(one).starts_with(path)) {
            self.database.include(&under)?;
        }
        if self.database.roots()?.iter().any(|root| Path::new(path).starts_with(&root.path)) {
            self.database.exclude(path)?;
        }
        Ok(())
    }
}

/// Whether it is no path of this machine's.
fn is_address(name: &str) -> bool {
    name.starts_with("arxiv") || name.contains("://")
}

/// A path from the file system's root; one that is gone as it is written.
pub(super) fn whole(path: &str) -> Result<String> {
    let whole = std::path::absolute(path).with_context(|| format!("find {path}"))?;
    Ok(whole.canonicalize().unwrap_or(whole).to_string_lossy().into_owned())
}
