//! Folders that transformers wrote itself, where `DOJO_TEST_PEERS` names a folder of them.

use dojo_studio::engine::adapter::Projection;
use dojo_studio::engine::model::{self, ModelFiles};

use crate::support::tiny;

#[test]
fn folders_of_transformers_open_with_every_tensor_in_its_shape() {
    let Some(folder) = std::env::var_os("DOJO_TEST_PEERS") else {
        return println!("left out: DOJO_TEST_PEERS names no folder of models");
    };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        tiny::tokenizer().save(path.join("tokenizer.json"), false).unwrap();
        let model = model::open(&ModelFiles::at(&path).unwrap()).unwrap();
        let config = &model.config;
        println!("{}: {config:?}", path.display());
        for layer in 0..config.layers {
            for projection in Projection::ALL {
                let (outputs, inputs) = projection.shape(config);
                let name = format!("model.layers.{layer}.{}.{}", projection.block(), projection.name());
                model.weights.f32(&format!("{name}.weight"), &[outputs, inputs]).unwrap();
                let biased =
                    config.layer.qkv_bias && ["q_proj", "k_proj", "v_proj"].contains(&projection.name());
                assert_eq!(model.weights.has(&format!("{name}.bias")), biased, "{name}");
            }
            let norm = |name: &str| format!("model.layers.{layer}.{name}.weight");
            model.weights.f32(&norm("input_layernorm"), &[config.hidden]).unwrap();
            model.weights.f32(&norm("post_attention_layernorm"), &[config.hidden]).unwrap();
            assert_eq!(
                model.weights.has(&norm("post_feedforward_layernorm")),
                config.layer.feed_forward.after.is_some()
            );
            assert_eq!(model.weights.has(&norm("self_attn.q_norm")), config.layer.head_norms.is_some());
        }
    }
}
