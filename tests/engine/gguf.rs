//! GGUF files: configuration and weights.

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Value;
use dojo_studio::engine::model::architecture::LLAMA;
use dojo_studio::engine::model::config::{Activation, Rope, RopeScaling};
use dojo_studio::engine::model::layer::LayerPlan;
use dojo_studio::engine::model::{self, ModelConfig, ModelFiles};

use crate::support::models::smollm2;
use crate::support::tiny::Tiny;

#[test]
fn the_configuration_of_smollm2_is_read() {
    let Some(files) = smollm2() else { return };
    let config = model::open(&files).unwrap().config;
    let expected = ModelConfig {
        architecture: &LLAMA,
        vocabulary: 49_152,
        hidden: 576,
        intermediate: 1536,
        layers: 30,
        heads: 9,
        kv_heads: 3,
        head_dim: 64,
        context: 8192,
        norm_epsilon: 1e-5,
        rope: Rope { theta: 100_000.0, dimensions: 64, scaling: RopeScaling::None },
        local_rope: None,
        windows: vec![None; 30],
        rotary_layers: vec![true; 30],
        activation: Activation::SwiGlu,
        layer: LayerPlan::in_gguf(&LLAMA, false, false),
        embedding_scale: 1.0,
        attention_scale: 0.125,
        attention_softcap: None,
        logit_softcap: None,
        logit_scale: 1.0,
        tied_embeddings: true,
        bos: Some(1),
        eos: vec![2, 0],
    };
    assert_eq!(config, expected);
}

/// `DOJO_TEST_HF` names the same model, dequantised to f32 by `tools/reference/to_hf.py`.
#[test]
fn a_gguf_and_its_dequantised_folder_hold_the_same_numbers() {
    let Some(files) = smollm2() else { return };
    let Some(folder) = std::env::var_os("DOJO_TEST_HF") else {
        return println!("left out: DOJO_TEST_HF names no folder to compare with");
    };
    let gguf = model::open(&files).unwrap();
    let folder = model::open(&ModelFiles::at(folder.as_ref()).unwrap()).unwrap();
    for (name, shape) in [
        ("model.embed_tokens.weight", vec![49_152, 576]),
        ("model.norm.weight", vec![576]),
        ("model.layers.0.self_attn.q_proj.weight", vec![576, 576]),
        ("model.layers.3.self_attn.k_proj.weight", vec![192, 576]),
        ("model.layers.3.self_attn.v_proj.weight", vec![192, 576]),
        ("model.layers.29.self_attn.o_proj.weight", vec![576, 576]),
        ("model.layers.29.mlp.gate_proj.weight", vec![1536, 576]),
        ("model.layers.29.mlp.down_proj.weight", vec![576, 1536]),
        ("model.layers.7.post_attention_layernorm.weight", vec![576]),
    ] {
        let same = gguf.weights.f32(name, &shape).unwrap() == folder.weights.f32(name, &shape).unwrap();
        assert!(same, "{name}");
    }
    assert!(gguf.config == ModelConfig { eos: gguf.config.eos.clone(), ..folder.config });
}

/// A header's keys for a vocabulary of SentencePiece's kind: some control tokens, some pieces, bytes.
fn sentencepiece(control: &[&str], pieces: &[&str]) -> Vec<(&'static str, Value)> {
    let bytes = (0_u8..=255).map(|byte| format!("<0x{byte:02X}>"));
    let first =
        ["<unk>", "<s>", "</s>"].into_iter().chain(control.iter().copied()).chain(pieces.iter().copied());
    let tokens: Vec<String> = first.map(str::to_owned).chain(bytes).take(Tiny::VOCABULARY).collect();
    let kind = |(id, text): (usize, &String)| {
        let special = control.contains(&text.as_str());
        match id {
            0 => 2,
            1 | 2 => 3,
            _ if special => 3,
            _ if text.starts_with("<0x") => 6,
            _ => 1,
        }
    };
    let kinds = tokens.iter().enumerate().map(kind).map(Value::I32).collect();
    let scores = (0..tokens.len()).map(|id| Value::F32(-(id as f32))).collect();
    vec![
        ("tokenizer.ggml.model", Value::String("llama".into())),
        ("tokenizer.ggml.pre", Value::String("default".into())),
        ("tokenizer.ggml.tokens", Value::Array(tokens.into_iter().map(Value::String).collect())),
        ("tokenizer.ggml.token_type", Value::Array(kinds)),
        ("tokenizer.ggml.scores", Value::Array(scores)),
    ]
}

