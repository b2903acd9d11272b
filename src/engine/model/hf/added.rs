//! Tokens that the files beside `tokenizer.json` name and it lacks: transformers adds them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, anyhow, ensure};
use serde::Deserialize;
use tokenizers::{AddedToken, Tokenizer};

use super::optional_json;
use super::special::{self, CONFIG, Described, MAP, Special};
use crate::model::turn_tokens::marks_turns;

/// Older folders have the tokens with their ids here.
const ADDED: &str = "added_tokens.json";

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

/// A list of tokens, or the tokens of other inputs (images, sounds) by name: see [`special::named`].
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Extra {
    Listed(Vec<Special>),
    Named {},
}

/// What is read of the older file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OlderMap {
    additional_special_tokens: Option<Vec<Special>>,
}

/// Adds what a folder's files name beyond its `tokenizer.json`, in transformers' order.
///
/// # Errors
/// Where a file is damaged, or asks for the names of special tokens to be cut into letters.
pub(super) fn add(tokenizer: &mut Tokenizer, folder: &Path) -> Result<()> {
    let path = folder.join(CONFIG);
    let config: Config = optional_json(&path)?.unwrap_or_default();
    ensure!(
        config.split_special_tokens != Some(true),
        "{} says split_special_tokens: true, so that the marks of a chat would be cut into letters, which Dojo doesn't \
         do; set it to false",
        path.display()
    );
    // The older files are read where the newer one lists no tokens.
    let is_older = config.added_tokens_decoder.is_none();
    let id = |id: &str| id.parse::<u64>().unwrap_or(u64::MAX);
    let mut described: Vec<(u64, Described)> =
        config.added_tokens_decoder.into_iter().flatten().map(|(key, token)| (id(&key), token)).collect();
    described.sort_by_key(|(id, _)| *id);
    let named: Vec<Special> = special::named(folder)?.into_iter().map(|(_, token)| token).collect();
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
    let (older, listed_before) = if is_older { older(folder, &named)? } else { Default::default() };
    let special: Vec<AddedToken> =
        named.into_iter().chain(listed).chain(listed_before).map(Special::token).collect();
    let specials: Vec<String> = special.iter().map(|token| token.content.clone()).collect();
    for token in older.into_iter().chain(special) {
        let is_there = known.contains_key(token.content.as_str())
            || tokens.iter().any(|other| other.content == token.content);
        if !is_there && !token.content.is_empty() {
            tokens.push(token);
        }
    }
    let failed = |error| anyhow!("add the tokens that {} names: {error}", folder.display());
    if !tokens.is_empty() {
        tokenizer.add_tokens(tokens).map_err(failed)?;
    }
    let control = control_tokens(tokenizer, &specials);
    if !control.is_empty() {
        tokenizer.add_special_tokens(control).map_err(failed)?;
    }
    Ok(())
}

/// Tokens that are control tokens though `tokenizer.json` doesn't say so: those that the files beside it name as special,
/// as transformers has it, and marks of turns.
fn control_tokens(tokenizer: &Tokenizer, specials: &[String]) -> Vec<AddedToken> {
    let known = tokenizer.get_added_tokens_decoder();
    let plain = known.into_values().filter(|token| !token.special);
    let control = plain.filter(|token| specials.contains(&token.content) || marks_turns(&token.content));
    control.map(|token| AddedToken { special: true, ..token }).collect()
}

/// The tokens of `added_tokens.json`, by their ids, and the list of `special_tokens_map.json`.
fn older(folder: &Path, named: &[Special]) -> Result<(Vec<AddedToken>, Vec<Special>)> {
    let map: OlderMap = optional_json(&folder.join(MAP))?.unwrap_or_default();
    let listed = map.additional_special_tokens.unwrap_or_default();
    let ids: BTreeMap<String, u64> = optional_json(&folder.join(ADDED))?.unwrap_or_default();
    let mut ids: Vec<(String, u64)> = ids.into_iter().collect();
    ids.sort_by_key(|(_, id)| *id);
    let is_special = |text: &str| named.iter().chain(&listed).any(|token| token.text() == text);
    let token = |text: String| {
        let special = is_special(&text);
        AddedToken::from(text, special).normalized(!special)
    };
    let added = ids.into_iter().map(|(text, _)| token(text)).collect();
    Ok((added, listed))
}
