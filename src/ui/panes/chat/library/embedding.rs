//! Choosing the model that embeds the library: its own computes what is missing, another one all of it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::store::Store;
use crate::domain::counted::counted;
use crate::domain::protocol::models::ModelKind;
use crate::ui::layout::centred;
use crate::ui::pane::View;
use crate::ui::widgets::cursor::ListCursor;
use crate::ui::widgets::{float, text};

/// The list while it is open.
#[derive(Debug, Default)]
pub(super) struct EmbeddingPicker {
    cursor: ListCursor,
}

/// A model that could embed, and what that would come to.
struct EmbeddingChoice {
    model: String,
    note: String,
}

/// The library's own model first, then the others on this machine, then the one that is fetched.
fn choices(store: &Store) -> Vec<EmbeddingChoice> {
    let Some(state) = &store.library.state else { return Vec::new() };
    let own = state.counts.model.clone();
    let here = store.models.iter().flatten().filter(|model| model.kind == ModelKind::Embedding);
    let here: Vec<String> = here.map(|model| model.name.clone()).collect();
    let all = counted(state.counts.chunks, "chunk");
    let mut choices: Vec<EmbeddingChoice> = Vec::new();
    for model in own.iter().chain(&here).chain([&state.default_model]) {
        if choices.iter().any(|choice| choice.model == *model) {
            continue;
        }
        let is_own = own.as_ref() == Some(model);
        let mut note = match (is_own, state.unembedded) {
            (true, 0) => "the library's own: all is embedded".to_owned(),
            (true, lacking) => {
                format!("the library's own: embeds the {} that lack it", counted(lacking, "chunk"))
            }
            (false, _) => format!("embeds all {all}; what is kept from before is not computed again"),
        };
        let is_here = store.models.iter().flatten().any(|known| known.name == *model);
        if store.models.is_some() && !is_here {
            note.push_str("; is fetched first");
        }
        choices.push(EmbeddingChoice { model: model.clone(), note });
    }
    choices
}

impl EmbeddingPicker {
    pub(super) fn step(&mut self, by: isize, store: &Store) {
        self.cursor.step(by, choices(store).len());
    }

    pub(super) fn chosen(&self, store: &Store) -> Option<String> {
        choices(store).into_iter().nth(self.cursor.row()).map(|choice| choice.model)
    }

    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let choices = choices(view.store);
        let height = (2 * choices.len() as u16 + 2).clamp(4, 18);
        let inside = float::draw(buffer, centred(area, 78, height), theme, "what embeds this library");
        let width = usize::from(inside.width);
        let window = self.cursor.window(choices.len(), usize::from(inside.height / 2));
        for (number, y) in window.zip((inside.y..inside.bottom()).step_by(2)) {
            let Some(choice) = choices.get(number) else { continue };
            text::put(buffer, inside.x, y, &choice.model, width, theme.bright);
            text::put(buffer, inside.x + 2, y + 1, &choice.note, width.saturating_sub(2), theme.dim);
            if number == self.cursor.row() {
                buffer.set_style(Rect { y, height: 2, ..inside }, theme.selection);
            }
        }
    }
}
