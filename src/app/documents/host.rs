//! How far a job on the library is, for the drawer: in bytes of the files, or in chunks.

use crate::app::jobs::Working;
use crate::domain::counted::counted;
use crate::domain::protocol::system::{Progress, Unit};
use crate::rag::add::{AddHost, AddProgress};

/// Files that come in: their bytes, those of a file as far as its chunks are embedded.
pub(super) struct FilesHost<'j> {
    pub(super) job: &'j Working,
    pub(super) total: u64,
}

impl AddHost for FilesHost<'_> {
    fn goes_on(&mut self, progress: &AddProgress) -> bool {
        let through = progress.chunks.max(progress.embedded + progress.kept).min(progress.cut);
        let share = if progress.cut == 0 { 0.0 } else { through as f64 / progress.cut as f64 };
        let note = match progress.cut {
            0 => String::new(),
            cut => format!("{through} of {} ready", counted(cut, "chunk")),
        };
        self.job.go_on(Progress {
            // What is unchanged has no chunks to wait for.
            done: if progress.cut == 0 { progress.bytes } else { (progress.bytes as f64 * share) as u64 },
            total: Some(self.total),
            unit: Unit::Bytes,
            note,
        })
    }
}

/// Chunks that are embedded.
pub(super) struct ChunksHost<'j> {
    pub(super) job: &'j Working,
    pub(super) total: u64,
}

impl AddHost for ChunksHost<'_> {
    fn goes_on(&mut self, progress: &AddProgress) -> bool {
        let total = Some(self.total);
        self.job.go_on(Progress {
            done: progress.embedded,
            total,
            note: "chunks".to_owned(),
            ..Progress::default()
        })
    }
}
