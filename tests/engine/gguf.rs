//! GGUF files: configuration and weights.

use dojo_studio::engine::model::config::{Activation, Architecture, Rope, RopeScaling};
use dojo_studio::engine::model::{self, ModelConfig, ModelFiles};

use crate::support::models::smollm2;

#[test]
fn the_configuration_of_smollm2_is_read() {
    let Some(files) = smollm2() else { return };
    let config = model::open(&files).unwrap().config;
    let expected = ModelConfig {
        architecture: Architecture::Llama,
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
        qkv_bias: false,
        qk_norm: false,
        norm_offset: false,
        post_norms: false,
        embedding_scale: 1.0,
        attention_scale: 0.125,
        attention_softcap: None,
        logit_softcap: None,
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
