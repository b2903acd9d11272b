//! Writing records to files as a job, on a thread and a connection of its own.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::RecordsLane;
use crate::app::exports;
use crate::app::jobs::Working;
use crate::data::export::targets;
use crate::domain::protocol::DataEvent;
use crate::domain::protocol::data::{ExportOrder, Replace};
use crate::domain::protocol::system::{JobEnd, Level, OnQuit, Progress};
use crate::ground::thread;
use crate::session::Access;

/// Writes what was ordered; asks back when that would replace files.
pub(super) fn export(lane: &RecordsLane, order: ExportOrder) {
    let lane = lane.clone();
    thread::start("data export", move || {
        let short = order.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let job = match taken(&lane, &order) {
            Ok(taken) if taken.is_empty() => {
                Working::start(&lane.events, &format!("export {short}"), OnQuit::Ask)
            }
            Ok(taken) => {
                lane.tell(DataEvent::ExportAsked(Box::new(order), taken));
                return;
            }
            Err(error) => return lane.notify(Level::Error, format!("export {short}: {error:#}")),
        };
        match written(&lane, &order, &job) {
            Ok(Some(words)) => {
                job.end(JobEnd::Done);
                lane.notify(Level::Good, words);
            }
            // Stopped by a person: dropping it says so.
            Ok(None) => drop(job),
            Err(error) => job.end(JobEnd::Failed(format!("{error:#}"))),
        }
    });
}

/// The files that are there already and that nobody has allowed to be written anew. A folder is refused by the export
/// itself.
fn taken(lane: &RecordsLane, order: &ExportOrder) -> Result<Vec<PathBuf>> {
    if order.replace == Replace::Yes {
        return Ok(Vec::new());
    }
    let splits = lane.open(Access::Read)?.vocabulary()?.splits;
    let targets = targets(&order.path, order.form, order.splits, &splits);
    Ok(targets.into_iter().filter(|path| is_file(path)).collect())
}

fn is_file(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| !found.is_dir())
}

fn written(lane: &RecordsLane, order: &ExportOrder, job: &Working) -> Result<Option<String>> {
    let session = lane.open(Access::Read)?;
    let to = (order.path.as_path(), order.form, order.splits);
    let exported = exports::export(&session, &order.selection, to, |done, total| {
        job.go_on(Progress { done, total: Some(total), ..Progress::default() })
    })?;
    Ok(exported.map(|exported| exports::words(&exported, order.form)))
}
