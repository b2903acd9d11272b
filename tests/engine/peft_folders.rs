//! Folders as PEFT writes them: every key that changes what an adapter computes counts as PEFT reads it, or is refused by
//! name; and the embeddings that PEFT saves besides.

use dojo_studio::engine::adapter::{Adapter, Module};
use dojo_studio::engine::model::{self, ModelConfig, ModelFiles, OpenModel};
use serde_json::{Value, json};

use super::adapter::{load_error, tensor, tiny, write};
use crate::support::tiny::{Named, Tiny, write_safetensors};

const ROWS: usize = Tiny::VOCABULARY;

/// Adapted projections of both layers, at a rank.
fn pairs(modules: &[&str], rank: usize) -> Vec<Named> {
    let of = |layer: usize, module: &str| {
        let path = format!("{layer}.self_attn.{module}");
        let outputs = if module == "q_proj" { 32 } else { 16 };
        [tensor(&path, "A", [rank, 32]), tensor(&path, "B", [outputs, rank])]
    };
    (0..2).flat_map(|layer| modules.iter().flat_map(move |module| of(layer, module))).collect()
}

fn load(keys: Value, tensors: &[Named], model: &ModelConfig) -> anyhow::Result<Adapter> {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), keys, tensors);
    Adapter::load(place.path(), model)
}

/// What each slot's product is multiplied by, by layer: B's first number is 1 in the file.
fn scales(adapter: &Adapter) -> Vec<(usize, &'static str, f32)> {
    let of = |slot: &dojo_studio::engine::adapter::Slot| {
        (slot.layer, slot.projection.name(), adapter.values[slot.b] * adapter.config.scale())
    };
    adapter.slots.iter().map(of).collect()
}

