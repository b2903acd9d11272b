//! LoRA adapters and PEFT's folders.

use std::collections::BTreeSet;
use std::path::Path;

use dojo_studio::engine::adapter::{Adapter, LoraConfig, Module, Projection};
use dojo_studio::engine::model::{self, ModelConfig};

use crate::support::models::{golden, smollm2};
use crate::support::tiny::{Named, Tiny, write_safetensors};

pub(super) fn tiny(kind: &'static str) -> ModelConfig {
    let place = tempfile::tempdir().unwrap();
    Tiny::new(kind).open_folder(place.path()).config
}

fn config(targets: &[&str]) -> LoraConfig {
    LoraConfig {
        r: 3,
        lora_alpha: 6.0,
        lora_dropout: 0.05,
        target_modules: Projection::parse_targets(targets).unwrap(),
        use_rslora: false,
        use_dora: false,
    }
}

/// An adapter whose numbers are all different.
fn counted(targets: &[&str], model: &ModelConfig) -> Adapter {
    let mut adapter = Adapter::zeros(config(targets), "base", model).unwrap();
    for (number, value) in (1_u16..).zip(&mut adapter.values) {
        *value = f32::from(number);
    }
    adapter
}

fn same(a: &Adapter, b: &Adapter) -> bool {
    let parts = |adapter: &Adapter| (adapter.slots.clone(), adapter.modules.clone(), adapter.rows.clone());
    a.config == b.config && a.base == b.base && parts(a) == parts(b) && a.values == b.values
}

