//! Quotes in tables: one that is never closed swallows the rows behind it, and the reader of tables doesn't say so.

use super::lines::Breaks;

/// Where a scanner is in a row. The states are those of the reader of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum QuoteState {
    /// Before a cell.
    Begin,
    Plain,
    Quoted,
    /// After a quote inside a quoted cell: it closes the cell, or is one of two that stand for one.
    Closing,
}

/// Follows the quotes of one row.
#[derive(Debug)]
pub(super) struct Quotes {
    separator: u8,
    state: QuoteState,
    /// The line of the next byte.
    line: u64,
    /// The line where the last quoted cell begins.
    opened: u64,
    /// A quoted cell of several lines after whose closing quote the text goes on: from and to.
    torn: Option<(u64, u64)>,
    /// Separators in the line of a quoted cell that is read, and of its whole lines how many have so many as a row.
    separators: usize,
    like_rows: u64,
    /// The longest cell of lines that look like rows: from, to.
    swallowed: Option<(u64, u64)>,
    columns: usize,
    /// Backslashes right before the next byte.
    slashes: usize,
    /// Whether the quote that closes the cell is behind a backslash.
    behind_slash: bool,
    /// The line where a cell begins in which the text goes on after such a quote.
    escaped: Option<u64>,
    /// Whether a quote in a text is written twice somewhere.
    doubled: bool,
}

/// So many lines in one cell, of which nearly all have the separators of a row, are rows.
const SWALLOWED: u64 = 8;

impl Quotes {
    /// `columns` are the header's; 0 before it is known.
    pub(super) fn new(separator: u8, line: u64, columns: usize) -> Self {
        Self {
            separator,
            state: QuoteState::Begin,
            line,
            opened: line,
            torn: None,
            separators: 0,
            like_rows: 0,
            swallowed: None,
            columns,
            slashes: 0,
            behind_slash: false,
            escaped: None,
            doubled: false,
        }
    }

    /// Where the last quoted cell begins.
    pub(super) const fn opened(&self) -> u64 {
        self.opened
    }

    /// Takes the next bytes of the row in. The line of what follows.
    pub(super) fn add(&mut self, bytes: &[u8], breaks: &mut Breaks) -> u64 {
        let mut rest = bytes;
        while let Some(at) = memchr::memchr3(b'"', b'\n', self.separator, rest) {
            let (before, after) = rest.split_at_checked(at).unwrap_or((rest, &[]));
            self.pass(before, breaks);
            let (sign, after) = after.split_at_checked(1).unwrap_or((after, &[]));
            self.sign(sign.first().copied().unwrap_or_default(), sign, breaks);
            rest = after;
        }
        self.pass(rest, breaks);
        self.line
    }

    /// Bytes without a quote, a separator or a line feed.
    fn pass(&mut self, bytes: &[u8], breaks: &mut Breaks) {
        if bytes.is_empty() {
            return;
        }
        self.line += breaks.count(bytes);
        let slashes = bytes.iter().rev().take_while(|byte| **byte == b'\\').count();
        self.slashes = if slashes == bytes.len() { self.slashes + slashes } else { slashes };
        let only_returns = bytes.iter().all(|byte| *byte == b'\r');
        self.state = match self.state {
            QuoteState::Begin if only_returns => QuoteState::Begin,
            QuoteState::Begin | QuoteState::Plain => QuoteState::Plain,
            QuoteState::Quoted => QuoteState::Quoted,
            QuoteState::Closing if only_returns => {
                self.close();
                QuoteState::Begin
            }
            QuoteState::Closing => {
                self.tear();
                QuoteState::Plain
            }
        };
    }

    fn sign(&mut self, sign: u8, bytes: &[u8], breaks: &mut Breaks) {
        let before = self.state;
        let behind_slash = std::mem::take(&mut self.slashes) % 2 == 1;
        if before == QuoteState::Quoted && sign == b'"' {
            self.behind_slash = behind_slash;
        }
        self.doubled |= before == QuoteState::Closing && sign == b'"' && !self.behind_slash;
        self.state = match (before, sign) {
            (QuoteState::Begin, b'"') => {
                (self.opened, self.separators, self.like_rows) = (self.line, 0, 0);
                QuoteState::Quoted
            }
            (QuoteState::Closing, b'"') => QuoteState::Quoted,
            (QuoteState::Quoted, b'"') => QuoteState::Closing,
            (QuoteState::Quoted, b'\n') => {
                let like_row = self.columns > 1 && self.separators + 1 == self.columns;
                self.like_rows += u64::from(like_row && self.line > self.opened);
                self.separators = 0;
                QuoteState::Quoted
            }
            (QuoteState::Quoted, _) => {
                self.separators += 1;
                QuoteState::Quoted
            }
            (QuoteState::Plain, b'"') => QuoteState::Plain,
            (QuoteState::Begin | QuoteState::Plain | QuoteState::Closing, _) => QuoteState::Begin,
        };
        if before == QuoteState::Closing && self.state == QuoteState::Begin {
            self.close();
        }
        self.line += breaks.count(bytes);
    }

    /// A quoted cell is closed, and nothing follows it.
    fn close(&mut self) {
        let lines = self.line.saturating_sub(self.opened + 1);
        if lines >= SWALLOWED && self.like_rows * 10 >= lines * 9 {
            self.swallowed = Some((self.opened, self.line));
        }
    }

    /// Something follows the quote that should close a cell.
    fn tear(&mut self) {
        if self.behind_slash {
            self.escaped.get_or_insert(self.opened);
        }
        if self.line > self.opened {
            self.torn = Some((self.opened, self.line));
        }
    }

    /// Whether quotes in texts are written with a backslash, and none twice.
    pub(super) const fn are_escaped(&self) -> bool {
        self.escaped.is_some() && !self.doubled
    }

    /// What is wrong with the quotes of the row, if something is.
    pub(super) fn wrong(&self, end: RowEnd) -> Option<String> {
        let advice = "close it, or write a quote that is part of a text twice (\"\")";
        if self.state == QuoteState::Quoted && end == RowEnd::OfFile {
            let lines = self.line.saturating_sub(self.opened);
            let rest = match lines {
                0 | 1 => "the rest of the line".to_owned(),
                _ => format!("the {lines} lines up to the end of the file"),
            };
            return Some(format!(
                "the quote that opens in line {} is never closed, so the rows in {rest} can't be told; {advice}",
                self.opened
            ));
        }
        if let Some(line) = self.escaped {
            return Some(format!(
                "the text that opens in line {line} has a quote after a backslash (\\\"), which ends it in a table; write a \
                 quote that is part of a text twice (\"\")"
            ));
        }
        let (from, to, why) = match (self.torn, self.swallowed) {
            (Some((from, to)), _) => (from, to, "in the middle of a text"),
            (None, Some((from, to))) => (from, to, "after lines that look like rows"),
            (None, None) => return None,
        };
        Some(format!(
            "the quote that opens in line {from} is closed in line {to} only, {why}, so the rows between can't be told; \
             {advice}"
        ))
    }
}

/// What ends a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowEnd {
    OfRow,
    OfFile,
}
