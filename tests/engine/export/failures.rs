//! What can't be handed over: one sentence, and nothing half-written.

use std::path::Path;

use dojo_studio::domain::message::{Message, Role};
use dojo_studio::engine::export::{CombineMethod, HandOverFormat, TrainedModel, WeightedAdapter};

use super::{Trains, Workshop};
use crate::support::tiny::{Tiny, write_safetensors};

/// What is in the workshop, by names.
fn there(workshop: &Workshop) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(workshop.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_in_the_place_stays() {
    let workshop = Workshop::of(&Tiny::new("llama"));
    let trained = workshop.trained(&[]);
    std::fs::create_dir(workshop.path("out")).unwrap();
    std::fs::write(workshop.path("out/mine"), "mine").unwrap();
    for format in ["hf:bf16", "gguf:q8_0"] {
        let said = format!("{:#}", workshop.export(&trained, format, "out").unwrap_err());
        assert!(
            said.ends_with(
                "is there already: choose another name, or say that it may be replaced (--replace)"
            ),
            "{said}"
        );
    }
    assert_eq!(there(&workshop), ["base", "out"]);
    assert_eq!(std::fs::read_to_string(workshop.path("out/mine")).unwrap(), "mine");
}

#[test]
fn a_missing_tensor_leaves_nothing() {
    let tiny = Tiny::new("llama");
    let workshop = Workshop::of(&tiny);
    let mut tensors = tiny.tensors();
    tensors.retain(|(name, ..)| name != "model.layers.1.mlp.down_proj.weight");
    write_safetensors(&workshop.base.join("model.safetensors"), &tensors);
    let said = TrainedModel::open(&workshop.files(), &[], CombineMethod::Linear).err().unwrap();
    assert!(format!("{said:#}").contains("lacks tensor model.layers.1.mlp.down_proj.weight"), "{said:#}");
    assert_eq!(there(&workshop), ["base"]);
}

#[test]
fn an_adapter_of_another_shape_is_refused() {
    let workshop = Workshop::of(&Tiny::new("llama"));
    let other = Workshop::of(&Tiny { hidden: 64, ..Tiny::new("llama") });
    let adapter = other.adapter("adapter", Trains::default());
    let adapters = [WeightedAdapter { folder: adapter, weight: 1.0 }];
    let said = TrainedModel::open(&workshop.files(), &adapters, CombineMethod::Linear).err().unwrap();
    assert!(format!("{said:#}").starts_with("load the adapter "), "{said:#}");
}

#[test]
fn an_adapter_that_was_made_for_a_model_of_another_name_is_told() {
    let workshop = Workshop::of(&Tiny::new("llama"));
    let other = Workshop::of(&Tiny { seed: 5, ..Tiny::new("llama") });
    let renamed = other.path("another-base");
    std::fs::rename(&other.base, &renamed).unwrap();
    let other = Workshop { base: renamed, ..other };
    let adapter = other.adapter("adapter", Trains::default());
    assert_eq!(workshop.trained(&[&adapter]).other_bases, [other.base.display().to_string()]);
    let own = workshop.adapter("adapter", Trains::default());
    assert_eq!(workshop.trained(&[&own]).other_bases, Vec::<String>::new());
}

#[test]
fn a_template_that_cannot_be_rendered_stops_the_export() {
    let broken = Tiny { template: "{% for message in messages %}{{ message", ..Tiny::new("llama") };
    let refusing = Tiny { template: "{{ raise_exception('no chats here') }}", ..Tiny::new("llama") };
    for (tiny, expected) in [
        (broken, "read the model's chat template"),
        (refusing, "none of the prompts can be rendered by the model's chat template"),
    ] {
        let workshop = Workshop::of(&tiny);
        let said = format!("{:#}", workshop.export(&workshop.trained(&[]), "gguf:f32", "out").unwrap_err());
        assert!(said.contains(expected), "{said}");
        assert_eq!(there(&workshop), ["base"]);
    }
}

#[test]
fn a_prompt_that_both_models_refuse_is_no_difference() {
    // Gemma's templates have no place for a system message.
    let strict = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}\
                  {% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}\
                  {% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
    let workshop = Workshop::of(&Tiny { template: strict, ..Tiny::new("llama") });
    let exported = workshop.export(&workshop.trained(&[]), "gguf:f32", "out").unwrap();
    let rows = exported.parity.unwrap().rows;
    assert_eq!((rows[0].what, rows[0].trained.as_str()), ("prompts as tokens", "7"));
}

#[test]
fn given_prompts_are_asked() {
    let workshop = Workshop::of(&Tiny::new("llama"));
    let prompts = [vec![Message::new(Role::User, "the")], vec![Message::new(Role::User, "in")]];
    let exported = workshop.export_asking(&workshop.trained(&[]), "gguf:f32", "out", &prompts).unwrap();
    let rows = exported.parity.unwrap().rows;
    assert_eq!((rows[0].trained.as_str(), rows[0].exported.as_str()), ("2", "2 alike"));
}

#[test]
fn what_is_no_number_is_refused_by_its_tensor() {
    let tiny = Tiny::new("llama");
    let workshop = Workshop::of(&tiny);
    let mut tensors = tiny.tensors();
    let query = tensors.iter_mut().find(|(name, ..)| name.ends_with("1.self_attn.q_proj.weight")).unwrap();
    query.2[3] = f32::NAN;
    write_safetensors(&workshop.base.join("model.safetensors"), &tensors);
    let trained = workshop.trained(&[]);
    let said = format!("{:#}", workshop.export(&trained, "gguf:q8_0", "out").unwrap_err());
    assert!(said.contains("write blk.1.attn_q.weight: it holds numbers that are none"), "{said}");
    query_too_large(&tiny);
    assert_eq!(there(&workshop), ["base"]);
}

fn query_too_large(tiny: &Tiny) {
    let workshop = Workshop::of(tiny);
    let mut tensors = tiny.tensors();
    tensors[1].2[0] = 1e6;
    write_safetensors(&workshop.base.join("model.safetensors"), &tensors);
    let trained = workshop.trained(&[]);
    let said = format!("{:#}", workshop.export(&trained, "hf:f16", "out").unwrap_err());
    assert!(said.contains("it holds numbers that f16 can't"), "{said}");
}

#[test]
fn formats_that_are_not_written_are_refused_with_a_way() {
    let said = |format: &str| format!("{:#}", HandOverFormat::parse(format).unwrap_err());
    assert!(said("onnx").starts_with("ONNX isn't written yet: export hf:f32"));
    assert!(
        said("torchscript")
            .starts_with("TorchScript is deprecated by PyTorch itself since 2.9: export hf:f32")
    );
    assert!(said("gguf:q9").starts_with("there is no export \"gguf:q9\"; known are hf ("));
    assert_eq!(HandOverFormat::parse("GGUF").unwrap().name(), "gguf:q4_k_m");
    assert_eq!(HandOverFormat::parse("hf").unwrap().name(), "hf:bf16");
}

#[test]
fn what_a_gguf_has_no_key_for_is_refused_before_anything_is_written() {
    let key = |name: &str, value: serde_json::Value| [(name.to_owned(), value)].into_iter().collect();
    for (tiny, expected) in [
        (
            Tiny { more: key("query_pre_attn_scalar", 99.into()), ..Tiny::new("gemma3_text") },
            "a GGUF of Gemma 3 (text) has no key for the scale of its scores",
        ),
        (
            Tiny { more: key("no_rope_layers", serde_json::json!([0, 1])), ..Tiny::new("smollm3") },
            "a GGUF of SmolLM3 has no key for which layers rotate",
        ),
        (
            Tiny {
                more: key(
                    "rope_scaling",
                    serde_json::json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                        "high_freq_factor": 4.0, "original_max_position_embeddings": 64}),
                ),
                ..Tiny::new("qwen2")
            },
            "llama.cpp has no rotation scaled as Llama 3.1's is for Qwen2",
        ),
    ] {
        let workshop = Workshop::of(&tiny);
        let said = format!("{:#}", workshop.export(&workshop.trained(&[]), "gguf:f32", "out").unwrap_err());
        assert!(said.contains(expected), "{said}");
        assert_eq!(there(&workshop), ["base"]);
    }
}

