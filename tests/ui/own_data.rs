//! From the first start to a live chart on one's own data, in a pseudo-terminal.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::whole::{Terminal, home};
use crate::support::tiny::Tiny;

/// A home whose only model is a tiny random one, under the name that sessions have from the start.
fn home_with_a_model() -> tempfile::TempDir {
    let home = home();
    let model = home.path().join("cache/models/smollm2-135m");
    Tiny::new("llama").write_folder(&model);
    let receipt = serde_json::json!({"name": "smollm2-135m", "base": "tiny", "source": "here", "files": []});
    std::fs::write(model.join("dojo.json"), receipt.to_string()).expect("a receipt");
    home
}

/// From the first start to a live chart: so many keys, and the path.
fn keys_to_a_live_chart(file: &str, write: impl Fn(&Path)) -> usize {
    let home = home_with_a_model();
    let path = home.path().join(file);
    write(&path);
    let mut terminal = Terminal::dojo(home.path(), &[]);
    let mut pressed = 0;
    terminal.wait_for("bring your data");
    let mut press = |terminal: &mut Terminal, key: &str, shown: &str| {
        terminal.keys(key);
        pressed += 1;
        terminal.wait_for(shown);
    };
    press(&mut terminal, "i", "The file with your data");
    terminal.keys(&format!("\x1b[200~'{}' \x1b[201~", path.display()));
    terminal.wait_for(file);
    press(&mut terminal, "\r", "the first rows become");
    press(&mut terminal, "\r", "24 records are in");
    press(&mut terminal, "\r", "trains by the recipe sft");
    press(&mut terminal, "\r", "loss");
    terminal.wait("a step of the run", |screen| screen.contents().contains("─ train "));
    terminal.keys("q");
    assert!(terminal.end().success());
    // However soon the run was started, its recipe knows how long the examples are.
    let recipes =
        ["recipes/sft.toml", "runs/sft-0001/recipe.toml"].map(|inner| the_session(home.path()).join(inner));
    let [made, used] = recipes.map(|path| std::fs::read_to_string(path).expect("a recipe"));
    assert!(made.contains("the longest example has"), "{made}");
    assert!(!used.contains("max_length = 1024"), "{used}");
    pressed
}

#[test]
fn a_session_that_is_made_in_the_shell_asks_for_its_data_too() {
    let home = home();
    let path = home.path().join("rows.jsonl");
    std::fs::write(&path, "{\"prompt\":\"q\",\"completion\":\"a\"}\n").expect("a file");
    let mut terminal = Terminal::dojo(home.path(), &["new", "mine"]);
    terminal.wait_for("a file, a folder, or hf:owner/name");
    terminal.keys(&format!("\x1b[200~{}\x1b[201~", path.display()));
    terminal.keys("\r");
    terminal.wait_for("the first rows become");
    terminal.keys("\x03");
    terminal.keys("\x11");
    terminal.end();
}

/// The folder of the only session that there is.
fn the_session(home: &Path) -> PathBuf {
    let sessions = std::fs::read_dir(home.join("data/sessions")).expect("sessions");
    let folders = sessions
        .map(|entry| entry.expect("a session").path())
        .filter(|path| path.join("session.toml").exists());
    folders.last().expect("a session")
}

#[test]
fn ones_own_data_is_five_keys_and_a_path_away_from_a_live_chart() {
    let jsonl = |path: &Path| {
        let row = |n: u32| serde_json::json!({"question": format!("count from {n}"), "answer": format!("{n} and {}", n + 1)});
        let rows: Vec<String> = (0..24).map(|n| row(n).to_string()).collect();
        std::fs::write(path, rows.join("\n")).expect("a file");
    };
    let csv = |path: &Path| {
        let rows: Vec<String> = (0..24).map(|n| format!("count from {n},{n} and {}", n + 1)).collect();
        std::fs::write(path, format!("prompt,completion\n{}\n", rows.join("\n"))).expect("a file");
    };
    // Written by the program itself: a column for each part.
    let parquet = |path: &Path| {
        let source = path.with_file_name("counts.csv");
        csv(&source);
        let elsewhere = home();
        let (csv, parquet) = (source.display().to_string(), path.display().to_string());
        let session = ["--session", "made"];
        for words in [vec!["new", "made"], vec!["data", "import", &csv], vec!["data", "export", &parquet]] {
            let named = if words.len() > 2 { &session[..] } else { &[] };
            let mut dojo = Command::new(env!("CARGO_BIN_EXE_dojo"));
            let ran =
                dojo.env("DOJO_HOME", elsewhere.path()).args(&words).args(named).output().expect("dojo");
            assert!(ran.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
        }
    };
    assert_eq!(keys_to_a_live_chart("my counts.jsonl", jsonl), 5);
    assert_eq!(keys_to_a_live_chart("counts.parquet", parquet), 5);
    assert_eq!(keys_to_a_live_chart("counts.csv", csv), 5);
}
