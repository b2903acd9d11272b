//! The Models pane.

use super::harness::Harness;
use super::world;

#[test]
fn models_and_adapters_stand_with_their_sizes() {
    let mut studio = Harness::new().with(world::models());
    studio.keys("6 down");
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn an_empty_folder_says_what_brings_a_model() {
    let mut studio = Harness::new().with(world::places()).with(world::no_models());
    studio.keys("6");
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn a_narrow_screen_keeps_name_and_size() {
    let mut studio = Harness::new().with(world::models()).size(80, 24);
    studio.keys("6");
    insta::assert_snapshot!(studio.screen());
}
