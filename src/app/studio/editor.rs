//! The person's own editor on a text: `$VISUAL`, `$EDITOR`, or `vi`.

use std::io::Write;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::ground::clock;

/// Opens `text` in the editor and returns what was saved. The terminal must not be in use meanwhile.
///
/// # Errors
/// When the editor can't be started, ends with a failure, or leaves something that is no text: the text stays as it
/// was, and what was written in the editor stays in its file, which the error names.
pub(super) fn edit(text: &str) -> Result<String> {
    let named = |name: &str| std::env::var(name).ok().filter(|command| !command.trim().is_empty());
    let command = named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| "vi".into());
    let file = DraftFile::write(text)?;
    // Through a shell: these variables may hold arguments and quotes.
    let status = Command::new("sh")
        .arg("-c")
        .arg(format!("{command} \"$1\""))
        .arg("sh")
        .arg(&file.0)
        .status()
        .with_context(|| format!("start the editor \"{command}\" ($VISUAL, $EDITOR)"))?;
    let edited = std::fs::read(&file.0).with_context(|| format!("read {}", file.0.display()))?;
    if !status.success() {
        let kept = if edited == text.as_bytes() { String::new() } else { file.keep() };
        bail!(
            "the editor \"{command}\" ended with {status}; the text is as it was{kept} (set $EDITOR to another)"
        );
    }
    let Ok(edited) = String::from_utf8(edited) else {
        bail!("the editor \"{command}\" left what is no UTF-8 text; the text is as it was{}", file.keep());
    };
    // Editors end a file with a line break that the text did not have.
    let added = edited.ends_with('\n') && !text.ends_with('\n');
    Ok(if added { edited[..edited.len() - 1].to_owned() } else { edited })
}

/// A text in a file of its own that only this person can read, removed with it.
struct DraftFile(std::path::PathBuf);

impl DraftFile {
    fn write(text: &str) -> Result<Self> {
        use std::os::unix::fs::OpenOptionsExt;
        let unique = clock::nanoseconds();
        let path = std::env::temp_dir().join(format!("dojo-{}-{unique}.md", std::process::id()));
        let mut options = std::fs::OpenOptions::new();
        let opened = options.write(true).create_new(true).mode(0o600).open(&path);
        let mut file = opened.with_context(|| format!("create {}", path.display()))?;
        let draft = Self(path);
        file.write_all(text.as_bytes()).with_context(|| format!("write {}", draft.0.display()))?;
        Ok(draft)
    }

    /// Leaves the file where it is, for the person to take from; says so.
    fn keep(self) -> String {
        let path = self.0.display().to_string();
        std::mem::forget(self);
        format!(", and what was written is in {path}")
    }
}

impl Drop for DraftFile {
    fn drop(&mut self) {
        // In the folder for temporary files: one that stays is cleaned by the system.
        std::fs::remove_file(&self.0).ok();
    }
}
