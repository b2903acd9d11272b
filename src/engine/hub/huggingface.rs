//! The Hugging Face hub. Honours `HF_ENDPOINT`, `HF_TOKEN`, `HF_HOME` and `HF_HUB_OFFLINE`; a broken transfer is
//! continued where it stopped.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::StreamExt;
use hf_hub::repository::RepoTreeEntry;
use hf_hub::{HFClient, HFError, HFRepository, RepoTypeModel};

use super::name::Repository;
use super::{PullProgress, digest, room};
use crate::model::files::ModelStorage;
use crate::model::hf::MOST_JSON;
use dojo_core::data::regular;
use dojo_core::domain::secret;

/// The hub answers its first question within this, or it counts as out of reach.
const FIRST_ANSWER: Duration = Duration::from_secs(20);

/// A transfer that brings nothing for so long has broken off.
const SILENCE: Duration = Duration::from_secs(60);

/// Tries of one request. The library waits a little longer after each.
const TRIES: usize = 3;

/// Files of a model, besides its weights, that somebody reads.
const WANTED: [&str; 13] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "model.safetensors.index.json",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
];

/// A file of the repository.
struct Remote {
    path: String,
    size: u64,
    sha256: Option<String>,
}

/// The model in the hub's own cache (`HF_HOME`), if all of it is there. Never touches the network.
pub(super) fn cached(repository: &Repository) -> Option<ModelStorage> {
    let repository = repository.clone();
    let folder = blocking(async move {
        let handle = handle(&repository)?;
        let folder = handle
            .snapshot_download()
            .maybe_revision(repository.revision.clone())
            .local_files_only(true)
            .send()
            .await?;
        Ok((folder, repository.file))
    });
    let (folder, file) = folder.ok()?;
    if let Some(file) = file {
        let path = folder.join(file);
        return path.is_file().then_some(ModelStorage::Gguf(path));
    }
    let whole = folder.join("config.json").is_file()
        && folder.join("tokenizer.json").is_file()
        && (folder.join("model.safetensors").is_file() || all_shards(&folder));
    whole.then_some(ModelStorage::HuggingFace(folder))
}

fn all_shards(folder: &Path) -> bool {
    let read = || -> Option<bool> {
        let text = regular::text(&folder.join("model.safetensors.index.json"), MOST_JSON).ok()?;
        let index: serde_json::Value = serde_json::from_str(&text).ok()?;
        let files = index.get("weight_map")?.as_object()?;
        Some(files.values().all(|file| file.as_str().is_some_and(|file| folder.join(file).is_file())))
    };
    read().unwrap_or(false)
}

/// Fetches a model's files into a folder, continuing what an earlier try has left there.
pub(super) fn fetch(repository: &Repository, into: &Path, progress: &mut dyn PullProgress) -> Result<()> {
    ensure!(!offline(), "HF_HUB_OFFLINE is set");
    let name = format!("{}/{}", repository.owner, repository.name);
    blocking(async move {
        let handle = handle(repository)?;
        let info = handle.info().maybe_revision(repository.revision.clone()).send();
        let info = tokio::time::timeout(FIRST_ANSWER, info).await;
        let info = info.context("the hub doesn't answer")?.map_err(|error| explain(error, &name))?;
        let commit = info.sha.with_context(|| format!("the hub names no commit of {name}"))?;
        start_afresh_on_another_commit(into, &commit)?;
        let listed = list(&handle, &commit).await.map_err(|error| explain(error, &name))?;
        let chosen = choose(listed, repository.file.as_deref())?;
        let missing = chosen.iter().map(|file| missing_bytes(file, into));
        room::check(into, missing.fold(0, u64::saturating_add))?;
        let whole = chosen.iter().filter(|file| !into.join(&file.path).is_file()).map(|file| file.size);
        progress.whole(whole.fold(0, u64::saturating_add));
        for file in chosen {
            fetch_file(&handle, &commit, &file, into, progress)
                .await
                .with_context(|| format!("fetch {}", file.path))?;
        }
        Ok(())
    })
}

