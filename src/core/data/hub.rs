//! Datasets of the Hugging Face hub, as files. Honours `HF_ENDPOINT`, `HF_TOKEN`, `HF_HOME` and `HF_HUB_OFFLINE`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use hf_hub::progress::{DownloadEvent, ProgressEvent, ProgressHandler};
use hf_hub::{HFClient, HFClientSync, HFError};

use crate::data::rows::{DataFile, find_files};
use crate::domain::secret;

/// Tries of one request.
const TRIES: usize = 3;
/// How often a transfer is looked at.
const LOOK: Duration = Duration::from_millis(200);

const ENDINGS: [&str; 5] = ["parquet", "jsonl", "json", "csv", "tsv"];

/// A dataset's name: `hf:owner/name[:config[:split]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetName {
    pub owner: String,
    pub name: String,
    pub config: Option<String>,
    pub split: Option<String>,
}

impl DatasetName {
    /// Whether a path is meant as one.
    #[must_use]
    pub fn is_one(path: &Path) -> bool {
        path.to_str().is_some_and(|path| path.starts_with("hf:"))
    }

    /// # Errors
    /// Where it has not that form.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            anyhow!(
                "{text:?} is no dataset of the hub; write hf:owner/name, hf:owner/name:config or hf:owner/name:config:split"
            )
        };
        let rest = text.strip_prefix("hf:").with_context(wrong)?;
        let mut parts = rest.split(':');
        let (owner, name) = parts.next().and_then(|name| name.split_once('/')).with_context(wrong)?;
        let mut part = || parts.next().filter(|part| !part.is_empty()).map(str::to_owned);
        let (config, split) = (part(), part());
        let plain = |part: &str| {
            part.contains(char::is_alphanumeric)
                && part.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c))
        };
        let all = [Some(owner), Some(name), config.as_deref(), split.as_deref()];
        ensure!(all.into_iter().flatten().all(plain) && parts.next().is_none(), wrong());
        Ok(Self { owner: owner.to_owned(), name: name.to_owned(), config, split })
    }

    /// The files to fetch, as patterns over their paths in the repository.
    fn patterns(&self) -> Vec<String> {
        let folder = self.config.as_ref().map(|config| format!("{config}/**/")).unwrap_or_default();
        let patterns = ENDINGS.iter().flat_map(|ending| match &self.split {
            None => vec![format!("**/{folder}*.{ending}")],
            Some(split) => {
                vec![format!("**/{folder}{split}*.{ending}"), format!("**/{folder}{split}/**/*.{ending}")]
            }
        });
        patterns.collect()
    }

    /// Whether a file is one of those that are meant. The cache may hold others from earlier.
    fn means(&self, path: &Path) -> bool {
        let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
        let Some((file, folders)) = parts.split_last() else { return false };
        let config = self.config.as_deref().is_none_or(|config| folders.contains(&config));
        config
            && self.split.as_deref().is_none_or(|split| folders.contains(&split) || file.starts_with(split))
    }
}

