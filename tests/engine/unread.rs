//! Tensors that a file holds and the model of its configuration doesn't compute with.

use candle_core::quantized::GgmlDType;
use dojo_studio::engine::model::{self, ModelFiles};

use crate::support::tiny::{Named, Tiny};

fn tensor(name: &str, shape: &[usize]) -> Named {
    (name.to_owned(), shape.to_vec(), vec![0.5; shape.iter().product()])
}

fn model_with(kind: &'static str, beside: &[(&str, &[usize])]) -> Tiny {
    let beside = beside.iter().map(|(name, shape)| tensor(name, shape)).collect();
    Tiny { beside, ..Tiny::new(kind) }
}

/// What opening a folder with these tensors beside its own says; none where it opens.
fn folder_says(kind: &'static str, beside: &[(&str, &[usize])]) -> Option<String> {
    let place = tempfile::tempdir().unwrap();
    model_with(kind, beside).write_folder(place.path());
    model::open(&ModelFiles::at(place.path()).unwrap()).err().map(|error| format!("{error:#}"))
}

fn gguf_says(kind: &'static str, beside: &[(&str, &[usize])]) -> Option<String> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("model.gguf");
    model_with(kind, beside).write_gguf(&path, GgmlDType::F32);
    model::open(&ModelFiles::at(&path).unwrap()).err().map(|error| format!("{error:#}"))
}

#[test]
fn what_the_architecture_does_not_compute_with_is_refused_by_name() {
    let norms: [(&str, &[usize]); 2] =
        [("model.layers.0.self_attn.k_norm.weight", &[8]), ("model.layers.0.self_attn.q_norm.weight", &[8])];
    let said = folder_says("llama", &norms).unwrap();
    assert!(said.contains("it holds 'model.layers.0.self_attn.k_norm.weight', which"), "{said}");
    assert!(
        said.contains("a model of the kind Llama by its configuration (and 1 more tensor that"),
        "{said}"
    );
    assert!(said.contains("model_type"), "{said}");
    let cases: [(&str, &'static str, &[usize]); 7] = [
        ("lm_head.bias", "llama", &[Tiny::VOCABULARY]),
        ("model.layers.1.self_attn.o_proj.bias", "qwen2", &[32]),
        ("model.layers.1.self_attn.v_proj.bias", "mistral", &[16]),
        ("model.layers.0.mlp.down_proj.bias", "phi3", &[32]),
        ("model.layers.0.post_feedforward_layernorm.weight", "qwen3", &[32]),
        ("model.layers.0.self_attn.q_proj.lora_A.weight", "gemma3_text", &[2, 32]),
        ("model.frame.weight", "smollm3", &[4, 4]),
    ];
    for (name, kind, shape) in cases {
        let said = folder_says(kind, &[(name, shape)]).unwrap_or_else(|| panic!("{kind} opens with {name}"));
        assert!(said.contains(&format!("it holds '{name}', which isn't part")), "{said}");
    }
    let said = folder_says("llama", &[("model.layers.0.mlp.up_proj.weight.absmax", &[4])]).unwrap();
    assert!(said.contains("a quantised form") && said.contains("as a GGUF"), "{said}");
}

#[test]
fn a_layer_beyond_those_of_the_configuration_is_refused() {
    let more: [(&str, &[usize]); 2] =
        [("model.layers.2.input_layernorm.weight", &[32]), ("model.layers.2.mlp.up_proj.weight", &[64, 32])];
    let said = folder_says("llama", &more).unwrap();
    assert!(said.contains("is of layer 3, beyond the last one of its configuration, 2"), "{said}");
    assert!(said.contains("(and 1 more tensor that") && said.contains("num_hidden_layers"), "{said}");
    let said = gguf_says("qwen3", &more).unwrap();
    assert!(said.contains("'blk.2.attn_norm.weight'") && said.contains("layer 3"), "{said}");
}

#[test]
fn a_gguf_is_held_to_the_same() {
    let said = gguf_says("llama", &[("model.layers.1.self_attn.o_proj.bias", &[32])]).unwrap();
    assert!(said.contains("it holds 'blk.1.attn_output.bias'"), "{said}");
    let said = gguf_says("qwen2", &[("lm_head.bias", &[Tiny::VOCABULARY])]).unwrap();
    assert!(said.contains("it holds 'output.bias'"), "{said}");
}

#[test]
fn what_changes_nothing_of_what_is_computed_is_accepted() {
    let buffers: [(&str, &[usize]); 9] = [
        ("model.rotary_emb.inv_freq", &[4]),
        ("model.layers.0.self_attn.rotary_emb.inv_freq", &[4]),
        ("model.layers.0.self_attn.masked_bias", &[1]),
        ("model.layers.0.self_attn.bias", &[1, 1, 4, 4]),
        ("mtp.layers.0.mlp.up_proj.weight", &[64, 32]),
        ("v_head.summary.weight", &[1, 32]),
        // A layer of its own that guesses the token after the next one.
        ("model.layers.2.eh_proj.weight", &[32, 64]),
        ("model.layers.2.mlp.up_proj.weight", &[64, 32]),
        // Beside a tied one it is looked at, and counts where its numbers are others.
        ("lm_head.weight", &[Tiny::VOCABULARY, 32]),
    ];
    assert_eq!(folder_says("llama", &buffers), None);
    let beside: [(&str, &[usize]); 2] =
        [("mm.input_projection.weight", &[4, 4]), ("rope_freqs.weight", &[4])];
    assert_eq!(gguf_says("llama", &beside), None);
    for kind in ["llama", "mistral", "qwen2", "qwen3", "gemma3_text", "phi3", "smollm3"] {
        assert_eq!(folder_says(kind, &[]), None, "{kind}");
        assert_eq!(gguf_says(kind, &[]), None, "{kind}");
    }
}
