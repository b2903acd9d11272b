//! A GGUF header -> a tokenizer that gives the ids of the model's own.
//!
//! A GGUF holds the vocabulary and a word for how text is split before merging (`tokenizer.ggml.pre`, llama.cpp's
//! names); the rest is rebuilt here as the models' `tokenizer.json` files have it.

use std::collections::HashMap;

use anyhow::{Context, Result, anyhow, bail};
use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::models::bpe::{BPE, Merges};
use tokenizers::normalizers::NFC;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, SplitDelimiterBehavior, Tokenizer};

use super::config::CONTROL_TOKEN;
use super::spaces::Spaces;
use super::{Header, sentencepiece};
use crate::model::open::ChatTemplateSource;
use crate::model::turn_tokens::marks_turns;
use dojo_core::data::stretch::{GPT_4O, LLAMA3, QWEN2, TEKKEN};
use dojo_core::domain::name::shown;

/// ggml's type of a piece of text.
const NORMAL_TOKEN: i64 = 1;

/// ggml's type of the token for what has none.
const UNKNOWN_TOKEN: i64 = 2;

/// ggml's type of a token that users added, matched in text like a control token but not special.
const USER_TOKEN: i64 = 4;

/// How llama.cpp splits texts where a header doesn't say it or says `default`, one pattern after the other: signs, then words
/// and numbers as GPT-2 has them, then runs of digits, then threes of digits.
const UNSAID: [&str; 4] = [
    r"[\p{P}\$\+<=>\^~\|]+",
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)",
    r"\p{N}+",
    r"[0-9][0-9][0-9]",
];

/// Builds the tokenizer.
///
/// # Errors
/// Where the header has none, or one of a kind that isn't known.
pub(crate) fn build(header: &Header) -> Result<Tokenizer> {
    let tokens = header.texts("tokenizer.ggml.tokens").context("tokenizer.ggml.tokens is missing")?;
    let mut tokenizer = match header.text("tokenizer.ggml.model") {
        Some("gpt2") => byte_level(header, tokens)?,
        Some("llama") => sentencepiece::build(header, tokens)?,
        Some(other) => {
            bail!("its tokenizer, {other}, isn't supported (known: gpt2, llama)")
        }
        None => bail!("tokenizer.ggml.model is missing"),
    };
    add_tokens(&mut tokenizer, header, tokens)?;
    if let Some(template) = template(header, tokens)? {
        tokenizer.with_post_processor(Some(template));
    }
    Ok(tokenizer)
}

/// What of the vocabulary a header leaves open, in sentences.
pub(crate) fn doubts(header: &Header) -> Option<String> {
    let doubts: Vec<String> = unsaid_split(header).into_iter().chain(twice(header)).collect();
    (!doubts.is_empty()).then(|| doubts.join("; "))
}

/// That a header doesn't say how texts are split: the tokens may be others than those that the model has learnt.
fn unsaid_split(header: &Header) -> Option<String> {
    let unsaid = header.text("tokenizer.ggml.model") == Some("gpt2")
        && matches!(header.text("tokenizer.ggml.pre"), None | Some("default"));
    unsaid.then(|| {
        "its header doesn't say how the tokenizer splits texts (tokenizer.ggml.pre), so they are split as llama.cpp splits \
         such a file's, which may give other tokens than the model has learnt; a file converted anew says it"
            .to_owned()
    })
}

/// Tokens with the same text, in a sentence: a text is read as the last of them, and the others are never written.
fn twice(header: &Header) -> Option<String> {
    let tokens = header.texts("tokenizer.ggml.tokens").unwrap_or_default();
    let mut last: HashMap<&str, usize> = HashMap::with_capacity(tokens.len());
    let mut found = None;
    let mut count = 0_usize;
    for (text, id) in tokens.iter().zip(0..) {
        if let Some(before) = last.insert(text, id) {
            count += 1;
            found.get_or_insert((before, id, text));
        }
    }
    let (before, id, text) = found?;
    let more = if count > 1 { format!(" (and {} more tokens so)", count - 1) } else { String::new() };
    Some(format!(
        "its header gives the tokens {before} and {id} the same text, {}{more}: the text is read as the last of them, and an \
         answer in which the model chooses another shows nothing in its place",
        shown(text)
    ))
}

