//! `dojo rag search`: passages for a question, with every rank and score.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;

use super::eval::{FusionArguments, ModeArgument};
use super::{LibraryArguments, RagContext};
use crate::domain::retrieval::{
    FoundPassage, FoundPassages, LibraryFilter, ListPlace, Neighbours, PassageQuery, SearchMode, SearchTrace,
};
use crate::rag::embedding::TextEmbedder;
use crate::rag::library::Library;
use crate::ui::widgets::text::shorten;

/// Arguments of `dojo rag search`.
#[derive(Args)]
pub(super) struct SearchArguments {
    /// A question, or words.
    #[arg(required = true)]
    words: Vec<String>,
    #[command(flatten)]
    library: LibraryArguments,
    #[command(flatten)]
    retrieval: RetrievalArguments,
    /// Show each list's ranks and scores, and how long each step took.
    #[arg(long)]
    explain: bool,
}

/// How passages are found.
#[derive(Args)]
pub(super) struct RetrievalArguments {
    /// Search words (bm25), meanings (dense) or both (hybrid); both unless the library has no embeddings.
    #[arg(long, value_enum)]
    mode: Option<ModeArgument>,
    /// Passages at most.
    #[arg(long, default_value_t = 5)]
    top: usize,
    /// Look in some documents only: `tag:T`, `path:PATTERN`, `document:WORD`, `from:2024`, `until:2025-06`; all hold.
    #[arg(long = "filter", value_name = "KEY:VALUE")]
    filters: Vec<String>,
    /// Rather passages that differ: 0 looks at nothing but difference, 1 at nothing but relevance.
    #[arg(long, value_name = "0..1")]
    diversity: Option<f64>,
    /// Leave chunks that follow each other apart.
    #[arg(long)]
    apart: bool,
    /// The embedding model, or the name of an endpoint in `[embedders]` of settings.toml; else the library's own.
    #[arg(long, value_name = "MODEL")]
    embeddings: Option<String>,
    #[command(flatten)]
    fusion: FusionArguments,
}

/// Passages that one asks for at most.
const MOST: usize = crate::rag::search::MOST;

pub(super) fn run(place: &RagContext, arguments: &SearchArguments) -> Result<ExitCode> {
    let mut library = Library::open(&arguments.library.folder(place)?)?;
    let words = arguments.words.join(" ");
    let found = arguments.retrieval.search(place, &mut library, &words)?;
    let json = json!({ "library": library.folder(), "query": words, "passages": found.passages, "trace": found.trace });
    place.print(|| shown(&found, arguments.explain), &json)?;
    Ok(ExitCode::SUCCESS)
}

impl RetrievalArguments {
    /// Passages for a question.
    pub(super) fn search(
        &self,
        place: &RagContext,
        library: &mut Library,
        words: &str,
    ) -> Result<FoundPassages> {
        let query = self.query(library, words)?;
        let known = library.database().model()?.map(|(_, model)| model);
        let embedder = if query.mode.asks_embeddings() {
            Some(place.embedder(self.embeddings.as_deref(), known.as_ref(), &Arc::default())?)
        } else {
            None
        };
        // Brought up to the documents before the clock of the search runs.
        library.index()?;
        library.search(&query, embedder.as_ref().map(|embedder| -> &dyn TextEmbedder { embedder.as_ref() }))
    }

    fn query(&self, library: &Library, words: &str) -> Result<PassageQuery> {
        let has_embeddings = library.database().model()?.is_some();
        let mode = match self.mode {
            Some(mode) => mode.search(),
            None if has_embeddings => SearchMode::Hybrid,
            None => SearchMode::Bm25,
        };
        if self.diversity.is_some_and(|lambda| !(0.0..=1.0).contains(&lambda)) {
            bail!("--diversity is from 0 to 1");
        }
        Ok(PassageQuery {
            words: words.to_owned(),
            mode,
            top: self.top.clamp(1, MOST),
            filter: filter(&self.filters)?,
            fusion: self.fusion.fusion(),
            diversity: self.diversity,
            neighbours: if self.apart { Neighbours::Apart } else { Neighbours::Joined },
        })
    }
}

