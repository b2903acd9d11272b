//! Chat renderings, equal to the reference's to the byte and the token.

use dojo_studio::data::chat::RenderEnding;
use dojo_studio::data::mask::Masker;
use dojo_studio::domain::message::Message;
use dojo_studio::engine::model::open;
use serde::Deserialize;

use crate::support::models;

#[derive(Deserialize)]
struct Golden {
    messages: Vec<Message>,
    text: String,
    input_ids: Vec<u32>,
}

#[test]
fn chats_render_and_tokenise_as_the_reference_does() {
    let (Some(folder), Some(files)) = (models::golden(), models::smollm2()) else { return };
    let model = open(&files).expect("open the model");
    let template = model.template.compile().expect("compile").expect("a chat template");
    let masker = Masker::new(&template, &model.tokenizer);
    let text = std::fs::read_to_string(folder.join("chat.json")).expect("read the golden figures");
    for golden in serde_json::from_str::<Vec<Golden>>(&text).expect("parse the golden figures") {
        let text = template.render(&golden.messages, RenderEnding::Complete).expect("render");
        assert_eq!(text, golden.text);
        let masked = masker.mask(&golden.messages, 0).expect("mask");
        assert_eq!(masked.tokens, golden.input_ids);
        let said: Vec<String> = golden
            .messages
            .iter()
            .filter(|message| message.role.name() == "assistant")
            .map(|message| format!("{}<|im_end|>", message.content))
            .collect();
        let trained: Vec<u32> = masked
            .tokens
            .iter()
            .zip(&masked.trained)
            .filter(|(_, trained)| **trained)
            .map(|(token, _)| *token)
            .collect();
        assert_eq!(model.tokenizer.decode(&trained, false).expect("decode"), said.concat());
    }
}
