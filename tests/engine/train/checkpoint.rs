use std::path::Path;

use dojo_studio::domain::run::RunFolder;
use dojo_studio::engine::train::checkpoint::{self, Content, TrainerState};
use dojo_studio::engine::train::optimizer::AdamW;
use dojo_studio::engine::train::rates::Rates;

use crate::support::bigram;

fn optimizer() -> AdamW {
    AdamW::new(&bigram::recipe(&[]).train, bigram::adapter().values.len(), Rates::default())
}

fn save(run: &RunFolder, step: u64, keep: usize) -> anyhow::Result<()> {
    let state = TrainerState { step, ..TrainerState::fresh(42, 7) };
    save_as(run, &state, &optimizer(), keep)
}

fn save_as(run: &RunFolder, state: &TrainerState, optimizer: &AdamW, keep: usize) -> anyhow::Result<()> {
    let adapter = bigram::adapter();
    let content = Content { state, adapter: &adapter, optimizer, save_adapter: &bigram::save_adapter };
    checkpoint::save(run, content, keep)
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
