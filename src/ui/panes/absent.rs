//! A pane whose part of the studio is not in this build. Says what it is for and what does the work today.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::store::Store;
use crate::ui::action::Action;
use crate::ui::keymap::Binding;
use crate::ui::pane::{Effect, Pane, PaneId, View};
use crate::ui::widgets::empty;

/// Stands where a pane will be.
pub(super) struct Absent(pub(super) PaneId);

impl Pane for Absent {
    fn bindings(&self) -> &'static [Binding] {
        &[]
    }

    fn update(&mut self, _action: Action, _store: &Store) -> Vec<Effect> {
        Vec::new()
    }

    fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        empty::draw(buffer, area, view.theme, self.0.title(), words(self.0));
    }
}

/// What will be here, and what to use until then.
const fn words(pane: PaneId) -> &'static [&'static str] {
    match pane {
        PaneId::Data => &[
            "Records as a table: search, filter, edit, tag, split.",
            "Not in this build yet. Recipes read JSONL, CSV and Parquet files as they are.",
        ],
        PaneId::Review => &[
            "The approval queue: a student's thought beside the teacher's correction.",
            "Not in this build yet.",
        ],
        PaneId::Train => &[
            "Recipes, runs and live charts.",
            "Not in this build yet. dojo train RECIPE starts a run in the shell.",
        ],
        PaneId::Chat => &["Chat with the base or the tuned model.", "Not in this build yet."],
        PaneId::Eval => &[
            "Results of models and tasks, with confidence intervals.",
            "Not in this build yet. The evaluation loss of a run is on its chart.",
        ],
        PaneId::Models => &["Base models, adapters, exports."],
    }
}
