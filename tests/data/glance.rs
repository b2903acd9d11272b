use dojo_studio::data::glance;

/// What is missing in a file of this name with these bytes.
fn missing(name: &str, bytes: &[u8], map: &[&str]) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("write");
    let map: Vec<String> = map.iter().map(|&one| one.to_owned()).collect();
    let said = glance::missing(&path, &map);
    // A folder that holds it says the same, or both say nothing.
    assert_eq!(glance::missing(folder.path(), &map).is_some(), said.is_some(), "{said:?}");
    said
}

#[test]
fn a_file_that_can_be_learnt_from_misses_nothing() {
    assert_eq!(missing("a.jsonl", br#"{"prompt": "p", "completion": "c"}"#, &[]), None);
    assert_eq!(missing("a.csv", b"question,answer\nq,a\n", &[]), None);
    assert_eq!(missing("a.txt", b"A text.\n", &[]), None);
    let odd = br#"{"left": "p", "right": "c"}"#;
    assert_eq!(missing("a.jsonl", odd, &["prompt=left", "completion=right"]), None);
}

#[test]
fn a_binary_file_one_without_rows_and_one_without_the_named_columns_say_so() {
    let binary: Vec<u8> = (0..4096u32).map(|n| (n * 7 % 256) as u8).collect();
    let said = missing("a.jsonl", &binary, &[]).expect("a reason");
    assert!(said.contains("a.jsonl") && !said.contains('\n'), "{said}");
    assert!(missing("a.parquet", &binary, &[]).is_some());
    let said = missing("a.jsonl", b"no json\nnor here\n", &[]).expect("a reason");
    assert!(said.contains("a.jsonl: line 1"), "{said}");
    let said = missing("a.jsonl", br#"{"a": "p"}"#, &["prompt=question"]).expect("a reason");
    assert!(said.contains("question"), "{said}");
}
