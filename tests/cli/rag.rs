//! `dojo rag`: files in, files out, passages, figures.

use serde_json::{Value, json};

use crate::engine::embed::{write_tiny_bert, write_tiny_cross_encoder};
use crate::support::program::World;

/// A home with a tiny sentence model and a folder of notes.
fn world() -> World {
    let world = World::new();
    write_tiny_bert(&world.path().join("bert"));
    std::fs::create_dir_all(world.path().join("notes/deep")).unwrap();
    write(&world, "notes/salmon.md", "# Salmon\n\nSalmon swim upstream to spawn.\n");
    write(&world, "notes/deep/granite.md", "# Granite\n\nGranite is a rock of quartz.\n");
    world
}

fn write(world: &World, name: &str, text: &str) {
    std::fs::write(world.path().join(name), text).unwrap();
}

fn rag(world: &World, arguments: &[&str]) -> Value {
    let said = world.say(&[&["rag"], arguments, &["--library", "./lib", "--json"]].concat());
    serde_json::from_str(&said).unwrap()
}

fn sources(found: &Value) -> Vec<String> {
    let name = |passage: &Value| {
        let source = passage["source"].as_str().unwrap();
        source.rsplit('/').next().unwrap().to_owned()
    };
    found["passages"].as_array().unwrap().iter().map(name).collect()
}

fn counts(said: &Value) -> [u64; 5] {
    let files = &said["files"];
    ["added", "changed", "unchanged", "removed", "unread"].map(|key| files[key].as_u64().unwrap())
}

#[test]
fn a_folder_that_is_added_again_costs_what_has_changed() {
    let world = world();
    let add = ["add", "notes", "--model", "./bert"];
    assert_eq!(counts(&rag(&world, &add)), [2, 0, 0, 0, 0]);
    let again = rag(&world, &add);
    assert_eq!(counts(&again), [0, 0, 2, 0, 0]);
    assert_eq!(again["chunks"]["embedded"], 0);

    write(&world, "notes/salmon.md", "# Trout\n\nTrout live in cold streams.\n");
    write(&world, "notes/new.md", "# Herons\n\nHerons stand in shallow water.\n");
    std::fs::remove_file(world.path().join("notes/deep/granite.md")).unwrap();
    std::fs::write(world.path().join("notes/broken.md"), [0_u8, 1, 2, 0, 3]).unwrap();
    let changed = rag(&world, &["add"]);
    assert_eq!(counts(&changed), [1, 1, 0, 1, 1], "{changed}");
    assert_eq!(changed["now"]["documents"], 2);

    let found = |words: &str| sources(&rag(&world, &["search", words, "--mode", "bm25"]));
    assert_eq!(found("trout"), ["salmon.md"]);
    assert_eq!(found("heron"), ["new.md"]);
    assert_eq!(found("granite"), Vec::<String>::new());
    assert_eq!(found("spawning"), Vec::<String>::new());
}

