//! The line that is typed on the list of runs: a filter, or a note of one of them.

use tui_textarea::TextArea;

use super::keys::TrainAction;
use super::{About, Filter, TrainInput, TrainPane, runs};
use crate::app::store::Store;
use crate::domain::protocol::RunsCommand;
use crate::domain::run_info::Notes;
use crate::ui::pane::Effect;

impl TrainPane {
    pub(super) fn update_prompt(&mut self, action: TrainAction, store: &Store) -> Vec<Effect> {
        let Some(prompt) = self.prompt.take() else { return Vec::new() };
        let text = prompt.field.lines().concat();
        match (action, prompt.about) {
            (TrainAction::Accept, About::Note) => {
                let Some(run) = prompt.run.and_then(|run| store.runs.info(&run)) else { return Vec::new() };
                let save = runs(RunsCommand::Note(run.id.clone(), Notes::parse(&text)));
                std::iter::once(save).chain(self.notes.forget(run, store)).collect()
            }
            (TrainAction::Accept, About::Filter) if self.filter.error.is_some() => {
                // Stays open: what is wrong stands beside it.
                self.prompt = Some(prompt);
                Vec::new()
            }
            (TrainAction::Back | TrainAction::Leave, About::Filter) => {
                self.filter = Filter::default();
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn open_prompt(&mut self, about: About, store: &Store) {
        let text = match about {
            About::Filter => self.filter.text.clone(),
            About::Note => self.run(store).map(|run| self.notes.begin(run, store)).unwrap_or_default(),
        };
        let mut field = TextArea::new(vec![text]);
        field.move_cursor(tui_textarea::CursorMove::End);
        let run = self.run(store).map(|run| run.id.clone());
        self.prompt = Some(TrainInput { about, run, field });
    }

    /// Keeps the note that is typed, if it is one.
    pub(super) fn keep_note(&mut self, store: &Store) -> Vec<Effect> {
        let Some(prompt) = self.prompt.as_ref().filter(|prompt| prompt.about == About::Note) else {
            return Vec::new();
        };
        let run = prompt.run.as_ref().and_then(|run| store.runs.info(run));
        let text = prompt.field.lines().concat();
        run.map_or_else(Vec::new, |run| self.notes.keep(run, &text, store))
    }
}
