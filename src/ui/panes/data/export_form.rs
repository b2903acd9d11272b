//! What an export would write, before it is begun: which records, as what, to where.

use std::path::Path;

use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::line::OneLine;
use crate::domain::change::Selection;
use crate::domain::dropped;
use crate::domain::export::{ExportFormat, Splits};
use crate::domain::protocol::data::{ExportOrder, Replace};
use crate::ui::pane::Input;
use crate::ui::theme::Theme;
use crate::ui::widgets::path_field::from_home;
use crate::ui::widgets::text;

/// Where the keyboard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExportField {
    Path,
    Form,
    Splits,
}

const ROWS: [ExportField; 3] = [ExportField::Path, ExportField::Form, ExportField::Splits];

/// An export that is being looked at.
#[derive(Debug)]
pub(super) struct ExportForm {
    selection: Selection,
    /// `2 selected records`.
    what: String,
    form: ExportFormat,
    splits: Splits,
    path: OneLine,
    /// The path that was there at first.
    offered: String,
    row: ExportField,
}

/// How the last export was written, for the next.
#[derive(Debug, Clone)]
pub(super) struct LastExport {
    pub(super) path: String,
    pub(super) form: ExportFormat,
    pub(super) splits: Splits,
}

impl ExportForm {
    pub(super) fn new(selection: Selection, what: String, last: &LastExport) -> Self {
        let LastExport { path, form, splits } = last.clone();
        let (row, field) = (ExportField::Path, OneLine::new(&path));
        Self { selection, what, form, splits, path: field, offered: path, row }
    }

    pub(super) fn input(&mut self, input: &Input) {
        let by = match input {
            Input::Key(key) if key.code == KeyCode::Right => 1,
            Input::Key(key) if key.code == KeyCode::Left => -1,
            Input::Key(key) if key.code == KeyCode::Tab => return self.step(1),
            Input::Key(key) if key.code == KeyCode::BackTab => return self.step(-1),
            Input::Key(_) | Input::Paste(_) => 0,
        };
        match self.row {
            ExportField::Form if by != 0 => self.turn_form(by),
            ExportField::Splits if by != 0 => {
                self.splits = match self.splits {
                    Splits::Together => Splits::Apart,
                    Splits::Apart => Splits::Together,
                };
            }
            ExportField::Path | ExportField::Form | ExportField::Splits => {
                self.row = ExportField::Path;
                self.write(input);
                // The name's ending says what is wanted, as long as it doesn't contradict.
                let told = ExportFormat::of_path(Path::new(self.path.text()))
                    .filter(|form| *form != ExportFormat::Folder);
                if let Some(told) = told.filter(|told| told.ending() != self.form.ending()) {
                    self.form = told;
                }
            }
        }
    }

    /// A whole path takes the place of the name that is offered, whether it is pasted or typed.
    fn write(&mut self, input: &Input) {
        match input {
            Input::Paste(text) if dropped::is_whole(text) => {
                self.path = OneLine::new(&dropped::path(text));
            }
            Input::Key(key) if matches!(key.code, KeyCode::Char('/' | '~')) && self.is_as_offered() => {
                self.path = OneLine::new("");
                self.path.input(input);
            }
            Input::Paste(_) | Input::Key(_) => self.path.input(input),
        }
    }

    /// Whether the cursor is at the end of the name that is offered: no path goes on from there.
    fn is_as_offered(&self) -> bool {
        self.path.text() == self.offered && self.path.cursor() == self.offered.len()
    }

    pub(super) fn step(&mut self, by: isize) {
        let at = ROWS.iter().position(|row| *row == self.row).unwrap_or_default() as isize;
        let next = (at + by).rem_euclid(ROWS.len() as isize) as usize;
        self.row = ROWS.get(next).copied().unwrap_or(ExportField::Path);
    }

    /// The next form; the name's ending follows it.
    fn turn_form(&mut self, by: isize) {
        let at = ExportFormat::ALL.iter().position(|form| *form == self.form).unwrap_or_default() as isize;
        let next = (at + by).rem_euclid(ExportFormat::ALL.len() as isize) as usize;
        let form = ExportFormat::ALL.get(next).copied().unwrap_or(self.form);
        let name = self.path.text();
        let stem = name.strip_suffix(self.form.ending()).unwrap_or(name);
        let is_offered = self.is_as_offered();
        self.path = OneLine::new(&format!("{stem}{}", form.ending()));
        if is_offered {
            self.path.text().clone_into(&mut self.offered);
        }
        self.form = form;
    }

    /// What is to be written; nothing while there is no path.
    pub(super) fn order(&self) -> Option<ExportOrder> {
        let path = self.path.text().trim();
        (!path.is_empty()).then(|| ExportOrder {
            selection: self.selection.clone(),
            path: from_home(path),
            form: self.form,
            splits: self.splits,
            replace: Replace::Ask,
        })
    }

    pub(super) fn as_last(&self) -> LastExport {
        LastExport { path: self.path.text().to_owned(), form: self.form, splits: self.splits }
    }

    pub(super) fn draw(&self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        let width = usize::from(area.width.saturating_sub(4));
        let say = |buffer: &mut Buffer, y: u16, x: u16, words: &str, style| {
            let room = usize::from(area.right().saturating_sub(x + 1));
            if y < area.bottom() {
                text::put(buffer, x, y, words, room, style);
            }
        };
        let x = area.x + 2;
        say(buffer, area.y + 1, x, &format!("records  {}", self.what), theme.text);
        for (y, row) in (area.y + 2..area.bottom()).zip(ROWS) {
            let here = row == self.row;
            if here {
                text::put(buffer, area.x, y, "▌", 1, theme.accent);
            }
            let style = if here { theme.accent } else { theme.dim };
            match row {
                ExportField::Path => {
                    say(buffer, y, x, "path", style);
                    let field = Rect { x: x + 9, y, width: area.width.saturating_sub(13), height: 1 };
                    if here {
                        self.path.draw(buffer, field, theme);
                    } else {
                        say(buffer, y, x + 9, self.path.text(), theme.text);
                    }
                }
                ExportField::Form => {
                    say(buffer, y, x, "form", style);
                    let words = format!("‹ {} ›  {}", self.form.name(), self.form.about());
                    say(buffer, y, x + 9, &words, theme.text);
                }
                ExportField::Splits => {
                    say(buffer, y, x, "files", style);
                    say(buffer, y, x + 9, &format!("‹ {} ›", self.files()), theme.text);
                }
            }
        }
        let words = "Relative paths begin where dojo was started. A file that is there is written anew only after a \
                     question.";
        for (y, line) in (area.y + 6..area.bottom()).zip(text::wrap(words, width)) {
            say(buffer, y, x, &line, theme.dim);
        }
    }

    const fn files(&self) -> &'static str {
        match (self.form, self.splits) {
            (ExportFormat::Folder, _) => "one for each split",
            (_, Splits::Together) => "one",
            (_, Splits::Apart) => "one for each split: NAME.train.jsonl, NAME.eval.jsonl",
        }
    }
}
