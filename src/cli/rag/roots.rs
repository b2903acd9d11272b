//! What `dojo rag add` is to bring in: the paths and addresses that are named, or all that was added before.

use anyhow::{Result, ensure};

use super::add::AddArguments;
use crate::app::library::roots::{RootWords, root_of};
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
                let says =
                    arguments.context.is_some() || !arguments.tags.is_empty() || arguments.most.is_some();
                let anew = |known: &LibraryRoot| root(library, &known.path, arguments);
                if says { roots.iter().map(anew).collect() } else { Ok(roots) }
            }
        };
    }
    arguments.paths.iter().map(|path| root(library, path, arguments)).collect()
}

fn root(library: &Library, path: &str, arguments: &AddArguments) -> Result<LibraryRoot> {
    let AddArguments { context, tags, most, .. } = arguments;
    root_of(library, path, RootWords { context: context.as_deref(), tags, most: *most })
}
