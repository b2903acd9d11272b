//! Which folders may run the programs that their tasks, recipes and blueprints name as rewards. Trust is the user's, kept in their own
//! data folder by the folder and a hash over every command and the code beside it: a changed one asks again.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::Folders;
use crate::domain::reward::RewardUse;
use crate::domain::session;
use crate::ground::clock;
use crate::ground::files::{Readers, replace};
use crate::reward::{COMMAND, command_line};

/// What a folder would run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FolderCommands {
    pub folder: PathBuf,
    pub commands: Vec<FolderCommand>,
    /// The code in the folder that the hash covers: files of the kinds that the commands name.
    pub files: Vec<PathBuf>,
    pub hash: String,
}

/// One command of a task or recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FolderCommand {
    /// The file that names it, within the folder.
    pub file: PathBuf,
    pub reward: String,
    pub line: Vec<String>,
}

/// Files and bytes that are hashed at most.
const MOST_FILES: usize = 2000;
const MOST_BYTES: u64 = 64 << 20;
/// A folder's tasks, recipes and blueprints.
const PLACES: [&str; 4] = ["", "tasks", "recipes", "blueprints"];

/// The folder that a task's file belongs to: its session's, or the one that it is in.
#[must_use]
pub fn folder_of(file: &Path) -> PathBuf {
    let own = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let above =
        own.parent().filter(|_| ["tasks", "recipes", "blueprints"].iter().any(|place| own.ends_with(place)));
    match above {
        Some(above) if above.join(session::FILE).is_file() => above.to_owned(),
        Some(_) | None => own.to_owned(),
    }
}

/// Everything that a folder's tasks and recipes would run.
///
/// # Errors
/// Where the folder can't be read, or holds more code than is hashed.
pub fn commands_in(folder: &Path) -> Result<FolderCommands> {
    let folder = folder.canonicalize().with_context(|| format!("read the folder {}", folder.display()))?;
    ensure!(folder.is_dir(), "{} is a file: name the folder that it is in", folder.display());
    let mut commands = Vec::new();
    for place in PLACES {
        let Ok(entries) = std::fs::read_dir(folder.join(place)) else { continue };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
        paths.sort();
        for path in paths {
            commands.extend(commands_of(&folder, &path));
        }
    }
    let files = code(&folder, &commands)?;
    let hash = hash(&folder, &commands, &files)?;
    Ok(FolderCommands { folder, commands, files, hash })
}

/// What one file would run: rows of its table of rewards that are commands. A file that can't be read runs nothing.
fn commands_of(folder: &Path, path: &Path) -> Vec<FolderCommand> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let Ok(value) = toml::from_str::<serde_json::Value>(&text) else { return Vec::new() };
    let tables = [value.pointer("/score/rewards"), value.pointer("/rewards")];
    let rows = tables.into_iter().flatten().filter_map(|table| RewardUse::table(table).ok()).flatten();
    let file = path.strip_prefix(folder).unwrap_or(path);
    rows.filter(|row| row.reward == COMMAND)
        .filter_map(|row| {
            let line = command_line(&row).ok()?;
            Some(FolderCommand { file: file.to_owned(), reward: row.name, line })
        })
        .collect()
}

/// Files that the commands name, and all others of the same kinds: a script may load them.
fn code(folder: &Path, commands: &[FolderCommand]) -> Result<Vec<PathBuf>> {
    let arguments = commands.iter().flat_map(|command| &command.line);
    let mut files: Vec<PathBuf> =
        arguments.map(|argument| folder.join(argument)).filter(|path| path.is_file()).collect();
    let endings: Vec<_> = files.iter().filter_map(|path| path.extension().map(ToOwned::to_owned)).collect();
    if !endings.is_empty() {
        for entry in ignore::WalkBuilder::new(folder).standard_filters(false).follow_links(false).build() {
            let path = entry.with_context(|| format!("read {}", folder.display()))?.into_path();
            if path.extension().is_some_and(|ending| endings.iter().any(|known| known == ending))
                && path.is_file()
            {
                files.push(path);
            }
            ensure!(
                files.len() <= MOST_FILES,
                "{} holds more than {MOST_FILES} files of code: move the reward's into a folder of its own",
                folder.display()
            );
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn hash(folder: &Path, commands: &[FolderCommand], files: &[PathBuf]) -> Result<String> {
    let mut hash = Sha256::new();
    // Each part with its length, so that no two lists read the same.
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    for command in commands {
        add(command.file.as_os_str().as_encoded_bytes());
        command.line.iter().for_each(|argument| add(argument.as_bytes()));
    }
    let mut bytes = 0;
    for file in files {
        let text = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
        bytes += text.len() as u64;
        ensure!(
            bytes <= MOST_BYTES,
            "the code in {} is larger than {} MB",
            folder.display(),
            MOST_BYTES >> 20
        );
        add(file.strip_prefix(folder).unwrap_or(file).as_os_str().as_encoded_bytes());
        add(&text);
    }
    Ok(hash.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
}

#[derive(Default, Serialize, Deserialize)]
struct TrustFile {
    trusted: Vec<TrustedFolder>,
}

#[derive(Serialize, Deserialize)]
struct TrustedFolder {
    folder: PathBuf,
    hash: String,
    /// When it was said, in seconds since 1970.
    at: f64,
}

fn place(folders: &Folders) -> PathBuf {
    folders.data.join("trust.json")
}

fn read(folders: &Folders) -> Result<TrustFile> {
    let path = place(folders);
    match std::fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).with_context(|| {
            format!("read {}: it is damaged; remove it and trust your folders anew", path.display())
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(TrustFile::default()),
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}

fn write(folders: &Folders, kept: &TrustFile) -> Result<()> {
    let path = place(folders);
    std::fs::create_dir_all(&folders.data).with_context(|| format!("make {}", folders.data.display()))?;
    let text = serde_json::to_vec_pretty(kept)?;
    replace(&path, Readers::Owner, &text).with_context(|| format!("write {}", path.display()))
}

/// Whether the user trusts a folder, and what they have said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    Trusted,
    /// Its commands or code are others than those that were trusted.
    Changed,
    Unknown,
}

/// # Errors
/// Where what is kept can't be read.
pub fn trust_of(folders: &Folders, found: &FolderCommands) -> Result<Trust> {
    let kept = read(folders)?;
    Ok(match kept.trusted.iter().find(|kept| kept.folder == found.folder) {
        Some(kept) if kept.hash == found.hash => Trust::Trusted,
        Some(_) => Trust::Changed,
        None => Trust::Unknown,
    })
}

/// Trusts a folder as it is now.
///
/// # Errors
/// Where that can't be kept.
pub fn trust(folders: &Folders, found: &FolderCommands) -> Result<()> {
    let mut kept = read(folders)?;
    kept.trusted.retain(|kept| kept.folder != found.folder);
    let at = clock::now();
    kept.trusted.push(TrustedFolder { folder: found.folder.clone(), hash: found.hash.clone(), at });
    write(folders, &kept)
}

/// Trusts a folder no longer; whether it was trusted.
///
/// # Errors
/// Where that can't be kept.
pub fn forget(folders: &Folders, folder: &Path) -> Result<bool> {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mut kept = read(folders)?;
    let before = kept.trusted.len();
    kept.trusted.retain(|kept| kept.folder != folder);
    let was = kept.trusted.len() < before;
    write(folders, &kept)?;
    Ok(was)
}
