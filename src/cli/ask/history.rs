//! The questions that were asked before, the last of them kept in a file that only its owner may read.

use std::fs::DirBuilder;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::domain::secret;
use crate::ground::files::{Readers, WholeFile};

/// Questions kept at most.
const KEPT: usize = 1000;
/// Bytes of a question that is kept: what is longer was pasted from somewhere.
const LONGEST: usize = 16 << 10;
/// Bytes of the file that are read at most.
const FILE_BYTES: u64 = (KEPT * LONGEST) as u64;

#[derive(Default)]
pub(super) struct InputHistory {
    asked: Vec<String>,
    /// Where in it the person is; at its length, none of it is shown.
    at: usize,
    /// What was typed before an older question was looked at.
    draft: String,
    path: Option<PathBuf>,
}

impl InputHistory {
    /// A file that is not there or can't be read is an empty one.
    pub(super) fn open(path: Option<&Path>) -> Self {
        let mut history = Self { path: path.map(Path::to_path_buf), ..Self::default() };
        let Some(file) = path.and_then(|path| std::fs::File::open(path).ok()) else { return history };
        for line in BufReader::new(file.take(FILE_BYTES)).lines().map_while(std::result::Result::ok) {
            history.asked.extend(serde_json::from_str::<String>(&line).ok());
        }
        history.asked.drain(..history.asked.len().saturating_sub(KEPT));
        history.at = history.asked.len();
        history
    }

    /// A question is asked. One that holds what looks like a key is never written.
    pub(super) fn add(&mut self, question: &str) {
        if self.asked.last().is_none_or(|last| last != question) {
            self.asked.push(question.to_owned());
        }
        self.at = self.asked.len();
        self.draft.clear();
    }

    /// Writes the file anew: whole, and for its owner only.
    ///
    /// # Errors
    /// Where it can't be written.
    pub(super) fn save(&self) -> Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let fit = |question: &&String| question.len() <= LONGEST && secret::mask(question) == **question;
        let kept: Vec<&String> = self.asked.iter().filter(fit).collect();
        let write = || -> std::io::Result<()> {
            if let Some(folder) = path.parent() {
                DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            }
            let mut file = WholeFile::create(path, Readers::Owner)?;
            for question in kept.iter().skip(kept.len().saturating_sub(KEPT)) {
                writeln!(file, "{}", serde_json::to_string(question)?)?;
            }
            file.finish()
        };
        write().with_context(|| format!("keep the questions in {}", path.display()))
    }

    /// The question before the one that is shown; `now` is what is being typed.
    pub(super) fn older(&mut self, now: &str) -> Option<String> {
        if self.at == self.asked.len() {
            now.clone_into(&mut self.draft);
        }
        self.at = self.at.checked_sub(1)?;
        self.asked.get(self.at).cloned()
    }

    /// The question after it; after the last one, what was being typed.
    pub(super) fn newer(&mut self) -> Option<String> {
        if self.at >= self.asked.len() {
            return None;
        }
        self.at += 1;
        Some(self.asked.get(self.at).unwrap_or(&self.draft).clone())
    }
}
