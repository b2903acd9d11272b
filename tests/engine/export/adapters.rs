//! Adapters in their base's weights: low-rank, with magnitudes, whole modules, tokens of their own; several together.

use std::path::Path;

use candle_core::quantized::GgmlDType;
use dojo_studio::engine::export::{CombineMethod, ParityVerdict, TrainedModel, WeightedAdapter};

use super::{Trains, Workshop, numbers, opened, verdicts};
use crate::support::tiny::Tiny;

const THINK: [&str; 2] = ["<think>", "</think>"];

#[test]
fn a_merged_model_answers_as_its_base_with_the_adapter() {
    for kind in ["llama", "gemma3_text", "phi3"] {
        for trains in [
            Trains::default(),
            Trains { dora: true, ..Trains::default() },
            Trains { modules: &["embed_tokens", "lm_head", "norm"], ..Trains::default() },
            Trains { tokens: &THINK, dora: true, ..Trains::default() },
        ] {
            for (workshop, of) in [
                (Workshop::of(&Tiny::new(kind)), "a folder"),
                (Workshop::of_gguf(&Tiny::new(kind), GgmlDType::F32), "a GGUF"),
            ] {
                let adapter = workshop.adapter("adapter", trains);
                let trained = workshop.trained(&[&adapter]);
                for format in ["hf:f32", "gguf:f32"] {
                    let exported = workshop.export(&trained, format, format);
                    let exported =
                        exported.unwrap_or_else(|error| panic!("{kind} of {of} as {format}: {error:#}"));
                    let broken: Vec<_> = verdicts(&exported)
                        .into_iter()
                        .filter(|(what, verdict)| *verdict != ParityVerdict::Same && *what != "end tokens")
                        .collect();
                    assert_eq!(broken, [], "{kind} of {of} as {format}");
                    assert!(
                        numbers(&trained.merged) == numbers(&opened(&exported.model)),
                        "{kind} of {of} as {format}"
                    );
                }
            }
        }
    }
}

#[test]
fn tokens_that_training_added_are_tokens_of_the_export() {
    for workshop in
        [Workshop::of(&Tiny::new("qwen2")), Workshop::of_gguf(&Tiny::new("qwen2"), GgmlDType::F32)]
    {
        let adapter = workshop.adapter("adapter", Trains { tokens: &THINK, ..Trains::default() });
        let trained = workshop.trained(&[&adapter]);
        for format in ["hf:f32", "gguf:f32"] {
            let exported = workshop.export(&trained, format, format).unwrap();
            let model = opened(&exported.model);
            assert_eq!(model.config.vocabulary, Tiny::VOCABULARY + 2);
            let encoding = model.tokenizer.encode("<think>the</think>", false).unwrap();
            let tokens: Vec<String> =
                encoding.get_ids().iter().map(|&id| model.tokenizer.id_to_token(id).unwrap()).collect();
            assert_eq!(tokens, ["<think>", "the", "</think>"]);
        }
    }
}

/// Weighted adapters in one model.
fn together(workshop: &Workshop, adapters: &[(&Path, f32)], method: CombineMethod) -> TrainedModel {
    let adapters: Vec<WeightedAdapter> = adapters
        .iter()
        .map(|(folder, weight)| WeightedAdapter { folder: folder.to_path_buf(), weight: *weight })
        .collect();
    TrainedModel::open(&workshop.files(), &adapters, method).unwrap()
}

#[test]
fn adapters_are_added_by_their_weights() {
    let workshop = Workshop::of(&Tiny::new("llama"));
    let one = workshop.adapter("one", Trains { seed: 1, ..Trains::default() });
    let other = workshop.adapter("other", Trains { seed: 2, dora: true, ..Trains::default() });
    let base = numbers(&workshop.trained(&[]).merged);
    let [first, second] = [&one, &other].map(|adapter| numbers(&workshop.trained(&[adapter]).merged));
    let both = together(&workshop, &[(&one, 0.25), (&other, -2.0)], CombineMethod::Linear);
    for (((name, base), (_, first)), ((_, second), (_, both))) in
        base.iter().zip(&first).zip(second.iter().zip(&numbers(&both.merged)))
    {
        for (place, both) in both.iter().enumerate() {
            let expected =
                base[place] + 0.25 * (first[place] - base[place]) - 2.0 * (second[place] - base[place]);
            assert!((expected - both).abs() < 1e-5, "{name}: {expected} {both}");
        }
    }
    let exported = workshop.export(&both, "gguf:f32", "both").unwrap();
    assert!(numbers(&both.merged) == numbers(&opened(&exported.model)));
}