#[test]
fn a_saved_adapter_loads_as_it_was() {
    for kind in ["llama", "qwen2", "gemma3_text", "phi3"] {
        let model = tiny(kind);
        for targets in [&["all-linear"][..], &["q_proj", "k_proj", "v_proj"], &["down_proj"]] {
            let place = tempfile::tempdir().unwrap();
            let adapter = counted(targets, &model);
            adapter.save(place.path(), &model).unwrap();
            adapter.save(place.path(), &model).unwrap();
            let loaded = Adapter::load(place.path(), &model).unwrap();
            assert!(same(&adapter, &loaded), "{kind} {targets:?}");
            let left: BTreeSet<String> = std::fs::read_dir(place.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            assert_eq!(left, ["adapter_config.json", "adapter_model.safetensors"].map(str::to_owned).into());
        }
    }
}

/// As [`counted`], with magnitudes, modules or tokens besides.
fn counted_with(model: &ModelConfig, use_dora: bool, modules: &[&str], tokens: &[u32]) -> Adapter {
    let config = LoraConfig { use_dora, ..config(&["all-linear"]) };
    let mut adapter = Adapter::zeros(config, "base", model).unwrap();
    adapter.add_modules(&Module::named(modules, model).unwrap(), model);
    if !tokens.is_empty() {
        adapter.add_tokens(tokens, model).unwrap();
    }
    for (number, value) in (1_u16..).zip(&mut adapter.values) {
        *value = f32::from(number);
    }
    adapter
}

#[test]
fn magnitudes_modules_and_tokens_load_as_they_were_saved() {
    for kind in ["llama", "qwen2", "gemma3_text", "phi3"] {
        let model = tiny(kind);
        for (dora, modules, tokens) in [
            (true, &[][..], &[][..]),
            (false, &["embed_tokens", "lm_head", "norm"], &[]),
            (true, &["model.norm"], &[9, 4, 200]),
        ] {
            let (place, again) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let adapter = counted_with(&model, dora, modules, tokens);
            adapter.save(place.path(), &model).unwrap();
            let loaded = Adapter::load(place.path(), &model).unwrap();
            let what = format!("{kind} {dora} {modules:?} {tokens:?}");
            assert_eq!((&loaded.slots, &loaded.modules), (&adapter.slots, &adapter.modules), "{what}");
            assert_eq!(loaded.rows.len(), adapter.rows.len(), "{what}");
            for (module, tokens) in adapter.rows.iter().map(|rows| (rows.module, &rows.tokens)) {
                assert!(loaded.rows.iter().any(|it| it.module == module && it.tokens == *tokens), "{what}");
            }
            loaded.save(again.path(), &model).unwrap();
            let tensors = |place: &Path| std::fs::read(place.join("adapter_model.safetensors")).unwrap();
            assert!(tensors(place.path()) == tensors(again.path()), "{what}");
            assert_eq!(written(place.path()), written(again.path()), "{what}");
        }
    }
}

/// The names in an adapter's file of tensors, but for A and B.
fn other_tensors(folder: &Path) -> Vec<String> {
    let bytes = std::fs::read(folder.join("adapter_model.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut names: Vec<String> =
        file.names().into_iter().filter(|name| !name.contains(".lora_")).map(ToOwned::to_owned).collect();
    names.sort();
    names
}

#[test]
fn modules_and_tokens_have_the_names_that_peft_gives_them() {
    // What PEFT itself writes for such configurations.
    let place = tempfile::tempdir().unwrap();
    let (tied, untied) = (tiny("llama"), tiny("qwen2"));
    counted_with(&tied, false, &[], &[5, 7]).save(place.path(), &tied).unwrap();
    let rows = "token_adapter.trainable_tokens_delta";
    assert_eq!(other_tensors(place.path()), [format!("base_model.model.model.embed_tokens.{rows}")]);
    assert_eq!(written(place.path())["trainable_token_indices"], serde_json::json!([5, 7]));
    counted_with(&untied, true, &[], &[5, 7]).save(place.path(), &untied).unwrap();
    let expected = ["lm_head", "model.embed_tokens"].map(|path| format!("base_model.model.{path}.{rows}"));
    assert_eq!(other_tensors(place.path()), expected);
    assert_eq!(
        written(place.path())["trainable_token_indices"],
        serde_json::json!({"embed_tokens": [5, 7], "lm_head": [5, 7]})
    );
    assert_eq!(written(place.path())["use_dora"], true);
    let modules = ["embed_tokens", "lm_head", "model.norm", "input_layernorm"];
    counted_with(&untied, false, &modules, &[]).save(place.path(), &untied).unwrap();
    let paths = [
        "lm_head",
        "model.embed_tokens",
        "model.layers.0.input_layernorm",
        "model.layers.1.input_layernorm",
        "model.norm",
    ];
    assert_eq!(other_tensors(place.path()), paths.map(|path| format!("base_model.model.{path}.weight")));
    assert_eq!(
        written(place.path())["modules_to_save"],
        serde_json::json!(["embed_tokens", "input_layernorm", "lm_head", "model.norm"])
    );
}

#[test]
fn what_cannot_be_trained_together_is_refused_by_name() {
    let (tied, phi) = (tiny("llama"), tiny("phi3"));
    let error = |result: anyhow::Result<()>| result.unwrap_err().to_string();
    let mut adapter = counted_with(&tied, false, &["embed_tokens"], &[]);
    let both = error(adapter.add_tokens(&[3], &tied));
    assert!(both.contains("model.embed_tokens is trained whole"), "{both}");
    let mut adapter = counted_with(&tied, false, &[], &[]);
    let outside = error(adapter.add_tokens(&[3, 9999], &tied));
    assert!(outside.contains("token 9999") && outside.contains("265 rows"), "{outside}");
    assert!(error(adapter.add_tokens(&[3, 3], &tied)).contains("twice"));
    let unknown = error(Module::named(&["embed"], &tied).map(drop));
    assert!(unknown.contains("\"embed\"") && unknown.contains("embed_tokens"), "{unknown}");
    let half = LoraConfig { use_dora: true, ..config(&["q_proj", "v_proj"]) };
    let half = error(Adapter::zeros(half, "base", &phi).map(drop));
    assert!(half.contains("qkv_proj is one layer") && half.contains("q_proj, k_proj, v_proj"), "{half}");
}

#[test]
fn an_adapter_of_some_layers_says_which() {
    let model = tiny("llama");
    let place = tempfile::tempdir().unwrap();
    let mut adapter = counted(&["q_proj"], &model);
    adapter.slots.remove(0);
    adapter.save(place.path(), &model).unwrap();
    assert_eq!(written(place.path())["layers_to_transform"], serde_json::json!([1]));
    let loaded = Adapter::load(place.path(), &model).unwrap();
    assert_eq!(loaded.slots.len(), 1);
    assert_eq!((loaded.slots[0].layer, loaded.slots[0].a), (1, 0));
}

fn written(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(folder.join("adapter_config.json")).unwrap()).unwrap()
}

#[test]
fn a_fresh_adapter_is_drawn_as_peft_draws_it() {
    let model = tiny("llama");
    let adapter = Adapter::fresh(config(&["all-linear"]), "base", &model, 7).unwrap();
    assert!(same(&adapter, &Adapter::fresh(config(&["all-linear"]), "base", &model, 7).unwrap()));
    assert!(!same(&adapter, &Adapter::fresh(config(&["all-linear"]), "base", &model, 8).unwrap()));
    for slot in &adapter.slots {
        let bound = 1.0 / (slot.inputs as f32).sqrt();
        let a = &adapter.values[slot.a..slot.b];
        let b = &adapter.values[slot.b..slot.b + slot.outputs * adapter.config.r];
        assert_eq!(a.len(), adapter.config.r * slot.inputs);
        assert!(a.iter().all(|value| value.abs() <= bound));
        // The variance of a uniform distribution is a third of its bound's square.
        let variance = a.iter().map(|value| value * value).sum::<f32>() / a.len() as f32;
        assert!((variance * 3.0 / (bound * bound) - 1.0).abs() < 0.4, "{variance} {bound}");
        assert!(b.iter().all(|&value| value == 0.0));
    }
}

#[test]
fn targets_are_read_by_name() {
    let parse = |names: &[&str]| Projection::parse_targets(names).map_err(|error| error.to_string());
    assert_eq!(parse(&["all-linear"]).unwrap(), Projection::ALL);
    assert_eq!(parse(&["up_proj", "q_proj", "q_proj"]).unwrap(), [Projection::QProj, Projection::UpProj]);
    assert_eq!(parse(&["qkv_proj"]).unwrap().len(), 3);
    assert!(parse(&["q_prj"]).unwrap_err().contains("did you mean q_proj?"));
}

/// Writes a folder by hand, as another program would; its target modules are those of the tensors.
pub(super) fn write(folder: &Path, keys: serde_json::Value, tensors: &[Named]) {
    let adapted = tensors.iter().filter_map(|(name, ..)| name.split_once(".lora_")?.0.rsplit('.').next());
    let adapted: std::collections::BTreeSet<&str> = adapted.collect();
    let mut config =
        serde_json::json!({"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": adapted});
    for (key, value) in keys.as_object().unwrap() {
        config[key] = value.clone();
    }
    std::fs::write(folder.join("adapter_config.json"), config.to_string()).unwrap();
    write_safetensors(&folder.join("adapter_model.safetensors"), tensors);
}

pub(super) fn tensor(module: &str, matrix: &str, shape: [usize; 2]) -> Named {
    let numbers = (0..shape[0] * shape[1]).map(|number| number as f32 + 1.0).collect();
    (format!("base_model.model.model.layers.{module}.lora_{matrix}.weight"), shape.to_vec(), numbers)
}

pub(super) fn load_error(keys: serde_json::Value, tensors: &[Named]) -> String {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), keys, tensors);
    format!("{:#}", Adapter::load(place.path(), &tiny("llama")).unwrap_err())
}

