//! What of a library a path or an address means that a person names, and what is said of it from now on.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::web::DocumentAddress;
use crate::rag::database::LibraryRoot;
use crate::rag::library::Library;

/// What a person says of a root.
#[derive(Debug, Clone, Copy, Default)]
pub struct RootWords<'a> {
    /// In the place of an earlier one.
    pub context: Option<&'a str>,
    /// Beside earlier ones.
    pub tags: &'a [String],
    /// Papers of a search at most.
    pub most: Option<u32>,
}

/// What is said of a path or an address from now on: what was said of it or of the folder that it is in, and what is said
/// now.
///
/// # Errors
/// If nothing is there and nothing was, or the library can't be read.
pub fn root_of(library: &Library, path: &str, said: RootWords<'_>) -> Result<LibraryRoot> {
    let address = DocumentAddress::parse(path)?;
    let whole = match &address {
        Some(address) => address.root(),
        None => local(library, path)?,
    };
    let known = library.database().root(&whole)?;
    let mut root = known.unwrap_or_else(|| inherited(library, &whole).unwrap_or_default());
    root.path = whole;
    if matches!(address, Some(DocumentAddress::Search(_))) {
        root.most = said.most.or(root.most);
    }
    if let Some(context) = said.context {
        root.context = Some(context.to_owned());
    }
    for tag in said.tags {
        if !root.tags.contains(tag) {
            root.tags.push(tag.clone());
        }
    }
    Ok(root)
}

/// A file or a folder from the file system's root.
fn local(library: &Library, path: &str) -> Result<String> {
    // One that is gone is known by the name that it had.
    let whole = std::path::absolute(path).with_context(|| format!("find {path}"))?;
    let whole = whole.canonicalize().unwrap_or(whole);
    let whole = whole.to_string_lossy().into_owned();
    let database = library.database();
    let is_known = || -> Result<bool> {
        Ok(database.root(&whole)?.is_some() || !database.documents_under(&whole)?.is_empty())
    };
    ensure!(Path::new(&whole).exists() || is_known()?, "there is no {path}");
    Ok(whole)
}

/// What was said of the folder that a path is in.
fn inherited(library: &Library, path: &str) -> Option<LibraryRoot> {
    let roots = library.database().roots().ok()?;
    roots
        .into_iter()
        .filter(|root| Path::new(path).starts_with(&root.path))
        .max_by_key(|root| root.path.len())
}
