//! What lies beside the weights: configurations, tokenizers, cards, Ollama's Modelfile.

use candle_core::quantized::GgmlDType;
use dojo_studio::engine::export::{CardOf, ModelFacts, card, describe_adapter};
use serde_json::Value;

use super::{Trains, Workshop, opened};
use crate::support::tiny::Tiny;

fn json(path: &std::path::Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_merged_folder_keeps_what_its_base_said() {
    let mut tiny = Tiny::new("qwen2");
    tiny.more.insert("a_key_of_its_own".to_owned(), 7.into());
    let workshop = Workshop::of(&tiny);
    std::fs::write(
        workshop.base.join("generation_config.json"),
        r#"{"temperature": 0.6, "eos_token_id": [2, 0]}"#,
    )
    .unwrap();
    let adapter = workshop.adapter("adapter", Trains::default());
    let exported = workshop.export(&workshop.trained(&[&adapter]), "hf:bf16", "out").unwrap();
    let config = json(&exported.folder.join("config.json"));
    assert_eq!(config["a_key_of_its_own"], 7);
    assert_eq!((&config["torch_dtype"], &config["tie_word_embeddings"]), (&"bfloat16".into(), &false.into()));
    assert_eq!(config["architectures"], serde_json::json!(["Qwen2ForCausalLM"]));
    let generation = json(&exported.folder.join("generation_config.json"));
    assert_eq!(
        (&generation["temperature"], &generation["eos_token_id"]),
        (&0.6.into(), &serde_json::json!([2, 0]))
    );
    let mut names: Vec<String> = std::fs::read_dir(&exported.folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "README.md",
            "config.json",
            "dojo-export.json",
            "generation_config.json",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json"
        ]
    );
    assert_eq!(opened(&exported.folder).config.eos, [2, 0]);
}

#[test]
fn ollama_writes_the_chats_of_the_models_template() {
    let workshop = Workshop::of(&Tiny::new("llama"));
    let exported = workshop.export(&workshop.trained(&[]), "gguf:f32", "out").unwrap();
    insta::assert_snapshot!(std::fs::read_to_string(exported.folder.join("Modelfile")).unwrap());
}

#[test]
fn a_system_message_of_the_template_is_said_if_there_is_no_other() {
    let template = "{% if messages[0].role != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}\
                    {% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}\
                    {% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
    let workshop = Workshop::of(&Tiny { template, ..Tiny::new("llama") });
    let exported = workshop.export(&workshop.trained(&[]), "gguf:f32", "out").unwrap();
    insta::assert_snapshot!(std::fs::read_to_string(exported.folder.join("Modelfile")).unwrap());
}

#[test]
fn a_template_that_ollama_cannot_say_is_left_to_it() {
    // It numbers the turns.
    let template = "{% for message in messages %}<|im_start|>{{ loop.index }}{{ message.role }}\n{{ message.content }}\
                    <|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
    let workshop = Workshop::of(&Tiny { template, ..Tiny::new("llama") });
    let exported = workshop.export(&workshop.trained(&[]), "gguf:f32", "out").unwrap();
    let text = std::fs::read_to_string(exported.folder.join("Modelfile")).unwrap();
    assert!(text.contains("can't be said in Ollama's language"), "{text}");
    assert!(!text.contains("\nTEMPLATE"), "{text}");
}

#[test]
fn a_card_says_what_the_model_was_made_of() {
    let text = |text: &str| text.to_owned();
    let facts = ModelFacts {
        name: text("tiny-nli"),
        base: text("own/tiny"),
        licence: Some(text("apache-2.0")),
        adapters: vec![text("runs/nli")],
        data: vec![text("trained on `nli/train.jsonl`"), text("600 records seen")],
        recipe: Some(text("[lora]\nr = 8")),
        metrics: vec![(text("eval_loss"), text("1.2345"))],
    };
    insta::assert_snapshot!(card(
        &facts,
        CardOf::Model,
        "merged into one in bf16",
        &[("Check", text("| a |"))]
    ));
}

#[test]
fn an_adapter_is_described_by_a_tokenizer_a_template_and_a_card() {
    let workshop = Workshop::of_gguf(&Tiny::new("llama"), GgmlDType::F32);
    let folder = workshop.adapter("adapter", Trains::default());
    let model = opened(&workshop.base);
    let facts =
        ModelFacts { name: "run-0001".to_owned(), base: "own/tiny".to_owned(), ..ModelFacts::default() };
    describe_adapter(&model, &facts, &folder).unwrap();
    let config = json(&folder.join("tokenizer_config.json"));
    assert_eq!(config["chat_template"].as_str(), model.template.text.as_deref());
    assert!(std::fs::read_to_string(folder.join("README.md")).unwrap().contains("base_model: \"own/tiny\""));
    // It loads as before.
    let trained = workshop.trained(&[&folder]);
    assert!(!trained.has_own_tokens);
    assert_eq!(trained.base.notices.adapters, Vec::<String>::new());
}
