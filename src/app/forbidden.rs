//! What the system doesn't let the program do to a file, in words: the system's own tell nobody what to do.

use std::io::ErrorKind;

/// An error in one sentence.
#[must_use]
pub fn sentence(error: &anyhow::Error) -> String {
    let is_full = |cause: &&(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == ErrorKind::StorageFull)
    };
    if error.chain().any(|cause| is_full(&cause)) {
        let said = without(error, is_full);
        return format!("{said}: the disk is full; make room and try again");
    }
    let is_forbidden = |cause: &&(dyn std::error::Error + 'static)| {
        let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        matches!(kind, Some(ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem))
    };
    if !error.chain().any(|cause| is_forbidden(&cause)) {
        return format!("{error:#}");
    }
    let said = without(error, is_forbidden);
    format!(
        "{said}: not allowed, since the place can only be read or is another user's; DOJO_HOME names another one"
    )
}

/// What was being done, without the system's own words.
fn without(
    error: &anyhow::Error,
    is_left_out: impl Fn(&&(dyn std::error::Error + 'static)) -> bool,
) -> String {
    let said: Vec<String> =
        error.chain().filter(|cause| !is_left_out(cause)).map(ToString::to_string).collect();
    if said.is_empty() { "read or write a file".to_owned() } else { said.join(": ") }
}
