//! `dojo rag eval`: rankings measured on a collection with judged questions.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::{Map, json};

use super::models::{self, SearchModelArguments};
use super::{BarHost, RagContext};
use crate::app::library::{DEFAULT_MODEL, measured_folder};
use crate::cli::data::{Align, stop_on_interrupt, table};
use crate::cli::{job_bar, print};
use crate::domain::library::ChunkSettings;
use crate::domain::retrieval::{Fusion, Neighbours, PassageQuery, SearchMode};
use crate::rag::add::{ChunkCut, embed_anew};
use crate::rag::collection::{Collection, JudgedQuestion};
use crate::rag::embedding::TextEmbedder;
use crate::rag::library::Library;
use crate::rag::measure::RankingFigures;
use crate::rag::measuring::{ask_all, fill};
use crate::rag::search::SearchTools;
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
    #[command(flatten)]
    models: SearchModelArguments,
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
    /// What is said, or what is usual.
    pub(super) fn fusion_or(&self, usual: Fusion) -> Fusion {
        let kind = self.fusion.map_or(usual, |kind| match kind {
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

impl EvalArguments {
    /// How questions are asked; their words come from the collection.
    fn how(&self, mode: SearchMode) -> PassageQuery {
        PassageQuery {
            mode,
            fusion: self.fusion.fusion_or(Fusion::default()),
            neighbours: Neighbours::Apart,
            ..PassageQuery::default()
        }
    }

    fn bm25(&self) -> Bm25Settings {
        let usual = Bm25Settings::default();
        Bm25Settings {
            k1: self.k1.unwrap_or(usual.k1),
            b: self.b.unwrap_or(usual.b),
            title: self.title_weight.unwrap_or(usual.title),
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
    let needs_embeddings = modes.iter().any(|mode| mode.asks_embeddings());
    let stop = stop_on_interrupt()?;
    let folder = measured_folder(&place.folders, &arguments.folder);
    let mut library = Library::create(&folder)?.weighing(arguments.bm25());
    // It may have been measured by its words alone before, or with another model.
    let chosen = library.database().model()?.map(|(_, model)| model);
    let embedder = if needs_embeddings {
        let named = arguments.model.as_deref().unwrap_or(DEFAULT_MODEL);
        Some(place.embedder(Some(named), chosen.as_ref(), &stop)?)
    } else {
        None
    };
    let asked = embedder.as_ref().map(|embedder| -> &dyn TextEmbedder { embedder.as_ref() });
    let cut = if arguments.chunks { ChunkCut::ToFit(ChunkSettings::default()) } else { ChunkCut::Whole };
    let all = collection.documents()?.count() as u64;
    let began = std::time::Instant::now();
    let mut host = BarHost { stop: &stop, bar: Box::new(job_bar::counting()), all };
    let is_ready = match asked {
        Some(embedder) if chosen.as_ref() != Some(embedder.model()) => {
            embed_anew(&mut library, embedder, &mut host)?
        }
        _ => true,
    };
    let filled = if is_ready { fill(&mut library, &collection, asked, cut, &mut host)? } else { None };
    let Some(added) = filled else {
        print::complain("stopped; what was embedded is kept, and measuring again goes on from there");
        return Ok(ExitCode::from(1));
    };
    library.index()?;
    let seconds = began.elapsed().as_secs_f64();
    let figures = measured(place, arguments, &mut library, &questions, &modes, asked)?;
    let counts = library.counts()?;
    let mut json = Map::new();
    for (name, figures) in &figures {
        json.insert(name.clone(), serde_json::to_value(figures)?);
    }
    json.insert(
        "collection".to_owned(),
        json!({
            "folder": arguments.folder, "split": collection.split, "documents": counts.documents,
            "chunks": counts.chunks, "model": asked.map(|embedder| embedder.model().name.as_str()), "embedded": added.embedded,
            "seconds": seconds,
        }),
    );
    place.print(|| shown(&figures), &json.into())?;
    Ok(ExitCode::SUCCESS)
}

/// The figures of each way of searching, then those of the last of them with each model that is named.
fn measured(
    place: &RagContext,
    arguments: &EvalArguments,
    library: &mut Library,
    questions: &[JudgedQuestion],
    modes: &[SearchMode],
    embedder: Option<&dyn TextEmbedder>,
) -> Result<Vec<(String, RankingFigures)>> {
    let mut figures = Vec::new();
    for &mode in modes {
        let mut tools = SearchTools::embedding(embedder);
        let row = ask_all(library, questions, &arguments.how(mode), &mut tools)?;
        figures.push((mode.name().to_owned(), row));
    }
    let mode = modes.last().copied().unwrap_or_default();
    for (name, wanted) in arguments.models.each() {
        let mut models = models::start(place, library.folder(), &wanted)?;
        models.wait_until_loaded()?;
        let row = ask_all(library, questions, &arguments.how(mode), &mut models.tools(embedder))?;
        figures.push((format!("{} + {name}", mode.name()), row));
    }
    Ok(figures)
}

fn shown(figures: &[(String, RankingFigures)]) -> String {
    let columns = [
        ("search", Align::Left),
        ("nDCG@10", Align::Right),
        ("recall@100", Align::Right),
        ("MRR@10", Align::Right),
        ("questions", Align::Right),
        ("ms", Align::Right),
        ("ms p95", Align::Right),
    ];
    let row = |(name, of): &(String, RankingFigures)| {
        vec![
            name.clone(),
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
