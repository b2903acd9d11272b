//! What merging and exporting are both told.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};

use crate::engine::export::CombineMethod;

#[derive(Args)]
pub(super) struct HandOverArguments {
    /// A run, an adapter's folder, or a model without one. Several adapters are put together; NAME=0.5 weighs one.
    #[arg(required = true, value_name = "RUN|ADAPTER|MODEL")]
    pub(super) named: Vec<String>,
    /// The base model, if it isn't the one that the adapter names.
    #[arg(long, value_name = "MODEL")]
    pub(super) base: Option<String>,
    /// How several adapters are put together.
    #[arg(long, value_enum, default_value_t = CombineChoice::Linear)]
    method: CombineChoice,
    /// The share of each adapter's changes that counts with --method ties.
    #[arg(long, default_value_t = 0.5)]
    density: f32,
    /// What the model is called; BASE-RUN if it isn't given.
    #[arg(long)]
    pub(super) name: Option<String>,
    /// Prompts that the check asks the trained and the exported model, as `dojo generate --input` reads them.
    #[arg(long, value_name = "FILE")]
    pub(super) prompts: Option<PathBuf>,
    /// How far the check goes: logits as far as memory allows, or tokens, ends and template alone.
    #[arg(long, value_enum, default_value_t = Check::Auto)]
    pub(super) check: Check,
    /// An earlier export in the same place goes.
    #[arg(long)]
    pub(super) replace: bool,
    /// Send the folder to a repository of the Hugging Face hub (hf:owner/name), made private if it isn't there; `HF_TOKEN`
    /// must hold a token that may write.
    #[arg(long, value_name = "REPOSITORY")]
    pub(super) push: Option<String>,
    /// Show what --push would send, and send nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Make the repository public if it isn't there.
    #[arg(long, requires = "push")]
    pub(super) public: bool,
    /// Print JSON objects, one a line.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CombineChoice {
    /// A weighted sum of what they change.
    Linear,
    /// The largest changes of each, where they agree in sign (Yadav et al. 2023).
    Ties,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Check {
    /// Logits, if there is memory for it.
    Auto,
    /// Everything.
    Logits,
    /// Tokens, ends and template.
    Tokens,
}

impl HandOverArguments {
    pub(super) fn method(&self) -> Result<CombineMethod> {
        ensure!(
            self.density > 0.0 && self.density <= 1.0,
            "--density is {}; it must be above 0 and at most 1",
            self.density
        );
        Ok(match self.method {
            CombineChoice::Linear => CombineMethod::Linear,
            CombineChoice::Ties => CombineMethod::Ties { density: self.density },
        })
    }
}
