//! Sentence embeddings of a tiny random BERT.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use dojo_studio::engine::embed::{Embedder, Prefixes};
use dojo_studio::engine::generate::{Limits, Precision};
use dojo_studio::engine::model::{self, ModelFiles};
use serde_json::json;

use super::generate::generator;
use crate::support::tiny::Tiny;

/// Writes a BERT of one layer, 16 wide, with a word for each letter.
pub(crate) fn write_tiny_bert(folder: &Path) {
    write_tiny(folder, &json!(null), "", 0);
}

/// The same with so many numbers on top, as cross-encoders have one.
pub(crate) fn write_tiny_cross_encoder(folder: &Path, numbers: usize) {
    write_tiny(folder, &json!(["BertForSequenceClassification"]), "bert.", numbers);
}

fn write_tiny(folder: &Path, architectures: &serde_json::Value, prefix: &str, numbers: usize) {
    let (hidden, inner, vocabulary, positions) = (16, 32, 32, 12);
    std::fs::create_dir_all(folder).unwrap();
    let config = json!({
        "model_type": "bert", "vocab_size": vocabulary, "hidden_size": hidden, "num_hidden_layers": 1,
        "num_attention_heads": 2, "intermediate_size": inner, "hidden_act": "gelu", "hidden_dropout_prob": 0.0,
        "max_position_embeddings": positions, "type_vocab_size": 2, "initializer_range": 0.02,
        "layer_norm_eps": 1e-12, "pad_token_id": 0, "architectures": architectures,
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
            "pair": [{ "SpecialToken": { "id": "[CLS]", "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } },
                     { "SpecialToken": { "id": "[SEP]", "type_id": 0 } }, { "Sequence": { "id": "B", "type_id": 1 } },
                     { "SpecialToken": { "id": "[SEP]", "type_id": 1 } }],
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
        let values: Vec<f32> = (0..shape.iter().product())
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 40) as f32 / (1 << 24) as f32 - 0.5
            })
            .collect();
        tensors.insert(name.to_owned(), Tensor::from_vec(values, shape, &Device::Cpu).unwrap());
    };
    let mut linear = |name: &str, outputs: usize, inputs: usize| {
        add(&format!("{name}.weight"), &[outputs, inputs]);
        add(&format!("{name}.bias"), &[outputs]);
    };
    let layer = format!("{prefix}encoder.layer.0");
    for name in ["self.query", "self.key", "self.value", "output.dense"] {
        linear(&format!("{layer}.attention.{name}"), hidden, hidden);
    }
    linear(&format!("{layer}.intermediate.dense"), inner, hidden);
    linear(&format!("{layer}.output.dense"), hidden, inner);
    for name in [
        &format!("{prefix}embeddings.LayerNorm"),
        &format!("{layer}.attention.output.LayerNorm"),
        &format!("{layer}.output.LayerNorm"),
    ] {
        add(&format!("{name}.weight"), &[hidden]);
        add(&format!("{name}.bias"), &[hidden]);
    }
    add(&format!("{prefix}embeddings.word_embeddings.weight"), &[vocabulary, hidden]);
    add(&format!("{prefix}embeddings.position_embeddings.weight"), &[positions, hidden]);
    add(&format!("{prefix}embeddings.token_type_embeddings.weight"), &[2, hidden]);
    if numbers > 0 {
        for (name, outputs) in [("bert.pooler.dense", hidden), ("classifier", numbers)] {
            add(&format!("{name}.weight"), &[outputs, hidden]);
            add(&format!("{name}.bias"), &[outputs]);
        }
    }
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

/// Writes files of sentence-transformers beside a tiny model, whose pooling is one of its names.
pub(crate) fn write_pooling(folder: &Path, pooling: &str) {
    let module = |index: usize, kind: &str, path: &str| {
        json!({ "idx": index, "name": index.to_string(), "path": path,
                "type": format!("sentence_transformers.models.{kind}") })
    };
    let modules = [
        module(0, "Transformer", ""),
        module(1, "Pooling", "1_Pooling"),
        module(2, "Normalize", "2_Normalize"),
    ];
    std::fs::create_dir_all(folder.join("1_Pooling")).unwrap();
    std::fs::write(folder.join("modules.json"), json!(modules).to_string()).unwrap();
    let mut config = json!({ "word_embedding_dimension": 16 });
    for (name, key) in [
        ("cls", "pooling_mode_cls_token"),
        ("mean", "pooling_mode_mean_tokens"),
        ("max", "pooling_mode_max_tokens"),
        ("lasttoken", "pooling_mode_lasttoken"),
    ] {
        config[key] = json!(name == pooling);
    }
    std::fs::write(folder.join("1_Pooling/config.json"), config.to_string()).unwrap();
}

fn open(folder: &Path) -> Result<Embedder, String> {
    Embedder::open(&ModelFiles::at(folder).unwrap()).map_err(|error| format!("{error:#}"))
}

#[test]
fn a_text_becomes_one_vector_as_the_models_files_say() {
    // "a b c d" by BertModel of transformers 5.24 over the same weights, scaled to length 1.
    let expected: [(&str, [f32; 16]); 3] = [
        (
            "mean",
            [
                0.118_564, -0.022_033, -0.019_742, 0.176_771, -0.035_608, -0.469_228, -0.340_047, 0.343_918,
                -0.034_833, -0.337_518, -0.041_672, 0.278_116, 0.469_123, -0.264_857, -0.108_409, -0.047_649,
            ],
        ),
        (
            "cls",
            [
                0.083_109, -0.020_919, -0.002_269, 0.162_158, -0.013_454, -0.427_592, -0.319_111, 0.292_098,
                -0.007_103, -0.333_086, -0.092_873, 0.254_638, 0.428_947, -0.460_38, -0.123_312, -0.023_903,
            ],
        ),
        (
            "lasttoken",
            [
                0.120_734, -0.026_362, -0.018_539, 0.188_668, -0.035_015, -0.493_61, -0.324_885, 0.290_632,
                0.009_981, -0.330_504, -0.073_404, 0.288_125, 0.465_202, -0.279_198, -0.139_771, -0.047_516,
            ],
        ),
    ];
    let place = tempfile::tempdir().unwrap();
    write_tiny_bert(place.path());
    for (pooling, expected) in expected {
        write_pooling(place.path(), pooling);
        let embedded = open(place.path()).unwrap().embed(&["a b c d"]).unwrap();
        let far = embedded.vectors[0].iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far < 2e-6, "{pooling}: {far}, {:?}", embedded.vectors[0]);
    }
}

