//! A document to read: its text as the library has it, under its headings and with its pages. Of a long one only what
//! is in sight is laid out.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::app::store::Store;
use crate::domain::protocol::library::{ReadDocument, ReadPart};
use crate::domain::retrieval::FoundPassage;
use crate::ui::pane::View;
use crate::ui::widgets::highlight::Highlights;
use crate::ui::widgets::text;

/// Columns of text at most: longer lines are hard to read.
const WIDEST: u16 = 100;
/// Columns to the left of the text: a bar beside the passage that was found.
const MARGIN: u16 = 2;

/// Where one goes back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CameFrom {
    List,
    Search,
    Chat,
}

/// Whether the text was put in its first place: it may come after the view is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placed {
    Yes,
    No,
    /// At its end, as far as the size was known.
    AtEnd,
}

/// The text while it is read.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) source: String,
    pub(super) came_from: CameFrom,
    /// The chunks of the passage that was found, first and last.
    found: Option<(u32, u32)>,
    marked: Highlights,
    /// The part and its row at the top.
    part: usize,
    row: usize,
    placed: Placed,
    /// Of the last draw.
    size: (u16, u16),
}

/// One row of the text.
struct TextRow {
    text: String,
    kind: RowKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RowKind {
    /// Headings, and the page.
    Place,
    Words,
}

impl Reader {
    pub(super) fn of(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            came_from: CameFrom::List,
            found: None,
            marked: Highlights::default(),
            part: 0,
            row: 0,
            placed: Placed::No,
            size: (80, 20),
        }
    }

    /// At a passage, with the words of a question marked.
    pub(super) fn at(passage: &FoundPassage, question: &str, came_from: CameFrom) -> Self {
        let marked = Highlights::of_question(question);
        Self { came_from, found: Some(passage.chunks), marked, ..Self::of(&passage.source) }
    }

