//! What form a file has: by its first bytes where they say it, else by its name.

use std::path::Path;

use anyhow::{Result, bail};

/// A form that words are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentForm {
    Text,
    Markdown,
    /// Source code and its language.
    Code(Option<&'static str>),
}

/// Bytes at a file's beginning that are looked at.
const SNIFFED: usize = 8192;

/// # Errors
/// If it holds no text.
pub(super) fn of(path: &Path, bytes: &[u8]) -> Result<DocumentForm> {
    let start = bytes.get(..SNIFFED).unwrap_or(bytes);
    if let Some(form) = by_name(path) {
        refuse_binary(start)?;
        return Ok(form);
    }
    refuse_binary(start)?;
    Ok(DocumentForm::Text)
}

/// The form that a name promises; none if it has no ending that is known.
pub(super) fn by_name(path: &Path) -> Option<DocumentForm> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match ending.as_str() {
        "txt" | "text" => DocumentForm::Text,
        "md" | "markdown" | "mdown" | "mkd" | "qmd" | "rmd" => DocumentForm::Markdown,
        other => DocumentForm::Code(Some(language(other)?)),
    })
}

/// A zero byte is in no text but UTF-16's, which says so by its first two bytes.
fn refuse_binary(start: &[u8]) -> Result<()> {
    let wide = start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]);
    if !wide && start.contains(&0) {
        bail!("it holds no text but binary data; text, Markdown and source code are read");
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
