//! `dojo rag eval`: rankings measured on a collection with judged questions.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use serde_json::{Map, json};

use super::groundedness::{self, GroundednessArguments};
use super::models::{self, SearchModelArguments};
use super::numbers::{from_zero, share};
use super::{BarHost, RagContext};
use crate::app::library::{DEFAULT_MODEL, measured_folder};
use crate::cli::data::{Align, stop_on_interrupt, table};
use crate::cli::{job_bar, print};
use crate::domain::library::ChunkSettings;
use crate::domain::retrieval::{Fusion, Neighbours, PassageQuery, SearchMode};
use crate::domain::settings::SearchSettings;
use crate::rag::add::{AddProgress, ChunkCut, embed_anew};
use crate::rag::collection::JudgedQuestion;
use crate::rag::embedding::TextEmbedder;
use crate::rag::judged::JudgedSet;
use crate::rag::library::Library;
use crate::rag::measure::RankingFigures;
use crate::rag::measuring::{ask_all, fill};
use crate::rag::search::SearchTools;
use crate::rag::terms::Bm25Settings;

/// Arguments of `dojo rag eval`.
#[derive(Args)]
pub(super) struct EvalArguments {
    /// A folder with corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv, as BEIR has them; or a fixture as QMD has them (a
    /// JSON file with `queries` and their `expected_files`), or the folder that holds it.
    folder: PathBuf,
    /// The documents of a fixture; else the folder of its collection's name beside it, above it, or in `test` there.
    #[arg(long, value_name = "FOLDER")]
    documents: Option<PathBuf>,
    /// Which of the judgements; `test` unless there is only one.
    #[arg(long)]
    split: Option<String>,
    /// Only these ways of searching.
    #[arg(long, value_delimiter = ',', value_enum)]
    modes: Vec<ModeArgument>,
    /// The embedding model.
    #[arg(long)]
    model: Option<String>,
    /// Cut documents into chunks as a library does, as those of a fixture always are; else each is one chunk.
    #[arg(long)]
    chunks: bool,
    #[command(flatten)]
    fusion: FusionArguments,
    #[command(flatten)]
    models: SearchModelArguments,
    /// BM25: how soon more of the same word adds no more.
    #[arg(long, value_parser = from_zero, allow_negative_numbers = true)]
    k1: Option<f64>,
    /// BM25: how much a long text is held against it, 0 to 1.
    #[arg(long, value_parser = share, allow_negative_numbers = true)]
    b: Option<f64>,
    /// BM25: so often a word of the title counts.
    #[arg(long, value_parser = from_zero, allow_negative_numbers = true)]
    title_weight: Option<f64>,
    #[command(flatten)]
    grounded: GroundednessArguments,
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
    #[arg(long, value_parser = from_zero, allow_negative_numbers = true)]
    rrf_k: Option<f64>,
    /// The weight of the words' list.
    #[arg(long, value_parser = from_zero, allow_negative_numbers = true)]
    bm25_weight: Option<f64>,
    /// The weight of the embeddings' list.
    #[arg(long, value_parser = from_zero, allow_negative_numbers = true)]
    dense_weight: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FusionKind {
    Ranks,
    Scores,
}

impl FusionArguments {
    /// What is said, or what is usual.
    ///
    /// # Errors
    /// Where nothing is left that counts.
    pub(super) fn fusion_or(&self, usual: Fusion) -> Result<Fusion> {
        let kind = self.fusion.map_or(usual, |kind| match kind {
            FusionKind::Ranks => Fusion::RANKS,
            FusionKind::Scores => Fusion::SCORES,
        });
        let fusion = match kind {
            Fusion::Ranks { k, bm25, dense } => Fusion::Ranks {
                k: self.rrf_k.unwrap_or(k),
                bm25: self.bm25_weight.unwrap_or(bm25),
                dense: self.dense_weight.unwrap_or(dense),
            },
            Fusion::Scores { bm25, dense } => Fusion::Scores {
                bm25: self.bm25_weight.unwrap_or(bm25),
                dense: self.dense_weight.unwrap_or(dense),
            },
        };
        ensure!(
            self.rrf_k.is_none() || matches!(fusion, Fusion::Ranks { .. }),
            "--rrf-k is for lists that are fused by ranks: say --fusion ranks too"
        );
        let (Fusion::Ranks { bm25, dense, .. } | Fusion::Scores { bm25, dense }) = fusion;
        ensure!(bm25 > 0.0 || dense > 0.0, "one of --bm25-weight and --dense-weight has to be above 0");
        Ok(fusion)
    }
}

impl EvalArguments {
    /// How questions are asked; their words come from the collection.
    fn how(&self, mode: SearchMode) -> Result<PassageQuery> {
        Ok(PassageQuery {
            mode,
            fusion: self.fusion.fusion_or(Fusion::default())?,
            neighbours: Neighbours::Apart,
            ..PassageQuery::default()
        })
    }

