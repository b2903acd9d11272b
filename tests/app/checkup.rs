//! What `dojo doctor` says of a home.

use dojo_studio::app::checkup::{Check, State, examine};
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

fn teachers(settings: &str) -> Check {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    std::fs::create_dir_all(&folders.settings).expect("a folder");
    std::fs::write(folders.settings.join("settings.toml"), settings).expect("settings");
    examine(&folders).into_iter().find(|check| check.name == "teachers").expect("a check of teachers")
}

#[test]
fn teachers_without_their_keys_are_named_with_what_to_set() {
    assert_eq!(teachers("").state, State::Ok);
    let both = teachers(TEACHERS);
    assert_eq!(both.state, State::Advice);
    assert!(both.found.contains("near") && both.found.contains("far"), "{}", both.found);
    assert!(both.todo.contains("DOJO_TEST_KEY_THAT_NO_ONE_SETS"), "{}", both.todo);
    assert_eq!(teachers("[teachers.broken").state, State::Advice);
}
