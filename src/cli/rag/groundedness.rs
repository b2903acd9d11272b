//! The part of `dojo rag eval` that has answers judged, claim by claim.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use clap::Args;

use super::RagContext;
use crate::app::library::grounded::{Groundedness, GroundednessJob, questions};
use crate::app::review;
use crate::cli::{job_bar, print};
use crate::domain::counted::counted;
use crate::domain::teacher::Money;
use crate::rag::collection::JudgedQuestion;
use crate::rag::embedding::TextEmbedder;
use crate::rag::library::Library;
use crate::teacher::Speaker;
use crate::teacher::budget::Budget;
use crate::teacher::job::Drawing;

/// Whether answers are judged, and how.
#[derive(Args)]
pub(super) struct GroundednessArguments {
    /// Have each question answered from its passages, and each claim of the answers judged by this teacher of
    /// settings.toml, or local:MODEL: supported by the passages, contradicted, or not stated.
    #[arg(long, value_name = "TEACHER", requires = "answers_by")]
    judge: Option<String>,
    /// Who answers: a teacher of settings.toml, or local:MODEL.
    #[arg(long, value_name = "TEACHER", requires = "judge")]
    answers_by: Option<String>,
    /// Have so many questions answered at most.
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
    /// Spend at most so many dollars on the answers, and as many on the judge.
    #[arg(long, value_name = "DOLLARS")]
    max_dollars: Option<f64>,
    /// Spend at most so many tokens on the answers, and as many on the judge; prompts and answers together.
    #[arg(long, value_name = "N")]
    max_tokens: Option<u64>,
    /// The longest answer and the longest verdict, in tokens.
    #[arg(long, default_value_t = 256, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    answer_tokens: u32,
}

impl GroundednessArguments {
    /// Has the questions answered and judged, if that is wanted. Answers and verdicts are kept with what is measured.
    pub(super) fn measure(
        &self,
        place: &RagContext,
        library: &mut Library,
        embedder: Option<&dyn TextEmbedder>,
        asked: &[JudgedQuestion],
        stop: &AtomicBool,
    ) -> Result<Option<Groundedness>> {
        let (Some(judge), Some(answerer)) = (&self.judge, &self.answers_by) else { return Ok(None) };
        let drawing = Drawing { max_tokens: self.answer_tokens, temperature: 0.0 };
        let words = asked.iter().take(self.limit).map(|question| question.text.as_str());
        let todo = questions(&place.folders, library, embedder, words, drawing)?;
        let folder = library.folder().to_path_buf();
        let budget = Budget { money: self.max_dollars.map(Money::dollars), tokens: self.max_tokens };
        let speaker = |name: &str| -> Result<Arc<dyn Speaker>> {
            review::speaker(&place.folders, name, &folder, budget, review::Dry::Run)
        };
        let answers = speaker(answerer)?;
        let judges = if judge == answerer { Arc::clone(&answers) } else { speaker(judge)? };
        let job = GroundednessJob::new(&place.folders, library, (&*answers, &*judges), drawing)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut bar = job_bar::of_job();
        runtime.block_on(job.measure(todo, stop, &mut bar)).map(Some)
    }
}

/// What of the answers is in the passages, as a table below that of the rankings.
pub(super) fn shown(of: &Groundedness) -> String {
    let share = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), |share| format!("{share:.3}"));
    let named = |map: &BTreeMap<String, u64>| {
        map.iter().map(|(name, number)| format!("{number} {name}")).collect::<Vec<_>>().join(", ")
    };
    let judged = of.supported + of.contradicted + of.not_stated;
    let mut lines = vec![
        String::new(),
        format!("{:<14} {} by {}", "answers", counted(of.questions, "question"), of.answered_by),
        format!(
            "{:<14} {} answered, {} not in the documents, {} left",
            "", of.answered, of.not_in_documents, of.left
        ),
        format!("{:<14} {} judged by {}", "claims", judged, of.judged_by),
        format!(
            "{:<14} {} supported, {} contradicted, {} not stated",
            "", of.supported, of.contradicted, of.not_stated
        ),
        format!("{:<14} {} of the claims that were judged", "groundedness", share(of.groundedness)),
        format!(
            "{:<14} {} of the answers with all claims judged",
            "all supported",
            share(of.wholly_supported)
        ),
        format!(
            "{:<14} {} point nowhere, {} in no passage's words",
            "without judge", of.points_nowhere, of.words_in_no_passage
        ),
        format!(
            "{:<14} {} + {} tokens, ${:.4}; {} paid for, {} from before",
            "spent",
            of.prompt_tokens,
            of.answer_tokens,
            of.dollars,
            counted(of.paid_for, "answer"),
            of.from_before
        ),
    ];
    if of.without_claims > 0 {
        let told = format!("{} say too little to hold a claim", counted(of.without_claims, "answer"));
        lines.push(format!("{:<14} {told}", "no claim"));
    }
    if !of.unanswered.is_empty() {
        lines.push(format!("{:<14} {}", "unanswered", named(&of.unanswered)));
    }
    if !of.unjudged.is_empty() {
        lines.push(format!("{:<14} {} (in no share)", "not judged", named(&of.unjudged)));
    }
    lines.join("\n") + "\n"
}

/// What the program ends with.
pub(super) fn ended(of: &Groundedness) -> ExitCode {
    match &of.cut {
        Some(cut) => {
            print::complain(cut);
            ExitCode::from(1)
        }
        None => ExitCode::SUCCESS,
    }
}
