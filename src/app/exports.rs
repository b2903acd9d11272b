//! Writing a session's records to files. The studio and `dojo data export` both use this.

use std::path::Path;

use anyhow::Result;

use crate::data::export::{ExportFormat, Exported, Exporter, Splits};
use crate::domain::change::Selection;
use crate::domain::counted::counted;
use crate::session::Session;
use crate::ui::widgets::text;

/// So many records are in memory at once.
const PAGE: usize = 4096;

/// Writes what a selection holds, in the order of its numbers; `go_on` hears of records done and all, and says after
/// every page whether to go on. Nothing: it was stopped, and no file is there.
///
/// # Errors
/// As [`Exporter`], and where the session can't be read.
pub(crate) fn export(
    session: &Session,
    selection: &Selection,
    (path, form, splits): (&Path, ExportFormat, Splits),
    mut go_on: impl FnMut(u64, u64) -> bool,
) -> Result<Option<Exported>> {
    let mut exporter = Exporter::create(path, form, splits)?;
    let ids = session.selected(selection)?;
    let mut done = 0;
    for page in ids.chunks(PAGE) {
        for row in session.rows(page)? {
            exporter.add(&row.record)?;
        }
        done += page.len() as u64;
        if !go_on(done, ids.len() as u64) {
            return Ok(None);
        }
    }
    exporter.finish().map(Some)
}

/// What was written, in a sentence, and what was not.
pub(crate) fn words(exported: &Exported, form: ExportFormat) -> String {
    let files: Vec<String> = exported.files.iter().map(|file| file.display().to_string()).collect();
    let records = counted(exported.written, "record");
    let mut text = format!("{records} as {} to {}", form.name(), files.join(", "));
    if exported.chosen_only > 0 {
        let pairs = counted(exported.chosen_only, "preference pair");
        text += &format!("\nof {pairs} only the chosen answer; {} has both", ExportFormat::Preference.name());
    }
    if exported.left_out > 0 {
        text += &format!("\n{} do not fit this form and were left out:", text::count(exported.left_out));
        text.extend(exported.reasons.iter().map(|reason| format!("\n  {reason}")));
    }
    text
}