    fn bm25(&self) -> Bm25Settings {
        let usual = Bm25Settings::default();
        Bm25Settings {
            k1: self.k1.unwrap_or(usual.k1),
            b: self.b.unwrap_or(usual.b),
            title: self.title_weight.map_or(usual.title, |weight| weight as f32),
        }
    }
}

pub(super) fn run(place: &RagContext, arguments: &EvalArguments) -> Result<ExitCode> {
    arguments.models.check(&SearchSettings::default())?;
    arguments.how(SearchMode::default())?;
    let set = JudgedSet::open(&arguments.folder, arguments.split.as_deref(), arguments.documents.as_deref())?;
    let (questions, left_out) = set.questions()?;
    left_out.iter().for_each(|why| print::complain(why));
    let modes: Vec<SearchMode> = if arguments.modes.is_empty() {
        SearchMode::ALL.to_vec()
    } else {
        arguments.modes.iter().map(|mode| mode.search()).collect()
    };
    let needs_embeddings = modes.iter().any(|mode| mode.asks_embeddings());
    let stop = stop_on_interrupt()?;
    let folder = measured_folder(&place.folders, &arguments.folder);
    let mut library = Library::create(&folder)?.weighing(arguments.bm25());
    let embedder = if needs_embeddings {
        let named = arguments.model.as_deref().unwrap_or(DEFAULT_MODEL);
        Some(place.embedder(&mut library, Some(named), &stop)?)
    } else {
        None
    };
    let asked = embedder.as_ref().map(|embedder| -> &dyn TextEmbedder { embedder.as_ref() });
    let began = std::time::Instant::now();
    let Some(added) = arguments.filled(&mut library, &set, asked, &stop)? else {
        print::complain("stopped; what was embedded is kept, and measuring again goes on from there");
        return Ok(ExitCode::from(1));
    };
    library.index()?;
    library.keep_index_open();
    let seconds = began.elapsed().as_secs_f64();
    let figures = measured(place, arguments, &mut library, &questions, &modes, asked)?;
    let grounded = arguments.grounded.measure(place, &mut library, asked, &questions, &stop)?;
    let counts = library.counts()?;
    let mut json = Map::new();
    for (name, figures) in &figures {
        json.insert(name.clone(), serde_json::to_value(figures)?);
    }
    json.insert(
        "collection".to_owned(),
        json!({
            "folder": arguments.folder, "split": set.split(), "documents": counts.documents,
            "chunks": counts.chunks, "model": asked.map(|embedder| embedder.model().name.as_str()), "embedded": added.embedded,
            "seconds": seconds, "left_out": left_out,
        }),
    );
    if let Some(grounded) = &grounded {
        json.insert("groundedness".to_owned(), serde_json::to_value(grounded)?);
    }
    let told = grounded.as_ref().map(groundedness::shown).unwrap_or_default();
    place.print(|| format!("{}{told}", shown(&figures)), &json.into())?;
    Ok(grounded.map_or(ExitCode::SUCCESS, |grounded| groundedness::ended(&grounded)))
}

impl EvalArguments {
    /// Brings the library to the set's documents; nothing if a person stopped it.
    fn filled(
        &self,
        library: &mut Library,
        set: &JudgedSet,
        asked: Option<&dyn TextEmbedder>,
        stop: &AtomicBool,
    ) -> Result<Option<AddProgress>> {
        let cut = if self.chunks { ChunkCut::ToFit(ChunkSettings::default()) } else { set.usual_cut() };
        let all = set.document_count()?;
        let mut host = BarHost { stop, bar: Box::new(job_bar::counting()), all };
        // It may have been measured by its words alone before, or with another model.
        let chosen = library.database().model()?.map(|(_, model)| model);
        if let Some(embedder) = asked
            && chosen.as_ref() != Some(embedder.model())
            && !embed_anew(library, embedder, &mut host)?
        {
            return Ok(None);
        }
        fill(library, set.documents()?, asked, cut, &mut host)
    }
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
        let row = ask_all(library, questions, &arguments.how(mode)?, &mut tools)?;
        figures.push((mode.name().to_owned(), row));
    }
    let mode = modes.last().copied().unwrap_or_default();
    for (name, wanted) in arguments.models.each() {
        let mut models = models::start(place, library.folder(), &wanted)?;
        models.wait_until_loaded()?;
        let row = ask_all(library, questions, &arguments.how(mode)?, &mut models.tools(embedder))?;
        figures.push((format!("{} + {name}", mode.name()), row));
    }
    Ok(figures)
}

fn shown(figures: &[(String, RankingFigures)]) -> String {
    let is_fixture = figures.iter().any(|(_, of)| of.within.is_some());
    let mut columns = vec![
        ("search", Align::Left),
        ("nDCG@10", Align::Right),
        ("recall@100", Align::Right),
        ("MRR@10", Align::Right),
        ("questions", Align::Right),
        ("ms", Align::Right),
        ("ms p95", Align::Right),
    ];
    if is_fixture {
        columns.insert(4, ("precision@k", Align::Right));
    }
    let row = |(name, of): &(String, RankingFigures)| {
        let mut cells = vec![
            name.clone(),
            format!("{:.4}", of.ndcg),
            format!("{:.4}", of.recall),
            format!("{:.4}", of.mrr),
            of.questions.to_string(),
            format!("{:.1}", of.latency_ms_p50),
            format!("{:.1}", of.latency_ms_p95),
        ];
        if is_fixture {
            cells.insert(4, of.within.map_or_else(String::new, |within| format!("{within:.4}")));
        }
        cells
    };
    table(&columns, &figures.iter().map(row).collect::<Vec<_>>())
}