#[test]
fn ties_keeps_the_largest_changes_of_the_heavier_sign() {
    let workshop = Workshop::of(&Tiny::new("llama"));
    let one = workshop.adapter("one", Trains { seed: 1, ..Trains::default() });
    let other = workshop.adapter("other", Trains { seed: 2, ..Trains::default() });
    let base = numbers(&workshop.trained(&[]).merged);
    let [first, second] = [&one, &other].map(|adapter| numbers(&workshop.trained(&[adapter]).merged));
    let ties = together(&workshop, &[(&one, 1.0), (&other, 1.0)], CombineMethod::Ties { density: 0.5 });
    // By sorting, and one number at a time.
    let trimmed = |changed: &[f32], base: &[f32]| -> Vec<f32> {
        let changes: Vec<f32> = changed.iter().zip(base).map(|(changed, base)| changed - base).collect();
        let mut sizes: Vec<f32> = changes.iter().map(|change| change.abs()).collect();
        sizes.sort_by(|one, other| other.total_cmp(one));
        let least = sizes[(sizes.len() as f64 * 0.5).round() as usize - 1];
        changes.into_iter().map(|change| if change.abs() < least { 0.0 } else { change }).collect()
    };
    for ((name, base), ((_, first), ((_, second), (_, found)))) in
        base.iter().zip(first.iter().zip(second.iter().zip(&numbers(&ties.merged))))
    {
        let (first, second) = (trimmed(first, base), trimmed(second, base));
        for (place, base) in base.iter().enumerate() {
            let (one, other) = (first[place], second[place]);
            let expected = match (one * other).total_cmp(&0.0) {
                std::cmp::Ordering::Greater => f32::midpoint(one, other),
                _ if (one > 0.0) == (one + other > 0.0) && one.abs() > 0.0 => one,
                _ => other,
            };
            assert!((base + expected - found[place]).abs() < 1e-6, "{name} {place}");
        }
    }
}

#[test]
fn an_adapter_alone_is_the_same_matrices_for_llama_cpp() {
    use dojo_studio::engine::model::gguf::{GgufFile, GgufValue};
    let workshop = Workshop::of(&Tiny::new("qwen2"));
    let adapter = workshop.adapter("adapter", Trains::default());
    let trained = workshop.trained(&[&adapter]);
    let exported = workshop.export(&trained, "gguf-adapter", "out").unwrap();
    let file = GgufFile::open(&exported.model).unwrap();
    let header = file.header();
    assert_eq!(header.metadata["general.type"], GgufValue::Text("adapter".to_owned()));
    assert_eq!(header.metadata["adapter.lora.alpha"], GgufValue::Float(6.0));
    assert_eq!(header.tensors.len(), 2 * 7 * 2);
    let held = trained.adapter.as_ref().unwrap();
    let slot = &held.slots[0];
    let bytes = std::fs::read(&exported.model).unwrap();
    for (end, start, shape) in [("a", slot.a, vec![3, slot.inputs]), ("b", slot.b, vec![slot.outputs, 3])] {
        let entry = &header.tensors[&format!("blk.0.attn_q.weight.lora_{end}")];
        assert_eq!(entry.shape, shape);
        let expected: Vec<u8> =
            held.part(start, shape.iter().product()).iter().flat_map(|number| number.to_le_bytes()).collect();
        assert!(bytes[entry.start..entry.start + entry.size] == expected);
    }
    let magnitudes = workshop.adapter("dora", Trains { dora: true, ..Trains::default() });
    let said = workshop.export(&workshop.trained(&[&magnitudes]), "gguf-adapter", "dora-out").unwrap_err();
    assert_eq!(
        format!("{said:#}"),
        "an adapter in a GGUF has no place for the magnitudes of DoRA: merge the adapter into its base instead"
    );
}

#[test]
fn an_adapter_for_mlx_is_transposed() {
    let workshop = Workshop::of(&Tiny::new("llama"));
    let adapter = workshop.adapter("adapter", Trains::default());
    let trained = workshop.trained(&[&adapter]);
    let exported = workshop.export(&trained, "mlx-adapter", "out").unwrap();
    let config: serde_json::Value =
        serde_json::from_slice(&std::fs::read(exported.folder.join("adapter_config.json")).unwrap()).unwrap();
    assert_eq!(config["fine_tune_type"], "lora");
    assert_eq!(config["lora_parameters"]["scale"], 2.0);
    let bytes = std::fs::read(exported.folder.join("adapters.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let a = file.tensor("model.layers.0.self_attn.q_proj.lora_a").unwrap();
    let held = trained.adapter.as_ref().unwrap();
    let slot = &held.slots[0];
    assert_eq!(a.shape(), [slot.inputs, 3]);
    let read = |at: usize| f32::from_le_bytes(a.data()[4 * at..4 * at + 4].try_into().unwrap());
    let own = held.part(slot.a, 3 * slot.inputs);
    for input in 0..slot.inputs {
        for rank in 0..3 {
            assert_eq!(read(input * 3 + rank).to_bits(), own[rank * slot.inputs + input].to_bits());
        }
    }
}
