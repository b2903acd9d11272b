//! What several tests need: real models, and tiny ones built on the spot.

pub(crate) mod autograd;
pub(crate) mod bigram;
pub(crate) mod device;
pub(crate) mod leads;
pub(crate) mod models;
pub(crate) mod program;
#[cfg(unix)]
pub(crate) mod pty;
pub(crate) mod tiny;

/// Makes a named pipe: opening it waits for a writer, who never comes.
pub(crate) fn make_pipe(path: &std::path::Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo");
    assert!(made.success());
}
