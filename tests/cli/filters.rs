//! Filters as words of a command line.

use crate::support::program::World;

#[test]
fn a_term_that_is_turned_round_is_no_option() {
    let world = World::new();
    world.make_session();
    world.data(&["tag", "odd", "id:1..4"]);
    let total = |arguments: &[&str]| {
        let told: serde_json::Value =
            serde_json::from_str(&world.data(&[&["stats", "--json"], arguments].concat())).unwrap();
        told["records"].as_u64().unwrap()
    };
    assert_eq!(total(&["-tag:odd"]), 12);
    assert_eq!(total(&["id:1..8", "-tag:odd"]), 4);
    assert_eq!(total(&["-\"count from 3\"", "--", "-tag:odd"]), 12);
    assert_eq!(total(&["-/count from [0-9]$/"]), 6);
    assert_eq!(world.dojo(&["data", "--session", "s", "list", "-z"]).status.code(), Some(2));
    let shown = world.dojo(&["review", "--session", "s", "show", "--filter", "-check:label"]);
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
}
