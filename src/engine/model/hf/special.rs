//! The special tokens that a folder names for texts, templates and other inputs, as transformers knows them.

use std::path::Path;

use anyhow::Result;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokenizers::AddedToken;

use super::optional_json;

pub(super) const CONFIG: &str = "tokenizer_config.json";
/// Older folders name tokens here alone.
pub(super) const MAP: &str = "special_tokens_map.json";

/// Their names, in transformers' order.
const NAMES: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];
/// Hold tokens of other inputs (images, sounds) by their names; the first may be a list of texts too.
const EXTRA: [&str; 2] = ["extra_special_tokens", "model_specific_special_tokens"];
/// A folder with this key says all of its tokens in the one file; in older ones the map is the later word.
const DECODER: &str = "added_tokens_decoder";

/// Whether every tokenizer may have a token by this name; others stand among the extra ones.
pub(crate) fn is_known(name: &str) -> bool {
    NAMES.contains(&name)
}

/// A token by its text alone, or with how it is found.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Special {
    Text(String),
    Described(Described),
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Described {
    pub content: String,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    normalized: Option<bool>,
    #[serde(default)]
    special: bool,
}

impl Described {
    pub(super) fn token(self) -> AddedToken {
        let normalized = self.normalized.unwrap_or(!self.special);
        AddedToken::from(self.content, self.special)
            .single_word(self.single_word)
            .lstrip(self.lstrip)
            .rstrip(self.rstrip)
            .normalized(normalized)
    }
}

impl Special {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Described(Described { content: text, .. }) => text,
        }
    }

    pub(super) fn token(self) -> AddedToken {
        match self {
            Self::Text(text) => AddedToken::from(text, true),
            Self::Described(described) => Described { special: true, ..described }.token(),
        }
    }
}

/// The texts of the tokens that a folder lists without names.
///
/// # Errors
/// If a file is there but can't be read.
pub(super) fn additional(folder: &Path) -> Result<Vec<String>> {
    const LISTED: &str = "additional_special_tokens";
    for file in [CONFIG, MAP] {
        let keys: Map<String, Value> = optional_json(&folder.join(file))?.unwrap_or_default();
        if let Some(listed) = keys.get(LISTED).and_then(Value::as_array) {
            let tokens =
                listed.iter().filter_map(|value| serde_json::from_value::<Special>(value.clone()).ok());
            return Ok(tokens.map(|token| token.text().to_owned()).collect());
        }
    }
    Ok(Vec::new())
}

/// The tokens of a folder by the names that templates have for them; what is no token there is left out.
///
/// # Errors
/// Where a file is there but can't be read.
pub(super) fn named(folder: &Path) -> Result<Vec<(String, Special)>> {
    let config: Map<String, Value> = optional_json(&folder.join(CONFIG))?.unwrap_or_default();
    let map: Map<String, Value> = optional_json(&folder.join(MAP))?.unwrap_or_default();
    let is_said = |value: &&Value| !value.is_null();
    let (first, second) = if config.contains_key(DECODER) { (&config, &map) } else { (&map, &config) };
    let value = |name: &str| first.get(name).filter(is_said).or_else(|| second.get(name));
    let token = |value: &Value| serde_json::from_value::<Special>(value.clone()).ok();
    let known = NAMES.iter().filter_map(|name| Some(((*name).to_owned(), token(value(name)?)?)));
    // Any other key of such a name is a token of the model's own, as transformers 5 has it.
    let own = config.iter().filter(|(name, _)| name.ends_with("_token") && !is_known(name));
    let extra = EXTRA.iter().filter_map(|name| value(name)?.as_object()).flatten().chain(own);
    let mut named: Vec<(String, Special)> = known.collect();
    for (name, value) in extra {
        if let Some(token) = token(value)
            && !named.iter().any(|(known, _)| known == name)
        {
            named.push((name.clone(), token));
        }
    }
    Ok(named)
}