#[test]
fn patterns_of_rank_and_alpha_keep_what_the_adapter_computes() {
    let place = tempfile::tempdir().unwrap();
    let model = tiny("llama");
    let tensors = [
        tensor("0.self_attn.q_proj", "A", [2, 32]),
        tensor("0.self_attn.q_proj", "B", [32, 2]),
        tensor("0.self_attn.k_proj", "A", [3, 32]),
        tensor("0.self_attn.k_proj", "B", [16, 3]),
    ];
    write(
        place.path(),
        serde_json::json!({
            "rank_pattern": {"k_proj": 3}, "alpha_pattern": {"layers.0.self_attn.k_proj": 12},
            "layers_to_transform": [0],
        }),
        &tensors,
    );
    let adapter = Adapter::load(place.path(), &model).unwrap();
    // The scales in the file are 4 / 2 for q and 12 / 3 for k.
    assert_eq!((adapter.config.r, adapter.config.scale()), (3, 2.0));
    let product = |projection: Projection| {
        let slot = adapter.slot(0, projection).unwrap();
        let (a, b) = (&adapter.values[slot.a..], &adapter.values[slot.b..]);
        let at = |row: usize, column: usize| {
            (0..3).map(|k| b[row * 3 + k] * a[k * slot.inputs + column]).sum::<f32>() * adapter.config.scale()
        };
        [at(0, 0), at(1, 5), at(slot.outputs - 1, 31)]
    };
    let expected = |tensors: &[Named], scale: f32| {
        let (a, b) = (&tensors[0], &tensors[1]);
        let (rank, inputs, outputs) = (a.1[0], a.1[1], b.1[0]);
        let at = |row: usize, column: usize| {
            (0..rank).map(|k| b.2[row * rank + k] * a.2[k * inputs + column]).sum::<f32>() * scale
        };
        [at(0, 0), at(1, 5), at(outputs - 1, 31)]
    };
    assert_eq!(product(Projection::QProj), expected(&tensors[..2], 2.0));
    assert_eq!(product(Projection::KProj), expected(&tensors[2..], 4.0));
}

