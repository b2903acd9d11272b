//! Sentence embeddings of a tiny random BERT.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use dojo_studio::engine::embed::Embedder;
use dojo_studio::engine::model::ModelFiles;
use serde_json::json;

/// Writes a BERT of one layer, 16 wide, with a word for each letter.
pub(crate) fn write_tiny_bert(folder: &Path) {
    let (hidden, inner, vocabulary, positions) = (16, 32, 32, 12);
    std::fs::create_dir_all(folder).unwrap();
    let config = json!({
        "model_type": "bert", "vocab_size": vocabulary, "hidden_size": hidden, "num_hidden_layers": 1,
        "num_attention_heads": 2, "intermediate_size": inner, "hidden_act": "gelu", "hidden_dropout_prob": 0.0,
        "max_position_embeddings": positions, "type_vocab_size": 2, "initializer_range": 0.02,
        "layer_norm_eps": 1e-12, "pad_token_id": 0,
    });
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let mut words = json!({ "[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3 });
    for (index, letter) in ('a'..='z').enumerate() {
        words[letter.to_string()] = json!(index + 4);
    }
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": { "type": "Whitespace" },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{ "SpecialToken": { "id": "[CLS]", "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } },
                       { "SpecialToken": { "id": "[SEP]", "type_id": 0 } }],
            "pair": [{ "Sequence": { "id": "A", "type_id": 0 } }, { "Sequence": { "id": "B", "type_id": 1 } }],
            "special_tokens": {
                "[CLS]": { "id": "[CLS]", "ids": [2], "tokens": ["[CLS]"] },
                "[SEP]": { "id": "[SEP]", "ids": [3], "tokens": ["[SEP]"] },
            },
        },
        "decoder": null,
        "model": { "type": "WordLevel", "vocab": words, "unk_token": "[UNK]" },
    });
    std::fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    let mut state = 7_u64;
    let mut tensors: HashMap<String, Tensor> = HashMap::new();
    let mut add = |name: &str, shape: &[usize]| {
        let numbers: Vec<f32> = (0..shape.iter().product())
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 40) as f32 / (1 << 24) as f32 - 0.5
            })
            .collect();
        tensors.insert(name.to_owned(), Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap());
    };
    let mut linear = |name: &str, outputs: usize, inputs: usize| {
        add(&format!("{name}.weight"), &[outputs, inputs]);
        add(&format!("{name}.bias"), &[outputs]);
    };
    let layer = "encoder.layer.0";
    for name in ["self.query", "self.key", "self.value", "output.dense"] {
        linear(&format!("{layer}.attention.{name}"), hidden, hidden);
    }
    linear(&format!("{layer}.intermediate.dense"), inner, hidden);
    linear(&format!("{layer}.output.dense"), hidden, inner);
    for name in [
        "embeddings.LayerNorm",
        &format!("{layer}.attention.output.LayerNorm"),
        &format!("{layer}.output.LayerNorm"),
    ] {
        add(&format!("{name}.weight"), &[hidden]);
        add(&format!("{name}.bias"), &[hidden]);
    }
    add("embeddings.word_embeddings.weight", &[vocabulary, hidden]);
    add("embeddings.position_embeddings.weight", &[positions, hidden]);
    add("embeddings.token_type_embeddings.weight", &[2, hidden]);
    candle_core::safetensors::save(&tensors, folder.join("model.safetensors")).unwrap();
}

fn embedder() -> (Embedder, tempfile::TempDir) {
    let place = tempfile::tempdir().unwrap();
    write_tiny_bert(place.path());
    (Embedder::open(&ModelFiles::at(place.path()).unwrap()).unwrap(), place)
}

#[test]
fn a_texts_embedding_does_not_depend_on_its_company() {
    let (embedder, _place) = embedder();
    let texts = ["a b c", "x", "a b c d e f g", "q r"];
    let together = embedder.embed(&texts).unwrap();
    assert_eq!(together.tokens, 13 + 2 * 4);
    for (text, vector) in texts.iter().zip(&together.vectors) {
        let alone = embedder.embed(&[text]).unwrap();
        let far = vector.iter().zip(&alone.vectors[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far < 1e-5, "{text}: {far}");
        let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        assert!((length - 1.0).abs() < 1e-5, "{length}");
    }
    assert_ne!(together.vectors[0], together.vectors[1]);
}

#[test]
fn what_is_longer_than_the_model_reads_is_cut() {
    let (embedder, _place) = embedder();
    let long = "a b c d e f g h i j k l m n o p q";
    let embedded = embedder.embed(&[long, ""]).unwrap();
    assert_eq!(embedded.tokens, 12 + 2);
}

#[test]
fn a_model_that_gives_no_embeddings_is_refused_in_words() {
    let place = tempfile::tempdir().unwrap();
    crate::support::tiny::Tiny::new("llama").write_folder(place.path());
    let error = Embedder::open(&ModelFiles::at(place.path()).unwrap()).err().expect("a refusal");
    assert!(format!("{error:#}").contains("architecture is llama"), "{error:#}");
}
