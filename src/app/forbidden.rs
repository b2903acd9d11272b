//! What the system doesn't let the program do to a file, in words: the system's own tell nobody what to do.

use std::io::ErrorKind;

/// An error in one sentence.
pub(crate) fn sentence(error: &anyhow::Error) -> String {
    let is_forbidden = |cause: &&(dyn std::error::Error + 'static)| {
        let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        matches!(kind, Some(ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem))
    };
    if !error.chain().any(|cause| is_forbidden(&cause)) {
        return format!("{error:#}");
    }
    let said: Vec<String> =
        error.chain().filter(|cause| !is_forbidden(cause)).map(ToString::to_string).collect();
    let said = if said.is_empty() { "read or write a file".to_owned() } else { said.join(": ") };
    format!(
        "{said}: not allowed, since the place can only be read or is another user's; DOJO_HOME names another one"
    )
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    #[test]
    fn a_place_that_cannot_be_written_is_said_in_words() {
        let error = std::io::Error::from(std::io::ErrorKind::ReadOnlyFilesystem);
        let error = Err::<(), _>(error).context("create /home/a/runs").unwrap_err();
        let said = super::sentence(&error);
        assert!(said.starts_with("create /home/a/runs: not allowed"), "{said}");
        assert!(!said.contains("os error"), "{said}");
        assert_eq!(super::sentence(&anyhow::anyhow!("b").context("a")), "a: b");
    }
}
