//! The view from top to bottom: what the library holds, the documents (or a search, or one of them), the chosen one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::list::mark;
use super::{LibraryMode, LibraryView};
use crate::domain::counted::counted;
use crate::domain::protocol::library::{LibraryState, ReadDocument};
use crate::domain::retrieval::DocumentRow;
use crate::ui::layout::centred;
use crate::ui::pane::{Focus, View};
use crate::ui::panes::chat::sources::in_words;
use crate::ui::widgets::{empty, float, progress, text};

/// Rows of what is said of the chosen document, with the rule above.
const DETAIL: u16 = 5;
/// Jobs of the library, by how their names begin.
const JOBS: [&str; 4] = ["add ", "update the library", "embed the library", "describe "];

impl LibraryView {
    pub(in crate::ui::panes::chat) fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let inside = Rect {
            x: area.x + 1,
            y: area.y + 1,
            width: area.width.saturating_sub(2),
            height: area.height.saturating_sub(1),
        };
        match &mut self.mode {
            LibraryMode::Search => {
                title(buffer, area, view, "library · search", &counts(view));
                self.area = self.search.draw(buffer, inside, view);
            }
            LibraryMode::Read(reader) => match reader.document(view.store) {
                None => {
                    title(buffer, area, view, "library", "");
                    text::put(buffer, inside.x, inside.y + 1, "reading …", 20, view.theme.dim);
                }
                Some(Err(why)) => {
                    title(buffer, area, view, "library", "");
                    empty::draw(buffer, inside, view.theme, "This can't be read", &[why]);
                }
                Some(Ok(document)) => {
                    let position = reader.position(document);
                    title(buffer, area, view, &document.row.title, &position);
                    let head = facts(buffer, inside, view, document);
                    let below =
                        Rect { y: inside.y + head, height: inside.height.saturating_sub(head), ..inside };
                    reader.draw(buffer, below, view, document);
                    self.area = below;
                }
            },
            LibraryMode::List
            | LibraryMode::Add(_)
            | LibraryMode::Describe(_)
            | LibraryMode::Embed(_)
            | LibraryMode::LeftOut(_) => self.draw_list(buffer, area, inside, view),
        }
        self.floats(buffer, area, view);
    }

    fn draw_list(&mut self, buffer: &mut Buffer, area: Rect, inside: Rect, view: View<'_>) {
        let theme = view.theme;
        title(buffer, area, view, "library", &counts(view));
        let Some(state) = &view.store.library.state else {
            text::put(buffer, inside.x, inside.y + 1, "looking at the library …", 40, theme.dim);
            return;
        };
        let mut below = inside;
        let job = JOBS.iter().find_map(|beginning| view.store.job_here(beginning));
        if let Some(job) = job {
            let line = Rect { y: inside.bottom().saturating_sub(1), height: 1, ..inside };
            let (x, _) = text::put(buffer, line.x, line.y, format!("{}  ", job.job.what), 32, theme.accent);
            let rest = Rect { x, width: line.right().saturating_sub(x), ..line };
            progress::draw(buffer, rest, job, view.store.now, theme);
            below.height = below.height.saturating_sub(2);
        }
        if state.counts.documents == 0 {
            return nothing_yet(buffer, below, view, state);
        }
        let (said, style) = found_by(state, view);
        text::put(buffer, below.x, below.y, said, usize::from(below.width), style);
        let mut list = Rect { y: below.y + 2, height: below.height.saturating_sub(2), ..below };
        if list.height > DETAIL + 5 {
            list.height -= DETAIL;
            let place = Rect { y: list.bottom(), height: DETAIL, ..below };
            if let Some(row) = self.list.row(view.store) {
                detail(buffer, place, view, row);
            }
        }
        self.area = Rect { y: list.y + 1, height: list.height.saturating_sub(1), ..list };
        self.list.draw(buffer, list, view);
    }

    fn floats(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        match &mut self.mode {
            LibraryMode::List | LibraryMode::Search | LibraryMode::Read(_) => {}
            LibraryMode::Add(field) => {
                let height = area.height.saturating_sub(2).min(14);
                let title = "add a file or a folder";
                let inside = float::draw(buffer, centred(area, 84, height), view.theme, title);
                field.draw(buffer, inside, view);
            }
            LibraryMode::Describe(description) => description.draw(buffer, area, view),
            LibraryMode::Embed(picker) => picker.draw(buffer, area, view),
            LibraryMode::LeftOut(left_out) => left_out.draw(buffer, area, view),
        }
    }
}

