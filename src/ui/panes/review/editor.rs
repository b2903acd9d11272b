//! A correction and why the thought went wrong, being written: two fields, and what they were before.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tui_textarea::TextArea;

use super::draw::rule;
use crate::domain::reflection::{Reflection, ReflectionId};
use crate::domain::review::{DraftText, ReviewItem, Reviewed};
use crate::domain::thought::ThoughtId;
use crate::ui::pane::{Input, View};
use crate::ui::widgets::field::edit_text;
use crate::ui::widgets::{text, writing};

/// Rows from which both fields stand below each other.
const BOTH: u16 = 9;
/// Bytes from which a draft is not kept with every key.
const LONG: usize = 20_000;
/// Seconds between two drafts of a long text.
const PAUSE: f64 = 2.0;

/// Which of the two is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ReflectionField {
    #[default]
    Text,
    Analysis,
}

/// What the two fields hold: the text, then the analysis.
type FieldTexts = [String; 2];

/// Both fields.
#[derive(Debug)]
pub(super) struct ReflectionEditor {
    pub(super) of: Reviewed,
    fields: [TextArea<'static>; 2],
    part: ReflectionField,
    /// How the reflection stood when the editing began, in this time of the program or an earlier one; nothing for a
    /// thought.
    pub(super) over: Option<Box<Reflection>>,
    /// How it stands now, as far as is known, and what both fields hold without any draft.
    now: Option<Box<Reflection>>,
    before: FieldTexts,
    /// What [`ReflectionEditor::restore`] put aside, with what it was written over.
    put_aside: Vec<(FieldTexts, Option<Box<Reflection>>)>,
    /// What was last sent to be kept, and when, in seconds since 1970.
    sent: (FieldTexts, f64),
    /// When the draft that it goes on with was kept, in milliseconds since 1970.
    draft: Option<i64>,
    /// What is wrong with what was to be saved.
    pub(super) complaint: String,
}

impl ReflectionEditor {
    /// On the text as it would be trained on, or where a draft left it.
    pub(super) fn new(item: &ReviewItem) -> Self {
        let before = [item.text().to_owned(), item.analysis().to_owned()];
        let now = item.reflection.clone().map(Box::new);
        let begun = item.draft.as_ref().and_then(|draft| draft.over.clone());
        let texts = match &item.draft {
            Some(draft) => [draft.text.clone(), draft.analysis.clone()],
            None => before.clone(),
        };
        Self {
            of: item.id,
            fields: [written(&texts[0], &before[0]), written(&texts[1], &before[1])],
            part: ReflectionField::Text,
            over: begun.filter(|_| now.is_some()).or_else(|| now.clone()),
            now,
            before,
            put_aside: Vec::new(),
            sent: (texts, f64::NEG_INFINITY),
            draft: item.draft.as_ref().map(|draft| draft.at),
            complaint: String::new(),
        }
    }

    /// It stands like this now. What is written stays, and stays written over what it began with: saving asks when that
    /// isn't the same.
    pub(super) fn see(&mut self, now: &Reflection) {
        self.before = [now.text().to_owned(), now.error_analysis.clone()];
        self.now = Some(Box::new(now.clone()));
    }

    /// The thought that it was to be the first correction of has one now: it is an edit of that from here on, begun on
    /// the thought's own text, so that saving asks.
    pub(super) fn becomes(&mut self, id: ReflectionId, now: &Reflection) -> Option<ThoughtId> {
        let Reviewed::Thought(thought) = self.of else { return None };
        self.of = id.into();
        let [text, analysis] = self.before.clone();
        let began = Reflection { corrected: text, error_analysis: analysis, edited: None, ..now.clone() };
        self.over = Some(Box::new(began));
        self.sent = (FieldTexts::default(), f64::NEG_INFINITY);
        Some(thought)
    }

    /// Whether somebody has decided on it or changed it since the editing began.
    pub(super) fn is_moved(&self) -> bool {
        self.over.as_ref().zip(self.now.as_ref()).is_some_and(|(over, now)| !now.stands_as(over))
    }

    fn texts(&self) -> FieldTexts {
        let [text, analysis] = &self.fields;
        [text.lines().join("\n"), analysis.lines().join("\n")]
    }

    pub(super) fn text(&self) -> String {
        self.fields[0].lines().join("\n")
    }

    /// The analysis, when it is another one than before.
    pub(super) fn new_analysis(&self) -> Option<String> {
        let [_, analysis] = self.texts();
        (analysis != self.before[1]).then_some(analysis)
    }

    /// Whether anything differs from what is saved.
    pub(super) fn is_changed(&self) -> bool {
        self.texts() != self.before
    }

    /// Whether a draft holds all of it.
    pub(super) fn is_kept(&self, draft: Option<&DraftText>) -> bool {
        let texts = self.texts();
        draft.is_some_and(|draft| draft.text == texts[0] && draft.analysis == texts[1])
    }

    /// Whether something was typed since a draft was sent to be kept.
    pub(super) fn is_unsent(&self) -> bool {
        self.texts() != self.sent.0
    }

    /// What is to be kept as a draft now: nothing when nothing differs from what is saved. It counts as sent.
    pub(super) fn send_draft(&mut self, now: f64) -> Option<DraftText> {
        self.sent = (self.texts(), now);
        let [text, analysis] = self.texts();
        let draft = DraftText { text, analysis, over: self.over.clone(), at: (now * 1000.0) as i64 };
        self.is_changed().then_some(draft)
    }

