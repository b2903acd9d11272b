//! The end of the studio: nothing that was typed, no run that was promised and no job that goes on is lost without a
//! question.

use super::Studio;
use crate::app::store::{JobRow, Store, Wish};
use crate::domain::protocol::runs::Promise;
use crate::domain::protocol::system::OnQuit;
use crate::ui::pane::{Confirmation, Effect};

/// How the end of the program stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quitting {
    /// What was typed is on its way to the disk: the question answers itself once it is there.
    Keeping,
    /// It is asked what becomes of what would be lost; once nothing would, the program ends as the person wanted.
    Asked,
    No,
}

impl Studio {
    fn unsaved(&self, store: &Store) -> Vec<String> {
        self.panes.iter().filter_map(|pane| pane.unsaved(store)).collect()
    }

    /// Ends the program, unless something typed would be lost, a run that was promised, or work that goes on: then it is
    /// kept, and asked about.
    pub(super) fn quit(&mut self, store: &Store) -> Vec<Effect> {
        let Some(question) = self.question(store) else { return vec![Effect::Quit] };
        let mut effects = self.keep(store);
        self.overlay = Some(Box::new(question));
        let only_typed = promised(store).is_none() && ends(store).is_none();
        self.quitting = if only_typed { Quitting::Keeping } else { Quitting::Asked };
        effects.retain(|effect| matches!(effect, Effect::Send(_)));
        effects
    }

    /// What would be lost by quitting now; nothing if nothing would.
    fn question(&self, store: &Store) -> Option<Confirmation> {
        let unsaved = self.unsaved(store);
        let (promised, ends) = (promised(store), ends(store));
        let (title, yes) = match (unsaved.is_empty(), &promised, &ends) {
            (true, None, None) => return None,
            (false, _, _) => ("Quit without saving?", "quit and lose it"),
            (true, Some(_), _) => ("Quit before the run starts?", "quit, start no run"),
            (true, None, Some(_)) => ("Quit in the middle of it?", "quit and stop it"),
        };
        let typed = (!unsaved.is_empty()).then(|| format!("Typed and not saved: {}.", unsaved.join("; ")));
        Some(Confirmation {
            title: title.into(),
            text: typed.into_iter().chain(promised).chain(ends).collect::<Vec<_>>().join(" "),
            yes: yes.into(),
            then: vec![Effect::Quit],
        })
    }

    /// A question that is open says how things are now.
    pub(super) fn ask_anew(&mut self, store: &Store) {
        // Before every frame: what would be lost is looked for only while it is asked about.
        if self.quits() != Quitting::Asked {
            return;
        }
        if let Some(question) = self.question(store) {
            self.overlay = Some(Box::new(question));
        }
    }

    /// Whether the person asked to quit.
    #[must_use]
    pub fn quits(&self) -> Quitting {
        if self.overlay.is_some() { self.quitting } else { Quitting::No }
    }

    /// Whether nothing that was typed or promised would be lost by now, and nothing goes on.
    #[must_use]
    pub fn has_kept_all(&self, store: &Store) -> bool {
        self.unsaved(store).is_empty() && promised(store).is_none() && ends(store).is_none()
    }

    /// The program is told to end: every pane keeps what is being written in it.
    pub fn keep(&mut self, store: &Store) -> Vec<Effect> {
        self.panes.iter_mut().flat_map(|pane| pane.keep(store)).collect()
    }
}

/// The runs that would not start, in a sentence or two.
fn promised(store: &Store) -> Option<String> {
    let said = |promise: &Promise| {
        format!(
            "The run by the recipe {} was to start when {} is here and the tokens are counted: it starts only while \
             Dojo is open.",
            promise.name(),
            promise.model
        )
    };
    let said: Vec<String> = store.runs.promised().iter().map(said).collect();
    (!said.is_empty()).then(|| said.join(" "))
}

/// What goes on and ends with the program, in a sentence. What is done anew by itself at the next start isn't asked about.
fn ends(store: &Store) -> Option<String> {
    let wanted = |row: &&JobRow| row.job.on_quit == OnQuit::Ask && row.wish == Wish::GoOn;
    let said = |row: &JobRow| match row.share() {
        Some(share) => format!("{} ({}%)", row.job.what, (share * 100.0) as u32),
        None => row.job.what.clone(),
    };
    let going: Vec<String> = store.jobs.going_on().filter(wanted).map(said).collect();
    let ends = if going.len() == 1 { "ends" } else { "end" };
    (!going.is_empty()).then(|| format!("{} {ends} with Dojo, and what is done by now stays; if you wait here, Dojo quits when that is done.", going.join(", ")))
}
