//! A folder to a model repository of the Hugging Face hub, as one commit. The token comes from the environment
//! (`HF_TOKEN`), and nothing of it is ever written or shown.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use hf_hub::repository::{AddSource, CommitOperation};
use hf_hub::{HFError, RepoTypeModel};

use super::huggingface::{blocking, client, offline};
use super::name::Repository;
use dojo_core::domain::secret;

/// Who may see a repository that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepositoryVisibility {
    Private,
    Public,
}

/// A file of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedFile {
    pub name: String,
    pub bytes: u64,
}

/// What a push would send, and where.
#[derive(Debug, Clone)]
pub struct PlannedPush {
    repository: Repository,
    folder: PathBuf,
    pub files: Vec<PushedFile>,
}

impl PlannedPush {
    /// Reads `hf:owner/name` and looks at a folder. Sends nothing.
    ///
    /// # Errors
    /// If the name is none, or the folder can't be read.
    pub fn of(name: &str, folder: &Path) -> Result<Self> {
        let repository = Self::repository(name)?;
        let entries = std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
        let files = entries.flatten().filter(|entry| entry.path().is_file()).filter_map(|entry| {
            let bytes = entry.metadata().ok()?.len();
            Some(PushedFile { name: entry.file_name().to_string_lossy().into_owned(), bytes })
        });
        let mut files: Vec<PushedFile> = files.filter(|file| !file.name.starts_with('.')).collect();
        files.sort_by(|one, other| one.name.cmp(&other.name));
        ensure!(!files.is_empty(), "{} holds no files to push", folder.display());
        Ok(Self { repository, folder: folder.to_path_buf(), files })
    }

    /// Whether a name is one of a repository, before anything is made for it.
    ///
    /// # Errors
    /// If it isn't.
    pub fn check(name: &str) -> Result<()> {
        Self::repository(name).map(|_| ())
    }

    /// Whether anything can be sent from here, before anything is made for it.
    ///
    /// # Errors
    /// If the network is switched off, or there is no token.
    pub fn check_token() -> Result<()> {
        ensure!(!offline(), "HF_HUB_OFFLINE is set");
        let token = std::env::var("HF_TOKEN").unwrap_or_default();
        ensure!(!token.trim().is_empty(), "pushing needs a token that may write: set HF_TOKEN");
        Ok(())
    }

    fn repository(name: &str) -> Result<Repository> {
        let rest = name
            .strip_prefix("hf:")
            .with_context(|| format!("{name:?} is no place to push to: write hf:owner/name"))?;
        let repository = Repository::parse(rest).with_context(|| format!("read {name:?}"))?;
        ensure!(
            repository.revision.is_none() && repository.file.is_none(),
            "{name:?} names more than a repository: write hf:owner/name"
        );
        Ok(repository)
    }

    /// `owner/name`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}/{}", self.repository.owner, self.repository.name)
    }

    /// Makes the repository if it isn't there, and sends all files as one commit; gives back the commit's address.
    ///
    /// # Errors
    /// If there is no token, the hub refuses it, or the transfer breaks off. Then no commit is there.
    pub fn send(&self, visibility: RepositoryVisibility) -> Result<Option<String>> {
        Self::check_token()?;
        let place = self.place();
        let operations: Vec<CommitOperation> = self
            .files
            .iter()
            .map(|file| CommitOperation::Add {
                path_in_repo: file.name.clone(),
                source: AddSource::file(self.folder.join(&file.name)),
            })
            .collect();
        let sent = blocking(async move {
            let client = client()?;
            let made = client
                .create_repository()
                .repo_id(&place)
                .repo_type(RepoTypeModel)
                .private(visibility == RepositoryVisibility::Private)
                .exist_ok(true)
                .send();
            made.await.map_err(|error| refused(error, &place))?;
            let handle = client.model(&self.repository.owner, &self.repository.name);
            let commit =
                handle.create_commit().operations(operations).commit_message("Upload with Dojo").send();
            let commit = commit.await.map_err(|error| refused(error, &place))?;
            Ok(commit.commit_url)
        });
        sent.with_context(|| format!("push to {}", self.place()))
    }
}

/// The hub's errors as a person reads them.
fn refused(error: HFError, place: &str) -> anyhow::Error {
    match error {
        HFError::Request { .. } => anyhow!("the hub can't be reached"),
        HFError::AuthRequired { .. } | HFError::Forbidden { .. } => {
            anyhow!("the hub refuses it: HF_TOKEN must be one that may write to {place}")
        }
        HFError::RepoNotFound { .. } => anyhow!("the hub has no {place} that this token may write to"),
        HFError::RateLimited { .. } => anyhow!("the hub limits the rate of requests; try again later"),
        // Whoever answers may repeat the token.
        other => anyhow!("{}", secret::clean(&format!("{:#}", anyhow::Error::new(other)))),
    }
}
