//! What a run that goes on takes from its folder, and what it refuses to go on with.

use crate::support::program::World;

/// A run `first` of two steps.
fn trained(world: &World) {
    world.write_recipe("train.max_steps = 2\nsample.sample_steps = 0\n");
    world.say(&["train", "recipe.toml", "--name", "first"]);
}

const GO_ON: [&str; 5] = ["train", "--resume", "first", "--set", "train.max_steps=3"];

/// The step that the run is at, or why it doesn't go on.
fn resumed(world: &World) -> Result<u64, String> {
    let output = world.dojo(&GO_ON);
    if output.status.success() {
        return Ok(world.state("first").unwrap()["step"].as_u64().unwrap());
    }
    Err(String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_run_does_not_go_on_over_another_base_model() {
    let world = World::new();
    trained(&world);
    let weights = world.path().join("model/model.safetensors");
    let bytes = std::fs::read(&weights).unwrap();
    let mut other = bytes.clone();
    *other.last_mut().unwrap() ^= 1;
    std::fs::write(&weights, other).unwrap();
    let refused = resumed(&world).unwrap_err();
    assert!(
        refused.contains("is not the one that first began with: its weights have changed (1 of"),
        "{refused}"
    );
    std::fs::write(&weights, bytes).unwrap();

    let config = world.path().join("model/config.json");
    let text = std::fs::read_to_string(&config).unwrap();
    let mut other: serde_json::Value = serde_json::from_str(&text).unwrap();
    other["rms_norm_eps"] = 0.125.into();
    std::fs::write(&config, other.to_string()).unwrap();
    let refused = resumed(&world).unwrap_err();
    assert!(refused.contains("its configuration has changed (rms_norm_eps is 0.125 and was"), "{refused}");
    assert!(refused.contains("put it back as it was, or start a new run"), "{refused}");
    std::fs::write(&config, text).unwrap();
    assert_eq!(resumed(&world), Ok(3));
}

#[test]
fn a_run_of_an_earlier_version_goes_on_without_knowing_its_base() {
    let world = World::new();
    trained(&world);
    std::fs::remove_file(world.run("first").join("began.json")).unwrap();
    assert_eq!(resumed(&world), Ok(3));
}

#[test]
fn a_run_whose_chat_template_writes_the_time_goes_on_with_the_time_that_it_began_at() {
    let world = World::new();
    let template = "{{ strftime_now('%Y-%m-%d %H:%M:%S.%f') }}{% for m in messages %}{{ m.role + ':' + m.content \
                    + eos_token }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}";
    std::fs::write(world.path().join("model/chat_template.jinja"), template).unwrap();
    trained(&world);
    assert_eq!(resumed(&world), Ok(3));
}

#[test]
fn a_run_whose_state_is_lost_or_damaged_is_found_and_goes_on_from_its_newest_checkpoint() {
    let world = World::new();
    trained(&world);
    let state = world.run("first").join("state.json");
    for (text, how) in [(None, "is lost"), (Some(""), "is damaged"), (Some("{\"phase\": \"do"), "is damaged")]
    {
        match text {
            None => std::fs::remove_file(&state).unwrap(),
            Some(text) => std::fs::write(&state, text).unwrap(),
        }
        let listed = world.say(&["runs"]);
        assert!(listed.contains("first") && listed.contains("failed"), "{listed}");
        assert!(listed.contains(&format!("its state.json {how}, and the checkpoint of step")), "{listed}");
        assert_eq!(resumed(&world), Ok(3));
    }
}

#[test]
fn a_folder_without_state_and_checkpoints_is_no_run() {
    let world = World::new();
    trained(&world);
    std::fs::remove_file(world.run("first").join("state.json")).unwrap();
    std::fs::remove_dir_all(world.run("first").join("checkpoints")).unwrap();
    assert!(resumed(&world).unwrap_err().contains("there is no run `first`"));
}

#[test]
fn a_run_whose_best_checkpoint_is_damaged_ends_with_its_last_values_and_says_so() {
    let world = World::new();
    // No later evaluation is that much better than the first.
    world.write_recipe(
        "data.split = 0.25\ntrain.max_steps = 3\neval.eval_steps = 1\neval.early_stopping_threshold = 50.0\n\
         save.load_best_model_at_end = true\nsample.sample_steps = 0\n",
    );
    world.say(&["train", "recipe.toml", "--name", "first"]);
    let path = world.run("first").join("checkpoints/step-1/optimizer.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    world.say(&["train", "--resume", "first"]);
    let listed = world.say(&["runs"]);
    assert!(
        listed.contains("done") && listed.contains("has the last values and not the best ones, of step 1"),
        "{listed}"
    );
    assert!(listed.contains("optimizer.safetensors is damaged"), "{listed}");
}