/// Brings a dataset's files into the hub's cache, from where [`fetch`] takes them. `go_on` is told the bytes that are
/// here, and how many there are once that is known; it is asked a few times a second, and ends it by saying no: then
/// this is false.
///
/// # Errors
/// Where the hub can't be reached or refuses.
pub fn bring(text: &str, mut go_on: impl FnMut(u64, Option<u64>) -> bool + Send) -> Result<bool> {
    let dataset = DatasetName::parse(text)?;
    let (arrived, offline) = (Arc::new(Arrived::default()), offline());
    let told = Arc::clone(&arrived);
    let transfer = async {
        let client =
            HFClient::builder().retry_max_attempts(TRIES).build().context("set up the hub's client")?;
        let repository = client.dataset(&dataset.owner, &dataset.name);
        let download =
            repository.snapshot_download().allow_patterns(dataset.patterns()).local_files_only(offline);
        let brought = download.progress(told).send().await;
        brought.map(drop).map_err(|error| explain(error, &dataset, offline))
    };
    let work = async {
        tokio::pin!(transfer);
        loop {
            tokio::select! {
                brought = &mut transfer => return brought.map(|()| true),
                () = tokio::time::sleep(LOOK) => {
                    let (bytes, total) = arrived.bytes();
                    if !go_on(bytes, total) {
                        return Ok(false);
                    }
                }
            }
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("set up the hub's client")?;
    let brought = runtime.block_on(work);
    // A request that is under way is not waited for.
    runtime.shutdown_background();
    brought
}

/// What of each file is here, as the hub's client tells it.
#[derive(Default)]
struct Arrived {
    total: AtomicU64,
    files: Mutex<HashMap<String, u64>>,
}

impl Arrived {
    fn bytes(&self) -> (u64, Option<u64>) {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let total = Some(self.total.load(Ordering::Relaxed)).filter(|total| *total > 0);
        (files.values().sum(), total)
    }
}

impl ProgressHandler for Arrived {
    fn on_progress(&self, event: &ProgressEvent) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            ProgressEvent::Download(DownloadEvent::Start { total_bytes, .. }) => {
                self.total.store(*total_bytes, Ordering::Relaxed);
            }
            ProgressEvent::Download(DownloadEvent::Progress { files: moved }) => {
                files.extend(moved.iter().map(|file| (file.filename.clone(), file.bytes_completed)));
            }
            // Of all files in such a transfer, which come without names.
            ProgressEvent::Download(DownloadEvent::AggregateProgress { bytes_completed, .. }) => {
                files.insert(String::new(), *bytes_completed);
            }
            ProgressEvent::Download(DownloadEvent::Complete) | ProgressEvent::Upload(_) => {}
        }
    }
}

fn offline() -> bool {
    std::env::var("HF_HUB_OFFLINE").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

/// Fetches a dataset's files, or finds them in the hub's cache.
///
/// # Errors
/// Where the hub can't be reached or refuses, and where the dataset has no such files.
pub fn fetch(text: &str) -> Result<Vec<DataFile>> {
    let dataset = DatasetName::parse(text)?;
    let client = HFClient::builder().retry_max_attempts(TRIES).build().context("set up the hub's client")?;
    let client = HFClientSync::from_inner(client).context("set up the hub's client")?;
    let repository = client.dataset(&dataset.owner, &dataset.name);
    let offline = offline();
    let download =
        repository.snapshot_download().allow_patterns(dataset.patterns()).local_files_only(offline);
    let folder = download.send().map_err(|error| explain(error, &dataset, offline))?;
    let named = |mut file: DataFile| {
        let inside = file.path.strip_prefix(&folder).unwrap_or(&file.path).to_owned();
        file.source = format!("hf:{}/{}/{}", dataset.owner, dataset.name, inside.display());
        dataset.means(&inside).then_some(file)
    };
    let files: Vec<DataFile> = find_files(&folder, None)
        .with_context(|| format!("look into {text}"))?
        .into_iter()
        .filter_map(named)
        .collect();
    if files.is_empty() {
        bail!("{text} has no Parquet, JSONL, JSON, CSV or TSV file of that config and split");
    }
    Ok(files)
}

fn explain(error: HFError, dataset: &DatasetName, offline: bool) -> anyhow::Error {
    let name = format!("{}/{}", dataset.owner, dataset.name);
    match error {
        _ if offline => anyhow!("{name} is not in the hub's cache, and HF_HUB_OFFLINE is set"),
        HFError::Request { .. } => {
            anyhow!("the hub can't be reached for {name}; check the network, or HF_ENDPOINT for a mirror")
        }
        HFError::RepoNotFound { .. } | HFError::RevisionNotFound { .. } => {
            anyhow!("the hub has no dataset {name}, or wants a token to show it (HF_TOKEN)")
        }
        HFError::AuthRequired { .. } | HFError::Forbidden { .. } => {
            anyhow!("the hub refuses {name}: ask for access on its page and set HF_TOKEN")
        }
        // Whoever answers may repeat the token.
        other => {
            let why = secret::clean(&format!("{:#}", anyhow::Error::new(other)));
            anyhow!("fetch {name}: {why}")
        }
    }
}