#[test]
fn an_adapter_for_phis_fused_layers_is_shared_by_their_parts() {
    let place = tempfile::tempdir().unwrap();
    let model = tiny("phi3");
    let tensors =
        [tensor("1.self_attn.qkv_proj", "A", [2, 32]), tensor("1.self_attn.qkv_proj", "B", [64, 2])];
    write(
        place.path(),
        serde_json::json!({"target_modules": ["qkv_proj"], "layers_to_transform": [1]}),
        &tensors,
    );
    let adapter = Adapter::load(place.path(), &model).unwrap();
    assert_eq!(adapter.slots.len(), 3);
    let mut first = 0;
    for slot in &adapter.slots {
        assert_eq!(adapter.values[slot.a..slot.b], tensors[0].2);
        assert_eq!(
            adapter.values[slot.b..slot.b + slot.outputs * 2],
            tensors[1].2[first * 2..][..slot.outputs * 2]
        );
        first += slot.outputs;
    }
}

#[test]
fn an_adapter_for_another_model_is_refused() {
    let shapes = load_error(
        serde_json::json!({"base_model_name_or_path": "some/other"}),
        &[tensor("0.self_attn.q_proj", "A", [2, 64]), tensor("0.self_attn.q_proj", "B", [64, 2])],
    );
    assert!(
        shapes.contains("an adapter for another model (some/other)") && shapes.contains("[2, 64]"),
        "{shapes}"
    );
    let layers = load_error(
        serde_json::json!({}),
        &[tensor("5.self_attn.q_proj", "A", [2, 32]), tensor("5.self_attn.q_proj", "B", [32, 2])],
    );
    assert!(layers.contains("an adapter for another model"), "{layers}");
}