    /// Whether it is time to keep what was typed since.
    pub(super) fn is_due(&self, now: f64) -> bool {
        self.sent.0.iter().map(String::len).sum::<usize>() <= LONG || now - self.sent.1 >= PAUSE
    }

    /// Back to how it stands without what was typed, to go on from there.
    pub(super) fn restore(&mut self) {
        if !self.is_changed() && !self.is_moved() {
            return;
        }
        let over = std::mem::replace(&mut self.over, self.now.clone());
        self.put_aside.push((self.texts(), over));
        self.show(&self.before.clone());
    }

    /// Brings back what [`ReflectionEditor::restore`] put aside last.
    pub(super) fn bring_back(&mut self) {
        if let Some((texts, over)) = self.put_aside.pop() {
            if self.is_changed() {
                // What was typed since comes back after all else.
                self.put_aside.insert(0, (self.texts(), self.over.clone()));
            }
            self.over = over;
            self.show(&texts);
        }
    }

    pub(super) const fn can_bring_back(&self) -> bool {
        !self.put_aside.is_empty()
    }

    fn show(&mut self, texts: &FieldTexts) {
        for (field, text) in self.fields.iter_mut().zip(texts) {
            set(field, text);
        }
        self.draft = None;
        self.complaint.clear();
    }

    pub(super) fn switch(&mut self) {
        self.part = if self.part == ReflectionField::Text {
            ReflectionField::Analysis
        } else {
            ReflectionField::Text
        };
    }

    fn current(&mut self) -> &mut TextArea<'static> {
        &mut self.fields[self.part as usize]
    }

    pub(super) fn input(&mut self, input: &Input) {
        self.complaint.clear();
        self.draft = None;
        match input {
            Input::Key(key) => {
                edit_text(self.current(), *key);
            }
            Input::Paste(text) => {
                self.current().insert_str(text.replace("\r\n", "\n").replace('\r', "\n"));
            }
        }
    }

    /// The field that is written, for the person's own editor.
    pub(super) fn current_text(&self) -> String {
        self.fields[self.part as usize].lines().join("\n")
    }

    pub(super) fn replace(&mut self, text: &str) {
        set(self.current(), &text.replace("\r\n", "\n"));
        self.complaint.clear();
    }

    /// Draws the text in one area and the analysis in another; in the first alone what is written, where the second
    /// has no room.
    pub(super) fn draw(&mut self, buffer: &mut Buffer, text: Rect, analysis: Rect, view: View<'_>) {
        for (part, area) in [(ReflectionField::Text, text), (ReflectionField::Analysis, analysis)] {
            self.draw_part(buffer, part, area, view);
        }
    }

    /// Both below each other, or what is written alone.
    pub(super) fn draw_below(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        if area.height < BOTH {
            return self.draw_part(buffer, self.part, area, view);
        }
        let lower = area.height / 3;
        let text = Rect { height: area.height - lower, ..area };
        let analysis = Rect { y: text.bottom(), height: lower, ..area };
        self.draw(buffer, text, analysis, view);
    }

    fn draw_part(&mut self, buffer: &mut Buffer, part: ReflectionField, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let here = part == self.part;
        let style = match (here, self.complaint.is_empty()) {
            (true, false) => theme.bad,
            (true, true) => theme.accent,
            (false, _) => theme.dim,
        };
        rule(buffer, Rect { height: 1.min(area.height), ..area }, &self.title(part, view), style, view);
        let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        let Some(field) = self.fields.get_mut(part as usize) else { return };
        field.set_style(theme.text);
        field.set_placeholder_style(theme.dim);
        field.set_cursor_style(if here { theme.caret } else { theme.text });
        writing::draw(field, buffer, body, theme);
    }

    fn title(&self, part: ReflectionField, view: View<'_>) -> String {
        let here = part == self.part;
        if here && !self.complaint.is_empty() {
            return self.complaint.clone();
        }
        let name = match part {
            ReflectionField::Text => "correction",
            ReflectionField::Analysis => "why it went wrong",
        };
        match (here, self.draft) {
            (false, _) => format!("{name} · tab"),
            (true, _) if self.is_moved() => format!("{name} · changed elsewhere"),
            (true, None) if self.can_bring_back() && !self.is_changed() => {
                format!("{name} · as it was; alt-z brings back what you typed")
            }
            (true, None) => format!("{name} · being edited"),
            (true, Some(at)) => {
                format!("{name} · your draft of {}", text::ago(at as f64 / 1000.0, view.store.now))
            }
        }
    }
}

/// Puts a text in the place of all that a field holds.
fn set(area: &mut TextArea<'static>, text: &str) {
    area.select_all();
    area.cut();
    area.insert_str(text);
    // Selecting ends where lines or columns are too many to be counted.
    if area.lines().join("\n") != text {
        *area = field(text);
    }
}

/// With the caret after what differs from what was there before.
fn written(text: &str, before: &str) -> TextArea<'static> {
    let mut area = field(text);
    writing::to_end_of_change(&mut area, before);
    area
}

fn field(text: &str) -> TextArea<'static> {
    let mut area = writing::field(text);
    area.set_placeholder_text("what the thought overlooks or gets wrong");
    area
}
