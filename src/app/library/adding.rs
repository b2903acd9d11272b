//! Bringing a library up to what is at its roots now: files and folders of this machine, addresses, arXiv's papers. For
//! the shell and the studio alike.

use anyhow::Result;

use super::web::{DocumentAddress, WebDocuments, shown};
use crate::config::Folders;
use crate::rag::add::Adder;
use crate::rag::database::LibraryRoot;
use crate::rag::files::{FilesReport, add_path};

/// Where documents come from.
pub struct DocumentSources {
    folders: Folders,
    /// Made when the first address is fetched.
    web: Option<WebDocuments>,
}

impl DocumentSources {
    #[must_use]
    pub const fn new(folders: Folders) -> Self {
        Self { folders, web: None }
    }

    /// Brings in what is at some roots now, until the host wants to stop. What can't be read or fetched is reported, and
    /// the rest goes on. `tell` is told sentences for people.
    ///
    /// # Errors
    /// Where the library can't be written or a text not be embedded.
    pub fn add(
        &mut self,
        adder: &mut Adder<'_>,
        roots: &[LibraryRoot],
        report: &mut FilesReport,
        tell: &mut dyn FnMut(&str),
    ) -> Result<()> {
        for root in roots {
            match DocumentAddress::parse(&root.path) {
                Ok(Some(address)) => self.web()?.add(adder, root, &address, report, tell)?,
                Ok(None) => add_path(adder, root, report)?,
                // Added by a version that saw nothing wrong with it.
                Err(error) => report.leave_out(&shown(&root.path), format!("{error:#}")),
            }
            if report.stopped {
                break;
            }
        }
        Ok(())
    }

    fn web(&mut self) -> Result<&WebDocuments> {
        if self.web.is_none() {
            self.web = Some(WebDocuments::new(self.folders.load_settings()?.arxiv)?);
        }
        self.web.as_ref().ok_or_else(|| anyhow::anyhow!("make what fetches documents"))
    }
}
