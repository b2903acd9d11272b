//! What an import would read, before it is begun: its files, which column plays which part, what the rows become.

use std::path::PathBuf;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::act::send;
use super::bindings::Accepted;
use super::import_view::{draw_job, examples, files, heading, passed_over, put};
use crate::app::store::Store;
use crate::domain::counted::counted;
use crate::domain::protocol::DataCommand;
use crate::domain::protocol::data::{ImportPlan, Imported, LOOK_UP};
use crate::ui::pane::{Effect, Input, PaneId, View};
use crate::ui::theme::Theme;
use crate::ui::widgets::cursor::ListCursor;
use crate::ui::widgets::path_field::{PathField, PathWanted, from_home};
use crate::ui::widgets::text;

/// Columns that the parts take, beside the examples.
const PARTS: u16 = 44;

/// An import, from its path to its end.
#[derive(Debug)]
pub(super) struct ImportForm {
    pub(super) path: PathBuf,
    step: ImportStep,
    /// `part=column` for every part, once something was changed.
    map: Vec<String>,
    cursor: ListCursor,
    alone: ColumnsAlone,
}

/// Whether columns are brought in alone, without a part that could be learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ColumnsAlone {
    /// They aren't, or that isn't decided.
    No,
    /// It was asked for once, and said what it means.
    Asked,
    Yes,
}

/// How far it is.
#[derive(Debug)]
enum ImportStep {
    /// The path is being typed.
    Path(Box<PathField>),
    /// What it would read is shown.
    Look,
    /// It was begun, after so many had ended: what came of an earlier one of the same path doesn't count.
    Begun(u64),
}

