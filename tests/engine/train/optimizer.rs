use dojo_studio::engine::train::optimizer::{AdamW, Update, clip_factor, norm};
use dojo_studio::engine::train::parameter_groups::{ParameterGroups, pattern};

use dojo_studio::engine::adapter::{Adapter, LoraConfig, Module};

use crate::support::bigram;
use crate::support::tiny::Tiny;

#[test]
fn adamw_with_clipping_walks_as_pytorch_does() {
    // torch.optim.AdamW(lr, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1) with clip_grad_norm_ at 1.
    let overrides = ["train.adam_beta2=0.99", "train.weight_decay=0.1"];
    let mut optimizer = AdamW::new(&bigram::recipe(&overrides).train, 4, ParameterGroups::default());
    let mut values = [0.5_f32, -1.0, 2.0, 0.001];
    let walk: [([f32; 4], f64, f64, [f32; 4]); 4] = [
        ([0.3, -0.2, 4.0, 1e-9], 1e-2, 4.016_217_2, [0.489_500_02, -0.989, 1.988, 0.000_756_058_55]),
        (
            [-0.1, 0.2, 3.0, 0.0],
            5e-3,
            3.008_321_8,
            [0.487_705_62, -0.989_475_43, 1.982_005_8, 0.000_697_726_85],
        ),
        (
            [0.05, -0.6, -2.0, 1e-4],
            2e-2,
            2.088_66,
            [0.478_520_33, -0.976_101_58, 1.972_439_5, -0.012_017_949],
        ),
        (
            [1.0, 0.0, 0.5, -1e-4],
            1e-3,
            1.118_034,
            [0.477_866_26, -0.975_536_17, 1.971_871_97, -0.011_752_775],
        ),
    ];
    for (gradients, learning_rate, expected_norm, expected) in walk {
        let found = norm(&gradients);
        assert!((found - expected_norm).abs() < 1e-6 * expected_norm, "{found}");
        let gradient_factor = clip_factor(found, 1.0);
        optimizer.update(&mut values, &gradients, Update { learning_rate, gradient_factor });
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() <= 3e-7, "{values:?}, not {expected}");
        }
    }
}

#[test]
fn a_limit_of_zero_never_clips() {
    assert_eq!(clip_factor(1e9, 0.0).to_bits(), 1.0_f32.to_bits());
    assert_eq!(clip_factor(0.5, 1.0).to_bits(), 1.0_f32.to_bits());
}

#[test]
fn the_norm_and_the_update_are_the_same_to_the_bit_on_one_thread_and_on_many() {
    let gradients: Vec<f32> = (0..100_003).map(|n| ((n as f32) * 0.37).sin() * 1e-3).collect();
    let walk = || {
        let mut optimizer =
            AdamW::new(&bigram::recipe(&[]).train, gradients.len(), ParameterGroups::default());
        let mut values = gradients.clone();
        for _ in 0..3 {
            optimizer.update(&mut values, &gradients, Update { learning_rate: 1e-3, gradient_factor: 0.5 });
        }
        (norm(&gradients).to_bits(), values.iter().map(|value| value.to_bits()).collect::<Vec<u32>>())
    };
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    assert_eq!(pool(1).install(walk), pool(7).install(walk));
}

/// How far one update of equal gradients moves each number, as a multiple of the plain learning rate.
fn moves(overrides: &[&str]) -> Vec<f32> {
    let adapter = bigram::adapter();
    let train = bigram::recipe(overrides).train;
    let groups = ParameterGroups::new(&train, &adapter).unwrap();
    let mut optimizer = AdamW::new(&train, adapter.values.len(), groups);
    let mut values = vec![0.0; adapter.values.len()];
    let update = Update { learning_rate: train.learning_rate, gradient_factor: 1.0 };
    optimizer.update(&mut values, &vec![1.0; adapter.values.len()], update);
    values.iter().map(|value| (-value / train.learning_rate as f32 * 1000.0).round() / 1000.0).collect()
}

#[test]
fn lora_plus_moves_b_faster_than_a() {
    let half = bigram::adapter().values.len() / 2;
    assert_eq!(moves(&["train.loraplus_lr_ratio=16"]), [vec![1.0; half], vec![16.0; half]].concat());
}

