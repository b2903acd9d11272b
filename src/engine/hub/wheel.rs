//! Files out of a Python wheel, which is a zip archive.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use zip::ZipArchive;

use super::Progress;

const CHUNK: usize = 1 << 20;

/// Takes a file, or a folder where the path ends in a slash, out of a wheel. A file is written to `to` itself, a
/// folder's files below it.
pub(super) fn extract(wheel: &Path, path: &str, to: &Path, progress: &mut dyn Progress) -> Result<()> {
    let name = wheel.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut extract = || -> Result<()> {
        let mut archive = ZipArchive::new(File::open(wheel)?)?;
        let mut found = false;
        for place in 0..archive.len() {
            let mut entry = archive.by_index(place)?;
            let inside = entry.enclosed_name().unwrap_or_default();
            let Some(target) = target(&inside, path, to).filter(|_| entry.is_file()) else { continue };
            found = true;
            let size = entry.size();
            progress.begin(&inside.display().to_string(), Some(size), 0);
            write(&mut entry, &target, size, progress)?;
            progress.end();
        }
        if !found {
            bail!("it holds no {path}");
        }
        Ok(())
    };
    extract().with_context(|| format!("unpack {name}"))
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

/// Writes beside, flushes, renames.
fn write(from: &mut dyn Read, target: &Path, size: u64, progress: &mut dyn Progress) -> Result<()> {
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let beside = target.with_added_extension("new");
    let mut file = File::create(&beside)?;
    let mut buffer = vec![0; CHUNK];
    let mut written = 0;
    loop {
        let length = from.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
        written += length as u64;
        if written > size {
            bail!("{} is longer than the archive says", target.display());
        }
        file.write_all(bytes)?;
        progress.advance(length as u64);
    }
    file.sync_all()?;
    Ok(std::fs::rename(&beside, target)?)
}