impl ImportForm {
    /// Asks for the path.
    pub(super) fn asking() -> (Self, Effect) {
        let (field, ask) = PathField::asking("", PathWanted::Records);
        (Self { step: ImportStep::Path(Box::new(field)), ..Self::new(PathBuf::new()) }, ask)
    }

    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            step: ImportStep::Look,
            map: Vec::new(),
            cursor: ListCursor::default(),
            alone: ColumnsAlone::No,
        }
    }

    pub(super) const fn is_asking(&self) -> bool {
        matches!(self.step, ImportStep::Path(_))
    }

    /// Where enter leads; nothing while that isn't known yet.
    pub(super) fn accepts(&self, store: &Store) -> Option<Accepted> {
        match &self.step {
            ImportStep::Path(field) => (!field.text().trim().is_empty()).then_some(Accepted::LookInto),
            ImportStep::Look => match &store.data.plan {
                Some((path, Ok(plan))) if *path == self.path && !plan.has_no_row() => Some(Accepted::Import),
                Some((path, Ok(_) | Err(_))) if *path == self.path => Some(Accepted::OtherPath),
                _ => None,
            },
            ImportStep::Begun(_) => match self.outcome(store)? {
                Ok(came) if !came.is_empty() && self.alone != ColumnsAlone::Yes => Some(Accepted::ToTraining),
                Ok(_) | Err(_) => Some(Accepted::OtherPath),
            },
        }
    }

    /// Whether the parts can be given other columns.
    pub(super) fn can_turn(&self, store: &Store) -> bool {
        matches!(self.step, ImportStep::Look) && self.plan(store).is_some_and(|plan| !plan.columns.is_empty())
    }

    pub(super) fn input(&mut self, input: &Input) -> Vec<Effect> {
        match &mut self.step {
            ImportStep::Path(field) => field.input(input),
            ImportStep::Look | ImportStep::Begun(_) => Vec::new(),
        }
    }

    pub(super) fn complete(&mut self, store: &Store) -> Vec<Effect> {
        match &mut self.step {
            ImportStep::Path(field) => field.complete(store),
            ImportStep::Look | ImportStep::Begun(_) => Vec::new(),
        }
    }

    /// One step on: what it asks for, and whether the form is still there.
    pub(super) fn accept(&mut self, store: &Store) -> (Vec<Effect>, bool) {
        match (self.accepts(store), &self.step) {
            (Some(Accepted::LookInto), ImportStep::Path(field)) => {
                *self = Self::new(from_home(&field.path()));
                let (path, map) = (self.path.clone(), Vec::new());
                (vec![send(DataCommand::PlanImport { path, map })], true)
            }
            (Some(Accepted::Import), _) if self.is_to_be_asked(store) => {
                self.alone = ColumnsAlone::Asked;
                (Vec::new(), true)
            }
            (Some(Accepted::Import), _) => {
                self.alone =
                    if self.alone == ColumnsAlone::Asked { ColumnsAlone::Yes } else { ColumnsAlone::No };
                self.step = ImportStep::Begun(store.data.imports);
                (vec![send(DataCommand::Import { path: self.path.clone(), map: self.map() })], true)
            }
            (Some(Accepted::ToTraining), _) => (vec![Effect::Show(PaneId::Train)], false),
            (Some(Accepted::OtherPath), _) => {
                let (field, ask) = PathField::asking(&self.path.to_string_lossy(), PathWanted::Records);
                self.step = ImportStep::Path(Box::new(field));
                (vec![ask], true)
            }
            (None | Some(Accepted::LookInto | Accepted::Export | Accepted::TypeLabel), _) => {
                (Vec::new(), true)
            }
        }
    }

    /// Whether nothing could be learnt of what enter brings in, and that wasn't said yet.
    fn is_to_be_asked(&self, store: &Store) -> bool {
        self.alone == ColumnsAlone::No && self.plan(store).is_some_and(|plan| plan.columns_only)
    }

    /// What came of it, once it has ended.
    fn outcome<'s>(&self, store: &'s Store) -> Option<&'s Result<Imported, String>> {
        match (&self.step, &store.data.imported) {
            (ImportStep::Begun(before), Some((path, outcome)))
                if *path == self.path && store.data.imports > *before =>
            {
                Some(outcome)
            }
            _ => None,
        }
    }

    /// What the worker says of this path.
    pub(super) fn plan<'s>(&self, store: &'s Store) -> Option<&'s ImportPlan> {
        match &store.data.plan {
            Some((path, Ok(plan))) if *path == self.path => Some(plan),
            _ => None,
        }
    }

    pub(super) fn map(&self) -> Vec<String> {
        self.map.clone()
    }

    pub(super) fn step(&mut self, by: isize, plan: &ImportPlan) {
        self.cursor.step(by, plan.parts.len());
    }

    /// Gives the part under the cursor the next column, or none after the last; the new mapping, where there is one.
    pub(super) fn turn(&mut self, by: isize, plan: &ImportPlan) -> Option<Vec<String>> {
        let (_, column) = plan.parts.get(self.cursor.row())?;
        if plan.columns.is_empty() {
            return None;
        }
        let at = column.as_ref().and_then(|column| plan.columns.iter().position(|other| other == column));
        // Nothing stands before the first column.
        let places = plan.columns.len() as isize + 1;
        let next = (at.map_or(0, |at| at as isize + 1) + by).rem_euclid(places);
        let chosen = usize::try_from(next - 1).ok().and_then(|at| plan.columns.get(at)).cloned();
        self.alone = ColumnsAlone::No;
        self.map = plan
            .parts
            .iter()
            .enumerate()
            .map(|(row, (part, column))| {
                let column = if row == self.cursor.row() { &chosen } else { column };
                format!("{part}={}", column.as_deref().unwrap_or_default())
            })
            .collect();
        Some(self.map.clone())
    }

    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let theme = view.theme;
        match &self.step {
            ImportStep::Path(field) => {
                let inside = Rect { x: area.x + 2, width: area.width.saturating_sub(4), ..area };
                return field.draw(buffer, inside, view);
            }
            ImportStep::Begun(_) => return self.draw_end(buffer, area, view),
            ImportStep::Look => {}
        }
        let plan = match &view.store.data.plan {
            Some((path, Ok(plan))) if *path == self.path => plan,
            Some((path, Err(why))) if *path == self.path => {
                let lines = text::wrap(why, usize::from(area.width.saturating_sub(4)));
                for (y, line) in (area.y + 1..area.bottom()).zip(lines) {
                    text::put(buffer, area.x + 2, y, line, usize::from(area.width), theme.bad);
                }
                return;
            }
            _ => {
                let words = "looking into it …";
                text::put(buffer, area.x + 2, area.y + 1, words, usize::from(area.width), theme.dim);
                return draw_job(buffer, area, &format!("{LOOK_UP}{}", self.path.display()), view);
            }
        };
        let mut y = files(buffer, area, plan, theme);
        if plan.columns_only {
            let words = match self.alone {
                ColumnsAlone::No => {
                    "no column is known as a question, an answer or a text: ← → give the parts below theirs"
                }
                ColumnsAlone::Asked | ColumnsAlone::Yes => {
                    "nothing can be learnt of columns alone: ← → give the parts theirs; ⏎ again brings them in as they are"
                }
            };
            let lines = text::wrap(words, usize::from(area.width.saturating_sub(4)));
            for line in lines {
                put(buffer, area, y - 1, &line, theme.warning);
                y += 1;
            }
        }
        y = passed_over(buffer, area, y, plan, theme);
        let below = Rect { y, height: area.bottom().saturating_sub(y), ..area };
        let (parts, shown) = if below.width > PARTS + 20 {
            let shown = Rect { x: below.x + PARTS, width: below.width - PARTS, ..below };
            (Rect { width: PARTS, ..below }, shown)
        } else {
            // One below the other, half of the room for each at least.
            let height = (plan.parts.len() as u16 + 2).min(below.height / 2);
            let shown = Rect { y: below.y + height, height: below.height - height, ..below };
            (Rect { height, ..below }, shown)
        };
        self.draw_parts(buffer, parts, plan, theme);
        examples(buffer, shown, plan, theme);
    }

    /// How far it is, what came of it, and what comes next.
    fn draw_end(&self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let count = |rows: u64| text::count(rows);
        let mut lines = Vec::new();
        match self.outcome(view.store) {
            None => lines.push((theme.dim, "importing …; esc leaves it to itself".to_owned())),
            Some(Err(why)) => {
                lines.push((theme.bad, format!("✗ {why}")));
                lines.push((theme.text, "⏎ another path · esc back".to_owned()));
            }
            Some(Ok(came)) if came.is_empty() => {
                lines.push((theme.bad, "✗ no record came in".to_owned()));
                if came.rejected == 0 {
                    lines.push((theme.dim, "  it holds no row, or none that is to be kept".to_owned()));
                }
                lines.extend(rejected(came, theme));
                lines.push((theme.dim, "  what its columns were said to be is not remembered".to_owned()));
                lines.push((theme.text, "⏎ another path · esc back".to_owned()));
            }
            Some(Ok(came)) => {
                let are = if came.added == 1 { "is" } else { "are" };
                lines.push((theme.good, format!("✓ {} {are} in", counted(came.added, "record"))));
                if came.repeated > 0 {
                    lines.push((theme.dim, format!("  {} were here before", count(came.repeated))));
                }
                if came.repeated > 0 && !self.map.is_empty() {
                    let words =
                        "  and stay as they were read then: u among the records takes that import back";
                    lines.push((theme.warning, words.to_owned()));
                }
                if self.alone == ColumnsAlone::Yes {
                    lines.push((theme.warning, "! columns alone: nothing can be learnt of them".to_owned()));
                }
                lines.extend(rejected(came, theme));
                let next =
                    if self.alone == ColumnsAlone::Yes { "⏎ another path" } else { "⏎ to training" };
                lines.push((theme.text, format!("{next} · esc looks at the records")));
            }
        }
        let room = usize::from(area.width.saturating_sub(4));
        // A reason is read whole.
        let whole = |(style, line): (Style, String)| {
            let rows = if text::width(&line) > room { text::wrap(&line, room) } else { vec![line] };
            rows.into_iter().map(move |row| (style, row))
        };
        for ((style, line), y) in lines.into_iter().flat_map(whole).zip(area.y + 1..area.bottom()) {
            put(buffer, area, y, &line, style);
        }
        if self.outcome(view.store).is_none() {
            let name = self.path.file_name().unwrap_or_default().to_string_lossy();
            draw_job(buffer, area, &format!("import {name}"), view);
        }
    }

    fn draw_parts(&mut self, buffer: &mut Buffer, area: Rect, plan: &ImportPlan, theme: &Theme) {
        let title = if self.map.is_empty() && plan.remembered { "parts · as last time" } else { "parts" };
        heading(buffer, area, title, theme);
        if plan.columns.is_empty() {
            let words = without_columns(plan);
            for (y, line) in
                (area.y + 1..area.bottom()).zip(text::wrap(words, usize::from(area.width.saturating_sub(4))))
            {
                text::put(buffer, area.x + 2, y, line, usize::from(area.width), theme.dim);
            }
            return;
        }
        let height = usize::from(area.height.saturating_sub(1));
        let shown = self.cursor.window(plan.parts.len(), height);
        for (row, y) in shown.zip(area.y + 1..) {
            let Some((part, column)) = plan.parts.get(row) else { break };
            let here = row == self.cursor.row();
            if here {
                buffer.set_style(
                    Rect { x: area.x + 1, y, width: area.width.saturating_sub(3), height: 1 },
                    theme.selection,
                );
                text::put(buffer, area.x + 1, y, "▌", 1, theme.accent);
            }
            text::put(buffer, area.x + 3, y, part, 12, if here { theme.bright } else { theme.text });
            let (shown, style) = match column {
                Some(column) => (column.as_str(), theme.bright),
                None => ("–", theme.dim),
            };
            let room = usize::from(area.width).saturating_sub(20);
            text::put(buffer, area.x + 16, y, shown, room, style);
        }
    }
}

/// Why no part can be given another column.
fn without_columns(plan: &ImportPlan) -> &'static str {
    match (plan.files.len(), plan.examples.iter().any(Result::is_ok)) {
        _ if plan.has_no_row() => {
            "There is no row in it, so nothing can be brought in: ⏎ another path, esc back."
        }
        (_, false) => "None of its first rows can be read, so it has no columns to give to the parts.",
        (1, true) => "It has no columns that could be given to the parts: it is read as it says above.",
        (_, true) => {
            "These files have different columns: each is read as it says above. Import one alone to change what its \
             columns are."
        }
    }
}

/// How many rows could not be read, and why not the first.
fn rejected(came: &Imported, theme: &Theme) -> Vec<(Style, String)> {
    if came.rejected == 0 {
        return Vec::new();
    }
    let rows = format!("! {} could not be read", counted(came.rejected, "row"));
    let why = came.unread.iter().map(|why| (theme.dim, format!("  {why}")));
    std::iter::once((theme.warning, rows)).chain(why).collect()
}
