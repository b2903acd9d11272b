//! What a person has set for the whole program: `settings.toml`.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::secret;
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
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "without_keys_as_names")]
    pub teachers: BTreeMap<String, TeacherSettings>,
}

/// Names are shown and kept with what a teacher said: a key that was put in their place would be too.
fn without_keys_as_names<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, TeacherSettings>, D::Error> {
    let teachers = BTreeMap::<String, TeacherSettings>::deserialize(from)?;
    let is_key = |name: &str| secret::clean(name) != name;
    for (name, teacher) in &teachers {
        let place = match (is_key(name), is_key(&teacher.model)) {
            (true, _) => "the name of a teacher",
            (_, true) => "the model of a teacher",
            (false, false) => continue,
        };
        return Err(Error::custom(format_args!(
            "{place} looks like a key, which would be shown and kept: put the key into a variable, and the variable's \
             name into key_env"
        )));
    }
    Ok(teachers)
}

impl Default for Settings {
    fn default() -> Self {
        Self { theme: String::new(), mouse: true, keys: BTreeMap::new(), teachers: BTreeMap::new() }
    }
}
