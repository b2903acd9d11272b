//! Choosing who answers: base models, exports and adapters on this machine.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::act::send;
use super::{ChatMode, ChatPane};
use crate::app::store::Store;
use crate::domain::chat::{Answerer, Setup, Side};
use crate::domain::protocol::ChatCommand;
use crate::domain::protocol::models::{ModelFile, ModelKind};
use crate::ui::layout::centred;
use crate::ui::pane::{Effect, Focus, View};
use crate::ui::widgets::cursor::ListCursor;
use crate::ui::widgets::{float, progress, text};

/// The list while it is open.
#[derive(Debug)]
pub(super) struct Picker {
    pub(super) side: Side,
    cursor: ListCursor,
}

/// Everything that could answer, the session's own model first.
pub(super) fn answerers(store: &Store) -> Vec<(Answerer, String)> {
    let known = store.models.iter().flatten().filter_map(|model| Some((answerer(model)?, describe(model))));
    let mut found: Vec<(Answerer, String)> = known.collect();
    let own = store.session.as_ref().map(|session| session.file.model.clone()).unwrap_or_default();
    if let Some(place) = found.iter().position(|(known, _)| known.name == own) {
        let first = found.remove(place);
        found.insert(0, first);
    }
    found
}

/// A model, an adapter or an export as it answers in Chat; nothing if it can't.
pub(in crate::ui::panes) fn answerer(model: &ModelFile) -> Option<Answerer> {
    let (base, adapter) = match model.kind {
        ModelKind::Base => (Some(model.name.clone()), None),
        ModelKind::Export => (Some(model.path.display().to_string()), None),
        ModelKind::Adapter => (None, Some(model.path.clone())),
        ModelKind::Embedding => return None,
    };
    Some(Answerer { name: model.name.clone(), model: base, adapter })
}

fn describe(model: &ModelFile) -> String {
    format!("{:<8} {:>8}  {}", model.kind.name(), text::bytes(model.bytes), model.note)
}

/// Who answers before anybody chose: the session's model, else the first one there is.
pub(super) fn first(store: &Store) -> Option<Answerer> {
    let known = answerers(store).into_iter().map(|(answerer, _)| answerer);
    let own = store.session.as_ref().map(|session| session.file.model.as_str()).filter(|own| !own.is_empty());
    match own {
        Some(own) => {
            let named = || Answerer { name: own.to_owned(), model: Some(own.to_owned()), adapter: None };
            Some(known.into_iter().find(|answerer| answerer.name == own).unwrap_or_else(named))
        }
        None => known.into_iter().find(|answerer| answerer.adapter.is_none()),
    }
}

/// Who answers beside a model: the last adapter, else another model, else the same one.
pub(super) fn beside(store: &Store, left: &Answerer) -> Answerer {
    let known = answerers(store);
    let others = || known.iter().map(|(answerer, _)| answerer).filter(|answerer| *answerer != left);
    let tuned = others().rfind(|answerer| answerer.adapter.is_some());
    tuned.or_else(|| others().next()).unwrap_or(left).clone()
}

impl ChatPane {
    /// Begins the conversation that another pane asked for. The open chat stays in the history.
    pub(super) fn begin_with_wanted(&mut self, store: &Store) -> Vec<Effect> {
        let Some((left, right)) = self.wanted.take() else { return Vec::new() };
        (self.setup.left, self.setup.right) = (left, right);
        self.leave_editing(store);
        self.library.close_all();
        (self.cursor, self.side) = (None, Side::Left);
        self.mode = ChatMode::Write;
        let mut effects = Vec::new();
        if store.chats.open.is_some() {
            effects.extend(send(ChatCommand::Leave));
        }
        let both = std::iter::once(&self.setup.left).chain(&self.setup.right);
        effects.extend(send(ChatCommand::Prepare(both.cloned().collect())));
        effects
    }
}

/// Where a model comes from while there is none, or how far the one is that is being fetched.
pub(super) fn without_model(store: &Store) -> String {
    match store.jobs.named("pull ") {
        Some(row) => {
            let model = row.job.what.strip_prefix("pull ").unwrap_or_default();
            format!(
                "{model} is being fetched ({}): it can answer when it is here.",
                progress::words(row, store.now)
            )
        }
        None => "No model is on this machine yet: 6 shows Models, p there fetches one.".to_owned(),
    }
}

impl Picker {
    pub(super) fn new(side: Side, setup: &Setup, store: &Store) -> Self {
        let now = match side {
            Side::Left => Some(&setup.left),
            Side::Right => setup.right.as_ref(),
        };
        let known = answerers(store);
        let row = known.iter().position(|(answerer, _)| Some(answerer) == now).unwrap_or(0);
        let mut cursor = ListCursor::default();
        cursor.go(row, known.len());
        Self { side, cursor }
    }

    pub(super) fn step(&mut self, by: isize, store: &Store) {
        self.cursor.step(by, answerers(store).len());
    }

    pub(super) fn chosen(&self, store: &Store) -> Option<Answerer> {
        answerers(store).into_iter().nth(self.cursor.row()).map(|(answerer, _)| answerer)
    }

    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let known = answerers(view.store);
        let title = match self.side {
            Side::Left => "who answers",
            Side::Right => "who answers on the right",
        };
        let height = (known.len() as u16 + 3).clamp(5, 18);
        let inside = float::draw(buffer, centred(area, 76, height), theme, title);
        if known.is_empty() {
            let room = usize::from(inside.width);
            for (line, y) in
                text::wrap(&without_model(view.store), room).iter().zip(inside.y..inside.bottom())
            {
                text::put(buffer, inside.x, y, line, room, theme.dim);
            }
            return;
        }
        let list = Rect { height: inside.height.saturating_sub(1), ..inside };
        for (number, y) in
            self.cursor.window(known.len(), usize::from(list.height)).zip(list.y..list.bottom())
        {
            let Some((answerer, note)) = known.get(number) else { continue };
            text::put(buffer, list.x, y, &answerer.name, 28, theme.bright);
            let room = usize::from(list.width.saturating_sub(30));
            text::put(buffer, list.x + 30, y, note, room, theme.dim);
            if number == self.cursor.row() {
                let style = if view.focus == Focus::Here { theme.selection } else { theme.selection_away };
                buffer.set_style(Rect { y, height: 1, ..list }, style);
            }
        }
    }
}