/// The tokens of a text by a tiny model of this kind, as texts.
fn tokens(kind: &'static str, keys: &[(&str, Value)], text: &str) -> Vec<String> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.gguf");
    Tiny::new(kind).write_gguf_with(&path, GgmlDType::F32, keys);
    let model = model::open(&ModelFiles::at(&path).unwrap()).unwrap();
    let encoding = model.tokenizer.encode(text, false).unwrap();
    encoding.get_ids().iter().map(|&id| model.tokenizer.id_to_token(id).unwrap()).collect()
}

#[test]
fn the_control_tokens_of_phi_3_swallow_the_white_space_behind_them() {
    let pieces = ["▁", "h", "i", "▁h", "▁hi"];
    let control = ["<|user|>", "<|end|>", "<|assistant|>", "<|endoftext|>"];
    let keys = sentencepiece(&control, &pieces);
    let named = |name: &str| [keys.clone(), vec![("general.name", Value::String(name.into()))]].concat();
    let text = "<s><|user|>\n hi<|end|>\n<|assistant|>\nhi</s>\n<|endoftext|> hi";
    let swallowed =
        ["<s>", "<|user|>", "▁hi", "<|end|>", "<|assistant|>", "▁hi", "</s>", "<|endoftext|>", "▁", "▁hi"];
    // By its architecture, whatever a fine-tune is called; by its name, or by its vocabulary, where it was converted.
    assert_eq!(tokens("phi3", &named("Phi3"), text), swallowed);
    assert_eq!(tokens("phi3", &named("my assistant"), text), swallowed);
    assert_eq!(tokens("llama", &named("Phi-3-mini-4k-instruct"), text), swallowed);
    let own = sentencepiece(&[&control[..], &["<|placeholder1|>"]].concat(), &pieces);
    assert_eq!(tokens("llama", &own, text), swallowed);
    let kept = tokens("llama", &named("another"), text);
    assert_eq!(kept[..5], ["<s>", "<|user|>", "▁", "<0x0A>", "▁hi"]);
    // What stands for the unknown is a token in a text, too, as in tokenizer.json files.
    assert_eq!(tokens("llama", &keys, "<unk>hi"), ["<unk>", "▁hi"]);
}

#[test]
fn the_control_tokens_of_phi_4_swallow_white_space_too() {
    let place = tempfile::tempdir().unwrap();
    let written = Tiny::new("phi3").open_gguf(&place.path().join("model.gguf"), GgmlDType::F32);
    let token = |id: u32| written.tokenizer.id_to_token(id).unwrap();
    let named = |special: [&str; 3], pre: &str| {
        let rest = (3..Tiny::VOCABULARY as u32).map(token);
        let tokens = special.map(str::to_owned).into_iter().chain(rest).map(Value::String).collect();
        [("tokenizer.ggml.tokens", Value::Array(tokens)), ("tokenizer.ggml.pre", Value::String(pre.into()))]
    };
    let phi_4 = named(["<|endoftext|>", "<|im_sep|>", "<|im_end|>"], "dbrx");
    let both = tokens("phi3", &phi_4, "a \n<|im_sep|>\n a<|im_end|>\n");
    assert_eq!(both, ["a", "<|im_sep|>", "a", "<|im_end|>"]);
    let mini = named(["<|endoftext|>", "<|user|>", "<|end|>"], "gpt-4o");
    let behind = tokens("phi3", &mini, "a <|user|>\na<|end|>\n<|endoftext|>\n");
    assert_eq!(behind, ["a", "Ġ", "<|user|>", "a", "<|end|>", "<|endoftext|>", "Ċ"]);
}

/// What is said of a tiny model whose header has these keys, or nothing if it is opened.
fn said(kind: &'static str, keys: &[(&str, Value)]) -> Option<String> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.gguf");
    Tiny::new(kind).write_gguf_with(&path, GgmlDType::F32, keys);
    let opened = ModelFiles::at(&path).and_then(|files| model::open(&files));
    opened.err().map(|error| format!("{error:#}"))
}

