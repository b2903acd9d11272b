//! What an import passes over is named.

use dojo_studio::data::import::{Import, ImportBatch, ImportOptions, read_all};
use dojo_studio::domain::recipe::OnMalformed;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::world::write;

pub(super) const LONG: &str = "The cat sat on the mat and looked at the moon.";
const MORE: &str = "A dog ran through the wet grass to its home.";

pub(super) fn read(name: &str, bytes: &[u8], map: &[&str]) -> ImportBatch {
    let folder = TempDir::new().expect("a folder");
    let options = ImportOptions {
        map: map.iter().map(|told| (*told).to_owned()).collect(),
        ..ImportOptions::default()
    };
    let mut batch = read_all(&write(&folder, name, bytes), &options, OnMalformed::Skip).expect("read");
    let place = folder.path().display().to_string();
    batch.notes.iter_mut().for_each(|note| *note = note.replace(&place, "DIR"));
    batch
}

/// The notes of an import of these rows.
pub(super) fn notes(rows: &[Value], map: &[&str]) -> Vec<String> {
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    read("a.jsonl", lines.join("\n").as_bytes(), map).notes
}

#[test]
fn a_column_of_text_that_nothing_uses_is_named() {
    let race = json!({"article": LONG, "question": "q", "options": ["x", "y"], "answer": "x", "id": "7"});
    assert_eq!(
        notes(&[race.clone(), race.clone()], &[]),
        [
            "not used: \"article\" (in 2 of 2 rows); map it with --map part=column (data.map in a recipe) if it should \
          be learnt"
        ]
    );
    for (column, value) in [
        ("corrected_response", json!(MORE)),
        ("documents", json!([LONG, MORE])),
        ("passages", json!([{"title": "t", "text": LONG}])),
        ("suffix", json!("    return x")),
        ("prefix", json!("def f(x):")),
        (
            "\u{6587}",
            json!("\u{4eca}\u{65e5}\u{306f}\u{3068}\u{3066}\u{3082}\u{3044}\u{3044}\u{5929}\u{6c17}"),
        ),
    ] {
        let row = json!({"instruction": "Do it.", "output": "Done.", column: value});
        let told = notes(std::slice::from_ref(&row), &[]);
        assert_eq!(told.len(), 1, "{row}");
        assert!(told[0].starts_with(&format!("not used: {column:?} (in 1 of 1 rows); map it")), "{told:?}");
        assert_eq!(notes(&[row], &[&format!("unused={column}")]), [""; 0]);
    }
}

/// The columns of these rows that are told of as playing no part.
pub(super) fn idle(rows: &[Value], map: &[&str]) -> String {
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let told = read("a.jsonl", lines.join("\n").as_bytes(), map).idle.unwrap_or_default();
    told.strip_prefix("no part in what is learnt: ").unwrap_or(&told).to_owned()
}

