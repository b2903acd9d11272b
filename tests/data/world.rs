//! A small tokenizer, templates and conversations for the tests of `src/data`.

use dojo_studio::data::chat::{ChatTemplate, SpecialTokens};
use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::record::{Provenance, Record};
use tokenizers::Tokenizer;
use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

/// As SmolLM2's, with a shorter default system prompt.
pub(crate) const CHATML: &str = "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}\
    {{ '<|im_start|>system\nBe kind<|im_end|>\n' }}{% endif %}\
    {{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}\
    {% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/// Every byte is a token of its own; `<|im_start|>`, `<|im_end|>`, `<s>` and `</s>` are special tokens.
pub(crate) fn byte_tokenizer() -> Tokenizer {
    let alphabet: std::collections::BTreeSet<char> = ByteLevel::alphabet().into_iter().collect();
    let entries: Vec<(String, u32)> =
        alphabet.into_iter().zip(0..).map(|(character, id)| (character.to_string(), id)).collect();
    let vocabulary: [(String, u32); 256] = entries.try_into().expect("256 bytes");
    let model =
        BPE::builder().vocab_and_merges(vocabulary, Vec::new()).build().expect("build a byte tokenizer");
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_pre_tokenizer(Some(ByteLevel::new(false, true, true)));
    tokenizer.with_post_processor(Some(ByteLevel::new(false, true, true)));
    tokenizer.with_decoder(Some(ByteLevel::default()));
    let special = ["<|im_start|>", "<|im_end|>", "<s>", "</s>"];
    tokenizer
        .add_special_tokens(special.map(|text| tokenizers::AddedToken::from(text, true)))
        .expect("add the special tokens");
    tokenizer
}

pub(crate) fn chatml() -> ChatTemplate {
    template(CHATML, "<|im_start|>", "<|im_end|>")
}

pub(crate) fn template(source: &str, bos: &str, eos: &str) -> ChatTemplate {
    let special = SpecialTokens { bos: Some(bos.into()), eos: Some(eos.into()), ..SpecialTokens::default() };
    ChatTemplate::new(source, special).expect("compile a template")
}

pub(crate) fn system(text: &str) -> Message {
    Message::new(Role::System, text)
}

pub(crate) fn user(text: &str) -> Message {
    Message::new(Role::User, text)
}

pub(crate) fn assistant(text: &str) -> Message {
    Message::new(Role::Assistant, text)
}

pub(crate) fn record(messages: &[Message]) -> Record {
    let provenance = Provenance { source: "a.jsonl".into(), line: 3, ..Provenance::default() };
    Record { messages: messages.to_vec(), provenance, ..Record::default() }
}

/// What is trained on, as text, with `|` between separate stretches.
pub(crate) fn trained_text(tokenizer: &Tokenizer, tokens: &[u32], trained: &[bool]) -> String {
    let mut stretches: Vec<Vec<u32>> = Vec::new();
    let mut inside = false;
    for (&token, &trained) in tokens.iter().zip(trained) {
        if trained && !inside {
            stretches.push(Vec::new());
        }
        if trained {
            stretches.last_mut().expect("a stretch").push(token);
        }
        inside = trained;
    }
    let decode = |ids: &Vec<u32>| tokenizer.decode(ids, false).expect("decode");
    stretches.iter().map(decode).collect::<Vec<_>>().join("|")
}

/// Writes a file below a folder, with the folders between.
pub(crate) fn write(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("make the folder");
    std::fs::write(&path, bytes).expect("write");
    path
}
