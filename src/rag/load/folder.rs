//! The files of a folder that words are read from: what `.gitignore` names is left out, and links are not followed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use ignore::WalkBuilder;

use super::form;

/// Most files of one folder; more are left out, and said to be.
const MOST_FILES: usize = 100_000;
/// Most paths that are named with a reason.
const MOST_NAMED: usize = 1000;
/// Endings that promise no words, so that opening the file is no use.
const WORDLESS: &[&str] = &[
    "png",
    "jpg",
    "jpeg",
    "gif",
    "webp",
    "svg",
    "ico",
    "bmp",
    "tif",
    "tiff",
    "mp3",
    "mp4",
    "wav",
    "ogg",
    "flac",
    "webm",
    "mov",
    "avi",
    "mkv",
    "zip",
    "gz",
    "bz2",
    "xz",
    "zst",
    "7z",
    "tar",
    "rar",
    "exe",
    "dll",
    "so",
    "dylib",
    "a",
    "o",
    "class",
    "jar",
    "wasm",
    "pyc",
    "woff",
    "woff2",
    "ttf",
    "otf",
    "db",
    "sqlite",
    "parquet",
    "safetensors",
    "gguf",
    "bin",
    "onnx",
    "pt",
    "pth",
    "npy",
    "npz",
    "lock",
];

/// What is under a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FolderFiles {
    /// To be read, in the order of their paths.
    pub files: Vec<PathBuf>,
    /// What is left out and isn't named by a `.gitignore`.
    pub unread: Vec<UnreadFile>,
}

/// A file that isn't read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadFile {
    pub path: PathBuf,
    /// A clause: "it is a link to another place".
    pub reason: String,
}

/// The files under a folder that may hold words. Hidden ones and those that `.gitignore` or `.ignore` files of the
/// folder name are passed over; links are left out, so that nothing outside the folder is ever read.
///
/// # Errors
/// If the folder can't be read.
pub fn files_under(folder: &Path) -> Result<FolderFiles> {
    if !folder.metadata().with_context(|| format!("read the folder {}", folder.display()))?.is_dir() {
        bail!("read the folder {}: it is no folder", folder.display());
    }
    // A link that the user names is meant; one that is found is not followed.
    let root = folder.canonicalize().with_context(|| format!("read the folder {}", folder.display()))?;
    let mut found = FolderFiles::default();
    let walk = WalkBuilder::new(folder)
        .follow_links(false)
        .require_git(false)
        .git_global(false)
        .parents(false)
        .sort_by_file_path(Ord::cmp)
        .build();
    for entry in walk {
        match entry {
            Ok(entry) if entry.depth() == 0 => {}
            Ok(entry) => look_at(entry.path(), entry.file_type(), &root, &mut found),
            Err(error) => found.leave_out(folder, format!("it can't be read: {error}")),
        }
        if found.files.len() >= MOST_FILES {
            found.leave_out(folder, format!("it has more than {MOST_FILES} files, and only those are read"));
            break;
        }
    }
    Ok(found)
}

fn look_at(path: &Path, kind: Option<std::fs::FileType>, root: &Path, found: &mut FolderFiles) {
    let Some(kind) = kind else { return };
    if kind.is_symlink() {
        let inside = path.canonicalize().is_ok_and(|target| target.starts_with(root));
        // What it leads to inside is found under its own name.
        if !inside {
            found.leave_out(path, "it is a link that leaves the folder or leads nowhere".to_owned());
        }
    } else if kind.is_file() {
        match wordless(path) {
            Some(ending) => found.leave_out(path, format!("no words are read from .{ending} files")),
            None => found.files.push(path.to_owned()),
        }
    } else if !kind.is_dir() {
        found.leave_out(path, "it is no file".to_owned());
    }
}

fn wordless(path: &Path) -> Option<&'static str> {
    if form::by_name(path).is_some() {
        return None;
    }
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    WORDLESS.iter().find(|known| **known == ending).copied()
}

impl FolderFiles {
    fn leave_out(&mut self, path: &Path, reason: String) {
        if self.unread.len() < MOST_NAMED {
            self.unread.push(UnreadFile { path: path.to_owned(), reason });
        }
    }
}
