//! What a chunk is never cut within: sentences, rows of tables, lines of code, headings.

use super::sentence::sentences;
use crate::domain::library::{BlockKind, DocumentBlock};

/// One of them.
#[derive(Debug)]
pub(super) struct Atom<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: usize,
    /// Its block's place in the document.
    pub(super) block: usize,
    pub(super) is_heading: bool,
    /// How good a break is before it.
    pub(super) before: ChunkBreak,
    /// What stands between it and the one before in a chunk.
    pub(super) joined_by: &'static str,
}

/// How good a place is to cut at, the best last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ChunkBreak {
    /// After a heading.
    Never,
    /// Within a sentence that is longer than a chunk.
    Words,
    /// Between two sentences, two rows, or two lines of code that belong together.
    Sentence,
    /// Between lines of code that are further apart: an empty line, or the end of what is indented.
    Lines,
    Paragraph,
    /// Between two items of code at the outermost level.
    Item,
    /// Before a heading.
    Section,
}

/// The atoms of a document, each with at most so many tokens unless a single word has more.
pub(super) fn of<'a>(
    blocks: &'a [DocumentBlock],
    most: usize,
    count_tokens: &dyn Fn(&str) -> usize,
) -> Vec<Atom<'a>> {
    let mut atoms: Vec<Atom<'a>> = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        for (place, part) in parts(block).into_iter().enumerate() {
            let before = match atoms.last() {
                Some(last) if last.is_heading => ChunkBreak::Never,
                Some(last) if place == 0 => between(blocks.get(last.block), block),
                Some(_) | None => part.before,
            };
            let heading = matches!(block.kind, BlockKind::Heading(_));
            let joined_by = if place == 0 { joint(blocks, &atoms, block) } else { part.joined_by };
            let mut first = true;
            for (text, tokens) in cut(part.text, most, count_tokens) {
                let (before, joined_by) = if first { (before, joined_by) } else { (ChunkBreak::Words, " ") };
                atoms.push(Atom { text, tokens, block: index, is_heading: heading, before, joined_by });
                first = false;
            }
        }
    }
    atoms
}

/// A part of a block that is cut no further.
struct BlockPart<'a> {
    text: &'a str,
    before: ChunkBreak,
    joined_by: &'static str,
}

fn parts(block: &DocumentBlock) -> Vec<BlockPart<'_>> {
    let sentence = |text| BlockPart { text, before: ChunkBreak::Sentence, joined_by: " " };
    let row = |text| BlockPart { text, before: ChunkBreak::Sentence, joined_by: "\n" };
    match &block.kind {
        BlockKind::Heading(_) => {
            vec![BlockPart { text: &block.text, before: ChunkBreak::Section, joined_by: "\n\n" }]
        }
        BlockKind::Prose | BlockKind::ListItem | BlockKind::Footnote => {
            sentences(&block.text).into_iter().map(sentence).collect()
        }
        BlockKind::Table => block.text.lines().filter(|line| !line.trim().is_empty()).map(row).collect(),
        BlockKind::Code(_) => code(&block.text),
    }
}

/// Lines of code; empty lines are what joins others.
fn code(text: &str) -> Vec<BlockPart<'_>> {
    let mut parts = Vec::new();
    let (mut after_empty, mut deep) = (false, false);
    for line in text.lines() {
        if line.trim().is_empty() {
            after_empty = true;
            continue;
        }
        let indented = line.starts_with([' ', '\t']);
        let before = match (after_empty, indented) {
            (true, false) => ChunkBreak::Item,
            (true, true) => ChunkBreak::Lines,
            // What closes an item belongs to it.
            (false, false) if deep && !line.starts_with(['}', ')', ']']) => ChunkBreak::Lines,
            (false, _) => ChunkBreak::Sentence,
        };
        let joined_by = if after_empty { "\n\n" } else { "\n" };
        parts.push(BlockPart { text: line, before, joined_by });
        (after_empty, deep) = (false, indented);
    }
    parts
}

fn between(last: Option<&DocumentBlock>, next: &DocumentBlock) -> ChunkBreak {
    let item = |block: &DocumentBlock| block.kind == BlockKind::ListItem;
    match &next.kind {
        BlockKind::Heading(_) => ChunkBreak::Section,
        // The items of a list are nearer to each other than paragraphs.
        BlockKind::ListItem if last.is_some_and(item) => ChunkBreak::Lines,
        BlockKind::Prose
        | BlockKind::ListItem
        | BlockKind::Footnote
        | BlockKind::Table
        | BlockKind::Code(_) => ChunkBreak::Paragraph,
    }
}

fn joint(blocks: &[DocumentBlock], atoms: &[Atom<'_>], block: &DocumentBlock) -> &'static str {
    let last = atoms.last().and_then(|atom| blocks.get(atom.block));
    let item = |block: &DocumentBlock| block.kind == BlockKind::ListItem;
    if item(block) && last.is_some_and(item) { "\n" } else { "\n\n" }
}

/// Bytes of a token, at most, as far as what fits in a chunk is guessed from them.
const TOKEN_BYTES: usize = 16;

/// A part with its tokens; what is longer than a chunk is cut after a word, near the last that fits.
fn cut<'a>(text: &'a str, most: usize, count_tokens: &dyn Fn(&str) -> usize) -> Vec<(&'a str, usize)> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.trim().is_empty() {
        let (piece, tokens) = beginning(rest, most, count_tokens);
        pieces.push((piece.trim_end(), tokens));
        let left = rest.get(piece.len()..).unwrap_or_default();
        rest = left.trim_start();
    }
    pieces
}

/// A beginning with at most so many tokens: all of it if that fits. Never empty.
fn beginning<'a>(text: &'a str, most: usize, count_tokens: &dyn Fn(&str) -> usize) -> (&'a str, usize) {
    // A whole line of a program that no one wrote by hand may have megabytes, and is never counted at once.
    let mut piece = prefix(text, most.saturating_mul(TOKEN_BYTES));
    loop {
        let whole = piece.len() == text.len();
        let shown = if whole { piece } else { to_a_word(piece) };
        let tokens = count_tokens(shown);
        if tokens <= most || shown.chars().nth(1).is_none() {
            return (shown, tokens);
        }
        let fewer = shown.len() as f64 * most as f64 / tokens as f64 * 0.97;
        piece = prefix(shown, (fewer as usize).min(shown.len() - 1));
    }
}

/// At most so many bytes, but one character at least.
fn prefix(text: &str, bytes: usize) -> &str {
    let first = text.chars().next().map_or(0, char::len_utf8);
    text.get(..text.floor_char_boundary(bytes).max(first)).unwrap_or(text)
}

/// Ended after a word, if one ends in its second half.
fn to_a_word(piece: &str) -> &str {
    let space = piece.rfind(char::is_whitespace).filter(|at| *at > piece.len() / 2);
    space.and_then(|at| piece.get(..at)).unwrap_or(piece)
}
