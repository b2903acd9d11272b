//! A header's keys of the tokenizer: tokens with their kinds, merges or scores, how text is split, which tokens begin and
//! end it, and the chat template. A GGUF's own are kept, with the tokens that training added.

use anyhow::{Context, Result, ensure};
use tokenizers::Tokenizer;

use super::split;
use super::write::Entries;
use crate::export::tokenizer_json::{TokenizerJson, VocabularyKind};
use crate::model::OpenModel;
use crate::model::files::ModelStorage;
use crate::model::gguf::{GgufFile, GgufValue, Header};

/// ggml's kinds of tokens (`llama_token_type`).
mod kind {
    pub(super) const NORMAL: i64 = 1;
    pub(super) const UNKNOWN: i64 = 2;
    pub(super) const CONTROL: i64 = 3;
    pub(super) const USER: i64 = 4;
    pub(super) const UNUSED: i64 = 5;
    pub(super) const BYTE: i64 = 6;
}

const TOKENS: &str = "tokenizer.ggml.tokens";
const KINDS: &str = "tokenizer.ggml.token_type";
const SCORES: &str = "tokenizer.ggml.scores";

/// Scores of tokens that no merge makes.
const NO_MERGE: f64 = -1e4;
const ADDED: f64 = -1e3;

/// The keys that begin with `tokenizer.`.
///
/// # Errors
/// If a GGUF has no form for the model's tokenizer.
pub(super) fn of(model: &OpenModel) -> Result<Entries> {
    match &model.files.form {
        ModelStorage::Gguf(path) => Ok(kept(model, GgufFile::open(path)?.header())),
        ModelStorage::HuggingFace(_) => made(model).context("write the tokenizer as a GGUF has it"),
    }
}

/// A GGUF's own keys, its lists as long as the embedding.
fn kept(model: &OpenModel, header: &Header) -> Entries {
    let mut entries: Entries = Vec::new();
    let rows = model.config.vocabulary;
    for (key, value) in header.metadata.iter().filter(|(key, _)| key.starts_with("tokenizer.")) {
        let mut value = value.clone();
        match (key.as_str(), &mut value) {
            (TOKENS, GgufValue::Texts(tokens)) => {
                tokens.truncate(rows);
                tokens.extend((tokens.len()..rows).map(|id| token(&model.tokenizer, id)));
            }
            (KINDS, GgufValue::Integers(kinds)) => {
                kinds.truncate(rows);
                let added = AddedTokens::of(&model.tokenizer);
                kinds.extend((kinds.len()..rows).map(|id| added.kind(id).unwrap_or(kind::UNUSED)));
            }
            (SCORES, GgufValue::Floats(scores)) => scores.resize(rows, ADDED),
            _ => {}
        }
        entries.push((key.clone(), value));
    }
    if header.integers(KINDS).is_none() {
        let added = AddedTokens::of(&model.tokenizer);
        let kinds = (0..rows).map(|id| added.kind(id).unwrap_or(kind::NORMAL));
        entries.push((KINDS.to_owned(), GgufValue::Integers(kinds.collect())));
    }
    entries
}

/// The keys of a `tokenizer.json`.
fn made(model: &OpenModel) -> Result<Entries> {
    let json = TokenizerJson::of(&model.tokenizer)?;
    let mut entries = listed(model, &json);
    entries.extend(named(model)?);
    let text = |text: &str| GgufValue::Text(text.to_owned());
    match json.kind {
        VocabularyKind::ByteLevel => {
            let merges = json.merges.iter().map(|(left, right)| {
                let spaced = left.contains(' ') || right.contains(' ');
                ensure!(
                    !spaced,
                    "its merge of {left:?} and {right:?} has a space in it, which a GGUF can't say"
                );
                Ok(format!("{left} {right}"))
            });
            let merges = merges.collect::<Result<_>>()?;
            entries.push(("tokenizer.ggml.model".to_owned(), text("gpt2")));
            entries.push(("tokenizer.ggml.merges".to_owned(), GgufValue::Texts(merges)));
            split::choose(model, entries, &split::NAMES)
        }
        VocabularyKind::SentencePiece => {
            entries.push(("tokenizer.ggml.model".to_owned(), text("llama")));
            entries.push((SCORES.to_owned(), scores(model.config.vocabulary, &json)));
            let prefixed = first_token(&model.tokenizer, "a")?.starts_with('▁');
            entries.push(("tokenizer.ggml.add_space_prefix".to_owned(), GgufValue::Bool(prefixed)));
            split::choose(model, entries, &["default"])
        }
    }
}

/// Tokens and their kinds.
fn listed(model: &OpenModel, json: &TokenizerJson) -> Entries {
    let added = AddedTokens::of(&model.tokenizer);
    let rows = model.config.vocabulary;
    let kind = |id: usize| {
        let Some(text) = u32::try_from(id).ok().and_then(|id| model.tokenizer.id_to_token(id)) else {
            return kind::UNUSED;
        };
        let is_piece = json.kind == VocabularyKind::SentencePiece;
        match added.kind(id) {
            _ if json.unknown.as_ref() == Some(&text) => kind::UNKNOWN,
            Some(kind) => kind,
            None if is_piece && is_byte(&text) => kind::BYTE,
            None => kind::NORMAL,
        }
    };
    let tokens = (0..rows).map(|id| token(&model.tokenizer, id)).collect();
    vec![
        (TOKENS.to_owned(), GgufValue::Texts(tokens)),
        (KINDS.to_owned(), GgufValue::Integers((0..rows).map(kind).collect())),
    ]
}

