//! What the files beside a sentence model say of its use: how a text's tokens become one vector, what is said before a
//! text, and how long it may be. Whatever would change the vectors and isn't known is refused by name.

use std::path::{Component, Path};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::pooling::Pooling;
use crate::model::hf::MOST_JSON;
use dojo_core::data::regular;
use dojo_core::domain::name::shown;

/// How a sentence model is used, as its files have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SentenceFolder {
    pub(super) pooling: Pooling,
    pub(super) prefixes: Prefixes,
    /// Tokens of a text at most, if a file says.
    pub(super) longest: Option<usize>,
    /// Whether a file says how the tokens become one vector, or it is only what is usual for encoders.
    pub(super) names_pooling: bool,
}

/// What is said before a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prefixes {
    pub passage: String,
    pub query: String,
}

impl Prefixes {
    /// Whether nothing is said before any text.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.passage.is_empty() && self.query.is_empty()
    }
}

impl SentenceFolder {
    /// Reads what sentence-transformers writes beside a model; a folder without any of it pools by the mean.
    ///
    /// # Errors
    /// If a file is damaged, or asks for what isn't computed here.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let Modules { pooling, normalizes } = Modules::read(folder)?;
        let names_pooling = pooling.is_some();
        let (pooling, counts_prefix) = match pooling {
            None => (Pooling::Mean, true),
            Some(path) => pooling_of(&folder.join(path))?,
        };
        let settings = json(&folder.join("config_sentence_transformers.json"))?.unwrap_or_default();
        let compares = settings.get("similarity_fn_name").and_then(Value::as_str).unwrap_or("cosine");
        ensure!(
            compares == "cosine" || normalizes && compares == "dot",
            "it compares vectors by {}, and vectors of length 1 are compared by cosine here",
            shown(compares)
        );
        let prefixes = prefixes(&settings)?;
        ensure!(
            counts_prefix || prefixes.is_empty() || pooling != Pooling::Mean,
            "it leaves its prompts out of the mean (include_prompt is false), which isn't supported"
        );
        let lengths = json(&folder.join("sentence_bert_config.json"))?.unwrap_or_default();
        ensure!(
            lengths.get("do_lower_case").and_then(Value::as_bool) != Some(true),
            "it lower-cases texts before its tokenizer (do_lower_case is true), which isn't supported"
        );
        let tokenizer = json(&folder.join("tokenizer_config.json"))?.unwrap_or_default();
        let longest = [lengths.get("max_seq_length"), tokenizer.get("model_max_length")];
        // Some tokenizers say 10^30 when they have no bound.
        let longest = longest.into_iter().flatten().find_map(Value::as_u64).map(|length| length as usize);
        ensure!(
            longest.is_none_or(|longest| longest > 2),
            "it reads no text: its max_seq_length is too small"
        );
        Ok(Self { pooling, prefixes, longest, names_pooling })
    }
}

/// What `modules.json` lists.
struct Modules {
    /// The pooling's folder.
    pooling: Option<String>,
    normalizes: bool,
}

impl Modules {
    fn read(folder: &Path) -> Result<Self> {
        let mut modules = Self { pooling: None, normalizes: false };
        let Some(listed) = json(&folder.join("modules.json"))? else { return Ok(modules) };
        let listed = listed.as_array().context("its modules.json is no list")?;
        for module in listed {
            let text = |key: &str| module.get(key).and_then(Value::as_str).unwrap_or_default();
            let path = text("path");
            let kind = text("type").rsplit('.').next().unwrap_or_default();
            let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
            ensure!(inside, "its modules.json names {}, a place outside the model's folder", shown(path));
            match kind {
                "Transformer" => {
                    ensure!(path.is_empty(), "its weights are in {}, not beside modules.json", shown(path));
                }
                "Pooling" => modules.pooling = Some(path.to_owned()),
                "Normalize" => modules.normalizes = true,
                other => bail!(
                    "its modules.json has a module of the kind {}, which isn't supported (known: Transformer, Pooling, \
                     Normalize)",
                    shown(other)
                ),
            }
        }
        Ok(modules)
    }
}

/// Pooling by a `config.json` of sentence-transformers, and whether prompts count.
fn pooling_of(folder: &Path) -> Result<(Pooling, bool)> {
    let path = folder.join("config.json");
    let value = json(&path)?.with_context(|| format!("{} is missing", path.display()))?;
    let counts_prefix = value.get("include_prompt").and_then(Value::as_bool).unwrap_or(true);
    let mut modes: Vec<String> = match value.get("pooling_mode") {
        Some(Value::String(mode)) => vec![mode.clone()],
        Some(Value::Array(modes)) => modes.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => value
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, value)| value.as_bool() == Some(true))
            .filter_map(|(key, _)| {
                Some(key.strip_prefix("pooling_mode_")?.trim_end_matches("_tokens").to_owned())
            })
            .collect(),
    };
    for mode in &mut modes {
        *mode = mode.trim_end_matches("_token").to_owned();
    }
    let modes: Vec<&str> = modes.iter().map(String::as_str).collect();
    let pooling = match modes.as_slice() {
        // Divided by the root of the length instead of the length, it has the same direction.
        ["mean" | "mean_sqrt_len"] => Pooling::Mean,
        ["cls"] => Pooling::First,
        ["lasttoken"] => Pooling::Last,
        [] => bail!("{} names no pooling", path.display()),
        others => bail!(
            "its pooling is {}, which isn't supported (known: mean, cls, lasttoken)",
            shown(&others.join(" and "))
        ),
    };
    Ok((pooling, counts_prefix))
}

/// Prompts by the names that sentence-transformers looks for, else its default prompt.
fn prefixes(settings: &Value) -> Result<Prefixes> {
    let prompt = |name: &str| settings.get("prompts").and_then(|prompts| prompts.get(name));
    let default = match settings.get("default_prompt_name").and_then(Value::as_str) {
        Some(name) => {
            Some(prompt(name).with_context(|| format!("its default prompt {} is missing", shown(name)))?)
        }
        None => None,
    };
    let first = |names: &[&str]| -> Result<String> {
        match names.iter().find_map(|name| prompt(name).filter(|prompt| !prompt.is_null())).or(default) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => bail!("one of its prompts is no text"),
        }
    };
    Ok(Prefixes { passage: first(&["document", "passage", "corpus"])?, query: first(&["query"])? })
}

/// A file's value; nothing if there is no such file.
fn json(path: &Path) -> Result<Option<Value>> {
    if !regular::is_there(path) {
        return Ok(None);
    }
    let text = regular::text(path, MOST_JSON).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("read {}", path.display())).map(Some)
}