#[test]
fn prompts_and_length_are_those_of_the_files() {
    let place = tempfile::tempdir().unwrap();
    write_tiny_bert(place.path());
    assert_eq!(open(place.path()).unwrap().prefixes(), &Prefixes::default());
    let write = |name: &str, value: serde_json::Value| {
        std::fs::write(place.path().join(name), value.to_string()).unwrap();
    };
    let prompts = json!({ "query": "q ", "passage": "p ", "other": "o " });
    write("config_sentence_transformers.json", json!({ "prompts": prompts }));
    write("sentence_bert_config.json", json!({ "max_seq_length": 5 }));
    let embedder = open(place.path()).unwrap();
    assert_eq!(embedder.prefixes(), &Prefixes { passage: "p ".into(), query: "q ".into() });
    assert_eq!(embedder.longest(), 5);
    assert_eq!(embedder.embed(&["a b c d e f"]).unwrap().tokens, 5);
    write("config_sentence_transformers.json", json!({ "prompts": prompts, "default_prompt_name": "other" }));
    let default = Prefixes { passage: "p ".into(), query: "q ".into() };
    assert_eq!(open(place.path()).unwrap().prefixes(), &default);
    write(
        "config_sentence_transformers.json",
        json!({ "prompts": { "other": "o " }, "default_prompt_name": "other" }),
    );
    let others = Prefixes { passage: "o ".into(), query: "o ".into() };
    assert_eq!(open(place.path()).unwrap().prefixes(), &others);
}

