//! Drawing of the recipes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use tui_textarea::TextArea;

use super::super::details::draw_title;
use super::{Recipes, RecipesStep, choose, files};
use crate::app::store::Store;
use crate::domain::protocol::runs::{Preflight, RecipeFile};
use crate::domain::recipe::Issue;
use crate::domain::recipe::edit;
use crate::domain::recipe::keys::{self, KeyKind, Presence, RecipeKey};
use crate::ui::theme::Theme;
use crate::ui::widgets::{empty, progress, text, writing};

/// Columns of the list.
const LIST: u16 = 26;
/// Below this width the list goes while a recipe is edited.
const NARROW: u16 = 84;

/// In the place of figures that no longer hold.
const PAST: &str = "the recipe has changed since it was measured: p measures it as it is now";

const NO_RECIPE: [&str; 2] =
    ["A recipe is a TOML file that says everything about a training run.", "n makes the first one."];

impl Recipes {
    pub(in super::super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, store: &Store, theme: &Theme) {
        self.rows.clear();
        self.fields.clear();
        let Some(recipes) = store.runs.recipes() else {
            empty::draw(
                buffer,
                area,
                theme,
                "Looking for recipes",
                &["Recipes stand in the session's folder."],
            );
            return;
        };
        let Some(recipe) = self.current(store).cloned() else {
            empty::draw(buffer, area, theme, "This session has no recipe yet", &NO_RECIPE);
            return;
        };
        let list = matches!(self.step, RecipesStep::List);
        let mut right = area;
        if area.width >= NARROW || list {
            let width = if area.width >= NARROW { LIST } else { LIST.min(area.width / 3) };
            self.draw_list(buffer, Rect { width, ..area }, recipes, theme);
            right = Rect { x: area.x + width + 1, width: area.width.saturating_sub(width + 1), ..area };
        }
        let issues = self.issues(&recipe);
        let cut = u16::from(self.cut(&recipe).is_some()) * 2;
        let foot = (2 + cut + issues.len().clamp(1, 4) as u16).min(right.height / 3);
        let below = Rect { y: right.bottom() - foot, height: foot, ..right };
        let mut main = Rect { height: right.height - foot, ..right };
        self.draw_preflight(buffer, &mut main, &recipe, (store, theme));
        let saved = self.saved_words(&recipe, store);
        let title = format!("{}.toml", recipe.name);
        draw_title(buffer, Rect { height: 1.min(main.height), ..main }, &title, saved, theme);
        let main = Rect { y: main.y + 1, height: main.height.saturating_sub(1), ..main };
        match &self.step {
            RecipesStep::Text(area) => draw_text(buffer, main, area, theme),
            RecipesStep::List
            | RecipesStep::Form
            | RecipesStep::Value(_)
            | RecipesStep::Choose(_)
            | RecipesStep::Find(_) => {
                let main = self.draw_found(buffer, main, theme);
                self.draw_form(buffer, main, &recipe, &issues, (store, theme));
            }
        }
        self.draw_foot(buffer, below, store, &issues, theme);
    }

    /// What was measured of the recipe, at the foot of its text, which gets the rest of the room.
    fn draw_preflight(
        &self,
        buffer: &mut Buffer,
        main: &mut Rect,
        recipe: &RecipeFile,
        (store, theme): (&Store, &Theme),
    ) {
        let asked = store.runs.preflight().filter(|asked| asked.recipe == recipe.path);
        let Some(asked) = asked.filter(|_| !self.is_typing()) else { return };
        let lines = if self.is_past(asked, recipe) {
            said((" · ", theme.dim), (PAST, theme.dim), main.width)
        } else {
            preflight_lines(asked, main.width, theme)
        };
        let rows = (1 + lines.len().max(1) as u16).min(main.height / 2);
        main.height -= rows;
        let place = Rect { y: main.bottom(), height: rows, ..*main };
        draw_title(buffer, Rect { height: 1.min(place.height), ..place }, "preflight", "", theme);
        let body = Rect { y: place.y + 1, height: place.height.saturating_sub(1), ..place };
        put_lines(buffer, body, lines);
        let job = store.jobs.named("preflight ").filter(|_| asked.outcome.is_none());
        if let Some(row) = job.filter(|_| place.height > 1) {
            let line =
                Rect { x: place.x + 3, y: place.y + 1, width: place.width.saturating_sub(4), height: 1 };
            progress::draw(buffer, line, row, store.now, theme);
        }
    }