fn filter(words: &[String]) -> Result<LibraryFilter> {
    let mut filter = LibraryFilter::default();
    for word in words {
        let (key, value) = word
            .split_once(':')
            .filter(|(_, value)| !value.is_empty())
            .with_context(|| format!("--filter {word} is no KEY:VALUE, such as tag:notes"))?;
        let value = value.to_owned();
        match key {
            "tag" => filter.tags.push(value),
            "path" => filter.paths.push(value),
            "document" => filter.documents.push(value),
            "from" => filter.from = Some(value),
            "until" => filter.until = Some(value),
            other => bail!("--filter has no key {other}: there are tag, path, document, from and until"),
        }
    }
    Ok(filter)
}

/// Characters of a passage that are shown.
const SHOWN: usize = 700;

fn shown(found: &FoundPassages, explain: bool) -> String {
    let mut out = String::new();
    if found.passages.is_empty() {
        out.push_str("nothing was found\n");
    }
    for passage in &found.passages {
        out += &format!("{}. {}\n", passage.rank, place_of(passage));
        if explain {
            out += &format!("   {}\n", scores(passage, &found.trace));
        }
        let words = passage.text.split_whitespace().collect::<Vec<_>>().join(" ");
        out += &format!("   {}\n   {}\n\n", shorten(&words, SHOWN), passage.source);
    }
    if explain {
        out += &explained(&found.trace);
    }
    out
}

/// Title, section and pages.
pub(super) fn place_of(passage: &FoundPassage) -> String {
    let mut parts = vec![passage.title.clone()];
    // A document's title is often its first heading.
    let section: Vec<&str> =
        passage.section.iter().map(String::as_str).filter(|heading| *heading != passage.title).collect();
    if !section.is_empty() {
        parts.push(section.join(" > "));
    }
    parts.extend(passage.pages.map(|(first, last)| {
        if first == last { format!("page {first}") } else { format!("pages {first}–{last}") }
    }));
    parts.join(" · ")
}

pub(super) fn scores(passage: &FoundPassage, trace: &SearchTrace) -> String {
    let of = |name: &str, place: Option<ListPlace>| match place {
        Some(ListPlace { rank, score }) => format!("{name} rank {rank} score {score:.4}"),
        None => format!("{name} –"),
    };
    let mut parts = Vec::new();
    if trace.mode == SearchMode::Hybrid {
        parts.push(format!("fused {:.5}", passage.score));
    }
    if trace.mode.asks_words() {
        parts.push(of("bm25", passage.bm25));
    }
    if trace.mode.asks_embeddings() {
        parts.push(of("dense", passage.dense));
    }
    let (first, last) = passage.chunks;
    parts.push(if first == last { format!("chunk {first}") } else { format!("chunks {first}–{last}") });
    parts.join(" · ")
}

fn explained(trace: &SearchTrace) -> String {
    let times = trace.times;
    let mut out = format!("{}: ", trace.mode.name());
    if trace.mode.asks_words() {
        out += &format!("bm25 {} candidates in {:.1} ms · ", trace.bm25_candidates, times.bm25_ms);
    }
    if trace.mode.asks_embeddings() {
        out += &format!(
            "question embedded in {:.1} ms · dense {} candidates in {:.1} ms · ",
            times.embed_ms, trace.dense_candidates, times.dense_ms
        );
    }
    if let Some(fusion) = trace.fusion {
        out += &format!("fused {} in {:.1} ms · ", fusion.in_words(), times.fuse_ms);
    }
    if let Some(documents) = trace.filtered_to {
        out += &format!("filtered to {documents} documents · ");
    }
    out += &format!("read in {:.1} ms · {:.1} ms in all\n", times.read_ms, times.total_ms);
    out
}