/// Byte-level byte pair encoding (GPT-2 and most later models).
fn byte_level(header: &Header, tokens: &[String]) -> Result<Tokenizer> {
    let merges = header.texts("tokenizer.ggml.merges").context("tokenizer.ggml.merges is missing")?;
    let merges = merges
        .iter()
        .map(|merge| {
            let (left, right) =
                merge.split_once(' ').with_context(|| format!("merge {merge:?} has no space"))?;
            Ok((left.to_owned(), right.to_owned()))
        })
        .collect::<Result<Merges>>()?;
    let pre = header.text("tokenizer.ggml.pre").unwrap_or("default");
    let split = PreSplit::named(pre)?;
    let vocabulary = tokens.iter().zip(0..).map(|(token, id)| (token.clone(), id));
    let model = BPE::builder()
        .vocab_and_merges(vocabulary.collect::<tokenizers::models::bpe::Vocab>(), merges)
        .ignore_merges(split.whole_words_first)
        .build()
        .map_err(|error| anyhow!("build the tokenizer: {error}"))?;
    let mut tokenizer = Tokenizer::new(model);
    if split.nfc {
        tokenizer.with_normalizer(Some(NFC)).map_err(|error| anyhow!("build the tokenizer: {error}"))?;
    }
    tokenizer.with_pre_tokenizer(Some(Sequence::new(split.steps)));
    tokenizer.with_decoder(Some(ByteLevel::new(true, true, true)));
    Ok(tokenizer)
}

/// How text is cut before merging.
struct PreSplit {
    steps: Vec<PreTokenizerWrapper>,
    nfc: bool,
    /// A word that is in the vocabulary is taken whole, whatever the merges say.
    whole_words_first: bool,
}

impl PreSplit {
    fn named(name: &str) -> Result<Self> {
        let by_patterns = |patterns: &[&str]| -> Result<Vec<PreTokenizerWrapper>> {
            let split = |pattern: &&str| -> Result<PreTokenizerWrapper> {
                let pattern = SplitPattern::Regex((*pattern).to_owned());
                let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false);
                Ok(split.map_err(|error| anyhow!("build the tokenizer: {error}"))?.into())
            };
            let bytes = Ok(ByteLevel::new(false, true, false).into());
            patterns.iter().map(split).chain([bytes]).collect()
        };
        let by_pattern = |pattern: &str| by_patterns(&[pattern]);
        let gpt2 = || PreTokenizerWrapper::from(ByteLevel::new(false, true, true));
        let plain = |steps| Self { steps, nfc: false, whole_words_first: false };
        Ok(match name {
            "default" => plain(by_patterns(&UNSAID)?),
            "gpt-2" | "gpt2" | "phi-2" | "olmo" => plain(vec![gpt2()]),
            "smollm" | "starcoder" | "refact" | "command-r" | "codeshell" => {
                plain(vec![Digits::new(true).into(), gpt2()])
            }
            "qwen2" | "deepseek-r1-qwen" => {
                Self { steps: by_pattern(QWEN2)?, nfc: true, whole_words_first: false }
            }
            "llama3" | "llama-v3" | "llama-bpe" | "smaug-bpe" | "falcon3" => {
                Self { steps: by_pattern(LLAMA3)?, nfc: false, whole_words_first: true }
            }
            "dbrx" => plain(by_pattern(LLAMA3)?),
            "tekken" => Self { steps: by_pattern(TEKKEN)?, nfc: false, whole_words_first: true },
            "gpt-4o" | "o200k" => plain(by_pattern(GPT_4O)?),
            other => bail!(
                "its tokenizer splits text by {other:?}, which isn't supported (known: default, smollm, qwen2, \
                 llama-bpe, dbrx, tekken, gpt-4o and their kin)"
            ),
        })
    }
}

