//! The tokenizer that lies beside an adapter, against the model's: the model's is the one that is used, so what the adapter
//! was trained with must be the same, or is told or refused.

use std::path::Path;

use anyhow::{Result, bail};
use tokenizers::Tokenizer;

use super::extend::TOKENIZER;
use crate::model::hf;
use dojo_core::data::regular::is_there;
use dojo_core::domain::name::shown;

/// Texts in which tokenizers differ: capitals, digits, white space, signs, other scripts, what can be written in two ways.
const PROBES: [&str; 8] = [
    "The quick brown Fox",
    " two  spaces\tand a tab",
    "1234567 and 3.14159",
    "line\nanother\r\n\nlast ",
    "it's \"quoted\" (twice)!?",
    "fn main() { let x_1 = y->z; }",
    "na\u{ef}ve cafe\u{301} \u{fb01}ne",
    "\u{4f60}\u{597d} \u{41f}\u{440}\u{438}\u{432}\u{435}\u{442} \u{1f600}",
];

/// The tokenizer in an adapter's folder, if there is one.
///
/// # Errors
/// If it is damaged.
pub(super) fn read(folder: &Path) -> Result<Option<Tokenizer>> {
    is_there(&folder.join(TOKENIZER)).then(|| hf::tokenizer::read(folder)).transpose()
}

/// How the tokenizer in an adapter's folder cuts texts otherwise than the model's, in a sentence; none if it doesn't.
///
/// # Errors
/// If it gives a token of the model's another number: it is another model's.
pub(super) fn differs(folder: &Path, own: &Tokenizer, known: &Tokenizer) -> Result<Option<String>> {
    let mut moved: Vec<(u32, String, u32)> = own
        .get_vocab(true)
        .into_iter()
        .filter_map(|(text, id)| Some((id, known.token_to_id(&text)?, text)))
        .filter_map(|(id, here, text)| (id != here).then_some((id, text, here)))
        .collect();
    moved.sort_unstable();
    if let Some((id, text, here)) = moved.first() {
        bail!(
            "the tokenizer in {} gives the token {} the number {id}, and here it has {here}: it is another model's, or \
             another adapter has added tokens before it",
            folder.display(),
            shown(text)
        );
    }
    let tokens = |tokenizer: &Tokenizer, text: &str| {
        tokenizer.encode_fast(text, true).map(|encoded| encoded.get_ids().to_vec()).ok()
    };
    let probe = PROBES.into_iter().find(|text| tokens(own, text) != tokens(known, text));
    Ok(probe.map(|text| {
        format!(
            "the adapter {} has a tokenizer that cuts texts otherwise than the model's ({text:?}, say), and Dojo uses the \
             model's; copy it into the model's folder if the adapter was trained with it",
            folder.display()
        )
    }))
}