#[test]
fn a_folder_that_is_no_export_is_not_replaced() {
    use dojo_studio::engine::export::{
        ExportRequest, IfThere, ModelFacts, ParityDepth, SilentExport, export,
    };
    let workshop = Workshop::of(&Tiny::new("llama"));
    let trained = workshop.trained(&[]);
    let facts = ModelFacts { name: "tiny".to_owned(), ..ModelFacts::default() };
    let again = |place: &Path| {
        let request = ExportRequest {
            format: HandOverFormat::parse("hf:f32").unwrap(),
            place,
            if_there: IfThere::Replace,
            facts: &facts,
            prompts: &[],
            depth: ParityDepth::Tokens,
        };
        export(&trained, &request, &mut SilentExport)
    };
    std::fs::create_dir(workshop.path("mine")).unwrap();
    std::fs::write(workshop.path("mine/thesis"), "years of work").unwrap();
    let said = format!("{:#}", again(&workshop.path("mine")).unwrap_err());
    assert!(said.contains("so it isn't an export of Dojo's and isn't replaced"), "{said}");
    again(&workshop.path("out")).unwrap();
    std::fs::write(workshop.path("out/more"), "").unwrap();
    again(&workshop.path("out")).unwrap();
    assert!(!workshop.path("out/more").exists());
    assert_eq!(there(&workshop), ["base", "mine", "out"]);
}
