//! What of a data file isn't learnt is told by every command that reads it.

use crate::support::program::World;

#[test]
fn a_column_that_nothing_uses_is_told_by_whatever_reads_the_file() {
    let world = World::new();
    world.make_session();
    let row = |question: &str| {
        format!(
            "{{\"article\":\"A cat sat on a mat.\",\"question\":{question:?},\"answer\":\"yes\",\"skip\":{}}}\n",
            question == "c"
        )
    };
    std::fs::write(world.path().join("race.jsonl"), ["a", "b", "c"].map(row).concat()).unwrap();
    let unused = "not used: \"article\" (in 2 of 2 rows); map it with --map part=column (data.map in a recipe) if it \
                  should be learnt";
    let skipped = "1 row is left out, by what they say: \"skip\" is true (1)";
    for command in [
        &["data", "--session", "s", "check", "--file", "race.jsonl"][..],
        &["data", "--session", "s", "import", "race.jsonl"],
        &["tokens", "race.jsonl", "--model", "model"],
        &["train", "recipe.toml", "--dry-run", "--set", "data.train=race.jsonl", "--set", "data.split=0"],
    ] {
        let output = world.dojo(command);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).replace('\n', " ");
        let plain = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(plain.contains(unused), "{command:?}: {plain}");
        assert!(plain.contains(skipped), "{command:?}: {plain}");
    }
}
