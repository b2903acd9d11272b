//! `dojo serve`: OpenAI's HTTP API over a model.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use super::sampling::ModelArguments;
use super::{loading, print};
use crate::serve::{Access, Clients, Ended, Listening, Log, Origin, Served, Settings, listen};

/// Arguments of `dojo serve`.
#[derive(Args)]
#[command(after_help = ENDS)]
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
    /// Connections at most. Another one takes the place of that which has asked nothing for longest.
    #[arg(long, default_value_t = Clients::default().connections)]
    connections: usize,
    /// Write a line for each request to standard error: when, what, its status, and how long until the answer began.
    #[arg(long)]
    log: bool,
}

const ENDS: &str = "\
Ctrl-C or SIGTERM ends: answers in progress get 5 seconds, a second signal ends at once. The exit code is 0 where every
answer came to its end, 130 (Ctrl-C) or 143 (SIGTERM) where answers were cut off.";

pub(super) fn run(arguments: &Serve) -> Result<ExitCode> {
    let api_key = std::env::var("DOJO_API_KEY").ok();
    let settings = Settings {
        address: SocketAddr::new(arguments.host, arguments.port),
        api_key,
        queue: arguments.queue,
        body: arguments.max_body,
        origins: arguments.origin.clone(),
        clients: Clients { connections: arguments.connections.max(1), ..Clients::default() },
        log: arguments.log.then_some(tell as Log),
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
        if adapters.insert(name.clone(), id).is_some() || *name == own_name(&open.name) {
            bail!("the name {name} is given twice");
        }
    }
    let embedder = arguments.embeddings.as_deref().map(loading::embedder).transpose()?;
    let name = own_name(&open.name);
    let served = Served { name, generator: ready.generator, prompter: ready.prompter, adapters, embedder };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code = runtime.block_on(answer(listening, served));
    // A constraint that is being compiled or a text that is being embedded can't be stopped, and nobody waits for it.
    runtime.shutdown_background();
    code
}

/// What clients call a model: without the folders of its path, which are nobody's business.
fn own_name(name: &str) -> String {
    let file = Path::new(name).file_name().map(|file| file.to_string_lossy().into_owned());
    file.unwrap_or_else(|| name.to_owned())
}

fn tell(access: &Access) {
    let when = chrono::Local::now().format("%Y-%m-%d %H:%M:%S");
    let Access { method, path, status, seconds } = access;
    print::complain(&format!("{when} {method} {path} {status} {seconds:.3} s"));
}

/// Serves until the first signal, then until everything is answered, the time for that is over, or a second signal
/// comes.
async fn answer(listening: Listening, served: Served) -> Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let patience = listening.patience();
    let bound = listening.with(served)?;
    print::complain(&format!("serving on http://{}/v1 (Ctrl-C ends)", bound.address()?));
    let busy = bound.busy();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = bound.run(async move { drop(stopped.await) });
    tokio::pin!(serving);
    let first = tokio::select! {
        ended = &mut serving => return ended.map(|_| ExitCode::SUCCESS),
        code = signals.next() => code,
    };
    let waited_for = busy.answering();
    stop.send(()).ok();
    if waited_for > 0 {
        print::complain(&waiting(waited_for, patience));
    }
    let (ended, code) = tokio::select! {
        ended = serving => (ended?, first),
        second = signals.next() => (Ended::Cut(busy.answering()), second),
    };
    Ok(match ended {
        Ended::Whole | Ended::Cut(0) => ExitCode::SUCCESS,
        Ended::Cut(count) => {
            print::complain(&format!("{} cut off", answers(count)));
            ExitCode::from(code)
        }
    })
}

fn waiting(count: usize, patience: Duration) -> String {
    let seconds = patience.as_secs();
    format!("stopping: {} in progress, which may take {seconds} s more; Ctrl-C ends at once", answers(count))
}

fn answers(count: usize) -> String {
    if count == 1 { "1 answer".to_owned() } else { format!("{count} answers") }
}

/// Ctrl-C and the system's request to end.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).context("listen for signals");
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    fn listen() -> Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next one; the exit code that it stands for.
    #[cfg(unix)]
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> u8 {
        tokio::signal::ctrl_c().await.ok();
        130
    }
}

fn read_named(text: &str) -> Result<(String, PathBuf)> {
    match text.split_once('=') {
        Some((name, folder)) if !name.is_empty() && !folder.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(folder)))
        }
        _ => bail!("{text:?} isn't NAME=DIR"),
    }
}
