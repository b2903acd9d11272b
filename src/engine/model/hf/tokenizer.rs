//! `tokenizer.json` and the chat template of a Hugging Face folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::Deserialize;
use tokenizers::{ModelWrapper, Tokenizer};

use super::{added, bounds, json, optional_json, read_bounded, special};
use crate::model::open::ChatTemplateSource;
use dojo_core::data::quiet::quietly;
use dojo_core::data::regular::is_there;
use dojo_core::domain::name::one_line;

pub(super) const FILE: &str = "tokenizer.json";

/// Reads the tokenizer, with the tokens that the folder names beside it.
///
/// # Errors
/// Where there is none, or it is damaged.
pub(crate) fn read(folder: &Path) -> Result<Tokenizer> {
    let path = folder.join(FILE);
    ensure!(
        is_there(&path),
        "{} holds no tokenizer.json (a tokenizer.model alone isn't enough: save the tokenizer with transformers)",
        folder.display()
    );
    let mut tokenizer = read_file(&path)?;
    added::add(&mut tokenizer, folder)?;
    Ok(tokenizer)
}

/// Reads a `tokenizer.json` that may come from a stranger.
///
/// # Errors
/// Where it is damaged, or is refused because it would take all memory or time; the message names the file.
pub(crate) fn read_file(path: &Path) -> Result<Tokenizer> {
    let read = || -> Result<Tokenizer> {
        let text = read_bounded(path, bounds::MOST_BYTES)?;
        bounds::check(&text)?;
        // The library panics on some of what it doesn't expect.
        let read = quietly(|| -> Result<Tokenizer> {
            let failed = |error: tokenizers::Error| anyhow!(one_line(&error.to_string()));
            let mut tokenizer = Tokenizer::from_bytes(&text).map_err(failed)?;
            // Some files ship the settings of their last use.
            tokenizer.with_padding(None);
            tokenizer.with_truncation(None).map_err(failed)?;
            if let ModelWrapper::BPE(model) = tokenizer.get_model() {
                let dropped = model.dropout.unwrap_or_default();
                ensure!(
                    dropped == 0.0,
                    "it leaves merges out at random (the model's dropout is {dropped}), so that a text would have other \
                     tokens each time; set dropout to null"
                );
            }
            try_out(&tokenizer)?;
            Ok(tokenizer)
        });
        read.unwrap_or_else(|_| bail!("the tokenizer library fails on it"))
    };
    let told = |error: anyhow::Error| anyhow!("read {}: {}", path.display(), one_line(&format!("{error:#}")));
    read().map_err(told)
}

/// Texts of up to this many characters are split within [`LONGEST_TRY`] all together, or a longer one would take for
/// ever.
const LONGEST_PROBE: usize = 40;
const LONGEST_TRY: Duration = Duration::from_secs(2);
/// One text that takes longer is tried a second time: a busy machine may have held up the first.
const SUSPICIOUS: Duration = Duration::from_millis(200);

/// Splits some short texts of rising length, on which patterns that try every way of matching take twice as long with
/// each character, and puts them together again.
fn try_out(tokenizer: &Tokenizer) -> Result<()> {
    let mut spent = Duration::ZERO;
    for length in 1..=LONGEST_PROBE {
        for character in ['a', ' ', '1', '-'] {
            let mut text: String = std::iter::repeat_n(character, length).collect();
            text.push('!');
            let mut took = time_of(tokenizer, &text);
            if took > SUSPICIOUS {
                took = took.min(time_of(tokenizer, &text));
            }
            spent += took;
            ensure!(spent < LONGEST_TRY, "it takes {took:?} to split {text:?}");
        }
    }
    Ok(())
}

fn time_of(tokenizer: &Tokenizer, text: &str) -> Duration {
    let start = Instant::now();
    // One that knows none of these characters may still know its own.
    if let Ok(encoded) = tokenizer.encode_fast(text, true) {
        let _ = tokenizer.decode(encoded.get_ids(), false);
    }
    start.elapsed()
}

/// Bytes of a template's file that are read at most. What a template may be is held elsewhere.
const MOST_TEMPLATE: u64 = 16 << 20;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TokenizerConfig {
    chat_template: Option<Templates>,
}

/// One template, or several by name.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Templates {
    One(String),
    Named(Vec<NamedTemplate>),
}

#[derive(Debug, Deserialize)]
struct NamedTemplate {
    name: String,
    template: String,
}

impl Templates {
    fn pick(self) -> Option<String> {
        match self {
            Self::One(text) => Some(text),
            Self::Named(all) => {
                all.into_iter().find(|named| named.name == "default").map(|named| named.template)
            }
        }
    }
}

/// Reads the chat template, where transformers looks for it: `chat_template.jinja`, then `tokenizer_config.json`, and
/// `chat_template.json` (that of a processor) where there is no other; and the texts of the tokens that templates name.
///
/// # Errors
/// Where a file is there but can't be read.
pub(crate) fn template(folder: &Path) -> Result<ChatTemplateSource> {
    let config: TokenizerConfig = optional_json(&folder.join(special::CONFIG))?.unwrap_or_default();
    let named = special::named(folder)?.into_iter();
    let mut named: BTreeMap<String, String> =
        named.map(|(name, token)| (name, token.text().to_owned())).collect();
    let beside = folder.join("chat_template.jinja");
    let older = folder.join("chat_template.json");
    let text = if is_there(&beside) {
        let text = read_bounded(&beside, MOST_TEMPLATE).and_then(|bytes| Ok(String::from_utf8(bytes)?));
        Some(text.with_context(|| format!("read {}", beside.display()))?)
    } else if let Some(templates) = config.chat_template {
        templates.pick()
    } else if is_there(&older) {
        json::<TokenizerConfig>(&older)?.chat_template.and_then(Templates::pick)
    } else {
        None
    };
    Ok(ChatTemplateSource {
        text,
        bos_token: named.remove("bos_token"),
        eos_token: named.remove("eos_token"),
        other_tokens: named,
        additional_tokens: special::additional(folder)?,
        moment: None,
    })
}
