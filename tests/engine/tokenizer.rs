//! Tokenizers from GGUF and from Hugging Face folders.

use dojo_studio::engine::model;

use crate::support::models::{golden, smollm2};

#[test]
fn a_gguf_tokenizer_gives_the_reference_ids() {
    let (Some(golden), Some(files)) = (golden(), smollm2()) else { return };
    let model = model::open(&files).unwrap();
    let text = std::fs::read_to_string(golden.join("chat.json")).unwrap();
    let chats: serde_json::Value = serde_json::from_str(&text).unwrap();
    for chat in chats.as_array().unwrap() {
        let encoding = model.tokenizer.encode(chat["text"].as_str().unwrap(), false).unwrap();
        let expected: Vec<u32> = serde_json::from_value(chat["input_ids"].clone()).unwrap();
        assert_eq!(encoding.get_ids(), expected);
        let back = model.tokenizer.decode(encoding.get_ids(), false).unwrap();
        assert_eq!(back, chat["text"].as_str().unwrap());
    }
}
