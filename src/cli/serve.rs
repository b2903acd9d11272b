//! `dojo serve`: OpenAI's HTTP API over models.

mod libraries;
mod offers;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use self::libraries::LibrariesToServe;
use self::offers::ModelsToServe;
use super::print;
use super::sampling::ModelArguments;
use crate::app::process;
use crate::domain::counted::counted;
use crate::engine::device::{self, ComputeDevice};
use crate::ground::memory::free_bytes;
use crate::serve::{
    Access, AllowedOrigin, Clients, KeepLoaded, Listening, Log, Offer, ServeEnd, ServedKind, Settings,
    ShelfChange, Why, listen,
};

/// Arguments of `dojo serve`.
#[derive(Args)]
#[command(after_help = ENDS)]
pub(super) struct ServeArguments {
    /// Models by name, as `--model` takes one, each loaded when it is asked for; the first is loaded at once.
    #[arg(value_name = "MODEL", conflicts_with = "model")]
    models: Vec<String>,
    #[command(flatten)]
    model: ModelArguments,
    /// A further adapter of the first model, offered as a model of its own: NAME=DIR; may be given several times. Of
    /// those that bring new tokens, all must bring the same.
    #[arg(long, value_name = "NAME=DIR", value_parser = read_named)]
    offer: Vec<(String, PathBuf)>,
    /// The sentence model that answers /v1/embeddings, `all-minilm-l6-v2` for one.
    #[arg(long, value_name = "MODEL")]
    embeddings: Option<String>,
    #[command(flatten)]
    libraries: LibrariesToServe,
    /// Memory that loaded models may take together, 8GB for one; `none` is no limit. The least recently used that nobody
    /// uses is unloaded for another. With several models on the processor it is 80 % of what is free at the start.
    #[arg(long, value_name = "SIZE", value_parser = read_memory)]
    memory: Option<Memory>,
    /// Unload a model that was asked nothing for so long: 90s, 10m, 2h.
    #[arg(long, value_name = "TIME", value_parser = read_time)]
    idle: Option<Duration>,
    /// The address to listen on. Anything but loopback needs a key in `DOJO_API_KEY`.
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Requests in progress or waiting at most; more are turned away.
    #[arg(long, default_value_t = 256, value_parser = read_count)]
    queue: usize,
    /// Pages of a browser that may ask: `https://example.org`, `localhost` (this machine's, at any port) or `*`; may be
    /// given several times.
    #[arg(long, value_name = "ORIGIN", default_value = "localhost")]
    origin: Vec<AllowedOrigin>,
    /// Bytes of a request at most, up to 1 GiB.
    #[arg(long, default_value_t = 4 << 20, value_parser = read_body)]
    max_body: usize,
    /// Connections at most. Another one takes the place of that which has asked nothing for longest.
    #[arg(long, default_value_t = Clients::default().connections, value_parser = read_count)]
    connections: usize,
    /// Write a line for each request to standard error: when, what, its status, and how long until the answer began.
    #[arg(long)]
    log: bool,
}

const ENDS: &str = "\
Ctrl-C, SIGTERM or the terminal's end (not under nohup) ends: answers in progress get 5 seconds, a second signal ends at
once. The exit code is 0 where every answer came to its end, 130 (Ctrl-C), 143 (SIGTERM) or 129 where answers were cut
off.";

pub(super) fn run(arguments: &ServeArguments) -> Result<ExitCode> {
    let api_key = std::env::var("DOJO_API_KEY").ok();
    let settings = Settings {
        address: SocketAddr::new(arguments.host, arguments.port),
        api_key,
        queue: arguments.queue,
        body: arguments.max_body,
        origins: arguments.origin.clone(),
        clients: Clients { connections: arguments.connections, ..Clients::default() },
        log: arguments.log.then_some(tell as Log),
    };
    ensure!(
        !arguments.model.merge || arguments.offer.is_empty(),
        "--merge leaves nothing that --offer could be added to: give one or the other"
    );
    let listening = listen(settings)?.from_libraries(arguments.libraries.open()?)?;
    let keep = KeepLoaded {
        memory: memory(arguments)?,
        idle: arguments.idle,
        tell: Some(if arguments.log { tell_all } else { tell_failures }),
    };
    let offers = offers::all(&arguments.wanted(), keep.memory)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code = runtime.block_on(answer(listening, offers, keep));
    // A constraint that is being compiled or a text that is being embedded can't be stopped, and nobody waits for it.
    runtime.shutdown_background();
    code
}

impl ServeArguments {
    fn wanted(&self) -> ModelsToServe {
        let mut first = self.model.clone();
        let mut names = self.models.iter().cloned();
        if let Some(name) = names.next() {
            first.model = name;
        }
        ModelsToServe {
            first,
            adapters: self.offer.clone(),
            others: names.collect(),
            embeddings: self.embeddings.clone(),
        }
    }
}

/// The limit that is asked for, or fits the machine.
fn memory(arguments: &ServeArguments) -> Result<Option<u64>> {
    match arguments.memory {
        Some(Memory::Bytes(bytes)) => return Ok(Some(bytes)),
        Some(Memory::Unlimited) => return Ok(None),
        None if arguments.models.len() < 2 => return Ok(None),
        None => {}
    }
    // What is free on a device isn't known here.
    let on_processor = matches!(device::choose(arguments.model.device)?, ComputeDevice::Cpu);
    Ok(free_bytes().filter(|_| on_processor).map(|free| free / 5 * 4))
}

