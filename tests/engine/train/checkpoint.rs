use std::path::Path;

use dojo_studio::domain::run::RunFolder;
use dojo_studio::engine::train::checkpoint::{self, Content, TrainerState};
use dojo_studio::engine::train::optimizer::AdamW;
use dojo_studio::engine::train::parameter_groups::ParameterGroups;

use crate::support::bigram;

fn optimizer() -> AdamW {
    AdamW::new(&bigram::recipe(&[]).train, bigram::adapter().values.len(), ParameterGroups::default())
}

fn save(run: &RunFolder, step: u64, keep: usize) -> anyhow::Result<()> {
    let state = TrainerState { step, ..TrainerState::fresh(42, 7) };
    save_as(run, &state, &optimizer(), keep)
}

fn save_as(run: &RunFolder, state: &TrainerState, optimizer: &AdamW, keep: usize) -> anyhow::Result<()> {
    let adapter = bigram::adapter();
    let content =
        Content { state, adapter: &adapter, optimizer, save_adapter: &bigram::save_adapter, kept: None };
    checkpoint::save(run, &content, keep)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_checkpoint_comes_back_to_the_bit() {
    let home = tempfile::tempdir().unwrap();
    let run = RunFolder::new(home.path());
    let mut before = optimizer();
    before.mean.iter_mut().enumerate().for_each(|(n, mean)| *mean = (n as f32).sqrt());
    before.square.iter_mut().enumerate().for_each(|(n, square)| *square = (n as f32).ln_1p());
    before.steps = 5;
    let state = TrainerState {
        step: 5,
        epoch: 0.1 + 0.2,
        best: Some(checkpoint::Best::new(4, 0.1 + 0.2)),
        ..TrainerState::fresh(42, u64::MAX)
    };
    save_as(&run, &state, &before, 2).unwrap();
    let (mut adapter, mut after) = (bigram::adapter(), optimizer());
    adapter.values.fill(0.0);
    let loaded = checkpoint::load_newest(&run, &mut adapter, &mut after).unwrap().unwrap();
    assert_eq!(loaded.best.unwrap().loss().to_bits(), (0.1_f64 + 0.2).to_bits());
    assert_eq!((loaded.step, loaded.examples), (5, u64::MAX));
    assert_eq!(adapter.values, bigram::adapter().values);
    assert_eq!(after, before);
}

#[test]
fn a_checkpoint_is_the_adapters_folder_and_two_files() {
    let home = tempfile::tempdir().unwrap();
    let run = RunFolder::new(home.path());
    save(&run, 3, 2).unwrap();
    let expected = ["adapter_model.safetensors", "optimizer.safetensors", "trainer_state.json"];
    assert_eq!(names(&checkpoint::folder(&run, 3)), expected);
}

#[test]
fn a_checkpoint_that_cannot_be_written_leaves_the_earlier_one_and_nothing_half_written() {
    let home = tempfile::tempdir().unwrap();
    let run = RunFolder::new(home.path());
    save(&run, 3, 2).unwrap();
    // A file stands where the new checkpoint's folder would be built.
    std::fs::write(run.checkpoints().join(".step-4.partial"), b"").unwrap();
    let error = format!("{:#}", save(&run, 4, 2).unwrap_err());
    assert!(error.contains("the checkpoint of step 3 is intact"), "{error}");
    assert_eq!(checkpoint::steps(&run).unwrap(), [3]);
    assert!(checkpoint::load_newest(&run, &mut bigram::adapter(), &mut optimizer()).is_ok());
}

#[test]
fn a_damaged_checkpoint_names_its_file() {
    let home = tempfile::tempdir().unwrap();
    let run = RunFolder::new(home.path());
    for file in ["trainer_state.json", "optimizer.safetensors"] {
        save(&run, 3, 2).unwrap();
        let path = checkpoint::folder(&run, 3).join(file);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let error = checkpoint::load_newest(&run, &mut bigram::adapter(), &mut optimizer()).unwrap_err();
        assert!(format!("{error:#}").contains(file), "{error:#}");
    }
}

/// A run with the checkpoint of step 3 and a new one of the same step, both in folders of their own names.
fn two_of_a_step() -> (tempfile::TempDir, RunFolder, [std::path::PathBuf; 2]) {
    let home = tempfile::tempdir().unwrap();
    let run = RunFolder::new(home.path());
    let [old, new] = ["old", "new"].map(|name| home.path().join(name));
    for (tokens, to) in [(1, &old), (2, &new)] {
        let state = TrainerState { step: 3, num_tokens: tokens, ..TrainerState::fresh(42, 7) };
        save_as(&run, &state, &optimizer(), 2).unwrap();
        std::fs::rename(checkpoint::folder(&run, 3), to).unwrap();
    }
    (home, run, [old, new])
}

/// What is left of a folder after a kill while its files were written or removed.
fn halve(folder: &Path, kept: &[&str]) {
    for name in names(folder) {
        if !kept.contains(&name.as_str()) {
            std::fs::remove_file(folder.join(name)).unwrap();
        }
    }
}

fn tokens_after_resuming(run: &RunFolder) -> Option<u64> {
    let loaded = checkpoint::load_newest(run, &mut bigram::adapter(), &mut optimizer()).unwrap();
    loaded.map(|state| state.num_tokens)
}

#[test]
fn a_run_killed_at_any_point_of_replacing_a_checkpoint_goes_on_from_one_of_the_two() {
    // Where the old and the new folder are at each moment, and whether one of them is only half there.
    let half = ["adapter_model.safetensors", "optimizer.safetensors"].as_slice();
    let moments: [(&str, &str, Option<&str>, u64); 6] = [
        ("step-3", ".step-3.partial", Some("new"), 1),
        ("step-3", ".step-3.partial", None, 1),
        (".step-3.old", ".step-3.partial", None, 2),
        (".step-3.old", "step-3", None, 2),
        (".step-3.old", "step-3", Some("old"), 2),
        // As an earlier version left it: the old one half removed under its own name.
        ("step-3", ".step-3.partial", Some("old"), 2),
    ];
    for (old_at, new_at, halved, expected) in moments {
        let (_home, run, [old, new]) = two_of_a_step();
        match halved {
            Some("old") => halve(&old, half),
            Some(_) => halve(&new, half),
            None => {}
        }
        std::fs::rename(old, run.checkpoints().join(old_at)).unwrap();
        std::fs::rename(new, run.checkpoints().join(new_at)).unwrap();
        assert_eq!(tokens_after_resuming(&run), Some(expected), "{old_at} {new_at} {halved:?}");
        assert_eq!(names(&run.checkpoints()), ["step-3"], "{old_at} {new_at} {halved:?}");
    }
}

#[test]
fn a_run_killed_while_its_first_checkpoint_was_written_begins_anew_or_goes_on_from_it() {
    for (kept, expected) in [
        (vec![], None),
        (vec!["adapter_model.safetensors"], None),
        (vec!["adapter_model.safetensors", "optimizer.safetensors"], None),
        (vec!["adapter_model.safetensors", "optimizer.safetensors", "trainer_state.json"], Some(2)),
    ] {
        let (_home, run, [_, new]) = two_of_a_step();
        halve(&new, &kept);
        std::fs::rename(new, run.checkpoints().join(".step-3.partial")).unwrap();
        assert_eq!(tokens_after_resuming(&run), expected, "{kept:?}");
    }
}

#[test]
fn a_run_killed_while_pruning_keeps_no_half_of_a_checkpoint_that_looks_whole() {
    let home = tempfile::tempdir().unwrap();
    let run = RunFolder::new(home.path());
    for step in [1, 2, 3] {
        save(&run, step, 5).unwrap();
    }
    let gone = run.checkpoints().join(".step-1.gone");
    std::fs::rename(checkpoint::folder(&run, 1), &gone).unwrap();
    halve(&gone, &["trainer_state.json", "optimizer.safetensors"]);
    // As an earlier version left it: without the adapter, but with all that looks like a checkpoint.
    halve(&checkpoint::folder(&run, 2), &["trainer_state.json", "optimizer.safetensors"]);
    assert_eq!(checkpoint::steps(&run).unwrap(), [3]);
    checkpoint::recover(&run).unwrap();
    save(&run, 4, 2).unwrap();
    assert_eq!(names(&run.checkpoints()), ["step-3", "step-4"]);
}

#[test]
fn what_an_earlier_version_left_beside_whole_checkpoints_is_not_taken_for_the_newest() {
    let (_home, run, [old, new]) = two_of_a_step();
    save(&run, 1, 2).unwrap();
    let path = new.join("trainer_state.json");
    let mut state: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let keys = state.as_object_mut().unwrap();
    assert!(["files", "hashes", "seal"].iter().all(|key| keys.remove(*key).is_some()));
    std::fs::write(&path, state.to_string()).unwrap();
    std::fs::rename(new, run.checkpoints().join(".step-3.partial")).unwrap();
    assert_eq!(tokens_after_resuming(&run), Some(0));
    assert_eq!(names(&run.checkpoints()), ["step-1"]);
    drop(old);
}

#[test]
fn a_best_checkpoint_that_is_lost_no_longer_counts_after_falling_back() {
    let home = tempfile::tempdir().unwrap();
    let run = RunFolder::new(home.path());
    for step in [3, 6] {
        let state =
            TrainerState { step, best: Some(checkpoint::Best::new(2, 0.5)), ..TrainerState::fresh(42, 7) };
        save_as(&run, &state, &optimizer(), 2).unwrap();
    }
    let best = || {
        let loaded = checkpoint::load_newest(&run, &mut bigram::adapter(), &mut optimizer());
        loaded.unwrap().unwrap().best
    };
    assert!(best().is_some());
    std::fs::remove_file(checkpoint::folder(&run, 6).join("optimizer.safetensors")).unwrap();
    assert_eq!(best(), None);
}

#[test]
fn a_damaged_newest_checkpoint_is_passed_over_for_the_newest_whole_one() {
    for (file, length) in
        [("optimizer.safetensors", 40), ("trainer_state.json", 0), ("adapter_model.safetensors", 1)]
    {
        let home = tempfile::tempdir().unwrap();
        let run = RunFolder::new(home.path());
        for step in [1, 2] {
            save(&run, step, 2).unwrap();
        }
        let path = checkpoint::folder(&run, 2).join(file);
        std::fs::File::options().write(true).open(path).unwrap().set_len(length).unwrap();
        let loaded =
            checkpoint::load_newest(&run, &mut bigram::adapter(), &mut optimizer()).unwrap().unwrap();
        assert_eq!(loaded.step, 1, "{file}");
        // The run comes by the step again.
        save(&run, 2, 2).unwrap();
        assert_eq!(checkpoint::steps(&run).unwrap(), [1, 2], "{file}");
    }
}

#[test]
fn a_checkpoint_of_an_earlier_version_is_whole_with_its_two_files() {
    let home = tempfile::tempdir().unwrap();
    let run = RunFolder::new(home.path());
    save(&run, 3, 2).unwrap();
    let path = checkpoint::folder(&run, 3).join("trainer_state.json");
    let mut state: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let keys = state.as_object_mut().unwrap();
    assert!(["files", "hashes", "seal"].iter().all(|key| keys.remove(*key).is_some()));
    std::fs::write(&path, state.to_string()).unwrap();
    assert_eq!(checkpoint::steps(&run).unwrap(), [3]);
    assert_eq!(tokens_after_resuming(&run), Some(0));
}

/// The run's checkpoint of step 3 is whole, that of step 4 as `damage` leaves its file.
fn step_after_damage(file: &str, damage: impl Fn(&mut Vec<u8>)) -> u64 {
    let home = tempfile::tempdir().unwrap();
    let run = RunFolder::new(home.path());
    save(&run, 3, 2).unwrap();
    save(&run, 4, 2).unwrap();
    let path = checkpoint::folder(&run, 4).join(file);
    let mut bytes = std::fs::read(&path).unwrap();
    damage(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
    checkpoint::load_newest(&run, &mut bigram::adapter(), &mut optimizer()).unwrap().unwrap().step
}

#[test]
fn a_checkpoint_whose_bytes_are_not_those_that_were_written_is_left_for_the_one_before() {
    for file in ["optimizer.safetensors", "adapter_model.safetensors"] {
        assert_eq!(step_after_damage(file, |_| ()), 4, "{file}");
        assert_eq!(step_after_damage(file, |bytes| *bytes.last_mut().unwrap() ^= 0x80), 3, "{file}");
        let half_zero = |bytes: &mut Vec<u8>| {
            let half = bytes.len() / 2;
            bytes[half..].fill(0);
            bytes[half - 1] ^= 1;
        };
        assert_eq!(step_after_damage(file, half_zero), 3, "{file}");
    }
    let other_seed = |bytes: &mut Vec<u8>| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.contains("\"seed\": 42"), "{text}");
        *bytes = text.replace("\"seed\": 42", "\"seed\": 43").into_bytes();
    };
    assert_eq!(step_after_damage("trainer_state.json", other_seed), 3);
}

#[test]
fn a_checkpoint_without_hashes_is_one_of_an_earlier_version_and_resumes() {
    let unsealed = |bytes: &mut Vec<u8>| {
        let mut state: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        let keys = state.as_object_mut().unwrap();
        assert!(keys.remove("hashes").is_some() && keys.remove("seal").is_some());
        *bytes = serde_json::to_vec_pretty(&state).unwrap();
    };
    assert_eq!(step_after_damage("trainer_state.json", unsealed), 4);
}

#[test]
fn the_best_values_are_not_taken_from_a_damaged_checkpoint() {
    let home = tempfile::tempdir().unwrap();
    let run = RunFolder::new(home.path());
    save(&run, 3, 2).unwrap();
    let path = checkpoint::folder(&run, 3).join("optimizer.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = checkpoint::load_adapter(&run, 3, &mut bigram::adapter()).unwrap_err();
    assert!(format!("{error:#}").contains("optimizer.safetensors is damaged"), "{error:#}");
}
