//! Keys, from the tables that dispatch them: what works here and now first, then the rest. `/` searches.

use crossterm::event::{KeyCode, KeyEvent, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::overlay::{self, Overlay, OverlayKind, OverlayReply};
use crate::app::store::Store;
use crate::ui::keymap::Chord;
use crate::ui::layout::centred;
use crate::ui::pane::View;
use crate::ui::widgets::field::TextField;
use crate::ui::widgets::{float, text};

/// Keys that belong together.
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) rows: Vec<HelpRow>,
}

/// What a key does.
#[derive(Clone)]
pub(crate) struct HelpRow {
    pub(crate) keys: String,
    pub(crate) help: &'static str,
    /// What the footer calls it.
    pub(crate) label: &'static str,
    /// What settings call it.
    pub(crate) name: &'static str,
}

impl HelpRow {
    /// Whether it holds every word, whatever the case.
    fn holds(&self, words: &[String]) -> bool {
        let spelt = spelt(&self.keys);
        let all = format!("{} {spelt} {} {} {}", self.keys, self.help, self.label, self.name).to_lowercase();
        words.iter().all(|word| all.contains(word.as_str()))
    }
}

/// The same keys as settings and people write them: `ctrl-u`, `enter`, `backspace`; signs may stand without a space
/// between them.
fn spelt(keys: &str) -> String {
    let whole = |sign: &str| Chord::of_sign(sign).map(Chord::spelt);
    let each = |sign: &str| {
        let signs = sign.chars().filter_map(|sign| whole(&sign.to_string()));
        signs.collect::<Vec<_>>().join(" ")
    };
    let names = keys.split_whitespace().map(|sign| whole(sign).unwrap_or_else(|| each(sign)));
    names.collect::<Vec<_>>().join(" ")
}

/// A line of the list.
enum HelpLine<'h> {
    Title(&'h str),
    Blank,
    /// With as much of what it does as has room in one line.
    Key(&'h HelpRow, String),
    /// The rest of it.
    More(String),
}

/// The list of keys and how far it is scrolled.
pub(crate) struct Help {
    sections: Vec<Section>,
    top: usize,
    page: usize,
    /// Columns for what a key does, as it was drawn last.
    room: usize,
    /// What is looked for.
    wanted: TextField,
    searching: Searching,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Searching {
    Yes,
    No,
}

/// What a key does, whole.
fn key_lines(row: &HelpRow, room: usize) -> impl Iterator<Item = HelpLine<'_>> {
    let mut rows = text::wrap(row.help, room).into_iter();
    let first = HelpLine::Key(row, rows.next().unwrap_or_default());
    std::iter::once(first).chain(rows.map(HelpLine::More))
}

impl Help {
    pub(crate) fn new(sections: Vec<Section>) -> Self {
        let wanted = TextField::new("a word, a key or a name");
        Self { sections, top: 0, page: 1, room: usize::MAX, wanted, searching: Searching::No }
    }

    /// Sections with what is looked for, a blank line between them.
    fn lines(&self) -> Vec<HelpLine<'_>> {
        let words: Vec<String> =
            self.wanted.text().to_lowercase().split_whitespace().map(str::to_owned).collect();
        let mut lines = Vec::new();
        for section in &self.sections {
            let found: Vec<&HelpRow> = section.rows.iter().filter(|row| row.holds(&words)).collect();
            if found.is_empty() {
                continue;
            }
            if !lines.is_empty() {
                lines.push(HelpLine::Blank);
            }
            lines.push(HelpLine::Title(&section.title));
            lines.extend(found.into_iter().flat_map(|row| key_lines(row, self.room)));
        }
        lines
    }

    fn scroll(&mut self, by: isize) -> OverlayReply {
        let last = self.lines().len().saturating_sub(self.page);
        self.top = self.top.saturating_add_signed(by).min(last);
        OverlayReply::stay()
    }

    fn search_key(&mut self, key: KeyEvent) -> OverlayReply {
        match key.code {
            KeyCode::Char(_) if overlay::closes(key) => return OverlayReply::close(),
            KeyCode::Esc => {
                self.wanted.clear();
                self.searching = Searching::No;
            }
            KeyCode::Enter => self.searching = Searching::No,
            KeyCode::Down => return self.scroll(1),
            KeyCode::Up => return self.scroll(-1),
            _ => {
                self.wanted.key(key);
                self.top = 0;
            }
        }
        OverlayReply::stay()
    }

    /// The line to type into, or what it was left with. Returns the room below.
    fn draw_search(&mut self, buffer: &mut Buffer, inside: Rect, view: View<'_>) -> Rect {
        let theme = view.theme;
        let room = usize::from(inside.width);
        let (x, _) = text::put(buffer, inside.x, inside.y, "/ ", room, theme.accent);
        let line = Rect { x, width: inside.right().saturating_sub(x), height: 1, ..inside };
        match self.searching {
            Searching::Yes => self.wanted.draw(buffer, line, theme),
            Searching::No => {
                let words = text::shorten(self.wanted.text(), usize::from(line.width));
                text::put(buffer, line.x, line.y, words, usize::from(line.width), theme.text);
            }
        }
        Rect { y: inside.y + 2, height: inside.height.saturating_sub(2), ..inside }
    }
}

