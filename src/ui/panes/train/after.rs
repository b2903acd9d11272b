//! What a run is good for once it has ended: to chat with, to compare with its base model, to go on from.

use std::path::Path;

use super::early::begins;
use super::keys::{RunAction, TrainAction};
use super::{Face, TrainPane, runs};
use crate::app::store::Store;
use crate::domain::chat::Answerer;
use crate::domain::protocol::RunsCommand;
use crate::domain::protocol::models::ModelKind;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::run_info::RunInfo;
use crate::ui::pane::{Effect, PaneId};

/// Who answers beside the run in Chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Company {
    Alone,
    /// The base model on the left.
    Base,
}

impl TrainPane {
    /// Goes to Chat, with the run's adapter on its base model.
    pub(super) fn converse(&self, store: &Store, company: Company) -> Vec<Effect> {
        let Some(run) = self.run(store) else { return Vec::new() };
        if store.chats.is_writing() {
            let text = "an answer is being written; esc stops it, then this run can be chosen";
            return vec![Effect::Show(PaneId::Chat), say(Level::Warning, text)];
        }
        let Some(tuned) = tuned(run, store) else { return vec![say(Level::Warning, without(run))] };
        match (company, base(run, store)) {
            (Company::Alone, _) => vec![Effect::Converse { left: tuned, right: None }],
            (Company::Base, Some(base)) => vec![Effect::Converse { left: base, right: Some(tuned) }],
            (Company::Base, None) => {
                let text = format!("the recipe of {} names no base model to compare with", run.id.name());
                vec![say(Level::Warning, text)]
            }
        }
    }

    /// Whether what an action needs of the run is there; while nobody knows which adapters there are, it may be.
    pub(super) fn works(&self, action: TrainAction, store: &Store) -> bool {
        let Some(run) = self.run(store) else { return true };
        let has_adapter = || store.models.is_none() || tuned(run, store).is_some();
        let is = |wanted: RunAction| action == TrainAction::Run(wanted);
        if is(RunAction::CarryOn) {
            run.can_resume() || has_adapter()
        } else if is(RunAction::Compare) {
            has_adapter() && base(run, store).is_some()
        } else if is(RunAction::Checkpoint) {
            !begins(run)
        } else {
            !is(RunAction::Converse) || has_adapter()
        }
    }

    /// Takes up a run that ended early. After one that is done, makes a recipe that begins with its adapter, and shows
    /// it: how many more steps is for the person to say.
    pub(super) fn carry_on(&mut self, store: &Store) -> Vec<Effect> {
        let Some(run) = self.run(store) else { return Vec::new() };
        if run.can_resume() {
            return vec![runs(RunsCommand::Resume(run.id.clone()))];
        }
        if tuned(run, store).is_none() {
            return vec![say(Level::Warning, without(run))];
        }
        let Some(session) = &store.session else { return Vec::new() };
        let recipe = session.recipes().join(format!("{}-more.toml", run.id.name()));
        self.recipes.select_when_listed(recipe.clone());
        let carry_on = RunsCommand::CarryOn { run: run.id.clone(), recipe };
        self.face = Face::Recipes;
        vec![runs(carry_on)]
    }
}

fn say(level: Level, text: impl Into<String>) -> Effect {
    Effect::Notify(Notice::new(level, text))
}

/// The run's adapter as it answers in Chat; none where it has none on disk.
fn tuned(run: &RunInfo, store: &Store) -> Option<Answerer> {
    let folder = run.id.files().adapter();
    let listed = store.models.iter().flatten().any(|model| model.path == folder);
    listed.then(|| Answerer { name: run.id.name(), model: None, adapter: Some(folder) })
}

/// Why there is no adapter, and what brings one.
fn without(run: &RunInfo) -> String {
    let name = run.id.name();
    if run.can_resume() {
        let at = if run.state.as_ref().is_some_and(|state| state.checkpoint_step.is_some()) {
            "at its checkpoint"
        } else {
            "before its first step"
        };
        return format!("{name} ended without an adapter: r takes it up {at}");
    }
    format!("{name} ended without an adapter or a checkpoint; e, then t, trains by its recipe again")
}

fn base(run: &RunInfo, store: &Store) -> Option<Answerer> {
    let named = run.settings.get("model.base")?;
    let known = store.models.iter().flatten().find(|model| {
        model.kind == ModelKind::Base && (model.name == *named || model.path == Path::new(named))
    });
    let short = Path::new(named).file_name().map(|name| name.to_string_lossy().into_owned());
    let name = known.map(|model| model.name.clone()).or(short).unwrap_or_else(|| named.clone());
    Some(Answerer { name, model: Some(named.clone()), adapter: None })
}
