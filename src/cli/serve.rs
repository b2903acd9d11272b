//! `dojo serve`: OpenAI's HTTP API over a model.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use super::sampling::ModelArguments;
use super::{loading, print};
use crate::serve::{Origin, Served, Settings, listen};

/// Arguments of `dojo serve`.
#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    model: ModelArguments,
    /// A further adapter, offered as a model of its own: NAME=DIR; may be given several times. Of those that bring new
    /// tokens, all must bring the same.
    #[arg(long, value_name = "NAME=DIR", value_parser = read_named)]
    offer: Vec<(String, PathBuf)>,
    /// The sentence model that answers /v1/embeddings, `all-minilm-l6-v2` for one.
    #[arg(long, value_name = "MODEL")]
    embeddings: Option<String>,
    /// The address to listen on. Anything but loopback needs a key in `DOJO_API_KEY`.
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Requests in progress or waiting at most; more are turned away.
    #[arg(long, default_value_t = 256)]
    queue: usize,
    /// Pages of a browser that may ask: `https://example.org`, `localhost` (this machine's, at any port) or `*`; may be
    /// given several times.
    #[arg(long, value_name = "ORIGIN", default_value = "localhost")]
    origin: Vec<Origin>,
    /// Bytes of a request at most.
    #[arg(long, default_value_t = 4 << 20)]
    max_body: usize,
}

pub(super) fn run(arguments: &Serve) -> Result<ExitCode> {
    let api_key = std::env::var("DOJO_API_KEY").ok();
    let settings = Settings {
        address: SocketAddr::new(arguments.host, arguments.port),
        api_key,
        queue: arguments.queue,
        body: arguments.max_body,
        origins: arguments.origin.clone(),
    };
    ensure!(
        !arguments.model.merge || arguments.offer.is_empty(),
        "--merge leaves nothing that --offer could be added to: give one or the other"
    );
    let listening = listen(settings)?;
    let others: Vec<&Path> = arguments.offer.iter().map(|(_, folder)| folder.as_path()).collect();
    let (mut open, mut ready) = loading::open_with(&arguments.model, &others)?;
    let mut adapters = BTreeMap::new();
    if let Some(folder) = &arguments.model.adapter {
        let name = folder.file_name().context("the adapter's folder has no name")?;
        let name = name.to_string_lossy().into_owned();
        match ready.adapter {
            Some(adapter) => drop(adapters.insert(name, adapter)),
            // Merged, it is all that there is.
            None => open.name = name,
        }
    }
    for (name, folder) in &arguments.offer {
        let adapter = loading::adapter(folder, &open)?;
        let id = ready.generator.add_adapter(&adapter)?;
        if adapters.insert(name.clone(), id).is_some() || *name == open.name {
            bail!("the name {name} is given twice");
        }
    }
    let embedder = arguments.embeddings.as_deref().map(loading::embedder).transpose()?;
    let served =
        Served { name: open.name, generator: ready.generator, prompter: ready.prompter, adapters, embedder };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let bound = listening.with(served)?;
        print::complain(&format!("serving on http://{}/v1 (Ctrl-C ends)", bound.address()?));
        bound.run(stopped()).await
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Waits for Ctrl-C or a request of the system to end.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    tokio::signal::ctrl_c().await.ok();
}

fn read_named(text: &str) -> Result<(String, PathBuf)> {
    match text.split_once('=') {
        Some((name, folder)) if !name.is_empty() && !folder.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(folder)))
        }
        _ => bail!("{text:?} isn't NAME=DIR"),
    }
}
