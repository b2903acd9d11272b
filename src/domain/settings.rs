//! What a person has set for the whole program: `settings.toml`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::teacher::TeacherSettings;

/// `settings.toml` in the settings folder. Every key may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// A theme's name. Empty: the one that suits the terminal.
    pub theme: String,
    /// Whether the mouse is used; without it the terminal's own selection works.
    pub mouse: bool,
    /// Other keys for actions: `"train.pause" = ["p", "ctrl-p"]`. The names stand in the help.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, Vec<String>>,
    /// Outside models by name: `[teachers.NAME]`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub teachers: BTreeMap<String, TeacherSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { theme: String::new(), mouse: true, keys: BTreeMap::new(), teachers: BTreeMap::new() }
    }
}
