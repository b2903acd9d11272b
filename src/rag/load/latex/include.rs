//! Comments taken out, and `\input` and `\include` replaced by what they name, if that is in the document's folder.

use std::path::{Path, PathBuf};

use super::super::bytes;
use super::super::writer::BlockWriter;

/// Files that a document is put together from, at most, and how deep they name each other.
const MOST_FILES: usize = 200;
const DEEPEST: usize = 8;
const LONGEST_NAME: usize = 1000;
/// Most bytes of all of them.
const MOST_BYTES: usize = 32 << 20;

pub(super) fn with_included(out: &mut BlockWriter, path: &Path, text: &str) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut whole = IncludedFiles { root: folder.canonicalize().ok(), files: 0, text: String::new() };
    whole.add(out, &without_comments(text), 0);
    whole.text
}

struct IncludedFiles {
    /// Nothing outside it is read; none if there is no such folder.
    root: Option<PathBuf>,
    files: usize,
    text: String,
}

impl IncludedFiles {
    fn add(&mut self, out: &mut BlockWriter, text: &str, depth: usize) {
        let mut rest = text;
        while let Some((before, name, after)) = next_included(rest) {
            self.push(before);
            match self.file(name, depth) {
                Ok(Some(text)) => self.add(out, &text, depth + 1),
                Ok(None) => {}
                Err(why) => out.notices.push(format!("\\input{{{name}}} wasn't read: {why}")),
            }
            rest = after;
        }
        self.push(rest);
    }

    fn push(&mut self, text: &str) {
        if self.text.len() + text.len() <= MOST_BYTES {
            self.text.push_str(text);
        }
    }

    /// An included file's text; none if there is no folder to look in.
    fn file(&mut self, name: &str, depth: usize) -> Result<Option<String>, String> {
        let Some(root) = &self.root else { return Ok(None) };
        if self.files >= MOST_FILES || depth >= DEEPEST {
            return Err("too many files are included by each other".to_owned());
        }
        let plain = root.join(name.trim());
        let found =
            plain.canonicalize().or_else(|_| root.join(format!("{}.tex", name.trim())).canonicalize());
        let found = found.map_err(|_| "there is no such file".to_owned())?;
        if !found.starts_with(root) {
            return Err("it is outside the document's folder".to_owned());
        }
        self.files += 1;
        let bytes = bytes::steady(&found).map_err(|error| format!("{error:#}"))?;
        Ok(Some(without_comments(&bytes::decoded(&bytes))))
    }
}

fn next_included(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find("\\in") {
        let start = from + at;
        let rest = text.get(start..)?;
        let argument = rest.strip_prefix("\\input").or_else(|| rest.strip_prefix("\\include"));
        let found = argument.and_then(|rest| rest.trim_start().strip_prefix('{')).and_then(named);
        if let Some((name, after)) = found {
            return Some((text.get(..start)?, name, after));
        }
        from = start + 3;
    }
    None
}

/// A file's name before a closing brace; longer ones are no names.
fn named(text: &str) -> Option<(&str, &str)> {
    let at = text.get(..text.floor_char_boundary(LONGEST_NAME))?.find('}')?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Without what follows a `%` on each line, but for `\%`.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut verbatim = false;
    for line in text.lines() {
        verbatim |= line.contains("\\begin{verbatim}") || line.contains("\\begin{lstlisting}");
        match comment(line).filter(|_| !verbatim) {
            // A line that is a comment alone is no empty line, which would end the paragraph.
            Some(0) => continue,
            Some(at) => kept.push_str(line.get(..at).unwrap_or(line)),
            None => kept.push_str(line),
        }
        kept.push('\n');
        verbatim &= !(line.contains("\\end{verbatim}") || line.contains("\\end{lstlisting}"));
    }
    kept
}

fn comment(line: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in line.char_indices() {
        if letter == '%' && !escaped {
            return Some(if line.get(..at)?.trim().is_empty() { 0 } else { at });
        }
        escaped = letter == '\\' && !escaped;
    }
    None
}