/// Bytes of a file that aren't here yet.
fn missing_bytes(file: &Remote, into: &Path) -> u64 {
    let target = into.join(&file.path);
    let here = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    file.size.saturating_sub(here(&target).max(here(&target.with_added_extension("part"))))
}

pub(super) fn offline() -> bool {
    std::env::var("HF_HUB_OFFLINE").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false" | "no"))
}

pub(super) fn client() -> Result<HFClient> {
    Ok(HFClient::builder().retry_max_attempts(TRIES).build()?)
}

fn handle(repository: &Repository) -> Result<HFRepository<RepoTypeModel>> {
    Ok(client()?.model(&repository.owner, &repository.name))
}

/// Runs to the end on a thread of its own, so that callers may themselves stand in an asynchronous runtime.
pub(super) fn blocking<T: Send>(work: impl Future<Output = Result<T>> + Send) -> Result<T> {
    let run = || -> Result<T> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(work)
    };
    std::thread::scope(|scope| scope.spawn(run).join())
        .unwrap_or_else(|_| bail!("the transfer broke off in an unexpected way"))
}

/// The hub's errors as a person reads them.
fn explain(error: HFError, name: &str) -> anyhow::Error {
    match error {
        HFError::Request { .. } => anyhow::anyhow!("the hub can't be reached"),
        HFError::RepoNotFound { .. } => {
            anyhow::anyhow!("the hub has no model {name}, or wants a token to show it (HF_TOKEN)")
        }
        HFError::AuthRequired { .. } | HFError::Forbidden { .. } => {
            anyhow::anyhow!("the hub refuses {name}: ask for access on its page and set HF_TOKEN")
        }
        HFError::RevisionNotFound { revision, .. } => {
            anyhow::anyhow!("{name} has no revision {revision}")
        }
        HFError::RateLimited { .. } => {
            anyhow::anyhow!("the hub limits the rate of requests; try again later")
        }
        // Whoever answers may repeat the token.
        other => anyhow::anyhow!("{}", secret::clean(&format!("{:#}", anyhow::Error::new(other)))),
    }
}

/// Bytes of one commit are never continued with those of another.
fn start_afresh_on_another_commit(into: &Path, commit: &str) -> Result<()> {
    let note = into.with_file_name("commit");
    let clear = || -> Result<()> {
        if std::fs::read_to_string(&note).unwrap_or_default() != commit {
            std::fs::remove_dir_all(into)?;
            std::fs::create_dir_all(into)?;
            std::fs::write(&note, commit)?;
        }
        Ok(())
    };
    clear().with_context(|| format!("prepare {}", into.display()))
}

async fn list(handle: &HFRepository<RepoTypeModel>, commit: &str) -> Result<Vec<Remote>, HFError> {
    let entries = handle.list_tree().revision(commit.to_owned()).recursive(true).send()?;
    futures::pin_mut!(entries);
    let mut files = Vec::new();
    while let Some(entry) = entries.next().await {
        if let RepoTreeEntry::File { path, size, lfs, .. } = entry? {
            files.push(Remote { path, size, sha256: lfs.and_then(|lfs| lfs.sha256) });
        }
    }
    Ok(files)
}

