//! What a model's files ask for and Dojo doesn't do: said, or refused.

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Value as GgufValue;
use dojo_studio::engine::model::{self, ModelFiles, OpenModel};
use serde_json::{Value, json};

use crate::support::tiny::Tiny;

/// A tiny model whose configuration has these keys, and with this `generation_config.json`.
fn opened(config: &Value, generation: Option<&Value>) -> anyhow::Result<OpenModel> {
    let place = tempfile::tempdir().unwrap();
    let more = config.as_object().unwrap().clone();
    Tiny { more, ..Tiny::new("llama") }.write_folder(place.path());
    if let Some(generation) = generation {
        std::fs::write(place.path().join("generation_config.json"), generation.to_string()).unwrap();
    }
    model::open(&ModelFiles::at(place.path())?)
}

fn asked(generation: &Value) -> Option<String> {
    opened(&json!({}), Some(generation)).unwrap().notices.generation
}

#[test]
fn what_a_generation_config_asks_for_is_told_by_name() {
    let told = asked(&json!({
        "repetition_penalty": 1.1, "no_repeat_ngram_size": 3, "suppress_tokens": [4, 5], "forced_eos_token_id": 2,
        "bad_words_ids": [[5]], "min_new_tokens": 4, "num_beams": 4, "length_penalty": 2.0, "stop_strings": "END",
        "sequence_bias": {"5": -1.0}, "begin_suppress_tokens": null, "eos_token_id": 2,
    }));
    let told = told.unwrap();
    for part in [
        "generation_config.json asks for repetition_penalty 1.1, no_repeat_ngram_size 3, bad_words_ids [[5]],",
        "suppress_tokens [4,5]",
        "forced_eos_token_id 2",
        "min_new_tokens 4",
        "stop_strings 'END'",
        "sequence_bias {\"5\":-1.0}",
        "num_beams 4, length_penalty 2.0",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("begin_suppress"), "{told}");
    let sampled = asked(&json!({"do_sample": true, "temperature": 0.6, "top_p": 0.95, "top_k": 20}));
    assert!(sampled.unwrap().contains("asks for do_sample true, temperature 0.6, top_k 20, top_p 0.95 when"));
}

#[test]
fn what_changes_no_answer_is_not_told() {
    for generation in [
        json!({"eos_token_id": [2, 0], "pad_token_id": 0, "transformers_version": "4.50.0", "use_cache": true}),
        json!({"repetition_penalty": 1.0, "num_beams": 1, "min_length": 0, "bad_words_ids": null, "suppress_tokens": []}),
        // Without do_sample and without beams these do nothing.
        json!({"temperature": 0.6, "top_p": 0.9, "do_sample": false, "length_penalty": 2.0, "early_stopping": true}),
    ] {
        assert_eq!(asked(&generation), None, "{generation}");
    }
}

#[test]
fn older_folders_ask_in_their_configuration() {
    let config = json!({"no_repeat_ngram_size": 2});
    let told = opened(&config, None).unwrap().notices.generation.unwrap();
    assert!(told.starts_with("config.json asks for no_repeat_ngram_size 2 when"), "{told}");
    assert_eq!(opened(&config, Some(&json!({}))).unwrap().notices.generation, None);
}

#[test]
fn plain_weights_that_are_said_to_be_quantised_are_told_or_refused() {
    for method in
        [json!({"quant_method": "bitsandbytes", "load_in_4bit": true}), json!({"load_in_4bit": true})]
    {
        let opened = opened(&json!({"quantization_config": method}), None).unwrap();
        let told = opened.notices.weights.unwrap();
        assert!(told.contains("weights that bitsandbytes rounds to 4 bits while they are loaded"), "{told}");
    }
    for method in ["gptq", "awq", "compressed-tensors", "fp8", "something"] {
        let config = json!({"quantization_config": {"quant_method": method, "bits": 4}});
        let refused = format!("{:#}", opened(&config, None).err().expect("a refusal"));
        assert!(refused.contains(&format!("the weights are quantised by '{method}'")), "{refused}");
    }
    let unnamed = opened(&json!({"quantization_config": {"bits": 4}}), None);
    assert!(format!("{:#}", unnamed.err().expect("a refusal")).contains("names no quant_method"));
    assert_eq!(opened(&json!({"quantization_config": null}), None).unwrap().notices.weights, None);
}

#[test]
fn a_gguf_that_names_sampling_or_suppresses_tokens_is_told() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.gguf");
    let keys = [
        ("general.sampling.temp", GgufValue::F32(0.5)),
        ("tokenizer.ggml.suppress_tokens", GgufValue::Array(vec![GgufValue::I32(4)])),
    ];
    Tiny::new("llama").write_gguf_with(&path, GgmlDType::F32, &keys);
    let told = model::open(&ModelFiles::at(&path).unwrap()).unwrap().notices.generation.unwrap();
    assert!(
        told.starts_with("its header asks for 'temp' 0.5, suppress_tokens a list of 1 numbers when"),
        "{told}"
    );
}

