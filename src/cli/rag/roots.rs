//! What `dojo rag add` is to bring in: the paths and addresses that are named, or all that was added before.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::add::AddArguments;
use crate::app::library::web::DocumentAddress;
use crate::rag::database::LibraryRoot;
use crate::rag::library::Library;

/// A session's own documents are in this folder beside its library.
const DOCUMENTS: &str = "documents";

/// What is to be read: what is named, with what is said of it, or all that was added before.
pub(super) fn roots(library: &Library, arguments: &AddArguments) -> Result<Vec<LibraryRoot>> {
    if arguments.paths.is_empty() {
        let roots = library.database().roots()?;
        let own = library.folder().parent().map(|session| session.join(DOCUMENTS)).filter(|own| own.is_dir());
        return match own {
            Some(own) if roots.is_empty() => {
                root(library, &own.to_string_lossy(), arguments).map(|root| vec![root])
            }
            _ => {
                ensure!(
                    !roots.is_empty(),
                    "nothing was added to this library yet: say which files, folders or addresses"
                );
                Ok(roots)
            }
        };
    }
    arguments.paths.iter().map(|path| root(library, path, arguments)).collect()
}

fn root(library: &Library, path: &str, arguments: &AddArguments) -> Result<LibraryRoot> {
    let address = DocumentAddress::parse(path)?;
    let whole = match &address {
        Some(address) => address.root(),
        None => local(library, path)?,
    };
    let known = library.database().root(&whole)?;
    let mut root = known.unwrap_or_else(|| inherited(library, &whole).unwrap_or_default());
    root.path = whole;
    if matches!(address, Some(DocumentAddress::Search(_))) {
        root.most = arguments.most.or(root.most);
    }
    if arguments.context.is_some() {
        root.context.clone_from(&arguments.context);
    }
    for tag in &arguments.tags {
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