    /// What is said of a recipe whose text isn't the file's.
    fn saved_words(&self, recipe: &RecipeFile, store: &Store) -> &'static str {
        let moved = self.drafts.get(&recipe.path).is_some_and(|draft| draft.base != recipe.text);
        match (self.unsaved(store), moved) {
            (true, true) => "not saved; the file has changed since",
            (true, false) => "not saved",
            (false, _) => "",
        }
    }

    /// Whether the figures are of another text than the one that stands here.
    fn is_past(&self, asked: &Preflight, recipe: &RecipeFile) -> bool {
        asked.outcome.is_some() && asked.text != self.text(recipe)
    }

    /// Whether what was asked last of this recipe, and is on the screen, says that no run would start.
    fn has_failed_preflight(&self, store: &Store) -> bool {
        let asked = store.runs.preflight().zip(self.current(store));
        let failed = asked.is_some_and(|(asked, recipe)| {
            asked.recipe == recipe.path
                && matches!(asked.outcome, Some(Err(_)))
                && !self.is_past(asked, recipe)
        });
        failed && !self.is_typing()
    }

    fn draw_list(&mut self, buffer: &mut Buffer, area: Rect, recipes: &[RecipeFile], theme: &Theme) {
        draw_title(buffer, Rect { height: 1.min(area.height), ..area }, "recipes", "", theme);
        let height = usize::from(area.height.saturating_sub(1));
        let selected = self.selected.min(recipes.len().saturating_sub(1));
        let first = selected.saturating_sub(height.saturating_sub(1));
        for (y, (at, recipe)) in (area.y + 1..area.bottom()).zip(recipes.iter().enumerate().skip(first)) {
            let row = Rect { y, height: 1, ..area };
            if at == selected {
                let here = matches!(self.step, RecipesStep::List);
                buffer.set_style(row, if here { theme.selection } else { theme.selection_away });
            }
            let sign = if self.drafts.contains_key(&recipe.path) { '*' } else { ' ' };
            let words = format!(" {sign}{}", recipe.name);
            let style = if at == selected { theme.bright } else { theme.text };
            text::put(buffer, row.x, y, &words, usize::from(row.width), style);
            self.rows.push((row, at));
        }
    }

    /// The line that says which keys are shown, where not all are. Returns what is left below.
    fn draw_found(&self, buffer: &mut Buffer, area: Rect, theme: &Theme) -> Rect {
        let typed = match &self.step {
            RecipesStep::Find(field) => Some(field),
            RecipesStep::List
            | RecipesStep::Form
            | RecipesStep::Value(_)
            | RecipesStep::Choose(_)
            | RecipesStep::Text(_) => None,
        };
        if typed.is_none() && self.found.is_empty() {
            return area;
        }
        let (x, _) = text::put(buffer, area.x, area.y, " keys with ", usize::from(area.width), theme.dim);
        let rest = Rect { x, width: area.right().saturating_sub(x), height: 1.min(area.height), ..area };
        match typed {
            Some(field) => draw_field(buffer, rest, field, theme),
            None => {
                text::put(buffer, x, area.y, &self.found, usize::from(rest.width), theme.bright);
            }
        }
        Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }
    }

    fn draw_form(
        &mut self,
        buffer: &mut Buffer,
        area: Rect,
        recipe: &RecipeFile,
        issues: &[Issue],
        (store, theme): (&Store, &Theme),
    ) {
        let source = self.text(recipe);
        let mut lines: Vec<(Option<usize>, Line<'_>)> = Vec::new();
        let mut section = "";
        let visible = self.visible(store);
        for (at, key) in keys::keys().enumerate().filter(|(at, _)| visible.contains(at)) {
            if key.section() != section {
                section = key.section();
                lines.push((None, Line::styled(format!(" [{section}]"), theme.dim)));
            }
            let issue = issues.iter().any(|issue| issue.key == key.name);
            let mut line = field_line(source, key, issue, theme);
            if let Some(typed) = self.left.get(&(recipe.path.clone(), at)) {
                let typed = typed.replace('\n', " ");
                line.push_span(Span::styled(format!("  ✎ draft: {typed}"), theme.accent));
            }
            lines.push((Some(at), line));
        }
        let cursor = lines.iter().position(|(at, _)| *at == Some(self.field)).unwrap_or(0);
        let height = usize::from(area.height).max(1);
        self.page = height;
        let first = cursor.saturating_sub(height / 2).min(lines.len().saturating_sub(height));
        for (y, (at, line)) in (area.top()..area.bottom()).zip(lines.into_iter().skip(first)) {
            let row = Rect { y, height: 1, ..area };
            if let Some(at) = at {
                self.fields.push((row, at));
            }
            let here = at == Some(self.field) && !matches!(self.step, RecipesStep::List);
            if here {
                buffer.set_style(row, theme.selection);
            }
            text::put_line(buffer, row, line);
            if let (true, RecipesStep::Value(field)) = (here, &self.step) {
                let x = row.x + VALUE.min(row.width);
                let value = Rect { x, width: row.right().saturating_sub(x), ..row };
                buffer.set_style(value, theme.float);
                for column in value.left()..value.right() {
                    if let Some(cell) = buffer.cell_mut((column, y)) {
                        cell.set_char(' ');
                    }
                }
                draw_field(buffer, value, field, theme);
            }
        }
        let row = self.fields.iter().find(|(_, at)| *at == self.field).map(|(row, _)| *row);
        if let (RecipesStep::Choose(choices), Some(row)) = (&mut self.step, row) {
            choose::draw(buffer, area, row, choices, theme);
        }
    }

    /// What is wrong, what the key means, and the command.
    fn draw_foot(&self, buffer: &mut Buffer, area: Rect, store: &Store, issues: &[Issue], theme: &Theme) {
        let mut lines = Vec::new();
        match (&self.refused, keys::keys().nth(self.field)) {
            (Some(why), _) => {
                lines.extend(said((" ✗ ", theme.bad), (why, theme.text), area.width));
            }
            (None, Some(key))
                if matches!(
                    self.step,
                    RecipesStep::Form | RecipesStep::Value(_) | RecipesStep::Choose(_) | RecipesStep::Find(_)
                ) =>
            {
                lines.extend(said((" ", theme.dim), (&about(key), theme.dim), area.width));
            }
            (None, _) => {}
        }
        for issue in issues.iter().take(4) {
            let place = issue.line.map_or_else(String::new, |line| format!("line {line}: "));
            let words = format!("{place}{}", issue.message);
            lines.extend(said((" ✗ ", theme.bad), (&words, theme.text), area.width));
        }
        let missing = self.current(store).and_then(|recipe| self.missing(recipe));
        if let (true, Some(missing)) = (issues.is_empty(), missing) {
            lines.extend(said((" ✗ ", theme.bad), (missing, theme.text), area.width));
        } else if let (true, true) = (issues.is_empty(), self.has_failed_preflight(store)) {
            let words = "not ready by the last preflight: p asks again";
            lines.extend(said((" ✗ ", theme.bad), (words, theme.text), area.width));
        } else if issues.is_empty() && self.unsaved(store) {
            let words = "not saved: p saves it and looks whether it is ready, t saves it and starts";
            lines.extend(said((" ✎ ", theme.accent), (words, theme.text), area.width));
        } else if let (true, Some(recipe)) = (issues.is_empty(), self.current(store)) {
            const READY: &str = "ready  ";
            let room = usize::from(area.width).saturating_sub(4 + READY.len());
            lines.push(Line::from(vec![
                Span::styled(" ✓ ", theme.good),
                Span::styled(READY, theme.dim),
                Span::styled(files::command_within(recipe, room), theme.bright),
            ]));
            let first = recipe.fetches.as_ref().filter(|_| !self.drafts.contains_key(&recipe.path));
            let first = first.map(|model| format!("   a run fetches the model {model} first"));
            lines.extend(first.map(|words| Line::styled(words, theme.dim)));
            if let Some(cut) = self.cut(recipe) {
                lines.extend(said((" ! ", theme.warning), (cut, theme.text), area.width));
            }
        }
        put_lines(buffer, area, lines);
    }
}

