//! The end of the studio: nothing that was typed is lost without a question.

use super::Studio;
use crate::app::store::Store;
use crate::ui::pane::{Confirmation, Effect};

/// Whether it is asked what becomes of what was typed, before the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quitting {
    Asked,
    No,
}

impl Studio {
    fn unsaved(&self, store: &Store) -> Vec<String> {
        self.panes.iter().filter_map(|pane| pane.unsaved(store)).collect()
    }

    /// Ends the program, unless something typed would be lost: then it is kept, and asked about.
    pub(super) fn quit(&mut self, store: &Store) -> Vec<Effect> {
        let unsaved = self.unsaved(store);
        if unsaved.is_empty() {
            return vec![Effect::Quit];
        }
        let mut effects = self.keep(store);
        self.overlay = Some(Box::new(Confirmation {
            title: "Quit without saving?".into(),
            text: format!("Typed and not saved: {}.", unsaved.join("; ")),
            yes: "quit and lose it".into(),
            then: vec![Effect::Quit],
        }));
        self.quitting = Quitting::Asked;
        effects.retain(|effect| matches!(effect, Effect::Send(_)));
        effects
    }

    /// Whether the person asked to quit, and is asked about what would be lost.
    #[must_use]
    pub fn quits(&self) -> Quitting {
        if self.overlay.is_some() { self.quitting } else { Quitting::No }
    }

    /// Whether nothing that was typed would be lost by now.
    #[must_use]
    pub fn has_kept_all(&self, store: &Store) -> bool {
        self.unsaved(store).is_empty()
    }

    /// The program is told to end: every pane keeps what is being written in it.
    pub fn keep(&mut self, store: &Store) -> Vec<Effect> {
        self.panes.iter_mut().flat_map(|pane| pane.keep(store)).collect()
    }
}