#[test]
fn contexts_and_tags_are_found_filtered_and_kept_for_later_files() {
    let world = world();
    rag(
        &world,
        &["add", "notes", "--model", "./bert", "--context", "field diaries of 1987", "--tag", "field"],
    );
    write(&world, "notes/later.md", "Foxes.\n");
    write(&world, "other.md", "Diaries are read by others.\n");
    rag(&world, &["add", "other.md"]);
    rag(&world, &["add"]);
    let found = rag(&world, &["search", "diaries", "--mode", "bm25", "--filter", "tag:field"]);
    let mut names = sources(&found);
    names.sort();
    assert_eq!(names, ["granite.md", "later.md", "salmon.md"]);
    assert_eq!(found["passages"][0]["context"], "field diaries of 1987");
    assert_eq!(
        sources(&rag(&world, &["search", "diaries", "--filter", "path:*.md", "--filter", "document:OTHER"])),
        ["other.md"]
    );
    let refused = world.dojo(&["rag", "search", "x", "--library", "./lib", "--filter", "colour:red"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--filter has no key colour"));
}

#[test]
fn what_is_listed_can_be_removed_by_file_or_folder() {
    let world = world();
    rag(&world, &["add", "notes", "--no-embeddings"]);
    let listed = rag(&world, &["list"]);
    assert_eq!(listed["documents"].as_array().unwrap().len(), 2);
    assert_eq!(rag(&world, &["status"])["now"]["model"], Value::Null);
    assert_eq!(
        sources(&rag(&world, &["search", "salmon"])),
        ["salmon.md"],
        "words are searched without a model"
    );
    assert_eq!(rag(&world, &["remove", "notes/deep"])["removed"].as_array().unwrap().len(), 1);
    let left = rag(&world, &["status"]);
    assert_eq!((&left["now"]["documents"], &left["now"]["behind"]), (&json!(1), &json!(0)));
    let refused = world.dojo(&["rag", "remove", "nothing.md", "--library", "./lib"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no document nothing.md"));
}

#[test]
fn words_only_become_embedded_and_another_model_takes_over() {
    let world = world();
    rag(&world, &["add", "notes", "--no-embeddings"]);
    let refused = world.dojo(&[
        "rag",
        "search",
        "x",
        "--mode",
        "dense",
        "--embeddings",
        "./bert",
        "--library",
        "./lib",
    ]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("this library has no embeddings"));
    rag(&world, &["embed", "--model", "./bert"]);
    assert_eq!(sources(&rag(&world, &["search", "salmon", "--mode", "dense"])).len(), 2);
    let status = rag(&world, &["status"]);
    assert_eq!((&status["now"]["dimensions"], &status["now"]["embeddings"]), (&json!(16), &json!(2)));
}

#[test]
fn an_explained_search_shows_lists_scores_and_times() {
    let world = world();
    rag(&world, &["add", "notes", "--model", "./bert"]);
    let said = world.say(&["rag", "search", "salmon", "--library", "./lib", "--explain"]);
    for part in [
        "1. Salmon",
        "bm25 1.",
        "(#1)",
        "fused",
        "list 2: dense of the question",
        "candidates in",
        "ms in all",
    ] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
    assert!(!said.contains('%'), "{said}");
}

#[test]
fn a_collection_is_measured_in_every_mode() {
    let world = world();
    std::fs::create_dir_all(world.path().join("beir/qrels")).unwrap();
    let corpus =
        [("d1", "Salmon", "They swim upstream."), ("d2", "Granite", "A rock."), ("d3", "", "Herons stand.")];
    let lines =
        corpus.map(|(id, title, text)| json!({ "_id": id, "title": title, "text": text }).to_string());
    write(&world, "beir/corpus.jsonl", &lines.join("\n"));
    let queries = [("q1", "swimming salmon"), ("q2", "granite"), ("q3", "unjudged")];
    let lines = queries.map(|(id, text)| json!({ "_id": id, "text": text }).to_string());
    write(&world, "beir/queries.jsonl", &lines.join("\n"));
    write(&world, "beir/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\nq2\td1\t0\n");
    let figures = || -> Value {
        serde_json::from_str(&world.say(&["rag", "eval", "beir", "--model", "./bert", "--json"])).unwrap()
    };
    let first = figures();
    for mode in ["bm25", "dense", "hybrid"] {
        assert_eq!(first[mode]["recall@100"], 1.0, "{first}");
        assert_eq!(first[mode]["questions"], 2);
    }
    assert_eq!((&first["bm25"]["ndcg@10"], &first["bm25"]["mrr@10"]), (&json!(1.0), &json!(1.0)));
    assert_eq!(first["collection"]["embedded"], 3);
    assert_eq!(figures()["collection"]["embedded"], 0, "nothing is embedded twice");
    write_tiny_cross_encoder(&world.path().join("cross"), 1);
    let reranked = ["rag", "eval", "beir", "--model", "./bert", "--rerank", "./cross", "--budget", "60s"];
    let table = world.say(&reranked);
    assert!(table.contains("hybrid + rerank"), "{table}");
    let refused = world.dojo(&["rag", "eval", "beir", "--split", "dev", "--model", "./bert"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no qrels/dev.tsv; there are: test"));
}

#[test]
fn a_question_is_answered_from_passages_and_one_that_nothing_is_near_is_not() {
    let world = world();
    rag(&world, &["add", "notes", "--no-embeddings"]);
    let salmon = ["ask", "Where do salmon swim?", "--model", "./model", "--max-new-tokens", "8"];
    let long = world.dojo(&[&["rag"], salmon.as_slice(), &["--library", "./lib"]].concat());
    assert!(String::from_utf8_lossy(&long.stderr).contains("the model reads no more"), "{long:?}");
    // A prompt of the library's own session, for a model that reads little.
    std::fs::create_dir_all(world.path().join("prompts")).unwrap();
    write(
        &world,
        "prompts/answer.txt",
        "=== user\n{% for p in passages %}[{{ p.number }}]{% endfor %} {{ question }}\n",
    );
    let asked = rag(&world, &salmon);
    assert_eq!(asked["shown"], 1, "{asked}");
    assert_eq!(sources(&asked), ["salmon.md"]);
    assert!(asked["cited"].is_array() && asked["sentences"].is_array());
    // Nothing shares a word with it: no model is asked.
    let nothing = rag(&world, &["ask", "zebras", "--model", "./missing"]);
    assert_eq!((&nothing["answer"], &nothing["shown"]), (&json!("Not in the documents."), &json!(0)));
    let tight = world.dojo(&[
        "rag",
        "ask",
        "Where do salmon swim?",
        "--model",
        "./model",
        "--prompt-tokens",
        "5",
        "--library",
        "./lib",
    ]);
    assert!(String::from_utf8_lossy(&tight.stderr).contains("say --prompt-tokens with more"));
}

#[test]
fn a_reranked_search_says_how_far_it_came_and_settings_name_the_model() {
    let world = world();
    write_tiny_cross_encoder(&world.path().join("cross"), 1);
    rag(&world, &["add", "notes", "--model", "./bert"]);
    let reranked = rag(&world, &["search", "salmon", "--rerank", "./cross", "--budget", "60s"]);
    let trace = &reranked["trace"]["rerank"];
    assert_eq!((&trace["reached"], &trace["candidates"]), (&json!(2), &json!(2)), "{reranked}");
    assert!(reranked["passages"][0]["reranked"]["score"].is_number());

    std::fs::create_dir_all(world.path().join("settings")).unwrap();
    write(&world, "settings/settings.toml", "[search]\nrerank = \"./cross\"\nrerank_ms = 60000\n");
    let by_settings = rag(&world, &["search", "salmon"]);
    assert_eq!(by_settings["passages"], reranked["passages"]);
    assert_eq!(rag(&world, &["search", "salmon", "--rerank", "none"])["trace"]["rerank"], Value::Null);

    let explained = ["rag", "search", "salmon", "--library", "./lib", "--explain", "--intent", "the fish"];
    let said = world.say(&explained);
    for part in ["reranked by ./cross: 2 of 2 candidates", "meant: the fish", " to #", "of 60000 ms"] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
    let apart = rag(&world, &["search", "lex: salmon", "intent: the fish", "--mode", "bm25"]);
    assert_eq!(
        (&apart["query"], &apart["trace"]["intent"]),
        (&json!("lex: salmon\nintent: the fish"), &json!("the fish"))
    );
    let refused = world.dojo(&["rag", "search", "salmon", "--library", "./lib", "--budget", "soon"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no time such as 500ms"), "{refused:?}");
    let late = world.dojo(&["rag", "search", "salmon", "--library", "./lib", "--budget", "0ms"]);
    assert!(String::from_utf8_lossy(&late.stderr).contains("the fused order is as it was"), "{late:?}");
    assert!(late.status.success());
}

#[test]
fn numbers_that_mean_nothing_are_refused_before_anything_is_done() {
    let world = world();
    rag(&world, &["add", "notes", "--no-embeddings"]);
    let refused = |arguments: &[&str]| {
        let output = world.dojo(&[&["rag"], arguments].concat());
        assert_ne!(output.status.code(), Some(0), "{arguments:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let search = |arguments: &[&str]| {
        refused(&[&["search", "salmon", "--library", "./lib", "--mode", "bm25"], arguments].concat())
    };
    for (arguments, words) in [
        (&["--top", "0"][..], "1..=1000"),
        (&["--bm25-weight", "nan"], "it is no number"),
        (&["--dense-weight", "-1"], "it is 0 or more"),
        (&["--rrf-k", "inf"], "it is no number"),
        (&["--rrf-k", "60"], "--rrf-k is for lists that are fused by ranks"),
        (&["--bm25-weight", "0", "--dense-weight", "0"], "has to be above 0"),
        (&["--diversity", "2"], "it is from 0 to 1"),
        (&["--candidates", "0"], "is not in 1.."),
        (&["--budget", "1s"], "--budget is the time of a reranker, and none is named"),
        (&["--expand-budget", "1s"], "none is named: say --expand MODEL"),
    ] {
        let said = search(arguments);
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    for (arguments, words) in [
        (&["--k1", "nan"][..], "it is no number"),
        (&["--b", "1.5"], "it is from 0 to 1"),
        (&["--title-weight", "-2"], "it is 0 or more"),
    ] {
        let said = refused(&[&["eval", "nowhere"], arguments].concat());
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

#[test]
fn a_collection_that_names_something_twice_is_refused_by_its_lines() {
    let world = world();
    std::fs::create_dir_all(world.path().join("set/qrels")).unwrap();
    let corpus = "{\"_id\":\"a\",\"text\":\"salmon\"}\n{\"_id\":\"b\",\"text\":\"trout\"}\n";
    let queries = "{\"_id\":\"q\",\"text\":\"fish\"}\n";
    let qrels = "query-id\tcorpus-id\tscore\nq\ta\t1\n";
    let set = |corpus: &str, queries: &str, qrels: &str| {
        for (name, text) in [("corpus.jsonl", corpus), ("queries.jsonl", queries), ("qrels/test.tsv", qrels)]
        {
            write(&world, &format!("set/{name}"), text);
        }
    };
    let eval = || {
        let output = world.dojo(&["rag", "eval", "set", "--modes", "bm25"]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    set(&corpus.replace("\"b\"", "\"a\""), queries, qrels);
    let (code, said) = eval();
    assert!(code == Some(1) && said.contains("has the id a twice, in lines 1 and 2"), "{said}");
    set(corpus, &queries.repeat(2), qrels);
    assert!(eval().1.contains("has the id q twice, in lines 1 and 2"));
    set(corpus, queries, &format!("{qrels}q\ta\t2\n"));
    assert!(
        eval().1.contains("line 3 of set/qrels/test.tsv judges a for q again, and otherwise than before")
    );
    set(corpus, queries, &format!("{qrels}q\ta\t1\n"));
    assert_eq!(eval().0, Some(0));
}

#[test]
fn what_is_said_of_all_roots_anew_reaches_their_documents_and_is_shown() {
    let world = world();
    rag(&world, &["add", "notes", "--no-embeddings"]);
    let again = rag(&world, &["add", "--context", "notes on nature", "--tag", "nature"]);
    assert_eq!(counts(&again), [0, 2, 0, 0, 0]);
    let shown = world.say(&["rag", "search", "salmon", "--library", "./lib"]);
    assert!(shown.contains("(notes on nature)"), "{shown}");
    let listed = world.say(&["rag", "list", "--library", "./lib"]);
    assert!(listed.contains("context") && listed.contains("notes on nature"), "{listed}");
    let lines = world.say(&["rag", "search", "lex: salmon", "lex: granite -rock", "--library", "./lib"]);
    assert!(lines.contains("Salmon swim") && !lines.contains("quartz"), "{lines}");
}