/// A sentence in rows after a sign; its further rows stand below its first word.
fn said(
    (sign, sign_style): (&'static str, Style),
    (words, style): (&str, Style),
    width: u16,
) -> Vec<Line<'static>> {
    let lead = text::width(sign);
    let rows = text::wrap(words, usize::from(width).saturating_sub(lead + 1).max(8));
    let line = |(at, row)| {
        let before = if at == 0 { sign.to_owned() } else { " ".repeat(lead) };
        Line::from(vec![Span::styled(before, sign_style), Span::styled(row, style)])
    };
    rows.into_iter().enumerate().map(line).collect()
}

/// As many rows as there is room for; the last one says that there are more.
fn put_lines(buffer: &mut Buffer, area: Rect, mut lines: Vec<Line<'static>>) {
    if lines.len() > usize::from(area.height) {
        lines.truncate(usize::from(area.height));
        if let Some(last) = lines.last_mut() {
            let room = usize::from(area.width);
            let words: String = last.spans.iter().map(|span| span.content.as_ref()).collect();
            let style = last.spans.last().map(|span| span.style).unwrap_or_default();
            *last = Line::styled(text::shorten(&format!("{words} …"), room), style);
        }
    }
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        text::put_line(buffer, Rect { y, height: 1, ..area }, line);
    }
}

