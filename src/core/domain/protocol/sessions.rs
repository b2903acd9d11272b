//! Opening, making and listing sessions.

use std::path::PathBuf;

use crate::domain::session::{SessionInfo, SessionSummary};

/// Asked of the worker.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionsCommand {
    /// Look for sessions and samples again.
    List,
    /// Open the session in this folder.
    Open(PathBuf),
    /// Copy a shipped sample into the user's folder, unless it is there, and open it.
    OpenSample(String),
    /// Make an empty session of this name and open it.
    Create(String),
    /// Make a session for the records of a file, a folder or a dataset of the hub, called like it, and open it.
    CreateFor(PathBuf),
    /// Give the session in this folder another name.
    Rename { folder: PathBuf, name: String },
    /// Remove the session's folder with all that is in it.
    Delete(PathBuf),
    /// What files and folders a path that is being typed may become.
    Complete(String),
}

/// Has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionsEvent {
    Listed(Vec<SessionSummary>),
    Opened(SessionInfo),
    /// A session was made and is open, and wants records: from here, or from where a person says.
    Made(SessionInfo, Option<PathBuf>),
    /// What a path may become, as it was typed; folders end in a slash.
    Completed {
        typed: String,
        paths: Vec<String>,
    },
}
