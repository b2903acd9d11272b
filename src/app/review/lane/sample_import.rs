//! The thoughts and reflections that a sample brings along: files in the session's folder.

use super::ReviewLane;
use crate::domain::protocol::system::Level;
use crate::session::{Access, ImportState, Session, SessionError};

/// Imports them once the sample's records are there, unless the session has thoughts of its own.
pub(super) fn import_sample(lane: &ReviewLane, session: &Session) -> Result<(), SessionError> {
    let folder = &lane.info.path;
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let (thoughts, reflections) = (folder.join("thoughts.jsonl"), folder.join("reflections.jsonl"));
    if !(thoughts.is_file() || reflections.is_file()) || session.has_thoughts()? {
        return Ok(());
    }
    let imported = session.imports()?.iter().any(|import| import.state == ImportState::Done);
    if !imported && folder.join("data.jsonl").is_file() {
        // They belong to records that are still being read.
        return Ok(());
    }
    let mut writer = Session::open(folder, Access::Write)?;
    let mut skipped = 0;
    if let Some(text) = read("thoughts.jsonl") {
        skipped += writer.import_thoughts("thoughts.jsonl", &text)?.skipped.len();
    }
    if let Some(text) = read("reflections.jsonl") {
        skipped += writer.import_reflections("reflections.jsonl", &text)?.skipped.len();
    }
    if skipped > 0 {
        lane.notify(
            Level::Warning,
            format!(
                "{skipped} lines of the session's thoughts can't be read; `dojo review import` names them"
            ),
        );
    }
    Ok(())
}
