//! What `dojo doctor` says of a home.

use dojo_studio::app::checkup::{CheckupItem, CheckupState, examine};
use dojo_studio::config::Folders;

const TEACHERS: &str = r#"
[teachers.near]
base_url = "http://127.0.0.1:8000/v1"
model = "near"

[teachers.far]
base_url = "https://example.org/v1"
model = "far"
key_env = "DOJO_TEST_KEY_THAT_NO_ONE_SETS"
"#;

fn teachers(settings: &str) -> CheckupItem {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    std::fs::create_dir_all(&folders.settings).expect("a folder");
    std::fs::write(folders.settings.join("settings.toml"), settings).expect("settings");
    examine(&folders).into_iter().find(|check| check.name == "teachers").expect("a check of teachers")
}

#[test]
fn teachers_without_their_keys_are_named_with_what_to_set() {
    assert_eq!(teachers("").state, CheckupState::Ok);
    let both = teachers(TEACHERS);
    assert_eq!(both.state, CheckupState::Advice);
    assert!(both.found.contains("near") && both.found.contains("far"), "{}", both.found);
    assert!(both.todo.contains("DOJO_TEST_KEY_THAT_NO_ONE_SETS"), "{}", both.todo);
    assert_eq!(teachers("[teachers.broken").state, CheckupState::Advice);
}

#[test]
fn a_key_that_was_written_into_the_settings_is_shown_nowhere() {
    const KEY: &str = "sk-proj-Abc123Def456Ghi789";
    let address = "base_url = \"https://example.org/v1\"\nmodel = \"m\"\n";
    for entry in [
        format!("{address}key_env = \"{KEY}\"\n"),
        format!("{address}api_key = \"{KEY}\"\n"),
        format!("{address}key_env = [\"{KEY}\"]\n"),
        format!("{address}concurrency = \"{KEY}\"\n"),
        format!("base_url = \"https://me:{KEY}@example.org/v1\"\nmodel = 1\n"),
        format!("base_url = \"https://example.org/v1?api_key={KEY}\"\nmodel = 1\n"),
    ] {
        let home = tempfile::tempdir().expect("a folder");
        let folders = Folders::under(home.path());
        std::fs::create_dir_all(&folders.settings).expect("a folder");
        let text = format!("[teachers.far]\n{entry}");
        std::fs::write(folders.settings.join("settings.toml"), &text).expect("settings");
        let mut told =
            format!("{:?}", examine(&folders).iter().map(|c| (&c.found, &c.todo)).collect::<Vec<_>>());
        told.push_str(&format!(
            "{:?}",
            folders.load_settings().map(|_| ()).map_err(|error| format!("{error:#}"))
        ));
        told.push_str(&folders.read_settings().1.join(" "));
        assert!(!told.contains(&KEY[3..]), "{text}: {told}");
    }
}
