//! What `dojo bench ui` does with the studio's own parts: it finds what it waits for on the screen.

use dojo_studio::app::studio::{bench_chat, bench_rows};
use dojo_studio::config::Folders;

#[test]
fn the_figures_of_a_long_chat_and_of_wide_text_are_all_there() {
    let home = tempfile::tempdir().expect("a folder");
    let figures = bench_chat::measure(&Folders::under(home.path())).expect("figures");
    let names: Vec<&str> = figures.iter().map(|figure| figure.name).collect();
    assert!(names.iter().any(|name| name.contains("a chat of 3,000 turns, a key typed")), "{names:?}");
    assert!(names.iter().any(|name| name.contains("wide text")), "{names:?}");
}

#[test]
fn the_figures_of_many_rows_are_all_there() {
    let home = tempfile::tempdir().expect("a folder");
    let figures = bench_rows::measure(&Folders::under(home.path()), 3_000).expect("figures");
    let names: Vec<&str> = figures.iter().map(|figure| figure.name).collect();
    for wanted in ["first ones", "key to screen", "a jump", "a filter"] {
        assert!(names.iter().any(|name| name.contains(wanted)), "{wanted}: {names:?}");
    }
    assert!(figures.iter().all(|figure| figure.value > 0.0), "{figures:?}");
}
