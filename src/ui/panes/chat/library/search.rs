//! The search of the library while one types: passages by words at once, by meaning after a pause, with the ranks and
//! scores of each list.

use crossterm::event::{KeyCode, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::send;
use crate::app::store::Store;
use crate::domain::counted::counted;
use crate::domain::protocol::LibraryCommand;
use crate::domain::protocol::library::{LibrarySearchId, SearchedPassages};
use crate::domain::retrieval::{FoundPassage, SearchMode};
use crate::ui::pane::{Effect, Input, View};
use crate::ui::widgets::cursor::ListCursor;
use crate::ui::widgets::field::TextField;
use crate::ui::widgets::highlight::Highlights;
use crate::ui::widgets::text;

/// Rows of one passage in the list.
const ROWS: usize = 3;
/// Characters of a passage before what it is shown for.
const BEFORE: usize = 40;

/// What is looked for, and where the cursor is in what was found.
#[derive(Debug)]
pub(super) struct LibrarySearch {
    field: TextField,
    /// Whether the words are those of an earlier search: the first letter takes their place.
    earlier: EarlierWords,
    newest: LibrarySearchId,
    cursor: ListCursor,
    /// The passage that a person went to: it stays chosen when a better order comes.
    chosen: Option<u64>,
    marked: Highlights,
}

/// Whether the words in the field are of an earlier search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EarlierWords {
    Yes,
    No,
}

impl Default for LibrarySearch {
    fn default() -> Self {
        Self {
            field: TextField::new("words or a question"),
            earlier: EarlierWords::No,
            newest: LibrarySearchId::default(),
            cursor: ListCursor::default(),
            chosen: None,
            marked: Highlights::default(),
        }
    }
}

impl LibrarySearch {
    pub(super) fn words(&self) -> &str {
        self.field.text()
    }

    pub(super) fn input(&mut self, input: &Input) -> Option<Effect> {
        let before = self.field.text().to_owned();
        let earlier = std::mem::replace(&mut self.earlier, EarlierWords::No);
        let writes = match input {
            Input::Key(key) => {
                matches!(key.code, KeyCode::Char(_))
                    && key.modifiers.difference(KeyModifiers::SHIFT).is_empty()
            }
            Input::Paste(_) => true,
        };
        if writes && earlier == EarlierWords::Yes {
            self.field.clear();
        }
        match input {
            Input::Key(key) => self.field.key(*key),
            Input::Paste(text) => self.field.paste(text),
        }
        if self.field.text() == before {
            return None;
        }
        (self.cursor, self.chosen) = (ListCursor::default(), None);
        self.marked = Highlights::of_question(self.field.text());
        self.ask()
    }

    /// Asks for the words of the last time, until others are typed in their place.
    pub(super) fn begin(&mut self) -> Option<Effect> {
        self.earlier = EarlierWords::Yes;
        self.ask()
    }

    /// Asks for what is typed.
    fn ask(&mut self) -> Option<Effect> {
        let words = self.field.text().trim().to_owned();
        self.newest.0 += 1;
        (!words.is_empty()).then(|| send(LibraryCommand::Search { search: self.newest, words }))
    }

