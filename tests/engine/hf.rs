//! Hugging Face folders, against GGUFs of the same models.

use candle_core::quantized::GgmlDType;
use dojo_studio::engine::adapter::{Adapter, LoraConfig, Projection};
use dojo_studio::engine::device::ComputeDevice;
use dojo_studio::engine::generate::{GenerateRequest, Limits, Precision, Prompter, load};
use dojo_studio::engine::model::architecture::MISTRAL;
use dojo_studio::engine::model::config::{Rope, RopeScaling};
use dojo_studio::engine::model::layer::LayerPlan;
use dojo_studio::engine::model::{self, ModelConfig, ModelFiles};

use crate::support::tiny::Tiny;

const KINDS: [&str; 7] = ["llama", "mistral", "qwen2", "qwen3", "gemma3_text", "phi3", "smollm3"];

#[test]
fn a_folder_and_a_gguf_of_one_model_read_the_same_weights() {
    for kind in KINDS {
        let tiny = Tiny::new(kind);
        let place = tempfile::tempdir().unwrap();
        let folder = tiny.open_folder(&place.path().join("folder"));
        let gguf = tiny.open_gguf(&place.path().join("model.gguf"), GgmlDType::F32);
        for (name, shape, numbers) in tiny.tensors() {
            assert_eq!(folder.weights.f32(&name, &shape).unwrap(), numbers, "{kind} {name}");
            let offset = if kind == "gemma3_text" && name.ends_with("norm.weight") { 1.0 } else { 0.0 };
            let numbers: Vec<f32> = numbers.iter().map(|number| number + offset).collect();
            assert_eq!(gguf.weights.f32(&name, &shape).unwrap(), numbers, "{kind} {name}");
        }
        assert!(!folder.weights.has("model.layers.2.mlp.up_proj.weight"), "{kind}");
        assert_eq!(folder.weights.has("lm_head.weight"), !tiny.tied);
    }
}

#[test]
fn a_folder_and_a_gguf_of_one_model_have_the_same_configuration() {
    for kind in KINDS {
        let tiny =
            Tiny { layers: 12, sliding_window: (kind == "gemma3_text").then_some(16), ..Tiny::new(kind) };
        let place = tempfile::tempdir().unwrap();
        let folder = tiny.open_folder(&place.path().join("folder")).config;
        let gguf = tiny.open_gguf(&place.path().join("model.gguf"), GgmlDType::F32).config;
        let expected = ModelConfig {
            layer: LayerPlan { norm_shift_in_file: folder.layer.norm_shift_in_file, ..gguf.layer },
            eos: folder.eos.clone(),
            architecture: folder.architecture,
            ..gguf.clone()
        };
        assert_eq!(folder, expected, "{kind}");
        assert_eq!(folder.eos, [2], "{kind}");
        assert_eq!(gguf.eos, [2, 0], "{kind}");
    }
}

#[test]
fn a_folder_and_a_gguf_of_one_model_tokenize_alike() {
    let place = tempfile::tempdir().unwrap();
    let folder = Tiny::new("llama").open_folder(&place.path().join("folder"));
    let gguf = Tiny::new("llama").open_gguf(&place.path().join("model.gguf"), GgmlDType::Q8_0);
    for text in ["", "the other in 123", "<|im_start|>user\n  Zażółć 東京 🦀<|im_end|>\n"] {
        let ids = |model: &model::OpenModel| model.tokenizer.encode(text, false).unwrap().get_ids().to_vec();
        assert_eq!(ids(&folder), ids(&gguf));
        assert_eq!(gguf.tokenizer.decode(&ids(&gguf), false).unwrap(), text);
    }
    assert_eq!(folder.template, gguf.template);
    assert!(folder.template.text.is_some());
}

#[test]
fn quantised_rows_come_back_in_hugging_faces_order() {
    let place = tempfile::tempdir().unwrap();
    let tiny = Tiny::new("llama");
    let gguf = tiny.open_gguf(&place.path().join("model.gguf"), GgmlDType::Q4_1);
    let name = "model.layers.1.self_attn.q_proj.weight";
    let shape = [tiny.heads * tiny.head_dim, tiny.hidden];
    let stored = gguf.weights.stored(name, &shape).unwrap();
    let mut expanded = vec![0.0; shape[0] * shape[1]];
    model::blocks::expand(stored.format, &stored.bytes, &mut expanded).unwrap();
    assert_eq!(expanded, gguf.weights.f32(name, &shape).unwrap());
    let exact = tiny.tensors().into_iter().find(|tensor| tensor.0 == name).unwrap().2;
    let worst = exact.iter().zip(&expanded).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 0.05, "{worst}");
}