impl Overlay for Help {
    fn key(&mut self, key: KeyEvent, _store: &Store) -> OverlayReply {
        if self.searching == Searching::Yes {
            return self.search_key(key);
        }
        let page = self.page as isize;
        match (key.code, overlay::letter(key)) {
            (_, Some('/')) => {
                self.searching = Searching::Yes;
                OverlayReply::stay()
            }
            (KeyCode::Esc, _) if !self.wanted.text().is_empty() => {
                self.wanted.clear();
                OverlayReply::stay()
            }
            (KeyCode::PageDown, _) | (_, Some(' ')) => self.scroll(page),
            (KeyCode::PageUp, _) => self.scroll(-page),
            (_, Some('?')) => OverlayReply::close(),
            _ if overlay::closes_list(key) => OverlayReply::close(),
            _ => self.scroll(overlay::movement(key).unwrap_or_default()),
        }
    }

    fn paste(&mut self, text: &str) -> OverlayReply {
        if self.searching == Searching::Yes {
            self.wanted.paste(text);
        }
        OverlayReply::stay()
    }

    fn mouse(&mut self, mouse: MouseEvent, _store: &Store) -> OverlayReply {
        match mouse.kind {
            MouseEventKind::ScrollDown => self.scroll(3),
            MouseEventKind::ScrollUp => self.scroll(-3),
            MouseEventKind::Down(_) => OverlayReply::close(),
            _ => OverlayReply::stay(),
        }
    }

    fn draw(&mut self, buffer: &mut Buffer, screen: Rect, view: View<'_>) {
        let theme = view.theme;
        let all = self.sections.iter().map(|section| section.rows.len() + 2).sum::<usize>() as u16;
        let area = centred(screen, 84, all.saturating_add(3).min(screen.height.saturating_sub(2)));
        let inside = float::draw(buffer, area, theme, "keys");
        if inside.is_empty() {
            return;
        }
        let searched = self.searching == Searching::Yes || !self.wanted.text().is_empty();
        let below = if searched { self.draw_search(buffer, inside, view) } else { inside };
        let list = Rect { height: below.height.saturating_sub(1), ..below };
        self.page = usize::from(list.height).max(1);
        let keys = self.sections.iter().flat_map(|section| &section.rows).map(|row| text::width(&row.keys));
        let wide = keys.max().unwrap_or(0).clamp(8, 20).min(usize::from(list.width / 3));
        self.room = usize::from(list.width).saturating_sub(wide + 3).max(8);
        self.scroll(0);
        let lines = self.lines();
        if lines.is_empty() {
            text::put(buffer, list.x, list.y, "no key has these words", usize::from(list.width), theme.dim);
        }
        for (line, y) in lines.iter().skip(self.top).zip(list.y..list.bottom()) {
            line.draw(buffer, Rect { y, height: 1, ..list }, view, wide);
        }
        if lines.len() > self.page {
            let last = (self.top + self.page).min(lines.len());
            let shown = format!("{}–{last} of {}", self.top + 1, lines.len());
            let x = inside.right().saturating_sub(text::width(&shown) as u16).max(inside.x);
            text::put(
                buffer,
                x,
                inside.bottom().saturating_sub(1),
                shown,
                usize::from(inside.width),
                theme.dim,
            );
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        match self.searching {
            Searching::Yes => &[("⏎", "look"), ("esc", "all keys")],
            Searching::No => &[("↑↓", "scroll"), ("/", "search"), ("esc", "close")],
        }
    }

    fn kind(&self) -> OverlayKind {
        OverlayKind::Help
    }
}

impl HelpLine<'_> {
    fn draw(&self, buffer: &mut Buffer, row: Rect, view: View<'_>, wide: usize) {
        let theme = view.theme;
        let x = row.x + 3 + wide as u16;
        let room = usize::from(row.right().saturating_sub(x));
        match self {
            Self::Blank => {}
            Self::Title(title) => {
                let room = usize::from(row.width);
                text::put(buffer, row.x, row.y, title, room, theme.bright);
            }
            Self::More(help) => {
                text::put(buffer, x, row.y, help, room, theme.text);
            }
            Self::Key(HelpRow { keys, name, .. }, help) => {
                text::put(buffer, row.x + 1, row.y, keys, wide, theme.accent);
                let (end, _) = text::put(buffer, x, row.y, help, room, theme.text);
                let name_x = row.right().saturating_sub(name.len() as u16);
                if name_x > end + 1 {
                    buffer.set_string(name_x, row.y, name, theme.dim);
                }
            }
        }
    }
}
