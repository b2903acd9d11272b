//! The list of documents: any number of them, of which the rows in sight are known.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::send;
use crate::app::store::Store;
use crate::domain::cited::SourceMark;
use crate::domain::protocol::LibraryCommand;
use crate::domain::protocol::library::LibraryGeneration;
use crate::domain::retrieval::DocumentRow;
use crate::ui::pane::{Effect, Focus, View};
use crate::ui::widgets::cursor::ListCursor;
use crate::ui::widgets::text;

/// Rows that are read in one go; those before and after the cursor's are read with them.
const PAGE: usize = 100;

/// The cursor, and which rows were asked for.
#[derive(Debug, Default)]
pub(super) struct DocumentList {
    cursor: ListCursor,
    /// The document under the cursor, wherever it is in the list.
    chosen: Option<String>,
    asked: Option<(LibraryGeneration, Range<usize>)>,
    /// The rows that the cursor was last moved with.
    followed: (LibraryGeneration, usize),
}

impl DocumentList {
    /// The chosen document's row, if it was read: the key may come before the frame that shows others above it.
    pub(super) fn row<'s>(&self, store: &'s Store) -> Option<&'s DocumentRow> {
        let chosen = store.library.page.rows.iter().find(|row| Some(&row.source) == self.chosen.as_ref());
        chosen.or_else(|| self.at_cursor(store))
    }

    fn at_cursor<'s>(&self, store: &'s Store) -> Option<&'s DocumentRow> {
        store.library.row(self.cursor.row()).filter(|_| self.cursor.row() < store.library.count())
    }

    pub(super) fn go(&mut self, row: usize, store: &Store) {
        self.cursor.go(row, store.library.count());
        self.chosen = self.at_cursor(store).map(|row| row.source.clone());
    }

    pub(super) fn step(&mut self, by: isize, store: &Store) {
        self.follow(store);
        self.go(self.cursor.row().saturating_add_signed(by), store);
    }

    pub(super) fn click(&mut self, line: usize, store: &Store) {
        if let Some(row) = self.cursor.at_line(line, store.library.count()) {
            self.go(row, store);
        }
    }

    /// The cursor stays on its document when rows come above it.
    pub(super) fn follow(&mut self, store: &Store) {
        let page = &store.library.page;
        let read = (page.generation, page.start);
        if self.followed != read {
            self.followed = read;
            if let Some(chosen) = &self.chosen {
                let here = page.rows.iter().position(|row| row.source == *chosen);
                if let Some(row) = here.map(|at| page.start + at).or(page.chosen) {
                    self.cursor.go(row, store.library.count());
                }
            }
        }
        self.cursor.go(self.cursor.row(), store.library.count());
        if let Some(row) = self.at_cursor(store) {
            self.chosen = Some(row.source.clone());
        }
    }

    /// Asks for the rows around the cursor, once for every state of the list.
    pub(super) fn ask(&mut self, store: &Store) -> Option<Effect> {
        let generation = store.library.state.as_ref()?.generation;
        let block = self.cursor.row() / PAGE;
        let wanted = block.saturating_sub(1) * PAGE..(block + 2) * PAGE;
        let now = Some((generation, wanted.clone()));
        if self.asked == now || store.library.count() == 0 {
            return None;
        }
        self.asked = now;
        let chosen = self.chosen.clone();
        Some(send(LibraryCommand::Page { generation, positions: wanted, chosen }))
    }

    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let columns = DocumentColumns::of(area.width);
        let head = Rect { height: 1, ..area };
        columns.head(buffer, head, view);
        let rows = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        let window = self.cursor.window(view.store.library.count(), usize::from(rows.height));
        for (number, y) in window.zip(rows.y..rows.bottom()) {
            let line = Rect { y, height: 1, ..rows };
            match view.store.library.row(number) {
                Some(row) => columns.row(buffer, line, view, row),
                None => drop(text::put(buffer, line.x + 3, y, "…", 1, view.theme.dim)),
            }
            if number == self.cursor.row() {
                let here = view.focus == Focus::Here;
                let style = if here { view.theme.selection } else { view.theme.selection_away };
                buffer.set_style(line, style);
            }
        }
    }
}

/// Which columns there is room for, and how wide they are.
struct DocumentColumns {
    title: u16,
    tags: u16,
    added: u16,
}

const PAGES: u16 = 7;
const CHUNKS: u16 = 8;
const TOKENS: u16 = 10;
const DATE: u16 = 12;

impl DocumentColumns {
    fn of(width: u16) -> Self {
        let added = if width >= 104 { 11 } else { 0 };
        let tags = if width >= 120 { 26 } else { 0 };
        let title = width.saturating_sub(3 + PAGES + CHUNKS + TOKENS + DATE + added + tags + 1);
        Self { title, tags, added }
    }

    fn head(&self, buffer: &mut Buffer, line: Rect, view: View<'_>) {
        let cells = ["document", "pages", "chunks", "tokens", "date", "added", "tags"].map(str::to_owned);
        self.cells(buffer, line, &cells, (view.theme.dim, view.theme.dim));
    }

    fn row(&self, buffer: &mut Buffer, line: Rect, view: View<'_>, row: &DocumentRow) {
        let theme = view.theme;
        if let Some((sign, style)) = match mark(view.store, &row.source) {
            Some(SourceMark::Pinned) => Some(("●", theme.good)),
            Some(SourceMark::Excluded) => Some(("✗", theme.bad)),
            None if !row.notices.is_empty() => Some(("!", theme.warning)),
            None => None,
        } {
            buffer.set_string(line.x + 1, line.y, sign, style);
        }
        let cells = [
            row.title.clone(),
            row.pages.map_or_else(|| "–".to_owned(), |pages| text::count(pages.into())),
            text::count(row.chunks),
            text::count(row.tokens),
            row.date.clone().unwrap_or_else(|| "–".to_owned()),
            text::ago(row.added as f64 / 1000.0, view.store.now),
            row.tags.join(", "),
        ];
        self.cells(buffer, line, &cells, (theme.bright, theme.text));
    }

    fn cells(
        &self,
        buffer: &mut Buffer,
        line: Rect,
        cells: &[String; 7],
        (first, others): (ratatui::style::Style, ratatui::style::Style),
    ) {
        let [title, pages, chunks, tokens, date, added, tags] = cells;
        text::put(buffer, line.x + 3, line.y, title, usize::from(self.title), first);
        let mut x = line.x + 3 + self.title;
        for (cell, width) in [(pages, PAGES), (chunks, CHUNKS), (tokens, TOKENS)] {
            let cell = text::shorten(cell, usize::from(width) - 1);
            let start = x + width - text::width(&cell) as u16;
            text::put(buffer, start, line.y, &cell, usize::from(width), others);
            x += width;
        }
        for (cell, width) in [(date, DATE), (added, self.added), (tags, self.tags)] {
            if width > 0 {
                text::put(buffer, x + 2, line.y, cell, usize::from(width) - 2, others);
            }
            x += width;
        }
    }
}

/// What a person wants of a document in the open chat.
pub(super) fn mark(store: &Store, source: &str) -> Option<SourceMark> {
    store.chats.open.as_ref()?.decisions.sources.get(source).copied()
}
