//! Pulling a model in the background: a job whose progress the drawer shows.

use std::path::PathBuf;

use crate::app::events::Events;
use crate::app::models;
use crate::app::pull_report::PullReport;
use crate::config::Folders;
use crate::domain::protocol::{Event, ModelsEvent};
use crate::engine::hub::{self, Network};
use crate::ground::thread;

/// Starts a thread that pulls the model, says how it went, and lists the models anew.
pub(super) fn start(folders: Folders, name: String, runs: Option<PathBuf>, events: Events) {
    thread::start("pull", move || {
        let mut report = PullReport::start(&events, &name);
        let pulled = hub::resolve(&folders.models(), &name, Network::Allowed, &mut report);
        report.end(pulled).ok();
        if let Ok(listed) = models::list(&folders, runs.as_deref()) {
            events.offer(Event::Models(ModelsEvent::Listed(listed)));
        }
    });
}