/// The wanted files: weights as safetensors; or the one GGUF file, where it is named or the only one.
fn choose(listed: Vec<Remote>, named: Option<&str>) -> Result<Vec<Remote>> {
    let ends = |file: &Remote, end: &str| file.path.ends_with(end) && !file.path.contains('/');
    if let Some(named) = named {
        let mut chosen: Vec<Remote> = listed.into_iter().filter(|file| file.path == named).collect();
        chosen.truncate(1);
        ensure!(!chosen.is_empty(), "the repository has no file {named}");
        return Ok(chosen);
    }
    if listed.iter().any(|file| ends(file, ".safetensors")) {
        // Known before gigabytes of weights are fetched.
        ensure!(
            listed.iter().any(|file| file.path == "tokenizer.json"),
            "the repository holds no tokenizer.json (a tokenizer.model alone isn't enough: save the tokenizer with \
             transformers)"
        );
        let wanted = |file: &Remote| ends(file, ".safetensors") || WANTED.contains(&file.path.as_str());
        return Ok(listed.into_iter().filter(wanted).collect());
    }
    let mut files: Vec<Remote> = listed.into_iter().filter(|file| ends(file, ".gguf")).collect();
    match files.len() {
        0 => bail!("the repository holds neither safetensors nor GGUF files"),
        1 => {}
        _ => {
            files.sort_by(|a, b| a.path.cmp(&b.path));
            let names: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
            bail!("the repository holds several GGUF files; add one to the name: {}", names.join(", "))
        }
    }
    Ok(files)
}

/// Fetches one file, from where an earlier try stopped.
async fn fetch_file(
    handle: &HFRepository<RepoTypeModel>,
    commit: &str,
    remote: &Remote,
    into: &Path,
    progress: &mut dyn PullProgress,
) -> Result<()> {
    let target = into.join(&remote.path);
    if target.is_file() {
        return Ok(());
    }
    let part = target.with_added_extension("part");
    if let Some(folder) = part.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = File::options().create(true).append(true).open(&part)?;
    let mut already = file.metadata()?.len();
    if already > remote.size {
        file.set_len(0)?;
        already = 0;
    }
    progress.begin(&remote.path, Some(remote.size), already);
    if already < remote.size {
        transfer(handle, commit, remote, (&mut file, already), progress).await?;
    }
    progress.end();
    file.sync_all()?;
    finish(remote, &part, &target)
}

/// Appends what is missing.
async fn transfer(
    handle: &HFRepository<RepoTypeModel>,
    commit: &str,
    remote: &Remote,
    (file, already): (&mut File, u64),
    progress: &mut dyn PullProgress,
) -> Result<()> {
    let range = (already > 0).then_some(already..remote.size);
    let asked = handle
        .download_file_stream()
        .filename(remote.path.clone())
        .revision(commit.to_owned())
        .maybe_range(range)
        .send();
    let asked = tokio::time::timeout(SILENCE, asked).await.context("the hub doesn't answer")?;
    let (length, mut stream) = asked.map_err(|error| explain(error, &remote.path))?;
    if already > 0 && length == Some(remote.size) {
        // The server sends all of it, whatever was asked for.
        file.set_len(0)?;
    }
    let mut left = remote.size - file.metadata()?.len().min(remote.size);
    loop {
        let next = tokio::time::timeout(SILENCE, stream.next()).await;
        let Some(bytes) = next.context("the transfer broke off; pull again to continue it")? else {
            return Ok(());
        };
        let bytes = bytes.context("the transfer broke off; pull again to continue it")?;
        let Some(rest) = left.checked_sub(bytes.len() as u64) else {
            file.set_len(0)?;
            bail!("more than its {} bytes came (they were removed; pull again)", remote.size);
        };
        left = rest;
        file.write_all(&bytes).context("write what was fetched")?;
        progress.advance(bytes.len() as u64);
        super::still_wanted(progress)?;
    }
}

/// Checks size and sum, and gives the file its name.
fn finish(remote: &Remote, part: &Path, target: &PathBuf) -> Result<()> {
    let size = std::fs::metadata(part)?.len();
    if size > remote.size {
        std::fs::remove_file(part)?;
        bail!("{size} bytes came, expected {} (they were removed; pull again)", remote.size);
    }
    ensure!(
        size == remote.size,
        "the transfer broke off after {size} of {} bytes; pull again to continue it",
        remote.size
    );
    if let Some(sum) = &remote.sha256 {
        digest::verify(part, sum)?;
    }
    Ok(std::fs::rename(part, target)?)
}