    /// What was found, of this search or of the one before it while nothing newer has come.
    fn shown<'s>(&self, store: &'s Store) -> Option<&'s SearchedPassages> {
        store.library.searched.as_ref().filter(|_| !self.field.text().trim().is_empty())
    }

    /// What was found of the words in the field.
    fn found<'s>(&self, store: &'s Store) -> Option<&'s SearchedPassages> {
        self.shown(store).filter(|found| found.search == self.newest)
    }

    fn passages<'s>(&self, store: &'s Store) -> &'s [FoundPassage] {
        self.found(store).map_or(&[], |found| found.passages.as_slice())
    }

    /// The row of the passage that was chosen, wherever it is now.
    fn row(&self, store: &Store) -> usize {
        let here = self.passages(store).iter().position(|passage| Some(passage.id) == self.chosen);
        here.unwrap_or_else(|| self.cursor.row())
    }

    pub(super) fn step(&mut self, by: isize, store: &Store) {
        self.go(self.row(store).saturating_add_signed(by), store);
    }

    pub(super) fn go(&mut self, row: usize, store: &Store) {
        let passages = self.passages(store);
        self.cursor.go(row, passages.len());
        self.chosen = passages.get(self.cursor.row()).map(|passage| passage.id);
    }

    pub(super) fn click(&mut self, line: usize, store: &Store) {
        if let Some(row) = self.cursor.at_line(line / ROWS, self.passages(store).len()) {
            self.go(row, store);
        }
    }

    pub(super) fn chosen<'s>(&self, store: &'s Store) -> Option<&'s FoundPassage> {
        self.passages(store).get(self.row(store))
    }

    /// The field, a line of what was found, and the passages; where those are.
    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) -> Rect {
        let theme = view.theme;
        let width = usize::from(area.width);
        text::put(buffer, area.x, area.y, "/ ", 2, theme.accent);
        let field = Rect { x: area.x + 2, width: area.width.saturating_sub(2), height: 1, ..area };
        self.field.draw(buffer, field, theme);
        let (said, is_bad) = self.said(view.store);
        let style = if is_bad { theme.warning } else { theme.dim };
        text::put(buffer, area.x, area.y + 1, said, width, style);
        let list = Rect { y: area.y + 3, height: area.height.saturating_sub(3), ..area };
        if self.found(view.store).is_none() {
            self.draw_earlier(buffer, list, view);
            return list;
        }
        let row = self.row(view.store);
        let passages = self.passages(view.store);
        self.cursor.go(row, passages.len());
        let window = self.cursor.window(passages.len(), usize::from(list.height) / ROWS);
        for (number, y) in window.zip((list.y..list.bottom()).step_by(ROWS)) {
            let Some(passage) = passages.get(number) else { continue };
            let place = Rect { y, height: ROWS as u16, ..list };
            self.draw_passage(buffer, place, view, passage);
            if number == self.cursor.row() {
                buffer.set_style(Rect { height: ROWS as u16 - 1, ..place }, theme.selection);
            }
        }
        list
    }

    /// What was found before stays in sight for a moment, dim and not to be chosen, so that nothing flickers.
    fn draw_earlier(&self, buffer: &mut Buffer, list: Rect, view: View<'_>) {
        let passages = self.shown(view.store).map_or(&[][..], |found| &found.passages);
        for (passage, y) in passages.iter().zip((list.y..list.bottom()).step_by(ROWS)) {
            self.draw_passage(buffer, Rect { y, height: ROWS as u16, ..list }, view, passage);
        }
        buffer.set_style(list, view.theme.dim);
    }

    fn draw_passage(&self, buffer: &mut Buffer, area: Rect, view: View<'_>, passage: &FoundPassage) {
        let theme = view.theme;
        let width = usize::from(area.width);
        let by_words = self.found(view.store).is_some_and(|found| found.mode == SearchMode::Bm25);
        let scores = match passage.bm25.filter(|_| by_words) {
            // One list: nothing was fused.
            Some(place) => format!("bm25 {:.2} (#{})", place.score, place.rank),
            None => passage.scores_in_words(),
        };
        let wide = text::width(&scores);
        let head = format!("{:>2}  {}", passage.rank, passage.place_in_words());
        let beside = width > wide + 50;
        let room = if beside { width - wide - 2 } else { width };
        text::put(buffer, area.x, area.y, head, room, theme.bright);
        if beside {
            text::put(buffer, area.right().saturating_sub(wide as u16), area.y, &scores, wide, theme.dim);
        } else {
            let below = width.saturating_sub(4);
            text::put(buffer, area.x + 4, area.y + 2, &scores, below, theme.dim);
        }
        let words = passage.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let shown = self.around(&words);
        let spans = self.marked.spans(&shown, theme.text, theme.matched);
        let line = Rect { x: area.x + 4, y: area.y + 1, width: area.width.saturating_sub(4), height: 1 };
        text::put_line(buffer, line, Line::from(spans));
    }

    /// A passage from a little before the first word that is looked for.
    fn around(&self, words: &str) -> String {
        let first = self.marked.found(words).first().map_or(0, |hit| hit.start);
        let before = words.get(..first).unwrap_or_default();
        let from = before.char_indices().rev().nth(BEFORE).map_or(0, |(at, _)| at);
        // From the beginning of a word.
        let from = if from == 0 {
            0
        } else {
            words.get(from..).and_then(|rest| rest.find(' ')).map_or(from, |space| from + space + 1)
        };
        let rest = words.get(from..).unwrap_or_default();
        if from > 0 { format!("… {rest}") } else { rest.to_owned() }
    }

    /// What is said of what was found, and whether something is wrong.
    fn said(&self, store: &Store) -> (String, bool) {
        let Some(found) = self.found(store) else {
            if !self.field.text().trim().is_empty() {
                return (format!("searching for \"{}\" …", self.field.text().trim()), false);
            }
            return ("by words as you type, by meaning when you pause".to_owned(), false);
        };
        if let Some(why) = &found.failed {
            return (format!("! {why}"), true);
        }
        let passages = counted(found.passages.len() as u64, "passage");
        let by = match found.mode {
            SearchMode::Bm25 => "by words (BM25)",
            SearchMode::Dense => "by meaning",
            SearchMode::Hybrid => "by words and meaning, fused",
        };
        let time = format!("{:.0} ms", found.milliseconds);
        match &store.library.words_only {
            Some(why) if found.mode == SearchMode::Bm25 => {
                (format!("{passages} {by} · {time} · ! {why}"), true)
            }
            Some(_) | None => (format!("{passages} {by} · {time}"), false),
        }
    }
}