/// A rule with a title, and figures at its end.
fn title(buffer: &mut Buffer, area: Rect, view: View<'_>, said: &str, figures: &str) {
    let theme = view.theme;
    let width = usize::from(area.width.saturating_sub(2));
    text::put(buffer, area.x + 1, area.y, "─".repeat(width), width, theme.rule);
    let style = if view.focus == Focus::Here { theme.accent } else { theme.bright };
    let wide = text::width(figures) + 2;
    // Where there is room for one of both, it is the title.
    let has_figures = !figures.is_empty() && wide + text::width(said).min(24) + 8 <= width;
    let room = width.saturating_sub(if has_figures { wide + 6 } else { 4 });
    let said = format!(" {} ", text::shorten(said, room.saturating_sub(2)));
    text::put(buffer, area.x + 3, area.y, said, room, style);
    if has_figures {
        let x = area.right().saturating_sub(wide as u16 + 3);
        text::put(buffer, x, area.y, format!(" {figures} "), wide, theme.dim);
    }
}

/// `4 documents · 23 chunks · 3,120 tokens · 1.2 MB`.
fn counts(view: View<'_>) -> String {
    let Some(state) = &view.store.library.state else { return String::new() };
    let counts = &state.counts;
    if counts.documents == 0 {
        return String::new();
    }
    format!(
        "{} · {} · {} · {}",
        counted(counts.documents, "document"),
        counted(counts.chunks, "chunk"),
        counted(counts.tokens, "token"),
        text::bytes(counts.database_bytes + counts.index_bytes)
    )
}

/// By what its passages are found, and what is missing for that.
fn found_by(state: &LibraryState, view: View<'_>) -> (String, Style) {
    let theme = view.theme;
    let Some(model) = &state.counts.model else {
        return ("! found by words only: m computes embeddings".to_owned(), theme.warning);
    };
    if state.unembedded > 0 {
        let chunks = counted(state.unembedded, "chunk");
        return (
            format!("! {chunks} without an embedding by {model}: m computes what is missing"),
            theme.warning,
        );
    }
    let dimensions = state.counts.dimensions.unwrap_or_default();
    let behind = match state.counts.behind {
        0 => String::new(),
        behind => format!(" · {} go into the index with the next search", counted(behind, "chunk")),
    };
    (format!("found by words and by meaning: {model}, {dimensions} dimensions{behind}"), theme.dim)
}

fn nothing_yet(buffer: &mut Buffer, area: Rect, view: View<'_>, state: &LibraryState) {
    let own = state.own_documents.is_some();
    let first = "The documents that answers are given from, with citations: PDF, Markdown, HTML, DOCX, EPUB, LaTeX, \
                 text, source code.";
    let second = if own {
        "This session brings documents of its own: i, then ⏎ adds them."
    } else {
        "i adds a file, or a folder with all under it."
    };
    let third = "In a chat, l has the next questions answered from them.";
    empty::draw(buffer, area, view.theme, "Library", &[first, second, third]);
}

/// What is said of the chosen document.
fn detail(buffer: &mut Buffer, area: Rect, view: View<'_>, row: &DocumentRow) {
    let theme = view.theme;
    let width = usize::from(area.width);
    text::put(buffer, area.x, area.y, "─".repeat(width), width, theme.rule);
    let lines = [
        (text::shorten_path(&row.source, width), theme.dim),
        match &row.context {
            Some(context) => (context.clone(), theme.text),
            None => ("no context yet: e says in a sentence what it is".to_owned(), theme.dim),
        },
        (said_of(row, view), theme.dim),
        match row.notices.first() {
            Some(notice) => (format!("! {notice}"), theme.warning),
            None => (String::new(), theme.dim),
        },
    ];
    for ((line, style), y) in lines.into_iter().zip(area.y + 1..area.bottom()) {
        text::put(buffer, area.x, y, line, width, style);
    }
}

fn said_of(row: &DocumentRow, view: View<'_>) -> String {
    let marked = in_words(mark(view.store, &row.source)).map(str::to_owned);
    let tags = (!row.tags.is_empty()).then(|| format!("tags {}", row.tags.join(", ")));
    let language = row.language.as_ref().map(|language| format!("language {language}"));
    let authors = (!row.authors.is_empty()).then(|| row.authors.join(", "));
    let added = Some(format!("added {}", text::ago(row.added as f64 / 1000.0, view.store.now)));
    [marked, tags, added, language, authors].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// What is above a document's text; how many rows that takes.
fn facts(buffer: &mut Buffer, area: Rect, view: View<'_>, document: &ReadDocument) -> u16 {
    let theme = view.theme;
    let width = usize::from(area.width);
    text::put(buffer, area.x, area.y, text::shorten_path(&document.row.source, width), width, theme.dim);
    let mut said = said_of(&document.row, view);
    if let Some(date) = &document.row.date {
        said = format!("{date} · {said}");
    }
    text::put(buffer, area.x, area.y + 1, said, width, theme.dim);
    let mut rows = 2;
    if let Some(context) = &document.row.context {
        text::put(buffer, area.x, area.y + rows, context, width, theme.text);
        rows += 1;
    }
    for notice in document.row.notices.iter().take(2) {
        text::put(buffer, area.x, area.y + rows, format!("! {notice}"), width, theme.warning);
        rows += 1;
    }
    rows + 1
}
