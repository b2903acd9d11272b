//! A key that can't be printed.

use std::fmt;

use super::error::AskError;
use crate::domain::teacher::TeacherSettings;

/// A teacher's key.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// From the environment variable that the settings name; none where they name none.
    ///
    /// # Errors
    /// Where the variable is not set, empty, or holds what no header can.
    pub fn of(teacher: &str, settings: &TeacherSettings) -> Result<Option<Self>, AskError> {
        let Some(variable) = &settings.key_env else { return Ok(None) };
        let key = std::env::var(variable).ok().map(|key| key.trim().to_owned());
        match key.filter(|key| !key.is_empty() && key.chars().all(|letter| letter.is_ascii_graphic())) {
            Some(key) => Ok(Some(Self(key))),
            None => Err(AskError::KeyMissing { teacher: teacher.to_owned(), variable: variable.clone() }),
        }
    }

    /// For the header, and nothing else.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    /// A text without the key, should an endpoint repeat it.
    pub(super) fn hide_in(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(&self.0, "***") }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Key(***)")
    }
}