#[test]
fn keys_of_a_header_that_ask_for_another_computation_are_refused_by_name() {
    let number = Value::F32;
    for (key, value) in [
        ("llama.rope.scaling.attn_factor", number(1.2)),
        ("llama.attention.causal", Value::Bool(false)),
        ("llama.attention.value_length", Value::U32(16)),
        ("llama.attention.max_alibi_bias", number(8.0)),
        ("llama.attention.clamp_kqv", number(4.0)),
        ("llama.attention.scale", number(0.5)),
        ("llama.residual_scale", number(0.2)),
        ("llama.use_parallel_residual", Value::Bool(true)),
        ("llama.nextn_predict_layers", Value::U32(1)),
        ("llama.rope.freq_base_swa", number(500.0)),
        ("llama.hidden_activation", Value::String("relu2".into())),
        ("llama.rope.dimension_sections", Value::Array(vec![Value::I32(2), Value::I32(2)])),
        // llama.cpp caps what Gemma computes, and nothing of these.
        ("llama.attn_logit_softcapping", number(50.0)),
        ("llama.final_logit_softcapping", number(30.0)),
        ("llama.something_new", Value::U32(3)),
    ] {
        let said = said("llama", &[(key, value)]).unwrap_or_default();
        assert!(said.contains(&format!("its header sets '{key}' to ")), "{key}: {said}");
    }
    let two = [("llama.attention.causal", Value::Bool(false)), ("llama.num_loops", Value::U32(2))];
    assert!(said("llama", &two).unwrap().contains("(and 1 more key that Dojo doesn't read)"));
}

#[test]
fn keys_of_a_header_that_say_what_is_computed_anyhow_are_no_hindrance() {
    let number = Value::F32;
    let none = |kind, keys: &[(&str, Value)]| assert_eq!(said(kind, keys), None, "{keys:?}");
    none(
        "llama",
        &[
            ("general.type", Value::String("model".into())),
            ("general.size_label", Value::String("1K".into())),
            ("general.sampling.temp", number(0.6)),
            ("quantize.imatrix.entries_count", Value::U32(4)),
            ("split.count", Value::U16(0)),
            ("llama.vocab_size", Value::U32(1)),
            ("llama.attention.causal", Value::Bool(true)),
            ("llama.attention.value_length", Value::U32(8)),
            ("llama.attention.scale", number(0.0)),
            ("llama.expert_count", Value::U32(0)),
            ("llama.expert_used_count", Value::U32(0)),
            ("llama.rope.dimension_count", Value::U32(8)),
            ("llama.rope.scaling.attn_factor", number(1.0)),
            ("llama.rope.scaling.original_context_length", Value::U32(256)),
            ("llama.rope.scaling.finetuned", Value::Bool(true)),
            ("llama.nextn_predict_layers", Value::U32(0)),
            ("llama.pooling_type", Value::U32(3)),
            ("llama.final_logit_softcapping", number(0.0)),
            ("llama.something_new", Value::U32(0)),
        ],
    );
    none(
        "gemma3_text",
        &[
            ("gemma3.rope.freq_base_swa", number(10_000.0)),
            ("gemma3.attention.key_length_swa", Value::U32(8)),
            ("gemma3.mm.tokens_per_image", Value::U32(256)),
            ("gemma3.final_logit_softcapping", number(30.0)),
            ("gemma3.attn_logit_softcapping", number(0.0)),
        ],
    );
    none("granite", &[]);
}

#[test]
fn files_that_hold_no_whole_model_are_told_by_what_they_hold() {
    let text = |text: &str| Value::String(text.into());
    for (keys, said_so) in [
        (vec![("general.type", text("adapter"))], "it is an adapter, not a model"),
        (vec![("adapter.type", text("lora"))], "it holds 'adapter.type'"),
        (vec![("general.type", text("mmproj"))], "its general.type is 'mmproj'"),
        (vec![("general.type", text("imatrix"))], "its general.type is 'imatrix'"),
        (vec![("split.count", Value::U16(3))], "it is one of 3 pieces of a model"),
    ] {
        let said = said("llama", &keys).unwrap_or_default();
        assert!(said.contains(said_so), "{said}");
    }
}

