//! What is held out: the same by a recipe and by `dojo data split`.

use std::collections::BTreeSet;

use crate::support::program::World;

/// The numbers of the records of an answer that are held out.
fn held_out(said: &str, number: impl Fn(&serde_json::Value) -> Option<i64>) -> BTreeSet<i64> {
    let answer: serde_json::Value = serde_json::from_str(said).unwrap();
    answer["records"].as_array().unwrap().iter().filter_map(number).collect()
}

fn in_session(world: &World) -> BTreeSet<i64> {
    held_out(&world.data(&["list", "split:eval", "--json"]), |record| record["id"].as_i64())
}

#[test]
fn a_recipe_and_the_shell_hold_out_the_same_rows() {
    let world = World::new();
    world.make_session();
    let session = format!("data.session={}", world.path().join("data/sessions/s").display());
    world.write_recipe("train.max_steps = 1\ndata.split = 0.3\ndata.split_seed = 5\n");
    world.say(&["train", "recipe.toml", "--set", &session, "--set", "data.train=session:", "--name", "r"]);
    let by_recipe = held_out(&world.say(&["runs", "data", "r", "--json"]), |record| {
        record["seen"]["id"].as_i64().filter(|_| record["seen"]["purpose"] == "eval")
    });
    world.data(&["split", "--eval", "0.3", "--seed", "5"]);
    assert_eq!(by_recipe.len(), 5);
    assert_eq!(in_session(&world), by_recipe);
}

#[test]
fn a_new_record_goes_where_those_of_its_question_are() {
    let world = World::new();
    world.make_session();
    world.data(&["split", "--eval", "0.5", "--seed", "1"]);
    let before = in_session(&world).len();
    let again = std::fs::read_to_string(world.path().join("train.jsonl")).unwrap().replace("the ", "this ");
    std::fs::write(world.path().join("again.jsonl"), again).unwrap();
    world.data(&["import", "again.jsonl"]);
    // Another seed would put them elsewhere.
    world.data(&["split", "--eval", "0.5", "--seed", "2", "--only-new"]);
    assert_eq!(in_session(&world).len(), 2 * before);
}