#[test]
fn an_adapter_in_the_models_own_folder_and_a_template_beside_an_adapter_are_told() {
    let place = tempfile::tempdir().unwrap();
    Tiny::new("llama").write_folder(place.path());
    let open = || model::open(&ModelFiles::at(place.path()).unwrap()).unwrap();
    assert_eq!(open().notices.weights, None);
    std::fs::write(place.path().join("adapter_config.json"), "{}").unwrap();
    let told = open().notices.weights.unwrap();
    assert!(told.contains("transformers would apply that adapter with the model"), "{told}");
    let adapter = tempfile::tempdir().unwrap();
    let own = open().template.text;
    let of = |template: Option<&str>| {
        let path = adapter.path().join("chat_template.jinja");
        if let Some(text) = template {
            std::fs::write(&path, text).unwrap();
        }
        open().with_tokens_of(adapter.path()).unwrap().notices.adapters
    };
    assert_eq!(of(None), Vec::<String>::new());
    assert_eq!(of(own.as_deref()), Vec::<String>::new(), "the model's own");
    let told = of(Some("[user] {{ messages[0].content }}"));
    assert!(
        matches!(&told[..], [told] if told.contains("has a chat template that isn't the model's")),
        "{told:?}"
    );
}

#[test]
fn a_generation_config_beside_an_adapter_is_told() {
    let place = tempfile::tempdir().unwrap();
    Tiny::new("llama").write_folder(place.path());
    let adapter = tempfile::tempdir().unwrap();
    let of = |generation: Value| {
        std::fs::write(adapter.path().join("generation_config.json"), generation.to_string()).unwrap();
        let open = model::open(&ModelFiles::at(place.path()).unwrap()).unwrap();
        open.with_tokens_of(adapter.path()).unwrap().notices.adapters
    };
    assert_eq!(of(json!({"eos_token_id": 2, "pad_token_id": 0})), Vec::<String>::new());
    let told = of(json!({"eos_token_id": [2, 5], "repetition_penalty": 1.2}));
    assert!(
        matches!(&told[..], [told] if told.contains("asks for eos_token_id [2,5], repetition_penalty 1.2 when")),
        "{told:?}"
    );
}

#[test]
fn a_tokenizer_beside_an_adapter_that_is_not_the_models_is_told_or_refused() {
    let place = tempfile::tempdir().unwrap();
    Tiny::new("llama").write_folder(place.path());
    let adapter = tempfile::tempdir().unwrap();
    let of = |change: &dyn Fn(&mut Value)| {
        let text = std::fs::read_to_string(place.path().join("tokenizer.json")).unwrap();
        let mut tokenizer: Value = serde_json::from_str(&text).unwrap();
        change(&mut tokenizer);
        std::fs::write(adapter.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
        let open = model::open(&ModelFiles::at(place.path()).unwrap()).unwrap();
        open.with_tokens_of(adapter.path())
    };
    let told = |change: &dyn Fn(&mut Value)| of(change).unwrap().notices.adapters;
    assert_eq!(told(&|_| ()), Vec::<String>::new());
    let lower = told(&|tokenizer| tokenizer["normalizer"] = json!({"type": "Lowercase"}));
    assert!(
        matches!(&lower[..], [told] if told.contains("cuts texts otherwise than the model's (\"The quick")),
        "{lower:?}"
    );
    let swapped = of(&|tokenizer| {
        let vocabulary = &mut tokenizer["model"]["vocab"];
        let (a, b) = (vocabulary["a"].clone(), vocabulary["b"].clone());
        (vocabulary["a"], vocabulary["b"]) = (b, a);
    });
    let refused = format!("{:#}", swapped.err().expect("a refusal"));
    assert!(
        refused.contains("gives the token 'b' the number") && refused.contains("it is another model's"),
        "{refused}"
    );
}

#[test]
fn tokens_of_a_gguf_with_the_same_text_are_told() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.gguf");
    let tiny = Tiny::new("llama");
    let told = |texts: Option<Vec<String>>| {
        let keys: Vec<(&str, GgufValue)> = texts
            .map(|texts| GgufValue::Array(texts.into_iter().map(GgufValue::String).collect()))
            .map(|texts| ("tokenizer.ggml.tokens", texts))
            .into_iter()
            .collect();
        tiny.write_gguf_with(&path, GgmlDType::F32, &keys);
        model::open(&ModelFiles::at(&path).unwrap()).unwrap().notices.tokens
    };
    assert_eq!(told(None), None);
    let mut texts: Vec<String> = (0..Tiny::VOCABULARY).map(|id| format!("<{id}>")).collect();
    let known = crate::support::tiny::tokenizer();
    for (text, id) in known.get_vocab(true) {
        texts[id as usize] = text;
    }
    let [zero, one] = ["0", "1"].map(|digit| known.token_to_id(digit).unwrap() as usize);
    texts[one] = "0".to_owned();
    let told = told(Some(texts)).unwrap();
    let sentence = format!(
        "its header gives the tokens {zero} and {one} the same text, '0': the text is read as the last"
    );
    assert!(told.starts_with(&sentence), "{told}");
}