#[test]
fn adapters_of_other_kinds_and_damaged_ones_are_refused() {
    let a = tensor("0.self_attn.q_proj", "A", [2, 32]);
    let b = tensor("0.self_attn.q_proj", "B", [32, 2]);
    let whole = [a.clone(), b.clone()];
    let of_embedding = |end: &str, rows: usize| {
        [(format!("base_model.model.model.embed_tokens.{end}"), vec![rows, 32], vec![0.0; rows * 32])]
    };
    let rows = of_embedding("token_adapter.trainable_tokens_delta", 2);
    let embedding = of_embedding("weight", Tiny::VOCABULARY);
    let magnitudes = a.0.replace("lora_A.weight", "lora_magnitude_vector");
    let magnitudes = [a.clone(), b.clone(), (magnitudes, vec![32], vec![1.0; 32])];
    for (keys, tensors, said) in [
        (serde_json::json!({}), &magnitudes[..], "a magnitude of DoRA, but its use_dora isn't true"),
        (serde_json::json!({"peft_type": "IA3"}), &whole[..], "IA3"),
        (serde_json::json!({"bias": "all"}), &whole, "biases"),
        (serde_json::json!({"fan_in_fan_out": true}), &whole, "fan_in_fan_out"),
        (serde_json::json!({"r": 0}), &whole, "r is 0"),
        (serde_json::json!({"r": "two"}), &whole, "invalid type"),
        (serde_json::json!({}), &whole[..1], "lora_B.weight is missing"),
        (serde_json::json!({}), &whole[1..], "lora_A.weight is missing"),
        (serde_json::json!({}), &[("lm_head.weight".to_owned(), vec![1], vec![0.0])], "lm_head.weight"),
        (serde_json::json!({"use_dora": true}), &whole, "lora_magnitude_vector is missing"),
        (serde_json::json!({}), &[&whole[..], &rows].concat(), "trainable_token_indices don't say"),
        (
            serde_json::json!({"trainable_token_indices": [1, 900]}),
            &[&whole[..], &rows].concat(),
            "token 900",
        ),
        (
            serde_json::json!({"trainable_token_indices": [1]}),
            &[&whole[..], &rows].concat(),
            "this model needs [1, 32]",
        ),
        (
            serde_json::json!({"ensure_weight_tying": true, "modules_to_save": ["embed_tokens"]}),
            &[&whole[..], &embedding].concat(),
            "ensure_weight_tying",
        ),
        (serde_json::json!({}), &[], "no tensors"),
    ] {
        let mut keys = keys;
        keys["layers_to_transform"] = serde_json::json!([0]);
        let error = load_error(keys, tensors);
        assert!(error.contains(said), "{error}");
        assert!(error.starts_with("load the adapter "), "{error}");
    }
    let place = tempfile::tempdir().unwrap();
    write(place.path(), serde_json::json!({}), &whole);
    let path = place.path().join("adapter_model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let error = format!("{:#}", Adapter::load(place.path(), &tiny("llama")).unwrap_err());
    assert!(error.contains("cut short"), "{error}");
}

#[test]
fn the_golden_adapters_load_and_save_without_change() {
    let (Some(golden), Some(files)) = (golden(), smollm2()) else { return };
    let model = model::open(&files).unwrap().config;
    for name in ["init_adapter", "final_adapter"] {
        let adapter = Adapter::load(&golden.join(name), &model).unwrap();
        assert_eq!(adapter.slots.len(), 7 * model.layers);
        assert_eq!(adapter.values.len(), 2_442_240);
        assert_eq!((adapter.config.r, adapter.config.lora_alpha), (8, 16.0));
        assert_eq!(adapter.base, "HuggingFaceTB/SmolLM2-135M-Instruct");
        let place = tempfile::tempdir().unwrap();
        adapter.save(place.path(), &model).unwrap();
        assert!(same(&adapter, &Adapter::load(place.path(), &model).unwrap()));
        let (ours, theirs) = (written(place.path()), written(&golden.join(name)));
        for (key, value) in ours.as_object().unwrap() {
            let list = |value: &serde_json::Value| -> Option<BTreeSet<String>> {
                Some(value.as_array()?.iter().map(ToString::to_string).collect())
            };
            assert!(
                list(value) == list(&theirs[key]) && (value.is_array() || *value == theirs[key]),
                "{key}"
            );
        }
    }
}
