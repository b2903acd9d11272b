//! Sessions on disk: finding, opening and making them, and the samples that ship inside the program.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use include_dir::{Dir, include_dir};

use super::runs;
use crate::config::Folders;
use crate::domain::name;
use crate::domain::session::{
    Begins, Download, FILE, SessionFile, SessionInfo, SessionPlace, SessionSummary,
};
use crate::engine::hub;
use crate::ground::{files, folders};
use crate::session::Session;

static SAMPLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sessions");

/// Opens the session in a folder.
///
/// # Errors
/// Where there is no `session.toml`, or it can't be read.
pub fn open(path: &Path) -> Result<SessionInfo> {
    let path = path.canonicalize().with_context(|| format!("open the session in {}", path.display()))?;
    let file = path.join(FILE);
    ensure!(
        file.is_file(),
        "{} is not a session: it has no {FILE}; `dojo new NAME` makes one, `dojo open` lists them",
        path.display()
    );
    let text = std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    let file: SessionFile = toml::from_str(&text).with_context(|| format!("read {}", file.display()))?;
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok(SessionInfo { name, path, file })
}

/// Opens what a person calls a session: a folder's path, the name of one of their sessions, or of a sample.
///
/// # Errors
/// Where there is none: the sentence lists those that there are.
pub fn open_named(folders: &Folders, name: &str) -> Result<SessionInfo> {
    let path = PathBuf::from(name);
    if path.join(FILE).is_file() || path.components().count() > 1 {
        return open(&path);
    }
    let own = folders.sessions().join(name);
    if own.is_dir() {
        return open(&own);
    }
    if SAMPLES.get_dir(name).is_some() {
        return open_sample(folders, name);
    }
    let known: Vec<String> = list(folders)?.into_iter().map(|session| session.name).collect();
    bail!(
        "there is no session {}; `dojo new NAME` makes one; there are: {}",
        name::shown(name),
        known.join(", ")
    )
}

/// The session to begin with: the one that was open last, if it is still there.
#[must_use]
pub fn open_last(folders: &Folders) -> Option<SessionInfo> {
    let path = folders.last_session()?;
    open(&path).inspect_err(|error| tracing::warn!("{error:#}")).ok()
}

/// Copies a sample into the user's sessions, unless it is there already, and opens it.
///
/// # Errors
/// Where there is no such sample, or it can't be written.
pub fn open_sample(folders: &Folders, name: &str) -> Result<SessionInfo> {
    let path = folders.sessions().join(name);
    if !path.join(FILE).is_file() {
        let sample = SAMPLES.get_dir(name).with_context(|| format!("there is no sample session '{name}'"))?;
        // Beside it first, then renamed: half a sample must not look like a session.
        let beside = unfinished(folders, name);
        copy(sample, sample.path(), &beside)
            .and_then(|()| std::fs::rename(&beside, &path).context("rename it"))
            .with_context(|| format!("copy the sample session to {}", path.display()))?;
    }
    open(&path)
}

/// Where a session is made before it gets its name. What killed processes left of such folders is removed.
fn unfinished(folders: &Folders, name: &str) -> PathBuf {
    let beginning = format!(".{name}.new-");
    for entry in std::fs::read_dir(folders.sessions()).into_iter().flatten().filter_map(Result::ok) {
        let file = entry.file_name().to_string_lossy().into_owned();
        let maker = file.strip_prefix(&beginning).and_then(|process| process.parse().ok());
        if maker.is_some_and(|process| !crate::ground::process::is_alive(process)) {
            let removed = std::fs::remove_dir_all(entry.path());
            tracing::debug!(?file, ?removed, "left by a killed process");
        }
    }
    folders.sessions().join(format!("{beginning}{}", std::process::id()))
}

fn copy(dir: &Dir<'_>, root: &Path, to: &Path) -> Result<()> {
    let target = |path: &Path| to.join(path.strip_prefix(root).unwrap_or(path));
    std::fs::create_dir_all(target(dir.path()))?;
    for file in dir.files() {
        files::write_flushed(&target(file.path()), file.contents())?;
    }
    dir.dirs().try_for_each(|inner| copy(inner, root, to))
}

