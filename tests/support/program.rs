//! The program itself, run on a tiny model in a home of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::tiny::Tiny;

/// A home with a model, examples and a recipe.
pub(crate) struct World {
    home: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let world = Self { home: tempfile::tempdir().unwrap() };
        Tiny::new("llama").write_folder(&world.path().join("model"));
        let example = |n: usize| {
            let (user, assistant) = (
                format!("count from {n}"),
                (n..n + 2 + n % 4).map(|n| format!("the {n} ")).collect::<String>(),
            );
            json!({"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]})
        };
        let lines: Vec<String> = (0..16).map(|n| example(n).to_string()).collect();
        std::fs::write(world.path().join("train.jsonl"), lines.join("\n")).unwrap();
        world.write_recipe("");
        world
    }

    /// `recipe.toml` with more lines.
    pub(crate) fn write_recipe(&self, more: &str) {
        let text = format!(
            "model.base = \"model\"\ndata.train = \"train.jsonl\"\ndata.max_length = 96\nlora.r = 4\n\
             train.learning_rate = 1e-3\ntrain.per_device_train_batch_size = 4\n{more}"
        );
        std::fs::write(self.recipe(), text).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn recipe(&self) -> PathBuf {
        self.path().join("recipe.toml")
    }

    pub(crate) fn run(&self, name: &str) -> PathBuf {
        self.path().join("data/runs").join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dojo"));
        command.args(arguments).env("DOJO_HOME", self.path()).current_dir(self.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn dojo(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs it, checks that it succeeded, and gives back what it said.
    pub(crate) fn say(&self, arguments: &[&str]) -> String {
        let output = self.dojo(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Makes a session `s` of the examples.
    pub(crate) fn make_session(&self) {
        self.say(&["new", "s"]);
        self.data(&["import", "train.jsonl"]);
    }

    /// `dojo data` on the session `s`: what it said.
    pub(crate) fn data(&self, arguments: &[&str]) -> String {
        self.say(&[&["data", "--session", "s"], arguments].concat())
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The `state.json` of a run, where it is there already.
    pub(crate) fn state(&self, run: &str) -> Option<serde_json::Value> {
        serde_json::from_slice(&std::fs::read(self.run(run).join("state.json")).ok()?).ok()
    }
}

/// Waits until something holds, for at most a minute.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    let (_never, clock) = mpsc::sync_channel::<()>(0);
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited a minute for {what}");
        let _ = clock.recv_timeout(Duration::from_millis(2));
    }
}
