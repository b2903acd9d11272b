//! How a text is split before merging. A GGUF has a word for it (`tokenizer.ggml.pre`) and a `tokenizer.json` a program, so
//! the word is found by what it does: the first with which a tokenizer rebuilt from the GGUF's keys gives the same tokens.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use tokenizers::Tokenizer;

use super::keys::prefix;
use super::vocabulary::ids;
use super::write::Entries;
use crate::model::OpenModel;
use crate::model::gguf::{GgufValue, Header, tokenizer};

/// llama.cpp's words that Dojo reads, one for each way of splitting.
pub(super) const NAMES: [&str; 7] = ["smollm", "gpt-2", "qwen2", "llama-bpe", "dbrx", "tekken", "gpt-4o"];

/// What ways of splitting disagree on: digits, contractions, white space, signs, letters of many scripts, letters that are
/// composed of several characters.
const PROBES: [&str; 14] = [
    "Hello, world! How are you?",
    "0 12 345 6789 12345678 3.14 1,000,000 v2.0",
    "I'm you're we'll they'd it's IT'S O'Neill 'tis",
    "a  b   c\t\td \n\n e\r\n  f   ",
    "   leading and trailing   ",
    "\n\n\nthree\n\n\nlines\n",
    "fn main() { let x = vec![1, 2]; println!(\"{x:?}\"); } // ===== ---->",
    "camelCase HTMLParser XMLHttpRequest snake_case SCREAMING_CASE",
    "naïve café e\u{301}te\u{301} Å A\u{30a} ﬁ",
    "нещо на Български, Ελληνικά, עברית, العربية, हिन्दी, ไทย",
    "我想在apple工作1314151天～ 日本語 한국어",
    "🚀 (normal) 😶\u{200d}🌫️ ✅ 🦙🦙",
    "!!!??? ... ---- #tag @name $5.00 100% a/b\\c",
    "<think>\nstep 1: 2+2=4\n</think>\n\nThe answer is **4**.",
];

/// The entries with the word that splits texts as the model's own tokenizer does.
///
/// # Errors
/// If none does; the message shows a text on which the nearest one differs.
pub(super) fn choose(model: &OpenModel, entries: Entries, names: &[&str]) -> Result<Entries> {
    let own = tokens_of(&model.tokenizer)?;
    let mut header = Header { metadata: entries.iter().cloned().collect(), tensors: BTreeMap::new() };
    header
        .metadata
        .insert("general.architecture".to_owned(), GgufValue::Text(prefix(&model.config).to_owned()));
    let mut nearest: Option<(usize, &str, &str)> = None;
    for &name in names {
        header.metadata.insert("tokenizer.ggml.pre".to_owned(), GgufValue::Text(name.to_owned()));
        let rebuilt = tokens_of(&tokenizer::build(&header)?)?;
        let mut differing = own.iter().zip(&rebuilt).zip(PROBES).filter(|((own, other), _)| own != other);
        let Some((_, probe)) = differing.next() else {
            let mut entries = entries;
            entries.push(("tokenizer.ggml.pre".to_owned(), GgufValue::Text(name.to_owned())));
            return Ok(entries);
        };
        let count = 1 + differing.count();
        if nearest.is_none_or(|(least, ..)| count < least) {
            nearest = Some((count, name, probe));
        }
    }
    let (_, name, probe) = nearest.context("no way of splitting is known")?;
    bail!(
        "its tokenizer splits texts in a way that a GGUF has no word for (the nearest, {name}, gives other tokens for {probe:?})"
    )
}

fn tokens_of(tokenizer: &Tokenizer) -> Result<Vec<Vec<u32>>> {
    PROBES.into_iter().map(|probe| ids(tokenizer, probe, false)).collect()
}