    /// The document, once it is here.
    pub(super) fn document<'s>(&self, store: &'s Store) -> Option<Result<&'s ReadDocument, &'s str>> {
        let (source, read) = store.library.read.as_ref()?;
        (*source == self.source).then(|| read.as_ref().map(AsRef::as_ref).map_err(String::as_str))
    }

    /// The part in front.
    pub(super) fn front<'s>(&self, store: &'s Store) -> Option<&'s ReadPart> {
        self.document(store)?.ok()?.parts.get(self.part)
    }

    /// Goes to the beginning of another part.
    pub(super) fn turn(&mut self, by: isize, store: &Store) {
        let Some(Ok(document)) = self.document(store) else { return };
        let last = document.parts.len().saturating_sub(1);
        // Back from within a part is to its own beginning.
        let by = if by < 0 && self.row > 0 { by + 1 } else { by };
        (self.part, self.row) = (self.part.saturating_add_signed(by).min(last), 0);
    }

    /// Goes some rows up or down.
    pub(super) fn step(&mut self, by: isize, store: &Store) {
        let Some(Ok(document)) = self.document(store) else { return };
        let before = (self.part, self.row);
        self.placed = Placed::Yes;
        self.walk(by, document);
        self.fill(document);
        if by > 0 && (self.part, self.row) < before {
            (self.part, self.row) = before;
        }
    }

    pub(super) fn page(&mut self, by: isize, store: &Store) {
        self.step(by * isize::try_from(self.size.1.saturating_sub(1)).unwrap_or(1), store);
    }

    pub(super) const fn first(&mut self) {
        self.placed = Placed::Yes;
        (self.part, self.row) = (0, 0);
    }

    pub(super) fn last(&mut self, store: &Store) {
        let Some(Ok(document)) = self.document(store) else { return };
        // A key may come before the first frame, which tells the size.
        self.placed = Placed::AtEnd;
        self.go_to_end(document);
    }

    fn go_to_end(&mut self, document: &ReadDocument) {
        self.part = document.parts.len().saturating_sub(1);
        self.row = self.rows(document, self.part).len();
        self.fill(document);
    }

    fn walk(&mut self, by: isize, document: &ReadDocument) {
        let mut left = by.unsigned_abs();
        while left > 0 {
            if by > 0 {
                let here = self.rows(document, self.part).len();
                if self.row + left < here {
                    self.row += left;
                    return;
                }
                if self.part + 1 >= document.parts.len() {
                    self.row = here.saturating_sub(1);
                    return;
                }
                left -= (here - self.row).min(left);
                (self.part, self.row) = (self.part + 1, 0);
            } else if self.row >= left {
                self.row -= left;
                return;
            } else if self.part == 0 {
                self.row = 0;
                return;
            } else {
                left -= self.row;
                self.part -= 1;
                self.row = self.rows(document, self.part).len();
            }
        }
    }

    /// The rows of a part, with what changes above it.
    fn rows(&self, document: &ReadDocument, number: usize) -> Vec<TextRow> {
        let Some(part) = document.parts.get(number) else { return Vec::new() };
        let before = number.checked_sub(1).and_then(|before| document.parts.get(before));
        let columns = usize::from(self.size.0);
        let mut rows = Vec::new();
        if let Some(place) = place(part, before, columns) {
            rows.push(TextRow { text: place, kind: RowKind::Place });
            rows.push(TextRow { text: String::new(), kind: RowKind::Words });
        }
        // The headings are above already.
        let is_said = |line: &&str| {
            let line = line.trim();
            !rows.is_empty() && (line.is_empty() || part.section.iter().any(|heading| heading == line))
        };
        let text = part.text.lines().skip_while(is_said);
        let words: Vec<String> = text.flat_map(|line| text::wrap(line, columns)).collect();
        rows.extend(words.into_iter().map(|text| TextRow { text, kind: RowKind::Words }));
        rows.push(TextRow { text: String::new(), kind: RowKind::Words });
        rows
    }

    /// `p. 4 · part 12 of 530`.
    pub(super) fn position(&self, document: &ReadDocument) -> String {
        let part = document.parts.get(self.part);
        let page = part.and_then(|part| part.pages).map(|(page, _)| match document.row.pages {
            Some(pages) => format!("p. {page} of {pages} · "),
            None => format!("p. {page} · "),
        });
        let of = text::count(document.parts.len() as u64);
        format!("{}part {} of {of}", page.unwrap_or_default(), text::count(self.part as u64 + 1))
    }

    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>, document: &ReadDocument) {
        let theme = view.theme;
        self.size = (area.width.saturating_sub(MARGIN).min(WIDEST), area.height);
        match std::mem::replace(&mut self.placed, Placed::Yes) {
            Placed::Yes => {}
            Placed::AtEnd => self.go_to_end(document),
            Placed::No => {
                let first = self.found.map_or(0, |(first, _)| first);
                let part = document.parts.iter().position(|part| part.ordinal >= first);
                (self.part, self.row) = (part.unwrap_or(0), 0);
            }
        }
        let (mut number, mut skipped, mut y) = (self.part, self.row, area.y);
        while y < area.bottom() && number < document.parts.len() {
            let is_found = document
                .parts
                .get(number)
                .zip(self.found)
                .is_some_and(|(part, (first, last))| (first..=last).contains(&part.ordinal));
            for row in self.rows(document, number).into_iter().skip(skipped) {
                if y >= area.bottom() {
                    break;
                }
                let line = Rect { x: area.x + MARGIN, y, width: self.size.0, height: 1 };
                let spans = match row.kind {
                    RowKind::Place => vec![ratatui::text::Span::styled(row.text.as_str(), theme.accent)],
                    RowKind::Words => self.marked.spans(&row.text, theme.text, theme.matched),
                };
                text::put_line(buffer, line, Line::from(spans));
                if is_found {
                    buffer.set_string(area.x, y, "▌", theme.accent);
                }
                y += 1;
            }
            (number, skipped) = (number + 1, 0);
        }
    }

    /// Goes back until the screen is full again.
    fn fill(&mut self, document: &ReadDocument) {
        let height = usize::from(self.size.1);
        let mut below = 0;
        for number in self.part..document.parts.len() {
            below += self.rows(document, number).len();
            if below >= self.row + height {
                return;
            }
        }
        let short = (self.row + height).saturating_sub(below);
        self.walk(-isize::try_from(short).unwrap_or_default(), document);
    }
}

/// The headings of a part and its page, if they are others than before.
fn place(part: &ReadPart, before: Option<&ReadPart>, columns: usize) -> Option<String> {
    let same_section = before.is_some_and(|before| before.section == part.section);
    let page = |part: &ReadPart| part.pages.map(|(first, _)| first);
    let same_page = before.map_or(part.pages.is_none(), |before| page(before) == page(part));
    if (same_section || part.section.is_empty()) && same_page {
        return None;
    }
    let section =
        if part.section.is_empty() { String::new() } else { format!("§ {}", part.section.join(" › ")) };
    let page = page(part).map_or_else(String::new, |page| format!("p. {page}"));
    let room = columns.saturating_sub(text::width(&page) + 2);
    let section = text::shorten(&section, room);
    let gap = columns.saturating_sub(text::width(&section) + text::width(&page));
    Some(format!("{section}{}{page}", " ".repeat(gap)))
}
