//! Models on this machine: base models and the adapters of the session's runs, with their sizes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::store::Store;
use crate::domain::protocol::{Command, ModelsCommand};
use crate::ui::action;
use crate::ui::keymap::Binding;
use crate::ui::pane::{Effect, Pane, View};
use crate::ui::widgets::empty;

/// What this pane can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Reload,
}

const BINDINGS: &[Binding] = &[Binding::new(
    "models.reload",
    &["r"],
    "reload",
    "Look for models again",
    action::Action::Models(Action::Reload),
)];

/// The pane's cursor and what it has asked for.
#[derive(Debug, Default)]
pub(crate) struct Models {}

impl Pane for Models {
    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn update(&mut self, action: action::Action, _store: &Store) -> Vec<Effect> {
        let action::Action::Models(action) = action else { return Vec::new() };
        match action {
            Action::Reload => vec![Effect::Send(Command::Models(ModelsCommand::List))],
        }
    }

    fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        empty::draw(buffer, area, view.theme, "Models", &["dojo pull NAME brings one."]);
    }
}