#[test]
fn an_older_name_and_a_number_for_windows_are_read_as_llama_cpp_reads_them() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.gguf");
    let config = |kind: &'static str, keys: &[(&str, Value)]| {
        Tiny::new(kind).write_gguf_with(&path, GgmlDType::F32, keys);
        model::open(&ModelFiles::at(&path).unwrap()).unwrap().config
    };
    let scaled = config("llama", &[("llama.rope.scale_linear", Value::F32(4.0))]);
    assert_eq!(scaled.rope.scaling, RopeScaling::Linear(4.0));
    let every = [
        ("gemma3.attention.sliding_window", Value::U32(8)),
        ("gemma3.attention.sliding_window_pattern", Value::U32(2)),
    ];
    assert_eq!(config("gemma3_text", &every).windows, [Some(8), None]);
    let few = Value::Array(vec![Value::Bool(true)]);
    let keys = [every[0].clone(), ("gemma3.attention.sliding_window_pattern", few)];
    assert!(said("gemma3_text", &keys).unwrap().contains("has 1 flags for 2 layers"));
}

#[test]
fn a_key_of_another_kind_is_no_missing_key() {
    for (key, value, said_so) in [
        ("llama.rope.freq_base", Value::String("1e6".into()), "llama.rope.freq_base is not a number"),
        ("llama.rope.scaling.type", Value::U32(1), "llama.rope.scaling.type is not a text"),
        ("tokenizer.ggml.add_bos_token", Value::U32(1), "neither true nor false"),
    ] {
        let said = said("llama", &[(key, value)]).unwrap_or_default();
        assert!(said.contains(said_so), "{said}");
    }
}

#[test]
fn a_mark_of_turns_is_a_control_token_whatever_its_type_says() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.gguf");
    for kind in [1, 4] {
        let kinds = Value::Array((0..Tiny::VOCABULARY).map(|_| Value::I32(kind)).collect());
        let keys = [("tokenizer.ggml.token_type", kinds)];
        Tiny::new("llama").write_gguf_with(&path, GgmlDType::F32, &keys);
        let tokenizer = model::open(&ModelFiles::at(&path).unwrap()).unwrap().tokenizer;
        let special =
            |id: u32| tokenizer.get_added_tokens_decoder().get(&id).is_some_and(|token| token.special);
        assert_eq!([0, 1, 2].map(special), [true; 3], "type {kind}");
    }
}

/// What is told of a tiny model whose header has these keys.
fn told(kind: &'static str, keys: &[(&str, Value)]) -> Vec<String> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.gguf");
    Tiny::new(kind).write_gguf_with(&path, GgmlDType::F32, keys);
    model::open(&ModelFiles::at(&path).unwrap()).unwrap().notices.all().map(str::to_owned).collect()
}

#[test]
fn a_header_that_does_not_say_how_texts_are_split_is_told_and_read_as_llama_cpp_does() {
    let unsaid = [("tokenizer.ggml.pre", Value::String("default".into()))];
    let said = told("llama", &unsaid);
    assert!(said.iter().any(|told| told.contains("tokenizer.ggml.pre")), "{said:?}");
    assert_eq!(told("llama", &[]), Vec::<String>::new(), "a header that says it");
    // Signs stand alone, runs of digits fall into threes, and words take the space before them.
    let pieces = tokens("llama", &unsaid, "a 1234!! b");
    let joined: Vec<String> = pieces.iter().map(|piece| piece.replace('Ġ', " ")).collect();
    assert_eq!(joined.concat(), "a 1234!! b");
    let crosses = |piece: &String| piece.contains('4') && piece.contains('3') && piece.contains('1');
    assert!(!joined.iter().any(crosses), "{joined:?}");
}

#[test]
fn a_window_that_llama_cpp_passes_over_is_told() {
    let window = |tokens| [("llama.attention.sliding_window", Value::U32(tokens))];
    let said = told("llama", &window(4));
    assert!(said.iter().any(|told| told.contains("a window of 4 tokens")), "{said:?}");
    assert_eq!(told("llama", &window(0)), Vec::<String>::new());
}
