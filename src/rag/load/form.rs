//! What form a file has: by its first bytes where they say it, else by its name.

use std::path::Path;

use anyhow::{Result, bail};

use super::archive::Archive;

/// A form that words are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentForm {
    Text,
    Markdown,
    Html,
    Latex,
    Docx,
    Epub,
    Pdf,
    /// Source code and its language.
    Code(Option<&'static str>),
}

/// Bytes at a file's beginning that are looked at.
const SNIFFED: usize = 8192;

/// # Errors
/// If it holds no text.
pub(super) fn of(path: &Path, bytes: &[u8]) -> Result<DocumentForm> {
    let start = bytes.get(..SNIFFED).unwrap_or(bytes);
    if start.starts_with(b"%PDF-") {
        return Ok(DocumentForm::Pdf);
    }
    if start.starts_with(b"PK\x03\x04") {
        return zipped(path, bytes);
    }
    match by_name(path) {
        None => {}
        Some(DocumentForm::Pdf) => bail!("it is no PDF, whatever its name says: it doesn't begin with %PDF-"),
        Some(form @ (DocumentForm::Docx | DocumentForm::Epub)) => {
            bail!(
                "it is no {} file, whatever its name says: it is no archive",
                format!("{form:?}").to_uppercase()
            )
        }
        Some(form) => {
            refuse_binary(start)?;
            return Ok(form);
        }
    }
    refuse_binary(start)?;
    let beginning = String::from_utf8_lossy(start).trim_start().to_ascii_lowercase();
    let page = beginning.starts_with("<!doctype html") || beginning.starts_with("<html");
    Ok(if page { DocumentForm::Html } else { DocumentForm::Text })
}

/// The form that a name promises; none if it has no ending that is known.
pub(super) fn by_name(path: &Path) -> Option<DocumentForm> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match ending.as_str() {
        "pdf" => DocumentForm::Pdf,
        "docx" => DocumentForm::Docx,
        "epub" => DocumentForm::Epub,
        "html" | "htm" | "xhtml" => DocumentForm::Html,
        "tex" | "latex" | "ltx" => DocumentForm::Latex,
        "txt" | "text" => DocumentForm::Text,
        "md" | "markdown" | "mdown" | "mkd" | "qmd" | "rmd" => DocumentForm::Markdown,
        other => DocumentForm::Code(Some(language(other)?)),
    })
}

/// An archive is told by what is in it.
fn zipped(path: &Path, bytes: &[u8]) -> Result<DocumentForm> {
    let archive = Archive::open(bytes)?;
    if archive.has("word/document.xml") {
        Ok(DocumentForm::Docx)
    } else if archive.has("META-INF/container.xml") {
        Ok(DocumentForm::Epub)
    } else if let Some(form @ (DocumentForm::Docx | DocumentForm::Epub)) = by_name(path) {
        Ok(form)
    } else {
        bail!("it is an archive, and no DOCX or EPUB; unpack it and add the folder")
    }
}

/// A zero byte is in no text but UTF-16's, which says so by its first two bytes.
fn refuse_binary(start: &[u8]) -> Result<()> {
    let wide = start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]);
    if !wide && start.contains(&0) {
        bail!(
            "it holds no text but binary data; PDF, DOCX, EPUB, HTML, LaTeX, Markdown, text and source code are read"
        );
    }
    Ok(())
}

/// Endings of source code, and the names of the languages as a Markdown fence has them.
fn language(ending: &str) -> Option<&'static str> {
    LANGUAGES.iter().find(|(endings, _)| endings.contains(&ending)).map(|(_, language)| *language)
}

const LANGUAGES: &[(&[&str], &str)] = &[
    (&["rs"], "rust"),
    (&["py", "pyi"], "python"),
    (&["js", "mjs", "cjs", "jsx"], "javascript"),
    (&["ts", "tsx", "mts"], "typescript"),
    (&["c", "h"], "c"),
    (&["cc", "cpp", "cxx", "hpp", "hh", "cu", "cuh"], "cpp"),
    (&["go"], "go"),
    (&["java"], "java"),
    (&["kt", "kts"], "kotlin"),
    (&["scala"], "scala"),
    (&["swift"], "swift"),
    (&["cs"], "csharp"),
    (&["rb"], "ruby"),
    (&["php"], "php"),
    (&["pl", "pm"], "perl"),
    (&["lua"], "lua"),
    (&["r"], "r"),
    (&["jl"], "julia"),
    (&["hs"], "haskell"),
    (&["ml", "mli"], "ocaml"),
    (&["ex", "exs"], "elixir"),
    (&["erl"], "erlang"),
    (&["clj"], "clojure"),
    (&["zig"], "zig"),
    (&["nim"], "nim"),
    (&["f", "f90", "f95"], "fortran"),
    (&["sh", "bash", "zsh", "fish"], "sh"),
    (&["sql"], "sql"),
    (&["proto"], "protobuf"),
    (&["css", "scss"], "css"),
    (&["json", "jsonl"], "json"),
    (&["yaml", "yml"], "yaml"),
    (&["toml"], "toml"),
    (&["xml"], "xml"),
    (&["csv", "tsv"], "csv"),
];
