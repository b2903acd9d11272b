//! QMD's fixtures: told by their contents, and asked of the documents that they are about.

use std::path::Path;

use dojo_studio::rag::judged::JudgedSet;
use dojo_studio::rag::measure::ExpectedWithin;
use serde_json::{Value, json};

/// A fixture in `bench/fixtures`, and documents in `test/eval-docs` of the folder above.
fn world(queries: Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let fixture = json!({ "description": "d", "version": 1, "collection": "eval-docs", "queries": queries });
    write("bench/fixtures/example.json", &fixture.to_string());
    write("bench/fixtures/other.json", "{\"queries\": 5}");
    write("test/eval-docs/Tides.md", "# Tides\n\nThe moon pulls the sea.\n");
    write("test/eval-docs/deep/rocks.md", "# Rocks\n\nGranite is a rock.\n");
    write("test/eval-docs/wide/rocks.md", "# Rocks\n\nSandstone is a rock.\n");
    folder
}

fn query(id: &str, files: &[&str], top: usize) -> Value {
    json!({ "id": id, "query": format!("about {id}"), "type": "exact", "description": "", "expected_files": files,
        "expected_in_top_k": top })
}

fn open(folder: &Path) -> anyhow::Result<JudgedSet> {
    JudgedSet::open(&folder.join("bench/fixtures"), None, None)
}

#[test]
fn a_fixture_is_known_by_its_contents_and_names_files_by_their_ends() {
    let world = world(json!([
        query("tides", &["tides.md"], 1),
        query("deep", &["qmd://eval-docs/deep/ROCKS.md"], 3),
        query("both", &["rocks.md", "tides.md"], 1),
        query("part", &["tides.md", "gone.md"], 2),
        query("gone", &["gone.md", "ocks.md"], 2),
        json!({ "id": "typed", "query": "lex: moon\nvec: what pulls the sea", "expected_files": ["tides.md"],
            "expected_in_top_k": 1 }),
    ]));
    let set = open(world.path()).unwrap();
    let (questions, left_out) = set.questions().unwrap();
    let expected: Vec<(&str, Vec<&str>, ExpectedWithin)> = vec![
        ("tides", vec!["Tides.md"], within(1, &[&["Tides.md"]])),
        ("deep", vec!["deep/rocks.md"], within(3, &[&["deep/rocks.md"]])),
        (
            "both",
            vec!["Tides.md", "deep/rocks.md", "wide/rocks.md"],
            within(1, &[&["deep/rocks.md", "wide/rocks.md"], &["Tides.md"]]),
        ),
        ("part", vec!["Tides.md", "gone.md"], within(2, &[&["Tides.md"], &["gone.md"]])),
    ];
    let found: Vec<(&str, Vec<&str>, ExpectedWithin)> = questions
        .iter()
        .map(|one| {
            let mut judged: Vec<&str> = one.judgements.keys().map(String::as_str).collect();
            judged.sort_unstable();
            (one.id.as_str(), judged, one.within.clone().unwrap())
        })
        .collect();
    assert_eq!(found, expected);
    assert_eq!(left_out.len(), 3, "{left_out:?}");
    assert!(left_out[0].contains("part counts as not found") && left_out[0].ends_with("gone.md"));
    assert!(left_out[1].contains("gone is not asked") && left_out[2].contains("typed is not asked"));
    let sources: Vec<String> = set.documents().unwrap().map(|one| one.unwrap().source).collect();
    assert_eq!(sources, ["Tides.md", "deep/rocks.md", "wide/rocks.md"]);
}

fn within(ranks: usize, each: &[&[&str]]) -> ExpectedWithin {
    let each = each.iter().map(|any| any.iter().map(|name| (*name).to_owned()).collect()).collect();
    ExpectedWithin { ranks, each }
}

#[test]
fn what_is_expected_among_the_first_ranks_is_counted_of_what_has_room() {
    let both = within(1, &[&["a", "b"], &["c"]]);
    assert!((both.share(&["b", "c"]) - 1.0).abs() < 1e-12, "one rank has room for one");
    assert!(both.share(&["x", "c"]).abs() < 1e-12);
    assert!((within(3, &[&["a"], &["c"]]).share(&["a", "x", "y", "c"]) - 0.5).abs() < 1e-12);
    assert!(within(3, &[&["a"]]).share(&[]).abs() < 1e-12);
}

#[test]
fn what_is_no_fixture_or_has_no_documents_is_told() {
    let said = |set: anyhow::Result<JudgedSet>| format!("{:#}", set.expect_err("refused"));
    let empty = tempfile::tempdir().unwrap();
    assert!(said(JudgedSet::open(empty.path(), None, None)).contains("has no corpus.jsonl"));
    let world = world(json!([query("tides", &["tides.md"], 1)]));
    let fixtures = world.path().join("bench/fixtures");
    assert!(said(JudgedSet::open(&fixtures, Some("test"), None)).contains("--split is for collections"));
    std::fs::copy(fixtures.join("example.json"), fixtures.join("second.json")).unwrap();
    assert!(said(open(world.path())).contains("has several fixtures: name one of"));
    let file = fixtures.join("example.json");
    assert!(JudgedSet::open(&file, None, None).is_ok());
    std::fs::rename(world.path().join("test"), world.path().join("moved")).unwrap();
    assert!(said(JudgedSet::open(&file, None, None)).contains("say --documents FOLDER"));
    let moved = world.path().join("moved/eval-docs");
    assert!(JudgedSet::open(&file, None, Some(&moved)).is_ok());
    let none = JudgedSet::open(&file, None, Some(&world.path().join("moved"))).unwrap();
    assert_eq!(none.documents().unwrap().count(), 3, "a folder above has them too");
}

#[test]
fn the_published_fixture_is_read_whole() {
    let path = Path::new("../shared/data/qmd_finetune/src/bench/fixtures");
    if !path.is_dir() {
        println!("left out: {} is not there", path.display());
        return;
    }
    let (questions, left_out) = JudgedSet::open(path, None, None).unwrap().questions().unwrap();
    assert_eq!((questions.len(), left_out), (10, Vec::new()));
}
