//! The tools that read documents: `get`, `multi_get` and `status`.

use anyhow::{Context, Result, bail, ensure};
use globset::GlobBuilder;
use serde_json::{Value, json};

use super::arguments::{GetArguments, MultiGetArguments, NoArguments};
use super::desk::McpDesk;
use super::tools::ToolAnswer;
use crate::rag::database::StoredDocument;
use crate::rag::library::Library;

/// Documents that one call reads at most.
const MOST_DOCUMENTS: usize = 100;
/// Bytes of one answer at most.
const MOST_BYTES: usize = 4 << 20;

/// Which lines of a text are wanted, and how they are written.
struct WantedLines {
    from: usize,
    most: Option<usize>,
    numbered: bool,
}

pub(super) fn get(desk: &mut McpDesk, arguments: &GetArguments) -> Result<ToolAnswer> {
    let library = desk.library()?;
    let (name, line) = match arguments.file.rsplit_once(':') {
        Some((name, line)) if arguments.from_line.is_none() && !line.is_empty() => match line.parse() {
            Ok(line) => (name, Some(line)),
            Err(_) => (arguments.file.as_str(), None),
        },
        _ => (arguments.file.as_str(), arguments.from_line),
    };
    let document = named(library, name)?;
    let wanted = WantedLines {
        from: line.unwrap_or(1).max(1),
        most: arguments.max_lines,
        numbered: arguments.line_numbers,
    };
    let read = read(library, &document, &wanted)?;
    ensure!(
        wanted.from <= read.all.max(1),
        "{} has {} lines, and line {} was asked for",
        document.from.source,
        read.all,
        wanted.from
    );
    ensure!(
        read.text.len() <= MOST_BYTES,
        "the document is longer than {MOST_BYTES} bytes: say fromLine and maxLines"
    );
    let (value, mut text) = (value(&document, &read), read.text);
    if read.count < read.all {
        let last = wanted.from + read.count.max(1) - 1;
        text.push_str(&format!("\n\n(lines {} to {last} of {})", wanted.from, read.all));
    }
    Ok(ToolAnswer { text, value })
}

pub(super) fn multi_get(desk: &mut McpDesk, arguments: &MultiGetArguments) -> Result<ToolAnswer> {
    let library = desk.library()?;
    let (documents, mut told) = matching(library, &arguments.pattern)?;
    let wanted = WantedLines { from: 1, most: arguments.max_lines, numbered: arguments.line_numbers };
    let (mut parts, mut values, mut bytes) = (Vec::new(), Vec::new(), 0);
    for document in &documents {
        let read = read(library, document, &wanted)?;
        let text = &read.text;
        let source = &document.from.source;
        if text.len() > arguments.max_bytes {
            told.push(format!("{source} is longer than maxBytes ({} bytes): get reads it", text.len()));
            continue;
        }
        if values.len() >= MOST_DOCUMENTS || bytes + text.len() > MOST_BYTES {
            told.push(format!("{source} and later ones are left out: an answer holds no more"));
            break;
        }
        bytes += text.len();
        parts.push(format!("=== {source}\n{text}"));
        values.push(value(document, &read));
    }
    if values.is_empty() && told.is_empty() {
        bail!("no document of the library matches {}", arguments.pattern);
    }
    parts.extend(told.iter().cloned());
    Ok(ToolAnswer { text: parts.join("\n\n"), value: json!({ "documents": values, "left_out": told }) })
}

pub(super) fn status(desk: &mut McpDesk, _: &NoArguments) -> Result<ToolAnswer> {
    let library = desk.library()?;
    let counts = library.counts()?;
    let model = counts.model.as_deref().unwrap_or("none: vec and hyde find nothing");
    let text = format!(
        "{} documents, {} chunks, {} tokens\nembedding model: {model}\nfolder: {}",
        counts.documents,
        counts.chunks,
        counts.tokens,
        library.folder().display()
    );
    Ok(ToolAnswer { text, value: json!(counts) })
}

