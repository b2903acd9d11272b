//! A dataset of the hub is imported in the studio: what is looked up is seen, and can be stopped.

use std::time::Duration;

use super::whole::{Terminal, home};
use crate::data::hub::from_a_hub::hub;

/// The import form, with the dataset's name typed and accepted.
fn importing(home: &std::path::Path, hub: &str) -> Terminal {
    let (hub, cache) = (format!("HF_ENDPOINT={hub}"), format!("HF_HOME={}", home.join("hf").display()));
    let dojo = env!("CARGO_BIN_EXE_dojo");
    let unset = ["-u", "HF_TOKEN", "-u", "HF_HUB_OFFLINE"];
    let arguments = [&unset[..], &[&hub, &cache, dojo, "open", "first-principles"]].concat();
    let mut terminal = Terminal::start(home, "env", &arguments, (80, 24));
    terminal.wait_for("first-principles");
    terminal.keys("1");
    terminal.wait_for("126 of 126");
    terminal.keys("i");
    terminal.wait_for("hf:owner/name");
    terminal.keys("hf:own/sums:main");
    terminal.wait_for("⏎ look into it");
    terminal.keys("\r");
    terminal
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_of_the_hub_is_looked_at_and_imported() {
    let home = home();
    let server = hub(Duration::ZERO).await;
    let mut terminal = importing(home.path(), &server.uri());
    terminal.wait_for("main/test-00000.jsonl");
    terminal.wait_for("⏎ import");
    terminal.keys("\r");
    terminal.wait_for("3 records are in");
    terminal.wait_for("⏎ to training");
    terminal.keys("\x1b");
    terminal.wait_for("129 of 129");
    terminal.keys("\x11");
    assert!(terminal.end().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_a_dataset_up_is_a_job_that_can_be_stopped() {
    let home = home();
    let server = hub(Duration::from_secs(600)).await;
    let mut terminal = importing(home.path(), &server.uri());
    terminal.wait_for("looking into it");
    terminal.wait_for("f3 x stops it");
    // F3, and the job on the drawer's first row.
    terminal.keys("\x1bOR");
    terminal.wait_for("look up hf:own/sums");
    terminal.keys("x");
    terminal.wait_for("stopped before hf:own/sums:main was here");
    terminal.keys("\x1b");
    terminal.wait_for("⏎ another path");
    terminal.keys("\x11");
    assert!(terminal.end().success());
}
