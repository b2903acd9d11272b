//! What an answer was given from: a list beside it, and one passage whole, with the question's words marked.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::sources::{in_words, sign};
use super::{ChatMode, ChatPane};
use crate::app::store::Store;
use crate::domain::chat::{Chat, Turn, TurnId};
use crate::domain::cited::{AnswerSources, SourceMark};
use crate::domain::counted::counted;
use crate::domain::message::Role;
use crate::domain::retrieval::FoundPassage;
use crate::ui::layout::centred;
use crate::ui::pane::{Effect, View};
use crate::ui::theme::Theme;
use crate::ui::widgets::highlight::Highlights;
use crate::ui::widgets::{float, text};

/// Columns of the list, and those that the conversation has to keep.
const LIST: u16 = 46;
const CONVERSATION: u16 = 60;
/// Rows of one passage in the list.
const ROWS: u16 = 4;
/// Rows above a passage's text.
const HEAD: u16 = 5;
/// Columns of the words that were searched for, below an answer.
const WORDS: usize = 160;

/// A passage that is read whole.
#[derive(Debug)]
pub(super) struct PassageView {
    answer: TurnId,
    /// From 0.
    place: usize,
    scroll: usize,
}

impl PassageView {
    /// Of which answer it is, and its place there, from 0.
    pub(super) const fn place(&self) -> (TurnId, usize) {
        (self.answer, self.place)
    }

    /// Shows another passage, round and round.
    fn turn_to(&mut self, by: isize, store: &Store) {
        let count = sources(store, self.answer).map_or(0, |sources| sources.passages.len());
        if count > 0 {
            self.place = (self.place as isize + by).rem_euclid(count as isize) as usize;
            self.scroll = 0;
        }
    }

    pub(super) const fn scroll(&mut self, by: isize) {
        self.scroll = self.scroll.saturating_add_signed(by);
    }

    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let Some(sources) = sources(view.store, self.answer) else { return };
        let Some(passage) = sources.passages.get(self.place) else { return };
        let title = format!("passage {} of {}", self.place + 1, sources.passages.len());
        let height = area.height.saturating_sub(2).min(40);
        let inside = float::draw(buffer, centred(area, 100, height), theme, &title);
        let width = usize::from(inside.width);
        let head = [
            (format!("searched  {}", sources.question), theme.dim),
            (passage.place_in_words(), theme.bright),
            (source_line(passage, view.store), theme.dim),
            (passage.scores_in_words(), theme.dim),
        ];
        for (row, (said, style)) in (inside.y..inside.bottom()).zip(head) {
            text::put(buffer, inside.x, row, text::shorten(&said, width), width, style);
        }
        let room = usize::from(inside.height.saturating_sub(HEAD));
        let lines: Vec<String> = passage.text.lines().flat_map(|line| text::wrap(line, width)).collect();
        self.scroll = self.scroll.min(lines.len().saturating_sub(room));
        let marked = Highlights::of_question(&sources.question);
        for (row, line) in (inside.y + HEAD..inside.bottom()).zip(lines.iter().skip(self.scroll)) {
            let spans = marked.spans(line, theme.text, theme.matched);
            text::put_line(buffer, Rect { y: row, height: 1, ..inside }, Line::from(spans));
        }
    }
}

/// What is said of an answer's passages below it, and whether something of it is in none of them.
pub(super) fn said(sources: &AnswerSources) -> (String, bool) {
    let count = sources.passages.len();
    if count == 0 {
        return ("nothing in the library is near the question".to_owned(), false);
    }
    let passages = counted(count as u64, "passage");
    let Some(checked) = &sources.checked else { return (format!("from {passages}"), false) };
    let mut parts = vec![format!("{} of {passages} cited", checked.cited.len())];
    let dangling: Vec<String> = checked.dangling().map(|citation| format!("[{}]", citation.number)).collect();
    if !dangling.is_empty() {
        parts.push(format!("! {} points nowhere", dangling.join(" ")));
    }
    let missing = checked.ungrounded().count();
    if missing > 0 {
        parts.push(format!("! {} in none of them", counted(missing as u64, "sentence")));
    }
    (parts.join(" · "), parts.len() > 1)
}

/// What was searched for, if that isn't what the person asked: a question that follows another is made to stand alone.
pub(super) fn searched(sources: &AnswerSources, answer: &Turn, chat: &Chat) -> Option<String> {
    let asked = answer.parent.and_then(|parent| chat.turns.get(&parent))?;
    let same = asked.content.trim() == sources.question.trim();
    (!same).then(|| format!("searched \"{}\"", text::shorten(sources.question.trim(), WORDS)))
}