#[test]
fn every_column_that_changes_nothing_is_named_however_short_it_is() {
    let whole = json!({"prompt": "q", "completion": "a"});
    let with = |more: Value| {
        let mut row = whole.clone();
        row.as_object_mut().expect("a row").extend(more.as_object().expect("columns").clone());
        row
    };
    assert_eq!(idle(std::slice::from_ref(&whole), &[]), "");
    let beside =
        with(json!({"id": 7, "schema": "t(a, b)", "hint": "h", "loss": 0.5, "empty": "", "none": null}));
    assert_eq!(idle(&[beside.clone(), beside], &[]), r#""hint", "id", "loss", "schema""#);
    // What is read, though it says nothing new here, is not among them.
    let read = with(json!({
        "split": "train", "weight": 1, "status": "accepted", "keep": true, "system": "s", "history": [["q", "a"]],
        "tags": ["t"], "enable_thinking": true, "exclude": false,
    }));
    assert_eq!(idle(&[read], &[]), "");
    // But a word that means nothing where another would count is, with the words.
    let rows: Vec<Value> = ["cut", "keep", "cut", "spare"]
        .into_iter()
        .map(|word| {
            with(json!({"decision": word, "status": "accepted", "skip": "no", "keep": "yes", "id": "7"}))
        })
        .collect();
    assert_eq!(idle(&rows, &[]), r#""decision" ("cut", "spare"), "id""#);
    // Nor what a person has left out, nor what another sentence names.
    let told = with(json!({"hint": "h", "article": LONG, "note": 1}));
    assert_eq!(idle(&[told], &["unused=hint"]), r#""note""#);
    // A column that comes late.
    let mut rows = vec![whole.clone(); 5_000];
    rows.push(with(json!({"late": true})));
    assert_eq!(idle(&rows, &[]), r#""late""#);
    // One that counts in a few rows only is read.
    let rows = [with(json!({"input": ""})), with(json!({"input": "about this"}))];
    assert_eq!(idle(&rows, &[]), "");
    let many: Value =
        (0..30).map(|at| (format!("c{at:02}"), json!(at))).collect::<serde_json::Map<_, _>>().into();
    assert!(idle(&[with(many)], &[]).ends_with(r#""c23" and 6 more"#));
    assert_eq!(idle(&[json!({"a": 1, "b": "x"})], &[]), "", "columns only: all or none");
}

#[test]
fn a_column_that_was_given_a_part_which_its_form_has_no_place_for_is_named_too() {
    let turns = json!([{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]);
    let sentences = json!({"p": "A cat sleeps.", "h": "A cat.", "l": "yes", "x": "told", "m": turns});
    let pair = json!({"q": "q", "good": "a", "bad": "b", "x": "told", "m": turns});
    let answered = json!({"q": "q", "a": "a", "x": "told", "l": "1"});
    let alone = json!({"t": "as it stands", "x": "told"});
    let nli = ["premise=p", "hypothesis=h", "label=l"];
    let preferred = ["prompt=q", "chosen=good", "rejected=bad"];
    let asked = ["prompt=q", "completion=a"];
    for (row, form, more, named) in [
        (&sentences, &nli[..], &["completion=x"][..], r#""m", "x""#),
        (&sentences, &nli[..], &["prompt=x"], r#""m", "x""#),
        (&sentences, &nli[..], &["text=x", "input=m"], r#""m", "x""#),
        (&sentences, &nli[..], &["explanation=x"], r#""m""#),
        (&sentences, &nli[..], &["messages=m"], r#""h", "p", "x""#),
        (&pair, &preferred[..], &["messages=m"], r#""m", "x""#),
        (&pair, &preferred[..], &["completion=x"], r#""m", "x""#),
        (&pair, &preferred[..], &["input=x"], r#""m""#),
        (&answered, &asked[..], &["chosen=x"], r#""l", "x""#),
        (&answered, &asked[..], &["explanation=x", "label=l"], r#""x""#),
        (&answered, &asked[..], &["premise=x"], r#""l", "x""#),
        (&answered, &asked[..], &["text=x"], r#""l", "x""#),
        (&answered, &asked[..], &["system=x"], r#""l""#),
        (&answered, &asked[..], &["thought=x"], r#""l""#),
        (&answered, &asked[..], &["tags=x", "split=l"], ""),
        (&alone, &["text=t"][..], &["input=x"], r#""x""#),
        (&alone, &["text=t"][..], &["hypothesis=x"], r#""x""#),
    ] {
        let map = [form, more].concat();
        assert_eq!(idle(std::slice::from_ref(row), &map), named, "{map:?}");
    }
    // Of two columns that say the same, one is learnt.
    let twice = json!({"prompt": "q", "completion": "a", "input": "c", "context": "c"});
    assert_eq!(idle(std::slice::from_ref(&twice), &["input=input"]), r#""context""#);
}

#[test]
fn explanations_after_the_first_are_named() {
    let row = |all: &[&str]| json!({"premise": "a b", "hypothesis": "b", "label": "entailment", "explanations": all});
    assert_eq!(notes(&[row(&["It follows."])], &[]), [""; 0]);
    let told = notes(&[row(&["It follows.", "It is said before."])], &[]);
    assert!(told[0].starts_with("not used: \"explanations after the first\" (in 1 of 1 rows)"), "{told:?}");
}

#[test]
fn a_text_beside_its_summary_or_its_code_is_learnt_alone_and_says_so() {
    for (text, partner) in [("document", "summary"), ("text", "code"), ("content", "highlights")] {
        let told = notes(&[json!({text: LONG, partner: "print(1 + 2)"})], &[]);
        assert_eq!(told.len(), 1);
        let begin =
            format!("not used: {partner:?} (in 1 of 1 rows), beside {text:?}, which is learnt as it stands");
        assert!(told[0].starts_with(&begin), "{told:?}");
    }
    let mapped = ["prompt=document", "completion=summary", "text="];
    assert_eq!(notes(&[json!({"document": LONG, "summary": MORE})], &mapped), [""; 0]);
}

#[test]
fn what_is_about_a_row_or_is_in_its_record_is_no_unused_text() {
    let row = json!({
        "question": "q", "answer": MORE, "id": "a b c d e f", "url": "https://a.example/b",
        "source": LONG, "date": "Monday, the third of November", "metadata": {"comment": LONG}, "level": "hard",
        "license": LONG, "code": "AB12", "score": 3, "quote": MORE, "author": "Ann Able, Bob Best and Cy Cole",
        "page_url": LONG, "tools": "",
    });
    assert_eq!(notes(&[row], &[]), [""; 0]);
    let turns = json!([{"role": "user", "content": LONG}, {"role": "assistant", "content": MORE}]);
    assert_eq!(notes(&[json!({"messages": turns, "prompt": LONG, "response": MORE})], &[]), [""; 0]);
    let rare: Vec<Value> = (0..200)
        .map(|row| {
            if row == 0 {
                json!({"prompt": "q", "completion": "a", "aside": LONG})
            } else {
                json!({"prompt": "q", "completion": "a"})
            }
        })
        .collect();
    assert!(notes(&rare, &[])[0].starts_with("not used: \"aside\" (in 1 of 200 rows)"));
}

#[test]
fn lists_and_texts_beside_the_rows_of_an_object_are_named() {
    let row = json!({"prompt": "q", "completion": "a"});
    let around = json!({"version": "v2 of it", "system": "Be kind.", "train": [row], "extra": [row, row], "more": "x"});
    for file in [around.to_string(), serde_json::to_string_pretty(&around).expect("text")] {
        let batch = read("a.json", file.as_bytes(), &[]);
        assert_eq!(batch.records.len(), 1);
        let told: Vec<&str> =
            batch.notes.iter().map(|note| note.splitn(3, ':').nth(2).expect("a place")).collect();
        assert_eq!(
            told,
            [
                " not read: \"system\" (a text) beside the rows; write it into each row if it should be learnt",
                " not read: \"extra\" (a list of 2) beside the rows; if these are rows, call the list \"data\" or by \
                 its split",
            ]
        );
    }
    let first = json!({"extra": [row], "rows": [row]});
    assert!(
        read("a.json", first.to_string().as_bytes(), &[]).notes[0]
            .contains("not read: \"extra\" (a list of 1)")
    );
    let splits = json!({"train": [row], "testA": [row], "public_test": [row], "dev2": [row]});
    let batch = read("a.json", splits.to_string().as_bytes(), &[]);
    let named: Vec<Option<&str>> = batch.records.iter().map(|record| record.split.as_deref()).collect();
    assert_eq!(named, [Some("train"), Some("testA"), Some("public_test"), Some("dev2")]);
    let alone = json!({"question": "q", "answer": "a", "test_cases": [{"input": LONG}]});
    let batch = read("a.json", serde_json::to_string_pretty(&alone).expect("text").as_bytes(), &[]);
    assert_eq!((batch.records.len(), batch.records[0].split.clone()), (1, None));
}

#[test]
fn a_row_that_says_that_it_is_left_out_is_left_out_and_counted() {
    let whole = json!({"prompt": "q", "completion": "a"});
    let with = |column: &str, value: &Value| {
        let mut row = whole.clone();
        row[column] = value.clone();
        row
    };
    for (column, out, kept) in [
        ("exclude", json!(true), json!(false)),
        ("skip", json!(1), json!(0)),
        ("is_deleted", json!("True"), json!("False")),
        ("Ignore", json!("yes"), json!("no")),
        ("include", json!(false), json!(true)),
        ("is_valid", json!(0), json!(1)),
        ("keep", json!("no"), json!("yes")),
        ("status", json!("discarded"), json!("submitted")),
        ("review_status", json!("Rejected"), json!("approved")),
        ("skip", json!(true), json!(12)),
        ("status", json!("deleted"), json!(null)),
        ("decision", json!("drop"), json!("keep")),
        ("status", json!("rejected (invented)"), json!("open: rejected before")),
        ("status", json!("Rejected"), json!("accepted, not rejected")),
    ] {
        let rows = [with(column, &out), with(column, &kept), whole.clone()];
        let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
        let batch = read("a.jsonl", lines.join("\n").as_bytes(), &[]);
        assert_eq!((batch.records.len(), batch.malformed.len()), (2, 0), "{column}");
        let said = out.as_str().map_or_else(|| out.to_string(), |out| out.replace(" (invented)", ""));
        assert_eq!(
            batch.notes,
            [format!(
                "1 row is left out, by what it says: {column:?} is {said} (1); --map unused={column} (data.map in a \
                 recipe) has them all the same"
            )]
        );
        let all = read("a.jsonl", lines.join("\n").as_bytes(), &[&format!("unused={column}")]);
        assert_eq!((all.records.len(), all.notes.len()), (3, 0), "{column}");
    }
}

#[test]
fn rows_without_the_mark_that_keeps_others_in_are_left_out() {
    for (column, mark) in [("include", "x"), ("Keep", "\u{2713}")] {
        let table = format!("prompt,completion,{column}\nq,a,{mark}\nr,b,\ns,c,{mark}\n");
        let batch = read("a.csv", table.as_bytes(), &[]);
        assert_eq!(batch.records.len(), 2, "{column}");
        assert!(batch.notes[0].contains(&format!("{column:?} is blank (1)")), "{:?}", batch.notes);
        let all = read("a.csv", table.as_bytes(), &[&format!("unused={column}")]);
        assert_eq!(all.records.len(), 3);
    }
    // Beside a yes or no a blank says nothing, and so it does where nothing is marked.
    for cells in [["yes", "", "no"], ["", "", ""]] {
        let [one, two, three] = cells;
        let table = format!("prompt,completion,include\nq,a,{one}\nr,b,{two}\ns,c,{three}\n");
        let batch = read("a.csv", table.as_bytes(), &[]);
        assert!(batch.records.iter().any(|record| record.answer() == Some("b")), "{cells:?}");
    }
}

#[test]
fn an_answer_that_may_stand_for_a_missing_value_is_told_of() {
    let batch = read("a.csv", b"prompt,completion\nq,NaN\nr,None\ns,fine\nt,nano\n", &[]);
    assert_eq!(batch.records.len(), 4);
    assert_eq!(
        batch.notes,
        [
            "the answer is \"NaN\" or \"None\" in 2 of 4 rows, which is learnt as it stands; if it stands for a value \
             that is missing, take these rows out"
        ]
    );
    for answer in [
        "n.a.",
        "N/A",
        "n / a",
        "#N/A",
        "<NA>",
        "NaT",
        "nil",
        "null",
        "(null)",
        "[None]",
        "-",
        "--",
        "\u{2014}",
        "?",
        "...",
        "-nan",
        "1.#QNAN",
        "#DIV/0!",
        "#REF!",
        "\\N",
        "TBD",
        "undefined",
        "not available",
    ] {
        let rows = [json!({"prompt": "q", "completion": answer}), json!({"prompt": "r", "completion": "b"})];
        let told = notes(&rows, &[]).concat();
        assert!(told.starts_with(&format!("the answer is {answer:?} in 1 of 2 rows")), "{answer:?}: {told}");
    }
    for answer in ["nano", "none of these", "-1", "a?", "#1", "No", "unknown", "0", "+", "not empty"] {
        assert_eq!(notes(&[json!({"prompt": "q", "completion": answer})], &[]), [""; 0], "{answer:?}");
    }
}

#[test]
fn an_answer_of_signs_of_which_nothing_is_seen_is_empty() {
    let signs = "\u{3164}\u{2800}\u{180e}\u{34f}\u{fe0f}\u{2062}\u{1160}\u{ffa0}\u{115f}\u{200b}\u{ad}\u{202e}\u{2066}\
                 \u{e0100}\u{e0041}\u{61c}\u{17b4}\u{1d173}\u{1d159}\u{fff9}\u{0}\u{7}\u{feff}\u{2060}\u{3000}";
    let each = signs.chars().map(|sign| format!(" {sign}{sign}\n"));
    for answer in each.chain([signs.to_owned()]) {
        let rows = [json!({"prompt": "q", "completion": answer}), json!({"prompt": "r", "completion": "b"})];
        let batch = read("a.jsonl", rows.map(|row| row.to_string()).join("\n").as_bytes(), &[]);
        assert_eq!((batch.records.len(), batch.malformed.len()), (1, 1), "{answer:?}");
        assert!(batch.malformed[0].reason.contains("is empty"), "{:?}", batch.malformed[0]);
    }
    for answer in ["\u{1100}\u{1160}", "\u{2764}\u{fe0f}", "\u{2801}"] {
        assert_eq!(notes(&[json!({"prompt": "q", "completion": answer})], &[]), [""; 0]);
    }
}

#[test]
fn a_part_has_one_column() {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "a.jsonl", br#"{"a":"x","b":"y","c":"z"}"#);
    let map = ["prompt=a", "completion=c", "prompt=b"].map(str::to_owned).to_vec();
    let options = ImportOptions { map, ..ImportOptions::default() };
    let error = read_all(&path, &options, OnMalformed::Skip).expect_err("two columns");
    let told = format!("{error:#}");
    assert_eq!(told, "the part \"prompt\" is mapped to \"a\" and to \"b\"; keep one of them");
}

#[test]
fn a_text_beside_its_class_says_that_the_class_is_not_learnt() {
    for class in ["label", "sentiment", "category"] {
        let row = json!({"text": LONG, class: "good"});
        let told = notes(&[row.clone(), row.clone()], &[]).join(" ");
        assert!(
            told.starts_with(&format!("not used: {class:?} (in 2 of 2 rows), beside \"text\"")),
            "{told}"
        );
        assert_eq!(notes(&[row], &[&format!("unused={class}")]), Vec::<String>::new());
    }
}

#[test]
fn a_row_that_is_one_turn_of_a_conversation_is_no_text() {
    for (column, who) in [("role", "assistant"), ("speaker", "user"), ("from", "human"), ("role", "prompter")]
    {
        let rows = [json!({"id": 1, "content": MORE}), json!({"id": 2, column: who, "content": LONG})];
        let read = read("a.jsonl", rows.map(|row| row.to_string()).join("\n").as_bytes(), &[]);
        let why = &read.malformed[0].reason;
        assert!(why.contains("one turn of a conversation") && why.contains(column), "{why}");
    }
    let written = json!({"author": "Ann", "from": "a book", "text": LONG});
    assert_eq!(read("a.jsonl", written.to_string().as_bytes(), &[]).malformed.len(), 0);
}

#[test]
fn a_row_that_a_person_crossed_out_is_left_out_wherever_that_is_said() {
    for row in [
        json!({"exclude": "x"}),
        json!({"skip": "\u{2713}"}),
        json!({"approved": "no"}),
        json!({"is_duplicate": true}),
        json!({"approval": "rejected"}),
        json!({"metadata": {"status": "discarded"}}),
        json!({"meta": {"exclude": true}}),
    ] {
        let mut row = row;
        row["prompt"] = json!("q");
        row["completion"] = json!("a");
        let rows = [row, json!({"prompt": "r", "completion": "b"})];
        let read = read("a.jsonl", rows.map(|row| row.to_string()).join("\n").as_bytes(), &[]);
        assert_eq!(read.records.len(), 1, "{:?}", read.notes);
        assert!(read.notes.join(" ").contains("1 row is left out"), "{:?}", read.notes);
    }
}

#[test]
fn what_plays_no_part_is_known_from_the_first_rows_before_an_import() {
    let folder = TempDir::new().expect("a folder");
    let rows = format!("question,answer,difficulty,article\nwhy?,so,easy,{LONG}\nhow?,thus,hard,{MORE}\n");
    let path = write(&folder, "a.csv", rows.as_bytes());
    let import = Import::open(&path, &ImportOptions::default()).expect("an import");
    let told = import.files()[0].passes_over();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("no part in what is learnt") && told[0].contains("\"difficulty\""), "{told:?}");
    assert!(told[1].contains("not used: \"article\" (in 2 of 2 rows)"), "{told:?}");
}

#[test]
fn turns_that_are_out_of_order_are_told_of() {
    let turn = |role: &str| json!({"role": role, "content": role});
    let row = |roles: &[&str]| json!({"messages": roles.iter().map(|role| turn(role)).collect::<Vec<_>>()});
    for (roles, how) in [
        (&["user", "system", "assistant"][..], "turn 2 is the system's, which speaks first or not at all"),
        (&["assistant", "user", "system"], "turn 3 is the system's, which speaks first or not at all"),
        (&["assistant"], "the assistant speaks first"),
        (&["system", "assistant", "user"], "the assistant speaks first"),
    ] {
        let told = notes(&[row(roles), row(&["system", "user", "assistant"])], &[]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("turns are out of order in 1 of 2 rows (the first is "), "{told:?}");
        assert!(told[0].contains(how), "{told:?}");
    }
}

#[test]
fn a_mark_that_stands_for_a_picture_is_told_of() {
    let row = |question: &str| json!({"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": "A cat."}]});
    let told = notes(&[row("<image>\nWhat is it?"), row("What is a cat?"), row("<|video|> And here?")], &[]);
    assert_eq!(
        told,
        [
            "\"<image>\" or \"<|video|>\" stands in 2 of 3 rows (the first is DIR/a.jsonl:1) and is read as letters: \
             pictures, sounds and films aren't read; if it stands for one, take these rows out"
        ]
    );
    assert_eq!(notes(&[json!({"text": "See [IMG] above."})], &[]).len(), 1);
    assert_eq!(notes(&[row("Is <b>this</b> an image?")], &[]), [""; 0]);
}

#[test]
fn a_weight_that_asks_to_learn_a_question_is_told_of() {
    let row = |user: Value, assistant: Value| json!({"messages": [{"role": "user", "content": "q", "weight": user}, {"role": "assistant", "content": "a", "weight": assistant}]});
    let told = notes(&[row(json!(1), json!(1)), row(json!(0), json!(1)), row(json!(null), json!(1))], &[]);
    assert_eq!(
        told,
        [
            "turns of the user have the weight 1 in 1 of 3 rows (the first is DIR/a.jsonl:1), and aren't learnt: only what \
             the assistant says is"
        ]
    );
    assert_eq!(notes(&[row(json!(0), json!(1))], &[]), [""; 0]);
}