/// Makes an empty session in the user's sessions folder.
///
/// # Errors
/// Where the name can't be a folder's, or is taken.
pub fn create(folders: &Folders, name: &str) -> Result<SessionInfo> {
    name::check("session", name).map_err(anyhow::Error::msg)?;
    let path = folders.sessions().join(name);
    ensure!(
        !path.exists(),
        "there is a session '{name}' already, in {}; open it with `dojo open {name}`",
        path.display()
    );
    let make = || -> Result<()> {
        let beside = unfinished(folders, name);
        std::fs::create_dir_all(beside.join("runs"))?;
        std::fs::create_dir_all(beside.join("recipes"))?;
        let file = SessionFile {
            title: name.to_owned(),
            model: "smollm2-135m".into(),
            task: "chat".into(),
            ..SessionFile::default()
        };
        files::write_flushed(&beside.join(FILE), toml::to_string(&file)?.as_bytes())?;
        // With its database: who opens it at once needn't wait for another to make it.
        drop(Session::create(&beside)?);
        Ok(std::fs::rename(&beside, &path)?)
    };
    make().with_context(|| format!("make a session in {}", path.display()))?;
    open(&path)
}

/// Makes a session of parts of samples: each a sample with the file or folder in it that is taken, all if that is empty.
/// `mark` is an empty file that says whose session it is.
///
/// # Errors
/// Where there is no such part, or the session can't be written.
pub(in crate::app) fn create_of_samples(
    folders: &Folders,
    name: &str,
    parts: &[(&str, &str)],
    mark: &str,
) -> Result<SessionInfo> {
    let path = folders.sessions().join(name);
    let beside = unfinished(folders, name);
    let make = || -> Result<()> {
        for (sample, part) in parts {
            let dir = SAMPLES.get_dir(sample).with_context(|| format!("find the sample {sample}"))?;
            let part = dir.path().join(part);
            match (SAMPLES.get_dir(&part), SAMPLES.get_file(&part)) {
                (Some(folder), _) => copy(folder, dir.path(), &beside)?,
                (None, Some(file)) => {
                    let to = beside.join(part.strip_prefix(dir.path()).unwrap_or(&part));
                    files::write_flushed(&to, file.contents())?;
                }
                (None, None) => bail!("find {} among the samples", part.display()),
            }
        }
        files::write_flushed(&beside.join(mark), b"")?;
        Ok(std::fs::rename(&beside, &path)?)
    };
    make().with_context(|| format!("make a session in {}", path.display()))?;
    open(&path)
}

/// Makes an empty session for the records of a file, a folder or a dataset of the hub, called like it.
///
/// # Errors
/// When it can't be made.
pub fn create_for(folders: &Folders, path: &Path) -> Result<SessionInfo> {
    let text = path.to_string_lossy();
    let last = match text.strip_prefix("hf:") {
        Some(dataset) => {
            dataset.split(':').next().and_then(|name| name.rsplit('/').next()).map(str::to_owned)
        }
        None => path.file_stem().map(|stem| stem.to_string_lossy().into_owned()),
    };
    let stem = name::made_of(last.as_deref().unwrap_or("data"));
    let free = |name: &String| !folders.sessions().join(name).exists() && SAMPLES.get_dir(name).is_none();
    let mut names = std::iter::once(stem.clone()).chain((2..).map(|number| format!("{stem}-{number}")));
    create(folders, &names.find(free).unwrap_or(stem))
}

/// Gives a session's folder another name.
///
/// # Errors
/// When it is no session of the user's, a run in it goes on, or the name is taken or can't be a folder's.
pub fn rename(folders: &Folders, folder: &Path, name: &str) -> Result<()> {
    name::check("session", name).map_err(anyhow::Error::msg)?;
    let session = at_rest(folders, folder)?;
    let to = folders.sessions().join(name);
    ensure!(!to.exists(), "there is a session '{name}' already, in {}", to.display());
    // Its title is only another spelling of the folder's name.
    if session.file.title == session.name {
        let file = SessionFile { title: name.to_owned(), ..session.file };
        files::write_atomically(&session.path.join(FILE), toml::to_string(&file)?.as_bytes())?;
    }
    std::fs::rename(&session.path, &to)
        .with_context(|| format!("rename {} to {}", session.path.display(), to.display()))
}

/// Removes a session's folder with its records, runs and recipes.
///
/// # Errors
/// When it is no session of the user's, a run in it goes on, or the folder can't be removed.
pub fn delete(folders: &Folders, folder: &Path) -> Result<()> {
    let session = at_rest(folders, folder)?;
    folders::remove_folder(&session.path).with_context(|| format!("delete the session {}", session.name))
}

