//! Which records are evaluated: those of a file, a session, or a set of its review, as far as a filter lets them through.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};

use crate::app::review::sets;
use crate::app::rewards::{BenchSource, bench_data};
use crate::app::sessions;
use crate::config::Folders;
use crate::domain::filter::parse;
use crate::domain::recipe::source::{SetOrder, of_session};
use crate::domain::record::{Record, RecordId, Status};
use crate::ground::folders as ground_folders;
use crate::reward::bench::CompletionWanted;
use crate::session::{Access, Session};
use crate::task::Task;

/// Records, and what a person should know of how they were read.
pub(super) struct ReadItems {
    pub(super) records: Vec<Record>,
    pub(super) notes: Vec<String>,
}

/// Where records come from, besides their source.
pub(super) struct ItemSource<'a> {
    pub(super) folders: &'a Folders,
    pub(super) session: Option<&'a Path>,
    pub(super) map: &'a [String],
}

impl ItemSource<'_> {
    /// Reads a source: `session:FILTER` and `set:...` of the session, a file or folder, or a session by its name.
    ///
    /// # Errors
    /// If there is nothing of that name, it can't be read, or the filter is wrong.
    pub(super) fn read(&self, task: &Task, source: &str, filter: &str) -> Result<ReadItems> {
        if !filter.is_empty() {
            parse(filter).map_err(|error| anyhow!("the filter can't be read\n{}", error.pointed(filter)))?;
        }
        if let Some(words) = of_session(source) {
            let folder = self
                .session
                .with_context(|| format!("{source:?} names records of a session: say which by --session"))?;
            return self.of_session(folder, source, words, filter);
        }
        if let Some(folder) = self.session_named(source) {
            return self.of_session(&folder, source, "", filter);
        }
        let path = Path::new(source);
        let wanted = CompletionWanted::Elsewhere;
        let data = bench_data(task, &BenchSource { data: Some(path), map: self.map, wanted })?;
        let mut records: Vec<Record> = data.rows.into_iter().map(|row| row.record).collect();
        if !filter.is_empty() {
            ensure!(
                !filter.contains("tokens"),
                "records of a file have no counts of tokens: import {source} into a session, and name that"
            );
            records =
                self.filtered(records, filter).with_context(|| format!("filter {source} by {filter:?}"))?;
        }
        Ok(ReadItems { records, notes: data.taken })
    }

    /// A session's folder, or one of the user's sessions by its name; a file of that name comes first.
    fn session_named(&self, source: &str) -> Option<PathBuf> {
        let path = Path::new(source);
        if path.exists() {
            return sessions::open(path).ok().map(|session| session.path);
        }
        let own = self.folders.sessions().join(source);
        let is_name = path.components().count() == 1;
        sessions::open(&own).ok().filter(|_| is_name).map(|session| session.path)
    }

    fn of_session(&self, folder: &Path, source: &str, words: &str, filter: &str) -> Result<ReadItems> {
        let told = || format!("read {source:?} of the session in {}", folder.display());
        let session = Session::open(folder, Access::Read).with_context(told)?;
        let mut notes = Vec::new();
        let mut rows: Vec<(RecordId, Record)> = match SetOrder::parse(words).map_err(anyhow::Error::msg)? {
            Some(order) => {
                notes.extend(sets::left_out(&session, &order).with_context(told)?);
                let rows = sets::rows(self.folders, &session, &order).with_context(told)?;
                rows.into_iter().map(|row| (row.id, row.record)).collect()
            }
            None => session.training_set(words).with_context(told)?,
        };
        if !filter.is_empty() {
            let wanted = session.training_set(filter).with_context(told)?;
            let wanted: HashSet<RecordId> = wanted.into_iter().map(|(id, _)| id).collect();
            rows.retain(|(id, _)| wanted.contains(id));
        }
        let speaks = |text: &str| parse(text).is_ok_and(|filter| filter.speaks_of_status());
        if !speaks(words) && !speaks(filter) {
            let before = rows.len();
            rows.retain(|(_, record)| record.status != Status::Rejected);
            let rejected = before - rows.len();
            notes.extend(
                (rejected > 0).then(|| format!("{rejected} rejected records of {source} are left out")),
            );
        }
        Ok(ReadItems { records: rows.into_iter().map(|(_, record)| record).collect(), notes })
    }

    /// The records that a filter lets through: a session is made of them for as long as it takes to ask it.
    fn filtered(&self, records: Vec<Record>, filter: &str) -> Result<Vec<Record>> {
        let folder = self.folders.cache.join(format!("filter-{}", std::process::id()));
        std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        let found = || -> Result<Vec<bool>> {
            let mut session = Session::create(&folder)?;
            let ids = session.add("filter", records.clone())?;
            let wanted = session.training_set(filter)?;
            let wanted: HashSet<RecordId> = wanted.into_iter().map(|(id, _)| id).collect();
            Ok(ids.iter().map(|id| wanted.contains(id)).collect())
        };
        let found = found();
        ground_folders::remove_folder(&folder)?;
        let kept = records.into_iter().zip(found?).filter(|(_, is_kept)| *is_kept);
        Ok(kept.map(|(record, _)| record).collect())
    }
}

/// So many records, drawn by a seed, in their order.
pub(super) fn drawn(records: Vec<Record>, limit: Option<usize>, seed: u64) -> Vec<Record> {
    let Some(limit) = limit.filter(|limit| *limit < records.len()) else { return records };
    let mut places: Vec<usize> = (0..records.len()).collect();
    crate::ground::random::SplitMix64::new(seed).shuffle(&mut places);
    let kept: HashSet<usize> = places.into_iter().take(limit).collect();
    let numbered = records.into_iter().enumerate();
    numbered.filter(|(at, _)| kept.contains(at)).map(|(_, record)| record).collect()
}

/// What is left of records after all is taken out.
pub(super) fn ensure_any(records: &[Record], source: &str, filter: &str) -> Result<()> {
    let by = if filter.is_empty() { String::new() } else { format!(" by {filter:?}") };
    ensure!(!records.is_empty(), "no record of {source} is left{by}: name other data or another filter");
    Ok(())
}