/// `<0x0A>`, as SentencePiece writes a byte.
fn is_byte(text: &str) -> bool {
    let hex = text.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
    hex.is_some_and(|hex| hex.len() == 2 && u8::from_str_radix(hex, 16).is_ok())
}

/// SentencePiece joins what has the best score first: the place among the merges, negative.
fn scores(rows: usize, json: &TokenizerJson) -> GgufValue {
    let mut scores = vec![NO_MERGE; rows];
    for (place, (left, right)) in json.merges.iter().enumerate() {
        let made = json.ids.get(format!("{left}{right}").as_str());
        if let Some(score) =
            made.and_then(|&id| scores.get_mut(id as usize)).filter(|score| **score <= NO_MERGE)
        {
            *score = -(place as f64);
        }
    }
    GgufValue::Floats(scores)
}

/// Tokens with a part to play.
fn named(model: &OpenModel) -> Result<Entries> {
    let template = &model.template;
    let id = |text: &Option<String>| text.as_ref().and_then(|text| model.tokenizer.token_to_id(text));
    let other =
        |name: &str| template.other_tokens.get(name).and_then(|text| model.tokenizer.token_to_id(text));
    let around = Around::of(&model.tokenizer)?;
    let bos = around.before.or_else(|| id(&template.bos_token)).or(model.config.bos);
    let eos = around.after.or_else(|| id(&template.eos_token)).or_else(|| model.config.eos.first().copied());
    let mut ends = model.config.eos.iter().copied().filter(|&end| Some(end) != eos);
    let mut found = vec![("bos", bos), ("eos", eos), ("eot", ends.next()), ("eom", ends.next())];
    let others = [
        ("padding", "pad_token"),
        ("unknown", "unk_token"),
        ("seperator", "sep_token"),
        ("mask", "mask_token"),
    ];
    found.extend(others.map(|(name, key)| (name, other(key))));
    let ids = found.into_iter().filter_map(|(name, id)| {
        let id = id.filter(|&id| (id as usize) < model.config.vocabulary)?;
        Some((format!("tokenizer.ggml.{name}_token_id"), GgufValue::Integer(id.into())))
    });
    let mut entries: Entries = ids.collect();
    for (name, token) in [("bos", around.before), ("eos", around.after)] {
        entries.push((format!("tokenizer.ggml.add_{name}_token"), GgufValue::Bool(token.is_some())));
    }
    if let Some(text) = &template.text {
        entries.push(("tokenizer.chat_template".to_owned(), GgufValue::Text(text.clone())));
    }
    Ok(entries)
}

/// The tokens that a tokenizer puts around a text by itself.
struct Around {
    before: Option<u32>,
    after: Option<u32>,
}

impl Around {
    fn of(tokenizer: &Tokenizer) -> Result<Self> {
        let plain = ids(tokenizer, "a", false)?;
        let whole = ids(tokenizer, "a", true)?;
        let start = whole.windows(plain.len().max(1)).position(|part| part == plain).unwrap_or(0);
        let (before, rest) = whole.split_at(start);
        let after = rest.get(plain.len()..).unwrap_or_default();
        ensure!(
            before.len() <= 1 && after.len() <= 1,
            "its tokenizer puts {} tokens before and {} after a text; a GGUF can say one each",
            before.len(),
            after.len()
        );
        Ok(Self { before: before.first().copied(), after: after.first().copied() })
    }
}

fn first_token(tokenizer: &Tokenizer, text: &str) -> Result<String> {
    let first = ids(tokenizer, text, false)?.first().copied();
    Ok(first.and_then(|id| tokenizer.id_to_token(id)).unwrap_or_default())
}

pub(super) fn ids(tokenizer: &Tokenizer, text: &str, with_special: bool) -> Result<Vec<u32>> {
    let encoding = tokenizer.encode(text, with_special);
    let encoding = encoding.map_err(|error| anyhow::anyhow!("tokenise {text:?}: {error}"))?;
    Ok(encoding.get_ids().to_vec())
}

/// A token's text; rows that none has are named by their number, as llama.cpp's converter does it.
fn token(tokenizer: &Tokenizer, id: usize) -> String {
    let text = u32::try_from(id).ok().and_then(|id| tokenizer.id_to_token(id));
    text.unwrap_or_else(|| format!("[PAD{id}]"))
}

/// Tokens that are found in a text before it is split.
struct AddedTokens(std::collections::BTreeMap<u32, bool>);

impl AddedTokens {
    fn of(tokenizer: &Tokenizer) -> Self {
        Self(
            tokenizer.get_added_tokens_decoder().into_iter().map(|(id, token)| (id, token.special)).collect(),
        )
    }

    fn kind(&self, id: usize) -> Option<i64> {
        let special = self.0.get(&u32::try_from(id).ok()?)?;
        Some(if *special { kind::CONTROL } else { kind::USER })
    }
}
