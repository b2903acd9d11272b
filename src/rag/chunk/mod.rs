//! Documents cut into chunks: by tokens, at the best break near the end, under the headings that they belong to.
//! Knows no model: what counts tokens is handed in.

mod atoms;
mod sentence;

use crate::domain::library::{ChunkSettings, DocumentChunk, SourceDocument};
use atoms::{Atom, ChunkBreak};

/// A chunk ends before a heading if it is at least this part of what it may be; a shorter one goes on below it.
const SECTION_PART: f64 = 0.25;
/// The best break is looked for in what follows after this part of a chunk.
const BREAK_PART: f64 = 0.5;

/// Cuts a document. No chunk has more tokens than the settings say, by the counter that is handed in; none ends in the
/// middle of a sentence, of a table's row or of a line of code unless that alone is longer than a chunk.
pub fn chunks(
    document: &SourceDocument,
    settings: &ChunkSettings,
    count_tokens: &dyn Fn(&str) -> usize,
) -> Vec<DocumentChunk> {
    let most = settings.tokens.max(8) as usize;
    let atoms = atoms::of(&document.blocks, most, count_tokens);
    let mut chunks = Vec::new();
    let (mut from, mut covered) = (0, 0);
    while covered < atoms.len() {
        let (to, text, tokens) = ChunkEnd { atoms: &atoms, from, covered, most, count_tokens }.end();
        if tokens > most && from < covered {
            // The overlap leaves no room for what comes next.
            from += 1;
            continue;
        }
        chunks.extend(chunk(document, &atoms, from..to, text, tokens, chunks.len()));
        from = next_start(&atoms, from..to, settings.overlap as usize, most);
        covered = to;
    }
    chunks
}

/// Where one chunk may end.
struct ChunkEnd<'a> {
    atoms: &'a [Atom<'a>],
    from: usize,
    /// The chunks before it end here: this one goes further.
    covered: usize,
    most: usize,
    count_tokens: &'a dyn Fn(&str) -> usize,
}

impl ChunkEnd<'_> {
    /// The end of the chunk (one past its last atom), its text and its tokens.
    fn end(&self) -> (usize, String, usize) {
        let mut to = self.best(self.reach());
        loop {
            let text = text_of(self.atoms, self.from..to);
            let tokens = (self.count_tokens)(&text);
            if tokens <= self.most || to <= self.least() {
                return (to, text, tokens);
            }
            // Tokens of the parts need not add up to those of the whole.
            to = self.best(to - 1);
        }
    }

    fn least(&self) -> usize {
        self.from.max(self.covered) + 1
    }

    /// One past the last atom that fits, or that is before a heading which begins another chunk.
    fn reach(&self) -> usize {
        let mut tokens = 0;
        for (index, atom) in self.atoms.iter().enumerate().skip(self.from) {
            let section = index >= self.least() && self.before(index) == ChunkBreak::Section;
            if section && tokens as f64 >= self.most as f64 * SECTION_PART {
                return index;
            }
            tokens += atom.tokens;
            if tokens > self.most {
                return index.max(self.least());
            }
        }
        self.atoms.len()
    }

    /// The strongest break near the end, and the latest of those.
    fn best(&self, reach: usize) -> usize {
        let reach = reach.max(self.least());
        if reach >= self.atoms.len() {
            return self.atoms.len();
        }
        let all: usize = self.tokens(self.from..reach);
        let mut best = (ChunkBreak::Never, reach);
        let mut so_far = 0;
        for end in self.from + 1..=reach {
            so_far += self.tokens(end - 1..end);
            let strength = self.before(end);
            if end < self.least() {
                continue;
            }
            if (end == reach || so_far as f64 >= all as f64 * BREAK_PART) && strength >= best.0 {
                best = (strength, end);
            }
        }
        // Nothing but a heading and the beginning of what it heads: that sentence is as long as a chunk.
        best.1
    }

    fn before(&self, index: usize) -> ChunkBreak {
        self.atoms.get(index).map_or(ChunkBreak::Section, |atom| atom.before)
    }

    fn tokens(&self, range: std::ops::Range<usize>) -> usize {
        self.atoms.get(range).unwrap_or_default().iter().map(|atom| atom.tokens).sum()
    }
}

/// Where the next chunk begins: some whole sentences back, but never over a heading.
fn next_start(atoms: &[Atom<'_>], range: std::ops::Range<usize>, overlap: usize, most: usize) -> usize {
    if range.end >= atoms.len() {
        return atoms.len();
    }
    let mut start = range.end;
    let room = most.saturating_sub(atoms.get(start).map_or(0, |next| next.tokens));
    let mut tokens = 0;
    while start > range.start + 1 {
        let (Some(next), Some(back)) = (atoms.get(start), atoms.get(start - 1)) else { break };
        tokens += back.tokens;
        if next.before == ChunkBreak::Section || back.is_heading || tokens > overlap.min(room) {
            break;
        }
        start -= 1;
    }
    start
}

fn text_of(atoms: &[Atom<'_>], range: std::ops::Range<usize>) -> String {
    let mut text = String::new();
    for atom in atoms.get(range).unwrap_or_default() {
        if !text.is_empty() {
            text.push_str(atom.joined_by);
        }
        text.push_str(atom.text);
    }
    text
}

fn chunk(
    document: &SourceDocument,
    atoms: &[Atom<'_>],
    range: std::ops::Range<usize>,
    text: String,
    tokens: usize,
    ordinal: usize,
) -> Option<DocumentChunk> {
    let atoms = atoms.get(range)?;
    let first = atoms.iter().find(|atom| !atom.is_heading).or(atoms.last())?;
    let block = document.blocks.get(first.block)?;
    let mut section = block.section.clone();
    if first.is_heading {
        section.push(block.text.clone());
    }
    let pages = || atoms.iter().filter_map(|atom| document.blocks.get(atom.block)?.page);
    Some(DocumentChunk {
        ordinal: u32::try_from(ordinal).ok()?,
        section,
        pages: pages().min().zip(pages().max()),
        text,
        tokens: u32::try_from(tokens).ok()?,
    })
}