/// What a run would take, a fact a row.
fn preflight_lines(asked: &Preflight, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    match &asked.outcome {
        // How far it is stands there instead, once the process says so.
        None => Vec::new(),
        Some(Err(why)) => said((" ✗ ", theme.bad), (why, theme.text), width),
        Some(Ok(facts)) => facts
            .iter()
            .flat_map(|fact| {
                if fact.name == "!" {
                    return said((" ! ", theme.warning), (&fact.value, theme.text), width);
                }
                let name = Span::styled(format!("   {:<31}", fact.name), theme.dim);
                vec![Line::from(vec![name, Span::styled(fact.value.clone(), theme.bright)])]
            })
            .collect(),
    }
}

/// Where values begin.
pub(super) const VALUE: u16 = 34;

fn field_line<'a>(source: &str, key: &'static RecipeKey, issue: bool, theme: &Theme) -> Line<'a> {
    let default = key.default_for(edit::method(source));
    let (value, style) = match (edit::get(source, key.name), default, key.presence) {
        (Some(value), ..) => (value, theme.bright),
        (None, Some(default), _) => (default.to_owned(), theme.dim),
        (None, None, Presence::Required) => ("missing".to_owned(), theme.bad),
        (None, None, Presence::Optional | Presence::Default(_)) => ("–".to_owned(), theme.dim),
    };
    let sign = if issue { Span::styled(" ✗ ", theme.bad) } else { Span::raw("   ") };
    let width = usize::from(VALUE) - 3;
    let value = value.replace('\n', " ");
    Line::from(vec![
        sign,
        Span::styled(format!("{:<width$}", key.short()), theme.text),
        Span::styled(value, style),
    ])
}

/// What a key means and may be.
fn about(key: &RecipeKey) -> String {
    let allowed = match key.kind {
        KeyKind::Choice(choices) => choices.join(", "),
        KeyKind::Choices(choices) => format!("{}; one or a list", choices.join(", ")),
        KeyKind::Flag => "true or false".to_owned(),
        KeyKind::Integer(low, i64::MAX) => format!("at least {low}"),
        KeyKind::Integer(low, high) => format!("{low} to {high}"),
        KeyKind::Number(range) => range.to_string(),
        KeyKind::Numbers(range) => format!("each {range}"),
        KeyKind::Text
        | KeyKind::Path
        | KeyKind::Examples
        | KeyKind::Texts
        | KeyKind::Modules
        | KeyKind::Rates
        | KeyKind::Rewards
        | KeyKind::Device => String::new(),
    };
    if allowed.is_empty() { key.help.to_owned() } else { format!("{} ({allowed})", key.help) }
}

fn draw_text(buffer: &mut Buffer, area: Rect, field: &TextArea<'static>, theme: &Theme) {
    let mut field = field.clone();
    field.set_style(theme.text);
    field.set_line_number_style(theme.dim);
    field.set_cursor_line_style(theme.selection_away);
    field.set_cursor_style(theme.caret);
    writing::draw(&field, buffer, area, theme);
}

/// A field of one line, its cursor reversed.
pub(in super::super) fn draw_field(
    buffer: &mut Buffer,
    area: Rect,
    field: &TextArea<'static>,
    theme: &Theme,
) {
    let mut field = field.clone();
    field.set_style(theme.bright);
    field.set_cursor_line_style(theme.bright);
    field.set_cursor_style(theme.caret);
    writing::draw(&field, buffer, Rect { height: 1.min(area.height), ..area }, theme);
}
