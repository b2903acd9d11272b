//! Arguments that name the models which a search asks beside the one that embeds.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use super::RagContext;
use crate::app::library::search_models::SearchModels;
use crate::cli::pull::Bar;
use crate::domain::settings::SearchSettings;
use crate::engine::hub::Network;

/// What does without a model that the settings name.
const NONE: &str = "none";

/// Models that expand and rerank.
#[derive(Args)]
pub(super) struct SearchModelArguments {
    /// Have a model write more lines for the question (lex, vec, hyde): one of this machine that was tuned for it, with
    /// an adapter as MODEL+FOLDER, an adapter's folder or run, or a teacher of the settings. `none` does without the one
    /// that the settings name (`expand` under `[search]`).
    #[arg(long, value_name = "MODEL")]
    pub(super) expand: Option<String>,
    /// Wait for the expansion so long at most; 5s unless the settings say otherwise (`expand_ms`).
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(super) expand_budget: Option<Duration>,
    /// Have a model put the first 40 passages in order: a cross-encoder (BERT with one number on top, safetensors), a
    /// chat model by its yes and no, or a teacher of the settings. `none` does without the one that the settings name
    /// (`rerank` under `[search]`).
    #[arg(long, value_name = "MODEL")]
    pub(super) rerank: Option<String>,
    /// Rerank as many as can be scored in so long; 500ms unless the settings say otherwise (`rerank_ms`). The
    /// others are after them in their fused order.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(super) budget: Option<Duration>,
}

impl SearchModelArguments {
    /// What the settings say, and what the arguments say instead.
    pub(super) fn wanted(&self, settings: &SearchSettings) -> SearchSettings {
        let named = |argument: &Option<String>, setting: &Option<String>| {
            argument.clone().or_else(|| setting.clone()).filter(|name| name != NONE)
        };
        let milliseconds = |argument: Option<Duration>, setting: u64| {
            argument.map_or(setting, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
        };
        SearchSettings {
            expand: named(&self.expand, &settings.expand),
            expand_ms: milliseconds(self.expand_budget, settings.expand_ms),
            rerank: named(&self.rerank, &settings.rerank),
            rerank_ms: milliseconds(self.budget, settings.rerank_ms),
        }
    }

    /// Begins to load them for the library in a folder.
    pub(super) fn start(&self, place: &RagContext, library: &Path) -> Result<SearchModels> {
        let settings = place.folders.load_settings()?.search;
        self.check(&settings)?;
        start(place, library, &self.wanted(&settings))
    }

    /// Refuses a time for a model that there isn't.
    pub(super) fn check(&self, settings: &SearchSettings) -> Result<()> {
        let wanted = self.wanted(settings);
        ensure!(
            self.budget.is_none() || wanted.rerank.is_some(),
            "--budget is the time of a reranker, and none is named: say --rerank MODEL"
        );
        ensure!(
            self.expand_budget.is_none() || wanted.expand.is_some(),
            "--expand-budget is the time of a model that expands, and none is named: say --expand MODEL"
        );
        Ok(())
    }

    /// What is measured: each model that is named alone, and both if there are two. The settings' are not, since figures
    /// are to say what they are of.
    pub(super) fn each(&self) -> Vec<(&'static str, SearchSettings)> {
        let both = self.wanted(&SearchSettings::default());
        let expanding = SearchSettings { rerank: None, ..both.clone() };
        let reranking = SearchSettings { expand: None, ..both.clone() };
        match (both.expand.is_some(), both.rerank.is_some()) {
            (false, false) => Vec::new(),
            (true, false) => vec![("expansion", expanding)],
            (false, true) => vec![("rerank", reranking)],
            (true, true) => {
                vec![("expansion", expanding), ("rerank", reranking), ("expansion + rerank", both)]
            }
        }
    }
}

/// Begins to load models, and fetches those that are not here.
pub(super) fn start(place: &RagContext, library: &Path, wanted: &SearchSettings) -> Result<SearchModels> {
    SearchModels::start(&place.folders, library, wanted, Network::Allowed, &mut Bar::new())
}

/// `500ms`, `2s`, `1.5s`.
fn time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text} is no time such as 500ms or 2s");
    let (number, scale) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 0.001),
        (None, Some(number)) => (number, 1.0),
        (None, None) => return Err(wrong()),
    };
    let seconds: f64 = number.trim().parse().map_err(|_| wrong())?;
    // Longer than a day is no wait that anybody means.
    let fits = (0.0..=86_400.0).contains(&(seconds * scale));
    if fits { Ok(Duration::from_secs_f64(seconds * scale)) } else { Err(wrong()) }
}
