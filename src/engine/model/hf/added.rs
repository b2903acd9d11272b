//! Tokens that `tokenizer_config.json` names and `tokenizer.json` lacks: transformers adds them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, anyhow, ensure};
use serde::Deserialize;
use tokenizers::{AddedToken, Tokenizer};

use super::optional_json;

const FILE: &str = "tokenizer_config.json";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    /// By their ids, as text.
    added_tokens_decoder: Option<BTreeMap<String, Described>>,
    /// The older name of the next.
    additional_special_tokens: Option<Vec<Special>>,
    extra_special_tokens: Option<Extra>,
    split_special_tokens: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
struct Described {
    content: String,
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

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Special {
    Text(String),
    Described(Described),
}

/// A list of tokens, or the tokens of other inputs (images, sounds) by name, which are tokens of the tokenizer already.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Extra {
    Listed(Vec<Special>),
    Named {},
}

impl Described {
    fn token(self) -> AddedToken {
        let normalized = self.normalized.unwrap_or(!self.special);
        AddedToken::from(self.content, self.special)
            .single_word(self.single_word)
            .lstrip(self.lstrip)
            .rstrip(self.rstrip)
            .normalized(normalized)
    }
}

impl Special {
    fn token(self) -> AddedToken {
        match self {
            Self::Text(text) => AddedToken::from(text, true),
            Self::Described(described) => Described { special: true, ..described }.token(),
        }
    }
}

/// Adds what a folder's `tokenizer_config.json` names beyond its `tokenizer.json`, in transformers' order.
///
/// # Errors
/// Where the file is damaged, or asks for the names of special tokens to be cut into letters.
pub(super) fn add(tokenizer: &mut Tokenizer, folder: &Path) -> Result<()> {
    let path = folder.join(FILE);
    let config: Config = optional_json(&path)?.unwrap_or_default();
    ensure!(
        config.split_special_tokens != Some(true),
        "{} says split_special_tokens: true, so that the marks of a chat would be cut into letters, which Dojo doesn't \
         do; set it to false",
        path.display()
    );
    let id = |id: &str| id.parse::<u64>().unwrap_or(u64::MAX);
    let mut described: Vec<(u64, Described)> =
        config.added_tokens_decoder.into_iter().flatten().map(|(key, token)| (id(&key), token)).collect();
    described.sort_by_key(|(id, _)| *id);
    let known = tokenizer.get_added_tokens_decoder();
    let known: BTreeMap<&str, &AddedToken> =
        known.values().map(|token| (token.content.as_str(), token)).collect();
    let mut tokens: Vec<AddedToken> = Vec::new();
    for (_, described) in described {
        let mut token = described.token();
        let before = known.get(token.content.as_str());
        token.special |= before.is_some_and(|before| before.special);
        if before != Some(&&token) {
            tokens.push(token);
        }
    }
    let listed = match config.extra_special_tokens {
        Some(Extra::Listed(listed)) if !listed.is_empty() => listed,
        Some(Extra::Listed(_) | Extra::Named {}) | None => {
            config.additional_special_tokens.unwrap_or_default()
        }
    };
    for token in listed.into_iter().map(Special::token) {
        let is_there = known.contains_key(token.content.as_str())
            || tokens.iter().any(|other| other.content == token.content);
        if !is_there {
            tokens.push(token);
        }
    }
    if tokens.is_empty() {
        return Ok(());
    }
    let added = tokenizer.add_tokens(tokens);
    added.map(|_| ()).map_err(|error| anyhow!("add the tokens that {} names: {error}", path.display()))
}
