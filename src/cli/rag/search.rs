//! `dojo rag search`: passages for a question, with every rank and score.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::json;

use super::eval::{FusionArguments, ModeArgument};
use super::explained::explained;
use super::models::SearchModelArguments;
use super::numbers::share;
use super::{LibraryArguments, RagContext};
use crate::cli::print;
use crate::domain::retrieval::{FoundPassages, Fusion, LibraryFilter, Neighbours, PassageQuery, SearchMode};
use crate::rag::embedding::{EmbeddingPace, TextEmbedder};
use crate::rag::library::Library;
use crate::rag::search::{TypedQuery, typed};
use crate::ui::widgets::text::shorten;

/// Arguments of `dojo rag search`.
#[derive(Args)]
pub(super) struct SearchArguments {
    #[command(flatten)]
    question: QuestionArguments,
    /// Show each list's ranks and scores, what was added, reranked and passed over, and how long each step took.
    #[arg(long)]
    explain: bool,
}

/// A question to a library, and how its passages are found.
#[derive(Args)]
pub(super) struct QuestionArguments {
    /// A question, words, or lines that begin with lex:, vec:, hyde: or intent:. In a lex line "these words" must be there
    /// in this order, and -word must not.
    #[arg(required = true)]
    words: Vec<String>,
    #[command(flatten)]
    library: LibraryArguments,
    #[command(flatten)]
    retrieval: RetrievalArguments,
}

/// How passages are found.
#[derive(Args)]
struct RetrievalArguments {
    /// Search words (bm25), meanings (dense) or both (hybrid); both unless the library has no embeddings.
    #[arg(long, value_enum)]
    mode: Option<ModeArgument>,
    /// Passages at most.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=MOST as i64))]
    top: u16,
    /// What is meant ("the river, not the money"): embedded beside the question with half its weight, and read by models
    /// that expand and rerank. BM25 doesn't search its words.
    #[arg(long)]
    intent: Option<String>,
    /// Keep only so many of the fused order, for reranking and at all.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    candidates: Option<u16>,
    /// Look in some documents only: `tag:T`, `path:PATTERN`, `document:WORD`, `from:2024`, `until:2025-06`; all hold.
    #[arg(long = "filter", value_name = "KEY:VALUE")]
    filters: Vec<String>,
    /// Rather passages that differ: 0 looks at nothing but difference, 1 at nothing but relevance.
    #[arg(long, value_name = "0..1", value_parser = share, allow_negative_numbers = true)]
    diversity: Option<f64>,
    /// Leave chunks that follow each other apart.
    #[arg(long)]
    apart: bool,
    /// The embedding model, or the name of an endpoint in `[embedders]` of settings.toml; else the library's own.
    #[arg(long, value_name = "MODEL")]
    embeddings: Option<String>,
    #[command(flatten)]
    fusion: FusionArguments,
    #[command(flatten)]
    models: SearchModelArguments,
}

/// Passages that one asks for at most.
const MOST: usize = crate::rag::search::MOST;

pub(super) fn run(place: &RagContext, arguments: &SearchArguments) -> Result<ExitCode> {
    let (library, found) = arguments.question.search(place)?;
    let words = arguments.question.text();
    let json = json!({ "library": library.folder(), "query": words, "passages": found.passages, "trace": found.trace });
    place.print(|| shown(&found, arguments.explain), &json)?;
    Ok(ExitCode::SUCCESS)
}

impl QuestionArguments {
    /// As it was typed.
    pub(super) fn text(&self) -> String {
        // An intent is a line only beside others.
        let lines = self.words.join("\n");
        if typed(&lines).is_ok_and(|typed| typed.is_some()) { lines } else { self.words.join(" ") }
    }

    /// Opens the library and finds passages. What went wrong beside is told at once, unless it is part of the JSON.
    pub(super) fn search(&self, place: &RagContext) -> Result<(Library, FoundPassages)> {
        let folder = self.library.folder(place)?;
        let mut library = Library::open(&folder)?;
        let found = self.retrieval.search(place, &folder, &mut library, &self.text())?;
        if !place.json {
            found.trace.all_notices().for_each(print::complain);
        }
        Ok((library, found))
    }
}

impl RetrievalArguments {
    /// Passages for a question.
    fn search(
        &self,
        place: &RagContext,
        folder: &Path,
        library: &mut Library,
        words: &str,
    ) -> Result<FoundPassages> {
        let query = self.query(library, words)?;
        // They load while the rest is made ready.
        let mut models = self.models.start(place, folder)?;
        let embedder = if query.mode.asks_embeddings() {
            Some(place.embedder(library, self.embeddings.as_deref(), &Arc::default())?)
        } else {
            None
        };
        let embedder = embedder.as_ref().map(|embedder| -> &dyn TextEmbedder { embedder.as_ref() });
        if embedder.is_none_or(|embedder| embedder.pace() == EmbeddingPace::Quick) {
            // Brought up to the documents before the clock of the search runs.
            library.index()?;
        }
        library.search_with(&query, &mut models.tools(embedder))
    }

    fn query(&self, library: &Library, words: &str) -> Result<PassageQuery> {
        let has_embeddings = library.database().model()?.is_some();
        let mode = match self.mode {
            Some(mode) => mode.search(),
            None if has_embeddings => SearchMode::Hybrid,
            None => SearchMode::Bm25,
        };
        let typed = typed(words)?.unwrap_or(TypedQuery { lines: Vec::new(), intent: None });
        let TypedQuery { lines, intent: said } = typed;
        let intent = self.intent.clone().filter(|intent| !intent.trim().is_empty());
        ensure!(said.is_none() || intent.is_none(), "the intent is said twice: in a line, and with --intent");
        // Scores of lines are too different to be added.
        let usual = if lines.is_empty() { Fusion::default() } else { Fusion::RANKS };
        Ok(PassageQuery {
            words: words.to_owned(),
            lines,
            intent: said.or(intent),
            mode,
            top: usize::from(self.top),
            candidates: self.candidates.map(usize::from),
            filter: filter(&self.filters)?,
            fusion: self.fusion.fusion_or(usual)?,
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
        out += &format!("{}. {}\n", passage.rank, passage.place_in_words());
        if explain {
            out += &super::explained::of_passage(passage);
        }
        if let Some(context) = &passage.context {
            out += &format!("   ({})\n", shorten(context, SHOWN));
        }
        let words = passage.text.split_whitespace().collect::<Vec<_>>().join(" ");
        out += &format!("   {}\n   {}\n\n", shorten(&words, SHOWN), passage.source);
    }
    if explain {
        out += &explained(&found.trace);
    }
    out
}
