//! Which tokens end what a model writes: one answer for training, generation and every form of model file.

use tokenizers::Tokenizer;

use super::files::ModelStorage;
use super::open::ChatTemplateSource;
use dojo_core::data::mask::Masker;

/// Token texts that end a turn, for files that can't name all of theirs (llama.cpp looks for the same).
pub(crate) const KNOWN: [&str; 9] = [
    "<|im_end|>",
    "<|eot_id|>",
    "<|end|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|end▁of▁sentence|>",
    "<｜end▁of▁sentence｜>",
];

/// The tokens that end generation: those that the model's files name, the one that its template ends the assistant's
/// turns with, which is what training teaches it to write, and in a GGUF, which names one of a kind, those known by
/// their texts.
pub(super) fn find(
    named: &[u32],
    form: &ModelStorage,
    template: &ChatTemplateSource,
    tokenizer: &Tokenizer,
) -> Vec<u32> {
    let by_name = template.eos_token.as_ref().and_then(|text| tokenizer.token_to_id(text));
    let mut known: Vec<u32> = match form {
        ModelStorage::HuggingFace(_) => Vec::new(),
        ModelStorage::Gguf(_) => {
            let added = tokenizer.get_added_tokens_decoder().into_iter();
            let known = added.filter(|(_, token)| token.special && KNOWN.contains(&token.content.as_str()));
            known.map(|(id, _)| id).collect()
        }
    };
    known.sort_unstable();
    // A template that can't be compiled is told where it is used.
    let compiled = template.compile().ok().flatten();
    let trained = compiled.and_then(|template| Masker::new(&template, tokenizer).turn_end());
    let mut ends: Vec<u32> = Vec::new();
    for id in named.iter().copied().chain(by_name).chain(known).chain(trained) {
        if !ends.contains(&id) {
            ends.push(id);
        }
    }
    ends
}
