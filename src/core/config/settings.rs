//! `settings.toml`: read once at the start, written key by key so that a person's comments and order stay.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};

use super::Folders;
use crate::domain::secret;
use crate::domain::settings::Settings;
use crate::ground::files::{self, Readers};

impl Folders {
    /// The person's settings; the defaults where there is no file.
    ///
    /// # Errors
    /// Where the file can't be read or holds something that is no setting, with its line.
    pub fn load_settings(&self) -> Result<Settings> {
        let path = self.settings.join("settings.toml");
        match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text)
                .map_err(|error| wrong(&text, error.span(), error.message()))
                .with_context(|| format!("read the settings in {}", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Settings::default()),
            Err(error) => Err(error).with_context(|| format!("read the settings in {}", path.display())),
        }
    }

    /// The person's settings as far as they can be read, with a sentence on each key that can't be and is left out.
    #[must_use]
    pub fn read_settings(&self) -> (Settings, Vec<String>) {
        let path = self.settings.join("settings.toml");
        match self.load_settings() {
            Ok(settings) => (settings, Vec::new()),
            Err(error) => match std::fs::read_to_string(&path)
                .map(|text| toml::from_str::<toml::Table>(&text))
            {
                Ok(Ok(table)) => sift(table, &path),
                _ => (Settings::default(), vec![format!("{error:#}; the defaults count until it is mended")]),
            },
        }
    }

    /// Writes the theme that was picked, leaving the rest of the file as it is.
    ///
    /// # Errors
    /// Where the file can't be read as TOML or can't be written.
    pub fn save_theme(&self, theme: &str) -> Result<()> {
        let path = self.settings.join("settings.toml");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let mut document: toml_edit::DocumentMut = text
            .parse()
            .map_err(|error: toml_edit::TomlError| wrong(&text, error.span(), error.message()))
            .with_context(|| format!("change the settings in {}", path.display()))?;
        document.insert("theme", toml_edit::value(theme));
        replace(&path, document.to_string().as_bytes())
    }

    /// The session that was open last, if it was remembered.
    #[must_use]
    pub fn last_session(&self) -> Option<std::path::PathBuf> {
        let text = std::fs::read_to_string(self.data.join("last-session")).ok()?;
        Some(text.trim_end_matches('\n')).filter(|path| !path.is_empty()).map(Into::into)
    }

    /// Remembers which session is open.
    ///
    /// # Errors
    /// Where the data folder can't be written.
    pub fn remember_session(&self, path: &Path) -> Result<()> {
        let text = format!("{}\n", path.display());
        replace(&self.data.join("last-session"), text.as_bytes())
    }
}

/// Where settings are wrong, and how. The line isn't quoted, since it may hold a key.
fn wrong(text: &str, span: Option<Range<usize>>, message: &str) -> anyhow::Error {
    let why = secret::without_value(message).replace('\n', ", ");
    let Some(before) = span.and_then(|span| text.get(..span.start)) else { return anyhow::anyhow!("{why}") };
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    anyhow::anyhow!("line {line}, column {column}: {why}")
}

/// Keeps what is a setting by itself.
fn sift(table: toml::Table, path: &Path) -> (Settings, Vec<String>) {
    let (mut kept, mut left_out) = (toml::Table::new(), Vec::new());
    let mut judge = |name: String, alone: toml::Table| match toml::Value::Table(alone).try_into::<Settings>()
    {
        Ok(_) => true,
        Err(error) => {
            let why = secret::without_value(error.message());
            left_out.push(format!("{}: {} is left out: {why}", path.display(), secret::mask(&name)));
            false
        }
    };
    for (key, value) in table {
        let one = |key: &str, value: toml::Value| toml::Table::from_iter([(key.to_owned(), value)]);
        let value = match value {
            toml::Value::Table(entries) if ["keys", "teachers", "embedders"].contains(&key.as_str()) => {
                let good = |(name, value): &(String, toml::Value)| {
                    let alone = one(&key, toml::Value::Table(one(name, value.clone())));
                    judge(format!("{key}.{name}"), alone)
                };
                toml::Value::Table(entries.into_iter().filter(good).collect())
            }
            value if judge(key.clone(), one(&key, value.clone())) => value,
            _ => continue,
        };
        kept.insert(key, value);
    }
    (toml::Value::Table(kept).try_into().unwrap_or_default(), left_out)
}

/// Writes a whole file: beside it first, flushed, then renamed.
fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        std::fs::create_dir_all(folder)?;
        files::remove_partial_files(folder);
        files::replace(path, Readers::Anybody, content)
    };
    write().with_context(|| format!("write {}", path.display()))
}
