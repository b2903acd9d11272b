//! LaTeX: what its document says, without what sets it. Formulas stay as they are written; macros aren't carried out.

mod command;
mod include;
mod reader;

use std::path::Path;

use super::writer::BlockWriter;
use reader::LatexReader;

/// Reads a file, and those of its folder that it includes.
pub(super) fn read(out: &mut BlockWriter, path: &Path, text: &str) {
    let whole = include::with_included(out, path, text);
    let (preamble, body) = match whole.split_once("\\begin{document}") {
        Some((preamble, body)) => (preamble, body),
        None => ("", whole.as_str()),
    };
    let body = body.split_once("\\end{document}").map_or(body, |(body, _)| body);
    let sections_below = body.contains("\\chapter");
    LatexReader::new(out, preamble, sections_below).read_preamble();
    LatexReader::new(out, body, sections_below).read();
}
