//! Records compared by what they mean, with the model that embeds the session's library: their vectors are computed as a
//! job, and kept. Until they are there, or without the model, records are compared by their words.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

use super::{Back, RecordsLane};
use crate::app::jobs::Working;
use crate::app::library::{DEFAULT_MODEL, LocalEmbedder, of_session};
use crate::domain::counted::counted;
use crate::domain::protocol::system::{JobEnd, Level, OnQuit, Progress};
use crate::engine::hub::{self, Network, Silent};
use crate::ground::thread;
use crate::rag::database::{FILE, LibraryDatabase};
use crate::rag::embedding::{EmbeddedAs, TextEmbedder};
use crate::session::{Access, Session};

/// Texts that are embedded before they are kept: what a kill loses at most.
const TOGETHER: usize = 32;

/// Whether a thread is at it already.
#[derive(Clone, Default)]
pub(super) struct Comparing(Arc<AtomicBool>);

/// Sees to it that records can be compared by what they mean, on a thread of its own, and says by what they are now.
pub(super) fn compare(lane: &RecordsLane, back: &Back, comparing: &Comparing) {
    if comparing.0.swap(true, Ordering::AcqRel) {
        return;
    }
    let (lane, back, comparing) = (lane.clone(), back.clone(), comparing.clone());
    thread::start("data similar", move || {
        if let Err(error) = embed_missing(&lane, &back) {
            lane.notify(Level::Error, format!("{error:#}"));
        }
        comparing.0.store(false, Ordering::Release);
    });
}

fn embed_missing(lane: &RecordsLane, back: &Back) -> Result<()> {
    let mut session = lane.open(Access::Write)?;
    let name = model(lane)?;
    let missing = session.without_vectors(&name)?;
    if missing.is_empty() {
        let is_other = session.similar_by()?.as_deref() != Some(name.as_str());
        session.find_similar_by(&name)?;
        if is_other {
            back.written();
        }
        lane.notify(Level::Info, format!("similar by meaning: {name}"));
        return Ok(());
    }
    let Ok(files) = hub::resolve(&lane.models, &name, Network::Offline, &mut Silent) else {
        lane.notify(
            Level::Warning,
            format!(
                "similar by words: {name}, which finds records by what they mean, is not on this machine; \
                 p on Models (6) fetches it"
            ),
        );
        return Ok(());
    };
    lane.notify(
        Level::Info,
        format!(
            "similar by words, until {} are embedded with {name}",
            counted(missing.len() as u64, "record")
        ),
    );
    let job = Working::start(&lane.events, &format!("embed records with {name}"), OnQuit::LetEnd);
    let outcome = LocalEmbedder::open(&files)
        .and_then(|embedder| embed(&mut session, (&name, &embedder), &missing, &job));
    match outcome {
        Ok(true) => {
            session.find_similar_by(&name)?;
            job.end(JobEnd::Done);
            lane.notify(Level::Good, format!("similar by meaning now: {name}"));
            back.written();
        }
        // What is embedded is kept: asking again goes on from there.
        Ok(false) => drop(job),
        Err(error) => job.end(JobEnd::Failed(format!("{error:#}"))),
    }
    Ok(())
}

/// The library's model, so that one model is enough for both.
fn model(lane: &RecordsLane) -> Result<String> {
    let folder = of_session(&lane.info.path);
    let chosen = if folder.join(FILE).is_file() { LibraryDatabase::open(&folder)?.model()? } else { None };
    Ok(chosen.map_or_else(|| DEFAULT_MODEL.to_owned(), |(_, model)| model.name))
}

/// False when a person wants it to stop.
fn embed(
    session: &mut Session,
    (name, embedder): (&str, &dyn TextEmbedder),
    missing: &[i64],
    job: &Working,
) -> Result<bool> {
    let total = Some(missing.len() as u64);
    for (round, ids) in missing.chunks(TOGETHER).enumerate() {
        let done = (round * TOGETHER) as u64;
        if !job.go_on(Progress { done, total, note: "records".to_owned(), ..Progress::default() }) {
            return Ok(false);
        }
        session.keep_vectors(name, ids, |texts| embedder.embed(texts, EmbeddedAs::Passage))?;
    }
    Ok(true)
}
