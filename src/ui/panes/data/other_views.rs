//! What leads to other views and in other data: checks, what is similar, imports.

use std::path::Path;

use super::act::send;
use super::findings::Findings;
use super::import_form::ImportForm;
use super::{DataMode, DataPane};
use crate::app::store::Store;
use crate::domain::protocol::DataCommand;
use crate::domain::protocol::system::{Level, Notice};
use crate::ui::pane::{Confirmation, Effect};

impl DataPane {
    /// One row up or down in whatever list is in front.
    pub(super) fn step(&mut self, by: isize, store: &Store) {
        match &mut self.mode {
            DataMode::Findings(findings) => findings.step(by, store),
            DataMode::Coverage(list) => list.step(by, store),
            DataMode::Import(form) => {
                if let Some(plan) = form.plan(store) {
                    form.step(by, plan);
                }
            }
            DataMode::Export(form) => form.step(by),
            DataMode::Table
            | DataMode::Filter(_)
            | DataMode::Line(_)
            | DataMode::Labels(_)
            | DataMode::Edit(_) => {
                self.cursor.move_by(by, store.data.count());
            }
        }
    }

    /// The record whole, or what a check found as a view of its own.
    pub(super) fn open(&mut self, store: &Store) -> Vec<Effect> {
        let line = match &self.mode {
            DataMode::Findings(findings) => findings.filter(store),
            DataMode::Coverage(list) => list.filter(store),
            DataMode::Table
            | DataMode::Filter(_)
            | DataMode::Line(_)
            | DataMode::Labels(_)
            | DataMode::Edit(_)
            | DataMode::Import(_)
            | DataMode::Export(_) => {
                self.detail.toggle();
                return Vec::new();
            }
        };
        self.mode = DataMode::Table;
        line.map_or_else(Vec::new, |line| self.ask(line, store))
    }

    /// Shows what was found; looks where nothing was looked for yet, or where it is shown already.
    pub(super) fn check(&mut self, store: &Store) -> Vec<Effect> {
        let again = matches!(self.mode, DataMode::Findings(_)) || store.data.findings.is_none();
        if !matches!(self.mode, DataMode::Findings(_)) {
            self.mode = DataMode::Findings(Findings::default());
        }
        if again { vec![send(DataCommand::Check)] } else { Vec::new() }
    }

    pub(super) fn similar(&mut self, store: &Store) -> Vec<Effect> {
        let id = self.under_cursor(store);
        let Some(id) = id else { return Vec::new() };
        let mut effects = self.ask(format!("like:{id}"), store);
        effects.push(send(DataCommand::Compare));
        effects
    }

    /// Takes a line in the place of the filter.
    fn ask(&mut self, line: String, store: &Store) -> Vec<Effect> {
        match crate::domain::filter::parse(&line) {
            Ok(filter) => {
                self.line = line;
                self.narrow(filter, store)
            }
            Err(error) => vec![Effect::Notify(Notice::new(Level::Error, error.message))],
        }
    }

    /// Begins an import: from there, or from where a person says.
    pub(super) fn bring_in(&mut self, from: Option<&Path>) -> Vec<Effect> {
        let Some(path) = from else {
            let (form, ask) = ImportForm::asking();
            self.mode = DataMode::Import(form);
            return vec![ask];
        };
        self.mode = DataMode::Import(ImportForm::new(path.to_path_buf()));
        vec![send(DataCommand::PlanImport { path: path.to_path_buf(), map: Vec::new() })]
    }

    /// Gives a part of the import's records another column, and asks what that would make of them.
    pub(super) fn turn_column(&mut self, by: isize, store: &Store) -> Vec<Effect> {
        let DataMode::Import(form) = &mut self.mode else { return Vec::new() };
        let map = form.plan(store).cloned().and_then(|plan| form.turn(by, &plan));
        let path = form.path.clone();
        map.map_or_else(Vec::new, |map| vec![send(DataCommand::PlanImport { path, map })])
    }
}

pub(super) fn mend() -> Effect {
    Effect::Ask(Confirmation {
        title: "Mend what was found?".to_owned(),
        text: "Exact repeats are deleted, control and invisible characters taken out: each is one undo."
            .to_owned(),
        yes: "mend".to_owned(),
        then: vec![send(DataCommand::Mend)],
    })
}