#[test]
fn patterns_are_the_regular_expressions_that_python_reads() {
    let model = tiny("llama");
    let tensors = pairs(&["q_proj", "v_proj"], 2);
    // The scale without a pattern is 4 / 2.
    for (pattern, expected) in [
        (json!({"q_proj": 6}), [3.0, 2.0, 3.0, 2.0]),
        (json!({".*q_proj": 6}), [3.0, 2.0, 3.0, 2.0]),
        (json!({"proj": 6}), [2.0, 2.0, 2.0, 2.0]),
        (json!({"layers.1.self_attn.v_proj": 6}), [2.0, 2.0, 2.0, 3.0]),
        (json!({r"layers\.[01]\.self_attn\.q_proj": 6}), [3.0, 2.0, 3.0, 2.0]),
        (json!({"^model.layers.0.self_attn.q_proj": 6}), [3.0, 2.0, 2.0, 2.0]),
        (json!({"^layers.0.self_attn.q_proj": 6}), [2.0, 2.0, 2.0, 2.0]),
        (json!({r"layers\.(?!0)\d+\.self_attn\.(?:q|v)_proj": 6}), [2.0, 2.0, 3.0, 3.0]),
        (json!({"q_proj$|v_proj": 6}), [3.0, 3.0, 3.0, 3.0]),
        // The first that matches counts, in the order of the file.
        (json!({"v_proj": 6, ".*": 10}), [5.0, 3.0, 5.0, 3.0]),
        (json!({".*": 10, "v_proj": 6}), [5.0, 5.0, 5.0, 5.0]),
    ] {
        let adapter = load(json!({"alpha_pattern": pattern}), &tensors, &model).unwrap();
        let found: Vec<f32> = scales(&adapter).into_iter().map(|(_, _, scale)| scale).collect();
        assert_eq!(found, expected, "{pattern}");
    }
    let mut mixed = pairs(&["q_proj"], 5);
    mixed.extend(pairs(&["v_proj"], 2));
    let ranks = json!({"rank_pattern": {r"layers\.\d+\.self_attn\.q_proj": 5}});
    let adapter = load(ranks, &mixed, &model).unwrap();
    let close = |scale: f32, expected: f32| (scale - expected).abs() < 1e-6;
    for (_, name, scale) in scales(&adapter) {
        assert!(close(scale, if name == "q_proj" { 0.8 } else { 2.0 }), "{name} {scale}");
    }
    for (keys, said) in [
        (json!({"alpha_pattern": {"q_proj(": 6}}), "read the regular expression \"q_proj(\""),
        (json!({"alpha_pattern": {"[a-z&&b]_proj": 6}}), "differently"),
        (json!({"alpha_pattern": {"q_proj": "six"}}), "read alpha_pattern: \"q_proj\" is \"six\""),
        (json!({"rank_pattern": {"q_proj": 2.5}}), "read rank_pattern: \"q_proj\" is 2.5"),
        (json!({"target_modules": "(q_proj"}), "read target_modules"),
    ] {
        let error = load_error(keys, &tensors);
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn what_target_modules_leave_out_is_not_read_in_silence() {
    let model = tiny("llama");
    let both = pairs(&["q_proj", "v_proj"], 2);
    let first = &both[..4];
    for (keys, tensors) in [
        (json!({"target_modules": ["q_proj", "v_proj"]}), &both[..]),
        (json!({"target_modules": null}), &both),
        (json!({"target_modules": r".*self_attn\.(q|v)_proj"}), &both),
        (
            json!({"target_modules": r"(?:.*?layers\.[\d]{1,}\.(?:self_attn|mlp)\.(?:(?:q_proj|v_proj)))"}),
            &both,
        ),
        (json!({"target_modules": ["self_attn.q_proj", "v_proj"], "exclude_modules": ["k_proj"]}), &both),
        (json!({"layers_to_transform": [0]}), first),
        (json!({"target_modules": ["q_proj", "v_proj"], "layers_to_transform": 0}), first),
        (
            json!({"target_modules": ["q_proj", "v_proj"], "layers_to_transform": [0], "layers_pattern": "layers"}),
            first,
        ),
        (json!({"target_modules": ["q_proj", "v_proj"], "exclude_modules": r".*layers\.1\..*"}), first),
    ] {
        let loaded = load(keys.clone(), tensors, &model).unwrap_or_else(|error| panic!("{keys}: {error:#}"));
        assert_eq!(loaded.slots.len(), tensors.len() / 2, "{keys}");
    }
    for keys in [
        json!({"target_modules": ["q_proj"]}),
        json!({"target_modules": ["proj"]}),
        json!({"target_modules": "q_proj|v_proj"}),
        json!({"target_modules": ["q_proj", "v_proj"], "exclude_modules": ["v_proj"]}),
        json!({"target_modules": ["q_proj", "v_proj"], "layers_to_transform": [0]}),
        json!({"target_modules": ["q_proj", "v_proj"], "layers_to_transform": [0, 1], "layers_pattern": "h"}),
    ] {
        let error = load_error(keys.clone(), &both);
        assert!(error.contains("don't name model.layers.") && error.contains("self_attn"), "{keys}: {error}");
    }
    // And what they name is all there.
    for (keys, tensors, lacks) in [
        (json!({"target_modules": ["q_proj", "v_proj"]}), first, "model.layers.1.self_attn.q_proj"),
        (json!({"target_modules": ["q_proj", "v_proj"]}), &both[..6], "model.layers.1.self_attn.v_proj"),
        (json!({"target_modules": r".*(q|v)_proj"}), &both[4..], "model.layers.0.self_attn.q_proj"),
        (
            json!({"target_modules": ["q_proj", "v_proj", "down_proj"]}),
            &both[..],
            "model.layers.0.mlp.down_proj",
        ),
        // All linear layers are meant, one kind of them included that no layer has.
        (json!({"target_modules": "all-linear"}), first, "model.layers.0.self_attn.k_proj"),
        (json!({"target_modules": "All-Linear"}), &both[..], "model.layers.0.self_attn.k_proj"),
    ] {
        let error = load_error(keys.clone(), tensors);
        assert!(
            error.contains(&format!("name {lacks}, and the file holds no tensors of it")),
            "{keys}: {error}"
        );
    }
    let both_ways = json!({"target_modules": ".*", "layers_to_transform": [0]});
    assert!(load_error(both_ways, &both).contains("regular expression"));
}

#[test]
fn keys_that_change_what_is_computed_are_refused_by_name() {
    let tensors = pairs(&["q_proj"], 2);
    for (keys, said) in [
        (json!({"init_lora_weights": "pissa"}), "init_lora_weights is \"pissa\""),
        (json!({"init_lora_weights": "pissa_niter_16"}), "path_initial_model_for_weight_conversion"),
        (json!({"init_lora_weights": "olora"}), "init_lora_weights is \"olora\""),
        (json!({"init_lora_weights": "OLoRA"}), "init_lora_weights is \"OLoRA\""),
        (json!({"init_lora_weights": "corda"}), "init_lora_weights is \"corda\""),
        (json!({"init_lora_weights": "lora_ga"}), "init_lora_weights is \"lora_ga\""),
        (json!({"init_lora_weights": "loftq", "loftq_config": {"loftq_bits": 4}}), "merge_and_unload"),
        (json!({"init_lora_weights": "mica"}), "B is never trained"),
        (json!({"init_lora_weights": "next_year"}), "\"next_year\", which Dojo doesn't know"),
        (json!({"init_lora_weights": 3}), "init_lora_weights is 3"),
        (json!({"lora_bias": true}), "lora_bias (true)"),
        (json!({"use_qalora": true}), "use_qalora"),
        (json!({"target_parameters": ["mlp.experts"]}), "target_parameters"),
        (json!({"layer_replication": [[0, 2]]}), "layer_replication"),
        (json!({"kasa_config": {"beta": 1}}), "kasa_config"),
        (json!({"bias": "lora_only"}), "bias = \"lora_only\""),
        (json!({"task_type": "SEQ_CLS"}), "task_type is \"SEQ_CLS\""),
        (json!({"invented_next_year": 0.5}), "doesn't know, \"invented_next_year\" = 0.5"),
        (json!({"invented_next_year": {"a": true}}), "invented_next_year"),
        (json!({"modules_to_save": ["lm_head"]}), "modules_to_save names lm_head"),
        (
            json!({"trainable_token_indices": [3]}),
            "trainable_token_indices name tokens of model.embed_tokens",
        ),
    ] {
        let error = load_error(keys, &tensors);
        assert!(error.contains(said), "{error}");
    }
    for keys in [
        json!({"init_lora_weights": true, "task_type": "CAUSAL_LM", "bias": null}),
        json!({"init_lora_weights": "gaussian", "eva_config": {"rho": 2.0}, "task_type": null}),
        json!({"init_lora_weights": "eva", "loftq_config": {}, "corda_config": {"corda_method": "kpm"}}),
        json!({"init_lora_weights": "orthogonal", "invented_next_year": null, "another": false, "third": []}),
        json!({"init_lora_weights": false, "peft_version": "9.1", "qalora_group_size": 16, "revision": "main",
            "megatron_core": "megatron.core", "auto_mapping": {"unsloth_fixed": true}, "inference_mode": true,
            "modules_to_save": null, "exclude_modules": [], "layers_pattern": [], "rank_pattern": null}),
    ] {
        let loaded = load(keys.clone(), &tensors, &tiny("llama"));
        assert!(loaded.is_ok(), "{keys}: {:#}", loaded.unwrap_err());
    }
}

/// A matrix of the embedding's width, all of whose numbers are one.
fn outer(name: &str, rows: usize, number: f32) -> Named {
    (format!("base_model.model.{name}"), vec![rows, 32], vec![number; rows * 32])
}

fn opened(kind: &'static str) -> (tempfile::TempDir, OpenModel) {
    let place = tempfile::tempdir().unwrap();
    let model = Tiny::new(kind).open_folder(place.path());
    (place, model)
}

/// The modules that an adapter replaces, and the number that each is filled with.
fn replaced(adapter: &Adapter) -> Vec<(Module, f32)> {
    adapter.modules.iter().map(|it| (it.module, adapter.values[it.start])).collect()
}

#[test]
fn an_embedding_saved_besides_takes_the_place_of_the_bases() {
    let (embedding, head) = ("model.embed_tokens", "lm_head");
    let own = |path: &str, number: f32| outer(&format!("{path}.weight"), ROWS, number);
    let copy = |path: &str, number: f32| outer(&format!("{path}.modules_to_save.weight"), ROWS, number);
    let before = |path: &str, number: f32| outer(&format!("{path}.original_module.weight"), ROWS, number);
    let saves = |names: &[&str]| json!({"modules_to_save": names});
    let both = |a: f32, b: f32| vec![(Module::Embedding, a), (Module::Output, b)];
    for (kind, keys, tensors, expected) in [
        // A copy leaves the output layer as it was; what isn't a copy is the one that both are.
        ("llama", saves(&["embed_tokens"]), vec![own(embedding, 2.0)], vec![(Module::Embedding, 2.0)]),
        ("llama", json!({}), vec![own(embedding, 2.0)], both(2.0, 2.0)),
        ("llama", json!({}), vec![own(embedding, 2.0), own(head, 2.0)], both(2.0, 2.0)),
        (
            "llama",
            saves(&["embed_tokens"]),
            vec![own(embedding, 2.0), copy(embedding, 2.0), before(embedding, 3.0)],
            both(2.0, 3.0),
        ),
        ("llama", saves(&["lm_head"]), vec![own(head, 2.0), before(head, 3.0)], both(3.0, 2.0)),
        ("qwen2", json!({}), vec![own(embedding, 2.0)], vec![(Module::Embedding, 2.0)]),
        (
            "qwen2",
            saves(&["embed_tokens", "lm_head"]),
            vec![
                own(embedding, 2.0),
                copy(embedding, 2.0),
                before(embedding, 3.0),
                own(head, 4.0),
                copy(head, 4.0),
                before(head, 5.0),
            ],
            both(2.0, 4.0),
        ),
    ] {
        let what = format!("{kind} {keys}");
        let tensors = [pairs(&["q_proj"], 2), tensors].concat();
        let adapter = load(keys, &tensors, &tiny(kind)).unwrap_or_else(|error| panic!("{what}: {error:#}"));
        assert_eq!(replaced(&adapter), expected, "{what}");
    }
    let other = [pairs(&["q_proj"], 2), vec![own(embedding, 2.0), copy(embedding, 3.0)]].concat();
    assert!(load_error(saves(&["embed_tokens"]), &other).contains("is no copy of"));
}

#[test]
fn the_model_has_as_many_rows_as_the_adapter_was_saved_over() {
    for kind in ["llama", "qwen2"] {
        let (_place, model) = opened(kind);
        // Grown, padded, cut to the tokenizer's size.
        for rows in [ROWS + 2, ROWS + 64, ROWS - 3] {
            let folder = tempfile::tempdir().unwrap();
            let more = [outer("model.embed_tokens.weight", rows, 2.0), outer("lm_head.weight", rows, 3.0)];
            let keys = json!({"modules_to_save": ["embed_tokens", "lm_head"]});
            write(folder.path(), keys, &[pairs(&["q_proj"], 2), more.to_vec()].concat());
            let resized = model.clone().with_tokens_of(folder.path()).unwrap();
            assert_eq!(resized.config.vocabulary, rows, "{kind}");
            assert_eq!(resized.foreign_tokens().len(), rows.saturating_sub(ROWS));
            let adapter = Adapter::load(folder.path(), &resized.config).unwrap();
            assert_eq!(replaced(&adapter), [(Module::Embedding, 2.0), (Module::Output, 3.0)]);
            let name = "model.embed_tokens.weight";
            let old = model.weights.f32(name, &[ROWS, 32]).unwrap();
            let new = resized.weights.f32(name, &[rows, 32]).unwrap();
            let kept = rows.min(ROWS) * 32;
            assert_eq!((new.len(), &new[..kept]), (rows * 32, &old[..kept]));
            assert_eq!(resized.weights.stored(name, &[rows, 32]).unwrap().bytes.len(), rows * 32 * 4);
        }
        let folder = tempfile::tempdir().unwrap();
        let more = [outer("model.embed_tokens.weight", ROWS + 1, 2.0), outer("lm_head.weight", ROWS, 3.0)];
        write(folder.path(), json!({}), &[pairs(&["q_proj"], 2), more.to_vec()].concat());
        let error = format!("{:#}", model.clone().with_tokens_of(folder.path()).err().unwrap());
        assert!(error.contains("lm_head.weight has") && error.contains("embed_tokens.weight has"), "{error}");
        // PEFT saves both where it resized them: one alone is of a base that had as many.
        let alone = [outer("lm_head.weight", ROWS + 1, 3.0)];
        write(
            folder.path(),
            json!({"modules_to_save": ["lm_head"]}),
            &[pairs(&["q_proj"], 2), alone.to_vec()].concat(),
        );
        let same = model.with_tokens_of(folder.path()).unwrap();
        assert_eq!(same.config.vocabulary, ROWS);
        let error = format!("{:#}", Adapter::load(folder.path(), &same.config).unwrap_err());
        assert!(error.contains("can't be held together"), "{error}");
    }
}

#[test]
fn rows_that_an_adapter_trains_stand_among_the_others_that_it_was_saved_over() {
    let (_place, model) = opened("llama");
    let rows = ROWS + 4;
    let row = |end: &str, rows: usize, number: f32| {
        outer(&format!("model.embed_tokens.token_adapter.{end}"), rows, number)
    };
    let folder = tempfile::tempdir().unwrap();
    let delta = row("trainable_tokens_delta", 2, 5.0);
    // PEFT saves both again under the output layer's name, where that is tied.
    let again =
        |named: &Named| (named.0.replace("model.embed_tokens", "lm_head"), named.1.clone(), named.2.clone());
    let base = row("base_layer.weight", rows, 2.0);
    let more = [delta.clone(), base.clone(), again(&delta), again(&base)];
    let keys = json!({"trainable_token_indices": [3, ROWS]});
    write(folder.path(), keys.clone(), &[pairs(&["q_proj"], 2), more.to_vec()].concat());
    let resized = model.clone().with_tokens_of(folder.path()).unwrap();
    assert_eq!((resized.config.vocabulary, resized.has_lent_rows()), (rows, true));
    let name = "model.embed_tokens.weight";
    let old = model.weights.f32(name, &[ROWS, 32]).unwrap();
    let new = resized.weights.f32(name, &[rows, 32]).unwrap();
    assert_eq!(new[..ROWS * 32], old);
    assert_eq!(new[ROWS * 32..], [2.0; 4 * 32]);
    let stored = resized.weights.stored(name, &[rows, 32]).unwrap().bytes;
    assert_eq!(stored[ROWS * 32 * 4..], 2.0_f32.to_le_bytes().repeat(4 * 32));
    let adapter = Adapter::load(folder.path(), &resized.config).unwrap();
    assert_eq!(adapter.rows.len(), 1);
    assert_eq!(
        (&adapter.rows[0].tokens, adapter.values[adapter.rows[0].start]),
        (&vec![3, ROWS as u32], 5.0)
    );
    let differing = [delta, row("base_layer.weight", rows, 2.0), {
        let (name, shape, _) = again(&more[0]);
        (name, shape, vec![6.0; 64])
    }];
    write(folder.path(), keys, &[pairs(&["q_proj"], 2), differing.to_vec()].concat());
    let error = format!("{:#}", Adapter::load(folder.path(), &resized.config).unwrap_err());
    assert!(error.contains("differ from the embedding's"), "{error}");
}

#[test]
fn tokens_of_an_embedding_that_only_the_configuration_ties_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let tiny = Tiny::new("llama");
    tiny.write_folder(place.path());
    let mut tensors = tiny.tensors();
    tensors.push(("lm_head.weight".to_owned(), vec![ROWS, 32], vec![0.5; ROWS * 32]));
    write_safetensors(&place.path().join("model.safetensors"), &tensors);
    let model = model::open(&ModelFiles::at(place.path()).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), json!({}), &pairs(&["q_proj"], 2));
    assert!(model.clone().with_tokens_of(folder.path()).is_ok());
    let rows = outer("model.embed_tokens.token_adapter.trainable_tokens_delta", 1, 2.0);
    let keys = json!({"trainable_token_indices": [3]});
    write(folder.path(), keys, &[pairs(&["q_proj"], 2), vec![rows]].concat());
    let error = format!("{:#}", model.clone().with_tokens_of(folder.path()).err().unwrap());
    assert!(error.contains("ties the output layer to the embedding"), "{error}");
    // Nor is such an adapter made.
    let error = format!("{:#}", model.with_tokens(&["<new>".to_owned()]).err().unwrap());
    assert!(error.contains("can't be trained") && error.contains("tie_word_embeddings"), "{error}");
}
