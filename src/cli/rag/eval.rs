//! `dojo rag eval`: rankings measured on a collection with judged questions.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::{Map, json};

use super::{BarHost, RagContext};
use crate::app::library::measured_folder;
use crate::cli::data::{Align, stop_on_interrupt, table};
use crate::cli::{job_bar, print};
use crate::domain::library::ChunkSettings;
use crate::domain::retrieval::{Fusion, LibraryFilter, Neighbours, PassageQuery, SearchMode};
use crate::rag::add::ChunkCut;
use crate::rag::collection::Collection;
use crate::rag::embedding::TextEmbedder;
use crate::rag::library::Library;
use crate::rag::measure::RankingFigures;
use crate::rag::measuring::{ask_all, fill};
use crate::rag::terms::Bm25Settings;

/// Arguments of `dojo rag eval`.
#[derive(Args)]
pub(super) struct EvalArguments {
    /// A folder with corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv, as BEIR has them.
    folder: PathBuf,
    /// Which of the judgements; `test` unless there is only one.
    #[arg(long)]
    split: Option<String>,
    /// Only these ways of searching.
    #[arg(long, value_delimiter = ',', value_enum)]
    modes: Vec<ModeArgument>,
    /// The embedding model.
    #[arg(long)]
    model: Option<String>,
    /// Cut documents into chunks as a library does; else each is one chunk.
    #[arg(long)]
    chunks: bool,
    #[command(flatten)]
    fusion: FusionArguments,
    /// BM25: how soon more of the same word adds no more.
    #[arg(long)]
    k1: Option<f64>,
    /// BM25: how much a long text is held against it, 0 to 1.
    #[arg(long)]
    b: Option<f64>,
    /// BM25: so often a word of the title counts.
    #[arg(long)]
    title_weight: Option<f32>,
}

/// The ways of searching, as they are written on a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ModeArgument {
    /// Words, stemmed.
    Bm25,
    /// Embeddings.
    Dense,
    /// Both, fused.
    Hybrid,
}

impl ModeArgument {
    pub(super) const fn search(self) -> SearchMode {
        match self {
            Self::Bm25 => SearchMode::Bm25,
            Self::Dense => SearchMode::Dense,
            Self::Hybrid => SearchMode::Hybrid,
        }
    }
}

/// How two lists become one.
#[derive(Args)]
pub(super) struct FusionArguments {
    /// Fuse by ranks (reciprocal rank fusion) or by scores.
    #[arg(long, value_enum)]
    fusion: Option<FusionKind>,
    /// Reciprocal rank fusion's constant.
    #[arg(long)]
    rrf_k: Option<f64>,
    /// The weight of the words' list.
    #[arg(long)]
    bm25_weight: Option<f64>,
    /// The weight of the embeddings' list.
    #[arg(long)]
    dense_weight: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FusionKind {
    Ranks,
    Scores,
}

impl FusionArguments {
    pub(super) fn fusion(&self) -> Fusion {
        let kind = self.fusion.map_or_else(Fusion::default, |kind| match kind {
            FusionKind::Ranks => Fusion::RANKS,
            FusionKind::Scores => Fusion::SCORES,
        });
        match kind {
            Fusion::Ranks { k, bm25, dense } => Fusion::Ranks {
                k: self.rrf_k.unwrap_or(k),
                bm25: self.bm25_weight.unwrap_or(bm25),
                dense: self.dense_weight.unwrap_or(dense),
            },
            Fusion::Scores { bm25, dense } => Fusion::Scores {
                bm25: self.bm25_weight.unwrap_or(bm25),
                dense: self.dense_weight.unwrap_or(dense),
            },
        }
    }
}

pub(super) fn run(place: &RagContext, arguments: &EvalArguments) -> Result<ExitCode> {
    let collection = Collection::open(&arguments.folder, arguments.split.as_deref())?;
    let questions = collection.questions()?;
    let modes: Vec<SearchMode> = if arguments.modes.is_empty() {
        SearchMode::ALL.to_vec()
    } else {
        arguments.modes.iter().map(|mode| mode.search()).collect()
    };
    let embedder = place.embedder(arguments.model.as_deref())?;
    let asked = Bm25Settings::default();
    let bm25 = Bm25Settings {
        k1: arguments.k1.unwrap_or(asked.k1),
        b: arguments.b.unwrap_or(asked.b),
        title: arguments.title_weight.unwrap_or(asked.title),
    };
    let cut = if arguments.chunks { ChunkCut::ToFit(ChunkSettings::default()) } else { ChunkCut::Whole };
    let folder = measured_folder(&place.folders, &arguments.folder);
    let mut library = Library::create(&folder)?.weighing(bm25);
    let stop = stop_on_interrupt()?;
    let all = collection.documents()?.count() as u64;
    let began = std::time::Instant::now();
    let mut host = BarHost { stop: &stop, bar: Box::new(job_bar::counting()), all };
    let Some(added) = fill(&mut library, &collection, Some(&embedder), cut, &mut host)? else {
        print::complain("stopped; what was embedded is kept, and measuring again goes on from there");
        return Ok(ExitCode::from(1));
    };
    library.index()?;
    let seconds = began.elapsed().as_secs_f64();
    let mut figures: Vec<(SearchMode, RankingFigures)> = Vec::new();
    for &mode in &modes {
        let how = PassageQuery {
            words: String::new(),
            mode,
            top: 10,
            filter: LibraryFilter::default(),
            fusion: arguments.fusion.fusion(),
            diversity: None,
            neighbours: Neighbours::Apart,
        };
        figures.push((mode, ask_all(&mut library, &questions, &how, Some(&embedder))?));
    }
    let counts = library.counts()?;
    let mut json = Map::new();
    for (mode, figures) in &figures {
        json.insert(mode.name().to_owned(), serde_json::to_value(figures)?);
    }
    json.insert(
        "collection".to_owned(),
        json!({
            "folder": arguments.folder, "split": collection.split, "documents": counts.documents,
            "chunks": counts.chunks, "model": embedder.model().name, "embedded": added.embedded,
            "seconds": seconds,
        }),
    );
    place.print(|| shown(&figures), &json.into())?;
    Ok(ExitCode::SUCCESS)
}

fn shown(figures: &[(SearchMode, RankingFigures)]) -> String {
    let columns = [
        ("search", Align::Left),
        ("nDCG@10", Align::Right),
        ("recall@100", Align::Right),
        ("MRR@10", Align::Right),
        ("questions", Align::Right),
        ("ms", Align::Right),
        ("ms p95", Align::Right),
    ];
    let row = |(mode, of): &(SearchMode, RankingFigures)| {
        vec![
            mode.name().to_owned(),
            format!("{:.4}", of.ndcg),
            format!("{:.4}", of.recall),
            format!("{:.4}", of.mrr),
            of.questions.to_string(),
            format!("{:.1}", of.latency_ms_p50),
            format!("{:.1}", of.latency_ms_p95),
        ]
    };
    table(&columns, &figures.iter().map(row).collect::<Vec<_>>())
}
