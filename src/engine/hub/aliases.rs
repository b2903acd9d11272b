//! The table of short names, `assets/models.toml`, which is part of the program.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::embed::Prefixes;

/// A model with a short name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    pub name: String,
    /// What it is, in a few words.
    pub about: String,
    pub licence: String,
    /// `owner/name` on the Hugging Face hub.
    pub hub: String,
    /// Whether it only turns texts into vectors, for retrieval.
    #[serde(default)]
    pub embeds: bool,
    /// What it was trained to see before a passage and before a query, if its files don't say.
    #[serde(default)]
    pub passage_prefix: String,
    #[serde(default)]
    pub query_prefix: String,
    pub package: Option<Package>,
}

/// A model in Python packages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The file's name after joining; none for a folder.
    pub file: Option<String>,
    /// `package==version/path`, in order.
    pub parts: Vec<String>,
    /// Sums of files, by name.
    #[serde(default)]
    pub sha256: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AliasTable {
    model: Vec<Alias>,
}

static TABLE: LazyLock<Vec<Alias>> = LazyLock::new(|| {
    // The table is checked by a test, so that this can't be empty in a program that was tested.
    toml::from_str::<AliasTable>(include_str!("../../../assets/models.toml"))
        .map(|table| table.model)
        .unwrap_or_default()
});

/// The prefixes of the table for a model by its short name or the hub's; none if it isn't there.
#[must_use]
pub fn prefixes_of(name: &str) -> Prefixes {
    let alias = TABLE.iter().find(|alias| alias.name == name || alias.hub == name);
    alias.map_or_else(Prefixes::default, |alias| Prefixes {
        passage: alias.passage_prefix.clone(),
        query: alias.query_prefix.clone(),
    })
}

/// All models with short names.
#[must_use]
pub fn aliases() -> &'static [Alias] {
    &TABLE
}