/// The documents of a pattern, or of a list with commas, and what of the list there is none of.
fn matching(library: &Library, pattern: &str) -> Result<(Vec<StoredDocument>, Vec<String>)> {
    if pattern.contains(',') {
        let (mut found, mut told) = (Vec::new(), Vec::new());
        for name in pattern.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match named(library, name) {
                Ok(document) => found.push(document),
                Err(error) => told.push(format!("{error:#}")),
            }
        }
        return Ok((found, told));
    }
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    let glob = glob.with_context(|| format!("read the pattern {pattern}"))?.compile_matcher();
    let ends_so = |source: &str| {
        // A pattern may leave out the folders before it.
        let tails = source.match_indices('/').map(|(at, _)| source.get(at + 1..).unwrap_or_default());
        std::iter::once(source).chain(tails).any(|tail| glob.is_match(tail))
    };
    let all = library.database().documents()?;
    Ok((all.into_iter().filter(|document| ends_so(&document.from.source)).collect(), Vec::new()))
}

/// The document of a source, of the end of one, or of a result's number.
fn named(library: &Library, name: &str) -> Result<StoredDocument> {
    let database = library.database();
    if let Some(number) = name.strip_prefix('#') {
        let number = number.parse().with_context(|| format!("{name} is no docid: they are like #12"))?;
        let chunk = database.chunk(number)?.with_context(|| format!("the library has no passage {name}"))?;
        return database.document(&chunk.source)?.with_context(|| format!("the document of {name} is gone"));
    }
    if let Some(document) = database.document(name)? {
        return Ok(document);
    }
    let end = format!("/{}", name.trim_start_matches("./"));
    let mut all = database.documents()?;
    let mut like: Vec<String> = Vec::new();
    if let Some(at) = all.iter().position(|document| document.from.source.ends_with(&end)) {
        return Ok(all.swap_remove(at));
    }
    let file = name.rsplit('/').next().unwrap_or(name);
    all.sort_by_cached_key(|document| {
        let own = document.from.source.rsplit('/').next().unwrap_or_default().to_owned();
        (strsim::damerau_levenshtein(&own, file), document.from.source.clone())
    });
    like.extend(all.into_iter().take(3).map(|document| document.from.source));
    bail!("the library has no document {name}; the nearest are: {}", like.join(", "))
}

/// Lines of a document.
struct ReadLines {
    /// After the document's context, if it has one.
    text: String,
    from: usize,
    count: usize,
    /// Lines that the document has.
    all: usize,
}

/// Some lines of a document, as the library read it.
fn read(library: &Library, document: &StoredDocument, wanted: &WantedLines) -> Result<ReadLines> {
    let chunks = library.database().chunks_of(document)?;
    let mut whole = String::new();
    for stored in &chunks {
        let text = &stored.chunk.text;
        let shared = overlap(&whole, text);
        if shared == 0 && !whole.is_empty() {
            whole.push_str("\n\n");
        }
        whole.push_str(text.get(shared..).unwrap_or_default());
    }
    let lines = (1..).zip(whole.lines()).skip(wanted.from - 1).take(wanted.most.unwrap_or(usize::MAX));
    let lines: Vec<String> = lines
        .map(|(number, line)| if wanted.numbered { format!("{number}: {line}") } else { line.to_owned() })
        .collect();
    let context = document.context.as_ref().map(|context| format!("<!-- Context: {context} -->\n\n"));
    let text = format!("{}{}", context.unwrap_or_default(), lines.join("\n"));
    Ok(ReadLines { text, from: wanted.from, count: lines.len(), all: whole.lines().count() })
}

/// Bytes with which a chunk begins again what the text before it ends with.
fn overlap(before: &str, chunk: &str) -> usize {
    let most = before.len().min(chunk.len());
    let begins = |length: &usize| {
        chunk.get(..*length).is_some_and(|head| !head.trim().is_empty() && before.ends_with(head))
    };
    (1..=most).rev().find(begins).unwrap_or(0)
}

fn value(document: &StoredDocument, read: &ReadLines) -> Value {
    json!({
        "file": document.from.source, "title": document.title, "context": document.context, "text": read.text,
        "fromLine": read.from, "lines": read.count, "totalLines": read.all,
    })
}
