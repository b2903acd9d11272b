//! From libraries' names to what the server answers from.

use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;

use crate::app::library::folder;
use crate::app::library::served::LibraryDesk;
use crate::cli::print;
use crate::config::Folders;
use crate::serve::{ServedLibrary, short_name};

/// Which libraries answers are from, and how.
#[derive(Args)]
pub(super) struct LibrariesToServe {
    /// Answer from a library's passages, with citations beside the answer: a session's (its name, a sample's, or its
    /// folder), or a folder of its own. Given several times, the first answers unless a request names another
    /// (`"library": "NAME"`) or none (`"library": false`).
    #[arg(long = "library", value_name = "LIBRARY")]
    libraries: Vec<String>,
    /// Passages that are found for a question at most.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    library_top: u16,
    /// Tokens of a prompt with its passages at most: the best that fit are shown to the model.
    #[arg(long, default_value_t = 2048, value_name = "N")]
    library_prompt_tokens: usize,
}

impl LibrariesToServe {
    /// Opens them all, so that what is wrong with one is known at once.
    pub(super) fn open(&self) -> Result<Vec<ServedLibrary>> {
        if self.libraries.is_empty() {
            return Ok(Vec::new());
        }
        let folders = Folders::from_environment()?;
        let open = |name: &String| -> Result<ServedLibrary> {
            let place = folder(&folders, Some(name))?;
            let opened = LibraryDesk::start(folders.clone(), place, usize::from(self.library_top), complain);
            let (desk, counts) = opened.with_context(|| format!("open the library {name}"))?;
            let name = short_name(name);
            if counts.documents == 0 {
                print::complain(&format!(
                    "the library {name} has no documents yet: `dojo rag add` adds them"
                ));
            }
            let (prompt_tokens, library) = (self.library_prompt_tokens, Arc::new(desk));
            Ok(ServedLibrary { name, prompt_tokens, library })
        };
        self.libraries.iter().map(open).collect()
    }
}

fn complain(error: &str) {
    let when = chrono::Local::now().format("%Y-%m-%d %H:%M:%S");
    print::complain(&format!("{when} {error}"));
}