fn tell(access: &Access) {
    let when = chrono::Local::now().format("%Y-%m-%d %H:%M:%S");
    let Access { method, path, status, seconds } = access;
    print::complain(&format!("{when} {method} {path} {status} {seconds:.3} s"));
}

fn tell_all(change: &ShelfChange) {
    let when = chrono::Local::now().format("%Y-%m-%d %H:%M:%S");
    match change {
        ShelfChange::Loaded { name, seconds } => {
            print::complain(&format!("{when} loaded {name} in {seconds:.1} s"));
        }
        ShelfChange::Unloaded { name, why: Why::Idle } => {
            print::complain(&format!("{when} unloaded {name}: idle"));
        }
        ShelfChange::Unloaded { name, why: Why::Room } => {
            print::complain(&format!("{when} unloaded {name}: another needs its room"));
        }
        ShelfChange::Failed { name, error } => {
            print::complain(&format!("{when} {name} can't be loaded: {error}"));
        }
    }
}

fn tell_failures(change: &ShelfChange) {
    match change {
        ShelfChange::Failed { .. } => tell_all(change),
        ShelfChange::Loaded { .. } | ShelfChange::Unloaded { .. } => {}
    }
}

/// Serves until the first signal, then until everything is answered, the time for that is over, or a second signal
/// comes.
async fn answer(listening: Listening, offers: Vec<Offer>, keep: KeepLoaded) -> Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let patience = listening.patience();
    let first = offers.first().map(|offer| offer.name.clone());
    let embeds =
        offers.iter().filter(|offer| offer.kind == ServedKind::Embeds).map(|offer| offer.name.clone());
    // The first last: where there is room for one only, it stays.
    let at_once: Vec<String> = embeds.chain(first).collect();
    let bound = listening.offering(offers, keep)?;
    for name in at_once {
        tokio::select! {
            loaded = bound.load(&name) => loaded.with_context(|| format!("load {name}"))?,
            code = signals.next() => return Ok(ExitCode::from(code)),
        }
    }
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
        ended = &mut serving => (ended?, first),
        second = signals.next() => {
            busy.hurry();
            (serving.await?, second)
        }
    };
    Ok(match ended {
        ServeEnd::Whole | ServeEnd::Cut(0) => ExitCode::SUCCESS,
        ServeEnd::Cut(count) => {
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
    counted(count as u64, "answer")
}

/// Ctrl-C and the system's request to end.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    /// The terminal's end, unless whoever started this (`nohup`) said that it outlives it.
    #[cfg(unix)]
    hang_up: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).context("listen for signals");
        let ends = !process::ignores_hang_up();
        let hang_up = ends.then(|| listen(SignalKind::hangup())).transpose()?;
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up,
        })
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    fn listen() -> Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next one; the exit code that it stands for.
    #[cfg(unix)]
    async fn next(&mut self) -> u8 {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
            _ = hang_up => 129,
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> u8 {
        tokio::signal::ctrl_c().await.ok();
        130
    }
}

/// How much memory loaded models may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    Unlimited,
    Bytes(u64),
}

/// A number of what there must be one of at least.
fn read_count(text: &str) -> Result<usize> {
    const MOST: usize = 1 << 20;
    let count: usize = text.parse()?;
    ensure!((1..=MOST).contains(&count), "give a number from 1 to {MOST}");
    Ok(count)
}

fn read_body(text: &str) -> Result<usize> {
    const MOST: usize = 1 << 30;
    let bytes: usize = text.parse()?;
    // What is shorter holds no question.
    ensure!((64..=MOST).contains(&bytes), "give a number of bytes from 64 to {MOST}");
    Ok(bytes)
}

fn read_memory(text: &str) -> Result<Memory> {
    if text == "none" {
        return Ok(Memory::Unlimited);
    }
    let units = [
        ("KIB", 1_u64 << 10),
        ("MIB", 1 << 20),
        ("GIB", 1 << 30),
        ("TIB", 1 << 40),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("K", 1_000),
        ("M", 1_000_000),
        ("G", 1_000_000_000),
        ("T", 1_000_000_000_000),
        ("B", 1),
    ];
    let number = number_of(&text.to_ascii_uppercase(), &units);
    let bytes = number.with_context(|| format!("{text:?} is no size: give 8GB, 512MB, 6GiB or none"))?;
    Ok(Memory::Bytes(bytes as u64))
}

fn read_time(text: &str) -> Result<Duration> {
    let units = [("ms", 1_u64), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    let number = number_of(text, &units);
    let milliseconds = number.with_context(|| format!("{text:?} is no time: give 90s, 10m or 2h"))?;
    Ok(Duration::from_millis(milliseconds as u64))
}

/// A positive number with one of some units; the longer of two that fit is before the other.
fn number_of(text: &str, units: &[(&str, u64)]) -> Option<f64> {
    let (number, unit) = units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))?;
    let number: f64 = number.trim().parse().ok()?;
    Some(number * unit as f64).filter(|number| *number >= 1.0 && *number < 1e18)
}

fn read_named(text: &str) -> Result<(String, PathBuf)> {
    match text.split_once('=') {
        Some((name, folder)) if !name.is_empty() && !folder.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(folder)))
        }
        _ => bail!("{text:?} isn't NAME=DIR"),
    }
}