#[test]
fn a_rate_by_pattern_wins_over_lora_plus_for_the_tensors_that_fit() {
    let half = bigram::adapter().values.len() / 2;
    let by_pattern = "train.learning_rates=[{ pattern = \"*q_proj.lora_B*\", learning_rate = 0.1 }]";
    let moves = moves(&["train.loraplus_lr_ratio=16", by_pattern]);
    assert_eq!(moves, [vec![1.0; half], vec![2.0; half]].concat());
}

#[test]
fn vectors_learn_as_fast_as_b_and_embeddings_as_a() {
    // As PEFT's create_loraplus_optimizer groups them.
    let place = tempfile::tempdir().unwrap();
    let model = Tiny::new("qwen2").open_folder(place.path()).config;
    let lora = LoraConfig { use_dora: true, ..bigram::adapter().config };
    let mut adapter = Adapter::zeros(lora, "tiny", &model).unwrap();
    adapter.add_modules(&Module::named(&["lm_head", "model.norm"], &model).unwrap(), &model);
    let overrides = [
        "train.loraplus_lr_ratio=16",
        "train.learning_rates=[{ pattern = \"*lm_head*\", learning_rate = 0.1 }]",
    ];
    let train = bigram::recipe(&overrides).train;
    let mut optimizer =
        AdamW::new(&train, adapter.values.len(), ParameterGroups::new(&train, &adapter).unwrap());
    let mut values = vec![0.0; adapter.values.len()];
    let update = Update { learning_rate: train.learning_rate, gradient_factor: 1.0 };
    optimizer.update(&mut values, &vec![1.0; adapter.values.len()], update);
    let moved = |place: usize| (-values[place] / train.learning_rate as f32).round();
    let slot = &adapter.slots[1];
    let places =
        [slot.a, slot.b, slot.magnitudes.unwrap(), adapter.modules[0].start, adapter.modules[1].start];
    assert_eq!(places.map(moved), [1.0, 16.0, 16.0, 16.0, 2.0]);
    assert_eq!(adapter.modules[1].module, Module::Output);
}

#[test]
fn norms_do_not_decay_and_all_else_does() {
    // As transformers' Trainer groups parameters: names of norms and biases are left out.
    let place = tempfile::tempdir().unwrap();
    let model = Tiny::new("qwen2").open_folder(place.path()).config;
    let mut adapter = Adapter::zeros(bigram::adapter().config, "tiny", &model).unwrap();
    adapter.add_modules(&Module::named(&["lm_head", "norm", "input_layernorm"], &model).unwrap(), &model);
    let train = bigram::recipe(&["train.weight_decay=0.5"]).train;
    let mut optimizer =
        AdamW::new(&train, adapter.values.len(), ParameterGroups::new(&train, &adapter).unwrap());
    let mut values = vec![1.0; adapter.values.len()];
    let update = Update { learning_rate: 0.1, gradient_factor: 1.0 };
    optimizer.update(&mut values, &vec![0.0; adapter.values.len()], update);
    for it in &adapter.modules {
        let expected = if it.module == Module::Output { 0.95 } else { 1.0 };
        assert!(values[it.start..it.start + it.length].iter().all(|&value| value == expected), "{it:?}");
    }
    assert!(values[..adapter.modules[0].start].iter().all(|&value| value == 0.95));
}

#[test]
fn a_star_stands_for_any_characters() {
    let name = "base_model.model.model.layers.3.self_attn.q_proj.lora_A.weight";
    let fits = |text: &str| pattern(text).unwrap().is_match(name);
    for text in ["*", "*q_proj*", "*.layers.3.*", "base_model*weight", "*lora_A.weight", name] {
        assert!(fits(text), "{text}");
    }
    for text in ["", "q_proj", "*layers.4*", "*lora_B*", "*q_proj", "model*"] {
        assert!(!fits(text), "{text}");
    }
    let unread = format!("{:#}", pattern("*[").unwrap_err());
    assert!(unread.starts_with("read the pattern \"*[\" of train.learning_rates"), "{unread}");
}
