//! Vectors for texts that have none yet: computed some at a time, and kept before the next are, so that a kill or a stop
//! loses one batch at most.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::database::{ModelNumber, TextHash};
use super::embedding::{EmbeddedAs, EmbeddingStopped, TextEmbedder, TextsTogether};
use super::host::{AddHost, AddProgress};
use super::library::{ChunkWords, Library};

/// Chunks that are read together to be embedded anew.
const WAITING: usize = 256;
/// A batch on this machine takes about so long: a person who wants to stop is heard after it.
const BATCH_TIME: Duration = Duration::from_millis(500);
/// Bytes of the first batch, before it is known how long they take; and texts of any batch at most.
const FIRST_BYTES: usize = 4096;
const MOST: usize = 64;

/// Whether all texts have their vectors now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Embedding {
    Done,
    Stopped,
}

/// Embeds those of some texts that have no vector by a model yet. `tick` is told how many were embedded and how many were
/// there, and says whether to go on.
pub(super) fn embed_lacking(
    library: &mut Library,
    embedder: &dyn TextEmbedder,
    number: ModelNumber,
    texts: Vec<(TextHash, &str)>,
    tick: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<Embedding> {
    let lacking = lacking(library, number, texts)?;
    let mut goes_on = tick(0, lacking.kept);
    let mut size = BatchSize::of(embedder);
    let mut rest = lacking.texts.as_slice();
    while !rest.is_empty() {
        if !goes_on {
            return Ok(Embedding::Stopped);
        }
        let (some, left) = rest.split_at(size.of_next(rest));
        let began = Instant::now();
        if keep(library, embedder, number, some)? == Embedding::Stopped {
            return Ok(Embedding::Stopped);
        }
        size.took(some, began.elapsed());
        goes_on = tick(some.len() as u64, 0);
        rest = left;
    }
    Ok(Embedding::Done)
}

/// How many texts are embedded together: as the embedder wants, or as many as take about [`BATCH_TIME`].
struct BatchSize {
    texts: usize,
    /// Bytes of text at most, where the time counts: long texts take longer.
    bytes: Option<usize>,
}

impl BatchSize {
    fn of(embedder: &dyn TextEmbedder) -> Self {
        match embedder.together() {
            TextsTogether::ByTime => Self { texts: MOST, bytes: Some(FIRST_BYTES) },
            TextsTogether::Count(texts) => Self { texts: texts.max(1), bytes: None },
        }
    }

    /// How many of some texts make the next batch: one at least.
    fn of_next(&self, texts: &[(TextHash, &str)]) -> usize {
        let Some(most) = self.bytes else { return self.texts.min(texts.len()) };
        let mut sum = 0;
        let fit = texts.iter().take(self.texts).take_while(|(_, text)| {
            sum += text.len();
            sum <= most
        });
        fit.count().max(1)
    }

    fn took(&mut self, texts: &[(TextHash, &str)], time: Duration) {
        let Some(most) = &mut self.bytes else { return };
        let bytes: usize = texts.iter().map(|(_, text)| text.len()).sum();
        let fit = bytes as f64 * BATCH_TIME.as_secs_f64() / time.as_secs_f64().max(1e-6);
        // One quick batch says little.
        *most = (fit as usize).clamp(1, *most * 2);
    }
}

/// Texts that have no embedding yet, the long ones together, and how many had one.
struct LackingTexts<'t> {
    texts: Vec<(TextHash, &'t str)>,
    kept: u64,
}

fn lacking<'t>(
    library: &Library,
    number: ModelNumber,
    texts: Vec<(TextHash, &'t str)>,
) -> Result<LackingTexts<'t>> {
    let hashes: Vec<TextHash> = texts.iter().map(|(hash, _)| *hash).collect();
    let lacks = library.database.lacking(number, &hashes)?;
    let (all, mut seen) = (texts.len(), HashSet::new());
    let mut texts: Vec<(TextHash, &str)> = texts
        .into_iter()
        .zip(lacks)
        .filter(|((hash, _), lacks)| *lacks && seen.insert(*hash))
        .map(|(text, _)| text)
        .collect();
    let kept = (all - texts.len()) as u64;
    texts.sort_by_key(|(_, text)| text.len());
    Ok(LackingTexts { texts, kept })
}

fn keep(
    library: &mut Library,
    embedder: &dyn TextEmbedder,
    number: ModelNumber,
    texts: &[(TextHash, &str)],
) -> Result<Embedding> {
    let words: Vec<&str> = texts.iter().map(|(_, text)| *text).collect();
    let vectors = match embedder.embed(&words, EmbeddedAs::Passage) {
        Err(error) if error.is::<EmbeddingStopped>() => return Ok(Embedding::Stopped),
        vectors => vectors.context("embed the documents")?,
    };
    let dimensions = embedder.model().dimensions;
    ensure!(
        vectors.len() == texts.len(),
        "embed the documents: {} vectors for {} texts",
        vectors.len(),
        texts.len()
    );
    if let Some(wrong) = vectors.iter().find(|vector| vector.len() != dimensions) {
        bail!("embed the documents: a vector has {} dimensions, and not {dimensions}", wrong.len());
    }
    let kept: Vec<(TextHash, Vec<f32>)> = texts.iter().map(|(hash, _)| *hash).zip(vectors).collect();
    library.database.keep(number, &kept)?;
    Ok(Embedding::Done)
}

/// Embeds all chunks with a model, and makes it the library's. Until all are embedded the library keeps the one that it
/// has. False when the host wanted to stop; what is embedded by then is kept.
///
/// # Errors
/// Where a text can't be embedded or the disk is full.
pub fn embed_anew(
    library: &mut Library,
    embedder: &dyn TextEmbedder,
    host: &mut dyn AddHost,
) -> Result<bool> {
    let number = library.database.model_number(embedder.model())?;
    let mut progress = AddProgress::default();
    loop {
        let chunks = library.database.without_vector(number, WAITING)?;
        if chunks.is_empty() {
            break;
        }
        let mut texts: HashMap<TextHash, String> = HashMap::new();
        for stored in &chunks {
            texts.insert(stored.embedded, ChunkWords::of(stored).embedded());
        }
        let texts = texts.iter().map(|(hash, text)| (*hash, text.as_str())).collect();
        let done = embed_lacking(library, embedder, number, texts, &mut |embedded, _| {
            progress.embedded += embedded;
            host.goes_on(&progress)
        })?;
        if done == Embedding::Stopped {
            return Ok(false);
        }
    }
    library.release();
    if progress.embedded > 0 {
        // An index of the same model has those chunks already, without what was computed now.
        library.make_index_anew()?;
    }
    library.database.choose(embedder.model())?;
    Ok(true)
}