#[test]
fn what_would_change_the_vectors_and_is_not_computed_is_refused_by_name() {
    let refused = |change: &dyn Fn(&Path), words: &str| {
        let place = tempfile::tempdir().unwrap();
        write_tiny_bert(place.path());
        write_pooling(place.path(), "mean");
        change(place.path());
        let error = open(place.path()).err().unwrap_or_else(|| panic!("{words}: no refusal"));
        assert!(error.contains(words), "{error}");
    };
    let write = |name: &'static str, value: serde_json::Value| {
        move |folder: &Path| std::fs::write(folder.join(name), value.to_string()).unwrap()
    };
    let config = |key: &'static str, value: &'static str| {
        move |folder: &Path| {
            let text = std::fs::read_to_string(folder.join("config.json")).unwrap();
            let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
            config[key] = json!(value);
            std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
        }
    };
    refused(&|folder| write_pooling(folder, "max"), "its pooling is 'max'");
    refused(&|folder| write_pooling(folder, "none"), "names no pooling");
    let two = json!({ "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true });
    refused(&write("1_Pooling/config.json", two), "its pooling is 'cls and mean'");
    let dense = json!([{ "type": "sentence_transformers.models.Dense", "path": "2_Dense" }]);
    refused(&write("modules.json", dense), "a module of the kind 'Dense'");
    let outside = json!([{ "type": "sentence_transformers.models.Pooling", "path": "../../elsewhere" }]);
    refused(&write("modules.json", outside), "a place outside the model's folder");
    refused(&write("sentence_bert_config.json", json!({ "do_lower_case": true })), "do_lower_case is true");
    let euclidean = json!({ "similarity_fn_name": "euclidean" });
    refused(&write("config_sentence_transformers.json", euclidean), "by 'euclidean'");
    refused(&config("model_type", "modernbert"), "its architecture is modernbert");
    refused(&config("hidden_act", "gelu_new"), "its activation is gelu_new");
    refused(&config("position_embedding_type", "relative_key"), "its positions are relative_key");
}

/// The names of sentence-transformers' files, for a decoder.
fn write_decoder(folder: &Path, tiny: &Tiny) {
    tiny.write_folder(folder);
    write_pooling(folder, "lasttoken");
}

#[test]
fn a_decoder_embeds_by_the_state_that_its_output_layer_reads() {
    for kind in ["qwen3", "qwen2", "llama", "mistral"] {
        let place = tempfile::tempdir().unwrap();
        let tiny = Tiny { tied: true, ..Tiny::new(kind) };
        write_decoder(place.path(), &tiny);
        let files = ModelFiles::at(place.path()).unwrap();
        let embedder = Embedder::open(&files).unwrap();
        let model = model::open(&files).unwrap();
        let mut generator = generator(&model, Precision::Full, Limits::default());
        let words = model.weights.f32("model.embed_tokens.weight", &[Tiny::VOCABULARY, tiny.hidden]).unwrap();
        let texts =
            ["the rain in the other inn", "a", "then the thin one went there, and there, and there again"];
        let embedded = embedder.embed(&texts).unwrap();
        for (text, vector) in texts.iter().zip(&embedded.vectors) {
            let ids = model.tokenizer.encode(*text, true).unwrap().get_ids().to_vec();
            let logits = generator.last_logits(&ids, None).unwrap();
            // The same state through the output layer, up to its length.
            let ours: Vec<f32> = words
                .chunks(tiny.hidden)
                .map(|row| row.iter().zip(vector).map(|(w, v)| w * v).sum())
                .collect();
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
            let cosine = dot(&ours, &logits) / (dot(&ours, &ours) * dot(&logits, &logits)).sqrt();
            assert!(cosine > 0.999_99, "{kind}, {text}: {cosine}");
        }
        let alone = embedder.embed(&texts[2..]).unwrap();
        assert_eq!(alone.vectors[0], embedded.vectors[2], "whatever is beside it");
    }
}

#[test]
fn a_decoders_names_may_lack_their_beginning() {
    let place = tempfile::tempdir().unwrap();
    let tiny = Tiny::new("qwen3");
    write_decoder(place.path(), &tiny);
    let whole = open(place.path()).unwrap().embed(&["the rain"]).unwrap();
    let path = place.path().join("model.safetensors");
    let tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    let bare: HashMap<String, Tensor> = tensors
        .into_iter()
        .filter_map(|(name, tensor)| Some((name.strip_prefix("model.")?.to_owned(), tensor)))
        .collect();
    candle_core::safetensors::save(&bare, &path).unwrap();
    assert_eq!(open(place.path()).unwrap().embed(&["the rain"]).unwrap(), whole);
}

#[test]
fn a_tokenizer_with_more_tokens_than_the_model_is_refused() {
    let place = tempfile::tempdir().unwrap();
    write_tiny_bert(place.path());
    let path = place.path().join("tokenizer.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"z\":29", "\"z\":32")).unwrap();
    let embedder = open(place.path()).unwrap();
    assert_eq!(embedder.embed(&["y"]).unwrap().tokens, 3);
    let error = embedder.embed(&["z"]).unwrap_err();
    assert!(error.to_string().contains("the tokenizer gives token 32"), "{error}");
}
