//! `dojo rag text`: what is read of a file.

use serde_json::{Value, json};

use crate::support::program::World;

#[test]
fn what_is_read_of_a_file_is_printed_with_its_sections_and_as_json() {
    let world = World::new();
    let page = "<nav>Home</nav><h1>Owls</h1><p>Owls &amp; mice.</p><h2>Food</h2><p>Mice.</p>";
    std::fs::write(world.path().join("owls.html"), page).unwrap();
    assert_eq!(world.say(&["rag", "text", "owls.html"]), "# Owls\n\nOwls & mice.\n\n## Food\n\nMice.\n");
    assert_eq!(
        world.say(&["rag", "text", "--pages", "owls.html"]),
        "# Owls\n\n[Owls]\n\nOwls & mice.\n\n## Food\n\n[Owls > Food]\n\nMice.\n"
    );
    let said: Value = serde_json::from_str(&world.say(&["rag", "text", "owls.html", "--json"])).unwrap();
    assert_eq!(said["title"], "Owls");
    assert_eq!(
        said["blocks"][3],
        json!({"section": ["Owls", "Food"], "page": null, "kind": "prose", "text": "Mice."})
    );
}

#[test]
fn a_file_that_holds_no_words_is_an_error_in_a_sentence() {
    let world = World::new();
    std::fs::write(world.path().join("owl.png"), b"\x89PNG\0\0").unwrap();
    let output = world.dojo(&["rag", "text", "owl.png"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("dojo: read owl.png: it holds no text but binary data"), "{told}");
}