/// Control tokens and users' tokens are found in text before it is split.
fn add_tokens(tokenizer: &mut Tokenizer, header: &Header, tokens: &[String]) -> Result<()> {
    let kinds = header.integers("tokenizer.ggml.token_type").unwrap_or_default();
    let spaces = Spaces::of(header, tokens);
    let of = |special: bool| {
        let kinds = kinds.iter().copied().chain(std::iter::repeat(NORMAL_TOKEN));
        let matching = tokens.iter().zip(kinds).filter(move |(text, kind)| match *kind {
            CONTROL_TOKEN => special,
            // An empty text would be found everywhere.
            UNKNOWN_TOKEN => special && !text.is_empty(),
            // Some converters forget it, and llama.cpp takes it for what it looks like.
            NORMAL_TOKEN | USER_TOKEN if marks_turns(text) => special,
            USER_TOKEN => !special,
            _ => false,
        });
        matching.map(move |(text, _)| {
            let (left, right) = spaces.swallowed_by(text);
            AddedToken::from(text.clone(), special).normalized(false).lstrip(left).rstrip(right)
        })
    };
    tokenizer
        .add_special_tokens(of(true))
        .and_then(|_| tokenizer.add_tokens(of(false)))
        .map_err(|error| anyhow!("add the tokenizer's special tokens: {error}"))?;
    Ok(())
}

/// Whether a text begins with the beginning token where the header doesn't say it: as in llama.cpp, and as these
/// models' own tokenizers have it.
fn begins_by_default(header: &Header) -> bool {
    let pre = header.text("tokenizer.ggml.pre").unwrap_or("default");
    header.text("tokenizer.ggml.model") == Some("llama")
        || matches!(pre, "llama3" | "llama-v3" | "llama-bpe" | "falcon3" | "tekken")
}

/// The tokens that are put around a text, where the header asks for them.
fn template(header: &Header, tokens: &[String]) -> Result<Option<TemplateProcessing>> {
    let wanted = |name: &str, by_default: bool| {
        let asked = header.boolean(&format!("tokenizer.ggml.add_{name}_token")).unwrap_or(by_default);
        let id = header.token_id(&format!("tokenizer.ggml.{name}_token_id")).filter(|_| asked)?;
        tokens.get(id as usize).map(|text| (text.clone(), id))
    };
    let begin = wanted("bos", begins_by_default(header));
    let end = wanted("eos", false);
    if begin.is_none() && end.is_none() {
        return Ok(None);
    }
    let named = |token: &Option<(String, u32)>| token.as_ref().map(|(text, _)| text.clone());
    let around = |text: &str| -> Vec<String> {
        named(&begin).into_iter().chain([text.to_owned()]).chain(named(&end)).collect()
    };
    TemplateProcessing::builder()
        .try_single(around("$A"))
        .and_then(|builder| builder.try_pair([around("$A"), around("$B")].concat()))
        .map_err(|error| anyhow!("build the tokenizer: {error}"))?
        .special_tokens([&begin, &end].into_iter().flatten().cloned().collect::<Vec<_>>())
        .build()
        .map(Some)
        .map_err(|error| anyhow!("build the tokenizer: {error}"))
}

/// The chat template and the texts of the begin and end tokens.
pub(crate) fn template_source(header: &Header) -> ChatTemplateSource {
    let tokens = header.texts("tokenizer.ggml.tokens").unwrap_or_default();
    let text = |name: &str| {
        let id = header.token_id(&format!("tokenizer.ggml.{name}_token_id"))?;
        tokens.get(id as usize).cloned()
    };
    let others = [
        ("pad_token", "padding"),
        ("unk_token", "unknown"),
        ("sep_token", "seperator"),
        ("cls_token", "cls"),
        ("mask_token", "mask"),
    ];
    ChatTemplateSource {
        other_tokens: others
            .into_iter()
            .filter_map(|(name, key)| Some((name.to_owned(), text(key)?)))
            .collect(),
        // A GGUF names none.
        additional_tokens: Vec::new(),
        text: header.text("tokenizer.chat_template").map(str::to_owned),
        bos_token: text("bos"),
        eos_token: text("eos"),
        moment: None,
    }
}