/// Draws the passages of the chosen answer beside the conversation, if there is room; what is left for that.
pub(super) fn beside(pane: &ChatPane, buffer: &mut Buffer, area: Rect, view: View<'_>) -> Rect {
    let answer = pane.sourced(view.store);
    let Some(sources) = answer.and_then(|answer| sources(view.store, answer)) else { return area };
    if pane.is_double() || area.width < LIST + CONVERSATION + 2 || sources.passages.is_empty() {
        return area;
    }
    let theme = view.theme;
    let list = Rect { x: area.right() - LIST, width: LIST, ..area };
    for y in area.y..area.bottom() {
        buffer.set_string(list.x - 2, y, "│", theme.rule);
    }
    let width = usize::from(LIST);
    let cited = sources.checked.as_ref().map(|checked| checked.cited.as_slice()).unwrap_or_default();
    let rows = (list.y..list.bottom().saturating_sub(ROWS)).step_by(usize::from(ROWS));
    let chosen = pane.source_place(view.store);
    // The chosen one is in sight.
    let first = (chosen + 1).saturating_sub(rows.len().max(1));
    for ((place, passage), y) in sources.passages.iter().enumerate().skip(first).zip(rows) {
        let number = place as u32 + 1;
        let is_cited = cited.contains(&number);
        let bar = if is_cited { '▌' } else { ' ' };
        let style = if is_cited { theme.accent } else { theme.text };
        let sign = sign(mark_of(passage, view.store));
        let head = format!("{number} {bar} {sign}{}", passage.place_in_words());
        text::put(buffer, list.x, y, text::shorten(&head, width), width, style);
        if place == chosen && matches!(pane.mode, ChatMode::Browse) {
            buffer.set_style(Rect { y, height: 1, ..list }, theme.selection);
        }
        put_below(buffer, list, y + 1, &passage.scores_in_words(), theme);
        let words: String = passage.text.split_whitespace().collect::<Vec<_>>().join(" ");
        put_below(buffer, list, y + 2, &words, theme);
    }
    let foot = format!("v reads  [ ] choose  + pin  - exclude  {:.0} ms", sources.milliseconds);
    text::put(buffer, list.x, list.bottom().saturating_sub(1), foot, width, theme.dim);
    Rect { width: area.width - LIST - 3, ..area }
}

fn put_below(buffer: &mut Buffer, list: Rect, y: u16, said: &str, theme: &Theme) {
    let room = usize::from(list.width.saturating_sub(4));
    text::put(buffer, list.x + 4, y, text::shorten(said, room), room, theme.dim);
}

/// What is wanted of a passage's document in the open chat.
fn mark_of(passage: &FoundPassage, store: &Store) -> Option<SourceMark> {
    store.chats.open.as_ref()?.decisions.sources.get(&passage.source).copied()
}

fn source_line(passage: &FoundPassage, store: &Store) -> String {
    let marked = in_words(mark_of(passage, store)).map(|said| format!("{said} · "));
    format!("{}{}", marked.unwrap_or_default(), passage.source)
}

fn sources(store: &Store, answer: TurnId) -> Option<&AnswerSources> {
    store.chats.open.as_ref()?.sources.get(&answer)
}

impl ChatPane {
    /// The chosen answer, or that to the chosen question, if it was given from the library.
    pub(super) fn sourced(&self, store: &Store) -> Option<TurnId> {
        let chosen = self.chosen(store)?;
        let chat = store.chats.open.as_deref()?;
        if chosen.role == Role::Assistant {
            return chat.sources.contains_key(&chosen.id).then_some(chosen.id);
        }
        let path = self.path(chat);
        let answers = |id: &&TurnId| chat.turns.get(id).is_some_and(|turn| turn.parent == Some(chosen.id));
        path.iter().find(answers).copied().filter(|id| chat.sources.contains_key(id))
    }

    /// Has the next questions answered from the library, or from the model alone.
    pub(super) fn use_library(&mut self, store: &Store) -> Vec<Effect> {
        self.setup.library.on = !self.setup.library.on;
        let said = if self.setup.library.on {
            "the next answers are from the session's documents, with citations; l ends that"
        } else {
            "the next answers are from the model alone"
        };
        let mut effects = self.keep_setup(store);
        effects.push(super::act::say(said));
        effects
    }

    /// Opens the first passage of the chosen answer that it cites, or the first of all.
    pub(super) fn read_passages(&mut self, store: &Store) {
        let Some(answer) = self.sourced(store) else { return };
        let checked = sources(store, answer).and_then(|sources| sources.checked.as_ref());
        let cited = checked.and_then(|checked| checked.cited.first().copied());
        let first = cited.map_or(0, |number| number.saturating_sub(1) as usize);
        let chosen = self.source.filter(|(of, _)| *of == answer && self.sources_shown);
        let place = chosen.map_or(first, |(_, place)| place);
        self.mode = ChatMode::Passage(PassageView { answer, place, scroll: 0 });
    }

    /// Turns to another passage.
    pub(super) fn turn_passage(&mut self, by: isize, store: &Store) {
        if let ChatMode::Passage(view) = &mut self.mode {
            view.turn_to(by, store);
        }
    }
}
