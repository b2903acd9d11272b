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
}

/// Has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionsEvent {
    Listed(Vec<SessionSummary>),
    Opened(SessionInfo),
}