#[test]
fn a_sharded_folder_reads_as_one() {
    let place = tempfile::tempdir().unwrap();
    let tiny = Tiny::new("qwen2");
    tiny.write_folder(place.path());
    std::fs::remove_file(place.path().join("model.safetensors")).unwrap();
    let tensors = tiny.tensors();
    let (first, second) = tensors.split_at(5);
    let mut map = serde_json::Map::new();
    for (file, part) in
        [("model-00001-of-00002.safetensors", first), ("model-00002-of-00002.safetensors", second)]
    {
        crate::support::tiny::write_safetensors(&place.path().join(file), part);
        map.extend(part.iter().map(|tensor| (tensor.0.clone(), file.into())));
    }
    let index = serde_json::json!({"metadata": {}, "weight_map": map});
    std::fs::write(place.path().join("model.safetensors.index.json"), index.to_string()).unwrap();
    let model = model::open(&ModelFiles::at(place.path()).unwrap()).unwrap();
    for (name, shape, numbers) in &tensors {
        assert_eq!(&model.weights.f32(name, shape).unwrap(), numbers);
    }
}

#[test]
fn llama_3s_rope_scaling_is_read_from_both_versions_of_the_keys() {
    let expected = Rope {
        theta: 500_000.0,
        dimensions: 8,
        scaling: RopeScaling::Llama3 {
            factor: 32.0,
            low_frequency: 1.0,
            high_frequency: 4.0,
            original_context: 8192,
        },
    };
    let scaling = serde_json::json!({"rope_type": "llama3", "type": "llama3", "factor": 32.0,
        "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192});
    let mut inside = scaling.clone();
    inside["rope_theta"] = 500_000.0.into();
    let mut outside = inside.clone();
    outside.as_object_mut().unwrap().remove("original_max_position_embeddings");
    for keys in [
        serde_json::json!({"rope_theta": 500_000.0, "rope_scaling": scaling}),
        serde_json::json!({"rope_parameters": inside}),
        serde_json::json!({"rope_parameters": outside, "original_max_position_embeddings": 8192}),
    ] {
        assert_eq!(config_with("llama", &keys).unwrap().rope, expected);
    }
    let two = serde_json::json!({"rope_parameters": inside, "original_max_position_embeddings": 4096});
    assert!(config_with("llama", &two).unwrap_err().contains("depends on the version of transformers"));
}

#[test]
fn a_long_rope_uses_its_short_factors_up_to_the_original_context() {
    let keys = serde_json::json!({"max_position_embeddings": 131_072, "original_max_position_embeddings": 4096,
        "partial_rotary_factor": 0.5,
        "rope_scaling": {"type": "longrope", "short_factor": [1.0, 1.5], "long_factor": [2.0, 4.0]}});
    let config = config_with("phi3", &keys).unwrap();
    // sqrt(1 + ln(32) / ln(4096)), as transformers computes it
    let attention_factor = 1.190_238;
    let RopeScaling::PerFrequency { divisors, attention_factor: factor } = config.rope.scaling else {
        panic!("{:?}", config.rope)
    };
    assert_eq!((divisors, config.rope.dimensions, config.context), (vec![1.0, 1.5], 4, 4096));
    assert!((factor - attention_factor).abs() < 1e-5, "{factor}");
}

#[test]
fn layers_without_rotation_and_with_windows_are_told_apart() {
    let smollm3 =
        config_with("smollm3", &serde_json::json!({"num_hidden_layers": 5, "no_rope_layers": null}));
    assert_eq!(smollm3.unwrap().rotary_layers, [true, true, true, false, true]);
    let listed =
        config_with("smollm3", &serde_json::json!({"num_hidden_layers": 3, "no_rope_layers": [0, 1, 1]}));
    assert_eq!(listed.unwrap().rotary_layers, [false, true, true]);
    let mistral = config_with("mistral", &serde_json::json!({"sliding_window": 7})).unwrap();
    assert_eq!((mistral.windows, mistral.architecture), (vec![Some(7); 2], &MISTRAL));
    let qwen = config_with("qwen2", &serde_json::json!({"sliding_window": 7, "use_sliding_window": false}));
    assert_eq!(qwen.unwrap().windows, [None, None]);
    let gemma = serde_json::json!({"num_hidden_layers": 7, "sliding_window": 9, "sliding_window_pattern": 3});
    let gemma = config_with("gemma3_text", &gemma).unwrap();
    assert_eq!(gemma.windows, [Some(9), Some(9), None, Some(9), Some(9), None, Some(9)]);
    let types =
        serde_json::json!({"sliding_window": 9, "layer_types": ["full_attention", "sliding_attention"]});
    assert_eq!(config_with("gemma3_text", &types).unwrap().windows, [None, Some(9)]);
}

#[test]
fn an_unknown_architecture_says_which_are_known() {
    let error = config_with("mamba", &serde_json::json!({})).unwrap_err();
    assert!(error.contains("mamba") && error.contains("Llama, Mistral, Qwen2, Qwen3, Gemma 3"), "{error}");
}

/// Reads a tiny folder's configuration after changing some of its keys.
fn config_with(kind: &'static str, keys: &serde_json::Value) -> Result<ModelConfig, String> {
    config_edited(kind, |config| {
        config.extend(keys.as_object().unwrap().iter().map(|(key, value)| (key.clone(), value.clone())));
    })
}

/// As [`config_with`], without some of its keys.
fn config_without(kind: &'static str, keys: &[&str]) -> ModelConfig {
    config_edited(kind, |config| config.retain(|key, _| !keys.contains(&key.as_str()))).unwrap()
}

fn config_edited(
    kind: &'static str,
    edit: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>),
) -> Result<ModelConfig, String> {
    let place = tempfile::tempdir().unwrap();
    let tiny = Tiny::new(if KINDS.contains(&kind) { kind } else { "llama" });
    let mut config = tiny.config();
    config["model_type"] = kind.into();
    edit(config.as_object_mut().unwrap());
    let layers = usize::try_from(config["num_hidden_layers"].as_u64().unwrap()).unwrap();
    Tiny { layers, ..tiny }.write_folder(place.path());
    std::fs::write(place.path().join("config.json"), config.to_string()).unwrap();
    let opened = model::open(&ModelFiles::at(place.path()).unwrap());
    opened.map(|model| model.config).map_err(|error| format!("{error:#}"))
}

#[test]
fn keys_that_a_file_leaves_out_have_their_architectures_defaults() {
    let gemma = config_without("gemma3_text", &["sliding_window", "query_pre_attn_scalar"]);
    assert_eq!((gemma.windows, gemma.attention_scale), (vec![Some(4096); 2], 1.0 / 16.0));
    assert_eq!(config_without("mistral", &["sliding_window"]).windows, [Some(4096); 2]);
    let theta = |kind| config_without(kind, &["rope_theta"]).rope.theta;
    assert_eq!((theta("smollm3"), theta("llama")), (2e6, 1e4));
    let epsilon = |kind| config_without(kind, &["rms_norm_eps"]).norm_epsilon;
    assert_eq!((epsilon("phi3"), epsilon("llama")), (1e-5, 1e-6));
}

#[test]
fn keys_count_for_the_architectures_that_read_them() {
    let llama = config_with("llama", &serde_json::json!({})).unwrap();
    let foreign = serde_json::json!({"partial_rotary_factor": 0.5, "final_logit_softcapping": 3.0,
        "query_pre_attn_scalar": 2, "hidden_activation": "gelu_pytorch_tanh", "sliding_window": 9,
        "layer_types": ["sliding_attention", "full_attention"]});
    assert_eq!(config_with("llama", &foreign).unwrap(), llama);
    let types =
        serde_json::json!({"sliding_window": 9, "layer_types": ["full_attention", "sliding_attention"]});
    assert_eq!(config_with("mistral", &types).unwrap().windows, [None, Some(9)]);
    for (kind, keys, said) in [
        ("llama", serde_json::json!({"is_causal": false}), "is_causal is false"),
        ("gemma3_text", serde_json::json!({"use_bidirectional_attention": true}), "attends both ways"),
        ("qwen2", types, "without a sliding_window"),
        (
            "llama",
            serde_json::json!({"rope_parameters": {"full_attention": {}}}),
            "differ between kinds of layers",
        ),
        ("gemma3_text", serde_json::json!({"rope_parameters": {"rope_theta": 5.0}}), "don't tell layers"),
        (
            "gemma3_text",
            serde_json::json!({"rope_parameters": {"sliding_attention": {"rope_type": "linear", "factor": 2.0}}}),
            "scale their rotation",
        ),
    ] {
        let error = config_with(kind, &keys).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn added_tokens_have_rows_in_the_embedding_and_stay_with_the_adapter() {
    for kind in ["llama", "qwen2"] {
        let place = tempfile::tempdir().unwrap();
        let model = Tiny::new(kind).open_folder(place.path());
        let rows = model.config.vocabulary;
        let texts = ["<think>", "<|im_end|>", "</think>"].map(str::to_owned);
        let (grown, ids) = model.clone().with_tokens(&texts).unwrap();
        assert_eq!(ids, [rows as u32, 2, rows as u32 + 1], "{kind}");
        assert_eq!((grown.config.vocabulary, grown.has_added_tokens()), (rows + 2, true));
        let encoded = grown.tokenizer.encode("a<think>b</think>", false).unwrap();
        assert!(encoded.get_ids().contains(&ids[0]) && encoded.get_ids().contains(&ids[2]));
        assert!(grown.tokenizer.decode(encoded.get_ids(), true).unwrap().contains("<think>"));
        for name in ["model.embed_tokens.weight", "lm_head.weight"] {
            if !model.weights.has(name) {
                continue;
            }
            let old = model.weights.f32(name, &[rows, 32]).unwrap();
            let new = grown.weights.f32(name, &[rows + 2, 32]).unwrap();
            assert_eq!(new[..rows * 32], old);
            // The mean of the others.
            let mean = old.iter().step_by(32).sum::<f32>() / rows as f32;
            assert!((new[rows * 32] - mean).abs() < 1e-5 && (new[(rows + 1) * 32] - mean).abs() < 1e-5);
            let stored = grown.weights.stored(name, &[rows + 2, 32]).unwrap();
            assert_eq!(stored.bytes.len(), (rows + 2) * 32 * 4);
        }
        let adapter = tempfile::tempdir().unwrap();
        grown.save_tokenizer(adapter.path()).unwrap();
        // A token alone gets no row: it would change every probability.
        let named = model.clone().with_tokens_of(adapter.path()).unwrap();
        assert_eq!((named.config.vocabulary, named.has_added_tokens()), (rows, true));
        let lora = LoraConfig {
            r: 1,
            lora_alpha: 1.0,
            lora_dropout: 0.0,
            target_modules: vec![Projection::QProj],
            use_rslora: false,
            use_dora: false,
        };
        let mut trained = Adapter::zeros(lora, "tiny", &grown.config).unwrap();
        trained.add_tokens(&ids, &grown.config).unwrap();
        trained.save(adapter.path(), &grown.config).unwrap();
        let again = model.clone().with_tokens_of(adapter.path()).unwrap();
        assert_eq!(again.config.vocabulary, rows + 2);
        assert_eq!(again.tokenizer.token_to_id("</think>"), Some(ids[2]));
        assert!(!model.with_tokens_of(place.path()).unwrap().has_added_tokens());
    }
}

#[test]
fn a_file_with_its_own_output_layer_is_not_tied_whatever_its_configuration_says() {
    let place = tempfile::tempdir().unwrap();
    let tiny = Tiny::new("llama");
    tiny.write_folder(place.path());
    let rows = Tiny::VOCABULARY;
    let opened = |head: Option<f32>, embedding: Option<&str>| {
        let mut tensors = tiny.tensors();
        let mut numbers = tensors[0].2.clone();
        if let Some(head) = head {
            numbers[7] += head;
            tensors.push(("lm_head.weight".to_owned(), vec![rows, 32], numbers));
        }
        if let Some(name) = embedding {
            tensors[0].0 = name.to_owned();
        }
        crate::support::tiny::write_safetensors(&place.path().join("model.safetensors"), &tensors);
        model::open(&ModelFiles::at(place.path()).unwrap())
    };
    let tied = |head, embedding| opened(head, embedding).unwrap().config.tied_embeddings;
    assert!(tied(None, None));
    // The same numbers twice, as older programs save a tied model.
    assert!(tied(Some(0.0), None));
    assert!(!tied(Some(0.5), None));
    // One that is there under the other's name alone is both.
    let alone = opened(None, Some("lm_head.weight")).unwrap();
    assert!(alone.config.tied_embeddings);
    let numbers = alone.weights.f32("model.embed_tokens.weight", &[rows, 32]).unwrap();
    assert_eq!(numbers, tiny.tensors()[0].2);
}

#[test]
fn only_a_text_that_uses_a_token_without_a_row_is_refused() {
    let place = tempfile::tempdir().unwrap();
    Tiny::new("gemma3_text").write_folder(place.path());
    let mut tokenizer = crate::support::tiny::tokenizer();
    tokenizer.add_special_tokens([tokenizers::AddedToken::from("<image_soft_token>", true)]).unwrap();
    tokenizer.save(place.path().join("tokenizer.json"), false).unwrap();
    let model = model::open(&ModelFiles::at(place.path()).unwrap()).unwrap();
    assert_eq!(model.config.vocabulary, Tiny::VOCABULARY);
    let prompter = Prompter::new(&model).unwrap();
    let error = format!("{:#}", prompter.raw("a <image_soft_token>").unwrap_err());
    assert!(error.contains("\"<image_soft_token>\" (265)") && error.contains("265 rows"), "{error}");
    let limits = Limits { threads: 1, ..Limits::default() };
    let mut generator = load(&model, Precision::Full, &ComputeDevice::Cpu, limits).unwrap();
    let prompt = prompter.raw("the other").unwrap();
    assert_eq!(generator.last_logits(&prompt, None).unwrap().len(), Tiny::VOCABULARY);
    assert!(generator.submit(GenerateRequest::new(prompt, 3)).is_ok());
    let error = format!("{:#}", generator.submit(GenerateRequest::new(vec![5, 265], 3)).unwrap_err());
    assert!(error.contains("\"<image_soft_token>\" (265)"), "{error}");
    let error = format!("{:#}", generator.negative_log_likelihoods(&[5, 265, 6], None).unwrap_err());
    assert!(error.contains("\"<image_soft_token>\" (265)"), "{error}");
}

#[test]
fn tokens_that_the_configuration_alone_names_are_added_as_transformers_adds_them() {
    let place = tempfile::tempdir().unwrap();
    Tiny::new("llama").write_folder(place.path());
    let configured = |more: serde_json::Value| {
        let path = place.path().join("tokenizer_config.json");
        std::fs::write(path, serde_json::to_vec(&more).unwrap()).unwrap();
        model::open(&ModelFiles::at(place.path()).unwrap()).map(|model| model.tokenizer)
    };
    let known = configured(serde_json::json!({})).unwrap();
    assert_eq!(known.token_to_id("<mask>"), None);
    let end = known.get_vocab_size(true) as u32;
    let named = configured(serde_json::json!({
        "added_tokens_decoder": {
            "900": {"content": "<mask>", "special": true, "lstrip": true},
            "2": {"content": "<|im_end|>", "special": false, "normalized": false},
            "899": {"content": "<gap>"},
        },
        "additional_special_tokens": ["<mask>", "foo", {"content": "<bar>", "lstrip": false}],
    }))
    .unwrap();
    let ids = ["<gap>", "<mask>", "foo", "<bar>"].map(|text| named.token_to_id(text));
    assert_eq!(ids, [0, 1, 2, 3].map(|next| Some(end + next)));
    let special = |text: &str| {
        let added = named.get_added_tokens_decoder();
        added.values().find(|token| token.content == text).unwrap().special
    };
    assert_eq!(
        ["<gap>", "<mask>", "foo", "<bar>", "<|im_end|>"].map(special),
        [false, true, true, true, true]
    );
    // The space before it belongs to it.
    assert_eq!(named.encode(" <mask>", false).unwrap().get_ids(), [end + 1]);
    // A name of a token that is there adds none.
    let images =
        configured(serde_json::json!({"extra_special_tokens": {"image_token": "<|im_end|>"}})).unwrap();
    assert_eq!(images.get_vocab_size(true), known.get_vocab_size(true));
    let error = format!("{:#}", configured(serde_json::json!({"split_special_tokens": true})).unwrap_err());
    assert!(error.contains("split_special_tokens"), "{error}");
}