/// A session of the user's in which no run goes on.
fn at_rest(folders: &Folders, folder: &Path) -> Result<SessionInfo> {
    let session = open(folder)?;
    let home = folders.sessions().canonicalize().context("find the sessions")?;
    ensure!(
        session.path.parent() == Some(home.as_path()),
        "{} is not in {}: move or remove it in a shell",
        session.path.display(),
        home.display()
    );
    let live = runs::list_runs_in(&session.runs())?.into_iter().find(|run| run.standing.is_live());
    if let Some(run) = live {
        bail!("the run {} of {} is {}; stop it first", run.name, session.name, run.standing.name());
    }
    Ok(session)
}

/// The user's sessions by name, then the samples that were not opened yet.
///
/// # Errors
/// Where the sessions folder can't be read.
pub fn list(folders: &Folders) -> Result<Vec<SessionSummary>> {
    let mut sessions = own(folders)?;
    sessions.sort_by(|left, right| left.name.cmp(&right.name));
    for sample in SAMPLES.dirs() {
        let Some(summary) = sample_summary(folders, sample) else { continue };
        if sessions.iter().all(|session| session.name != summary.name) {
            sessions.push(summary);
        }
    }
    Ok(sessions)
}

fn own(folders: &Folders) -> Result<Vec<SessionSummary>> {
    let folder = folders.sessions();
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("read {}", folder.display())),
    };
    let paths = entries.flatten().map(|entry| entry.path());
    let visible =
        paths.filter(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')));
    Ok(visible.filter_map(|path| open(&path).ok()).map(|session| summary(folders, session)).collect())
}

/// What one does first in a session.
pub(crate) fn begins(session: &SessionInfo) -> Begins {
    let holds = |file: &str| session.path.join(file).is_file();
    match runs_of(session) {
        0 if holds("reflections.jsonl") => Begins::Review,
        0 if !holds("data.jsonl") && !has_files(&session.recipes()) => Begins::Data,
        _ => Begins::Train,
    }
}

fn runs_of(session: &SessionInfo) -> usize {
    let runs = std::fs::read_dir(session.runs());
    runs.map_or(0, |runs| runs.flatten().filter(|run| run.path().is_dir()).count())
}

fn summary(folders: &Folders, session: SessionInfo) -> SessionSummary {
    let (runs, begins) = (runs_of(&session), begins(&session));
    SessionSummary {
        name: session.name,
        about: session.file.about,
        bytes: size_on_disk(&session.path),
        place: SessionPlace::Folder(session.path),
        runs,
        begins,
        download: download(folders, &session.file.model),
    }
}

fn sample_summary(folders: &Folders, sample: &Dir<'_>) -> Option<SessionSummary> {
    let text = sample.get_file(sample.path().join(FILE))?.contents_utf8()?;
    let file: SessionFile = toml::from_str(text).ok()?;
    Some(SessionSummary {
        name: sample.path().file_name()?.to_string_lossy().into_owned(),
        about: file.about,
        place: SessionPlace::Sample,
        runs: 0,
        bytes: size(sample),
        begins: match sample.get_file(sample.path().join("reflections.jsonl")) {
            Some(_) => Begins::Review,
            None => Begins::Train,
        },
        download: download(folders, &file.model),
    })
}

/// Whether a session's model is on this machine, and how large it is otherwise.
fn download(folders: &Folders, model: &str) -> Download {
    if model.is_empty() {
        return Download::Nothing;
    }
    let here = Path::new(model).exists() || pulled(folders, model);
    let model = model.to_owned();
    if here { Download::Here(model) } else { Download::Needed { bytes: shipped_size(&model), model } }
}

fn pulled(folders: &Folders, model: &str) -> bool {
    hub::list(&folders.models()).is_ok_and(|models| models.iter().any(|pulled| pulled.name == model))
}

/// The size of a default model, as its package index states it.
fn shipped_size(model: &str) -> Option<u64> {
    (model == "smollm2-135m").then_some(98_362_432)
}

fn size(dir: &Dir<'_>) -> u64 {
    let files: u64 = dir.files().map(|file| file.contents().len() as u64).sum();
    files + dir.dirs().map(size).sum::<u64>()
}

fn has_files(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

fn size_on_disk(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => size_on_disk(&entry.path()),
            Ok(data) => data.len(),
            Err(_) => 0,
        })
        .sum()
}
