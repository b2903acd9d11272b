//! Data files made to take all memory or time, or that never end: reading one ends in a sentence.

use tempfile::TempDir;

use super::rows::{read, read_path, refusal};
use crate::support::make_pipe;

#[test]
fn a_file_that_unpacks_to_far_more_than_data_do_ends_in_a_word() {
    let mut packed = zstd::Encoder::new(Vec::new(), 1).expect("pack");
    let zeros = vec![b'0'; 1 << 20];
    for _ in 0..300 {
        std::io::Write::write_all(&mut packed, &zeros).expect("pack");
    }
    let error = refusal("a.jsonl.zst", &packed.finish().expect("pack"));
    assert!(error.ends_with("it unpacks to more than 200 times its size, which no data do"), "{error}");
}

#[test]
fn a_file_of_one_endless_line_or_of_nothing_ends_in_a_word_without_being_held() {
    let cells = refusal("a.csv", &vec![b','; 3 << 20]);
    assert!(
        cells.ends_with("a row has more than 1048576 cells, and no table has so many columns"),
        "{cells}"
    );
    let cells = [b"a,b\n1,2\n".as_slice(), &vec![b','; 3 << 20]].concat();
    let told = refusal("a.csv", &cells);
    assert!(told.contains("after line 3: a row has more than 1048576 cells"), "{told}");
    for (name, row, blank) in [
        ("a.jsonl", "{\"text\":\"a\"}\n", "\n"),
        ("a.json", "[{\"text\":\"a\"},", " "),
        ("a.csv", "a,b\n1,2\n", "\r\n"),
        ("a.txt", "a\n", "#\n"),
    ] {
        let bytes = [row.as_bytes(), &blank.as_bytes().repeat((33 << 20) / blank.len())].concat();
        let told = refusal(name, &bytes);
        let why = "more than 32 MiB of empty lines or comments are between two rows";
        assert!(told.contains(why), "{name}: {told}");
    }
}

#[test]
fn a_file_with_more_bad_lines_than_can_be_told_ends_in_a_word() {
    let told = refusal("a.jsonl", &b"x\n".repeat(300_000));
    assert!(told.starts_with("more than 200000 lines can't be read as records, and fewer can; "), "{told}");
    let mixed = b"{\"text\":\"a\"}\nx\n".repeat(1000);
    assert_eq!(read("a.jsonl", &mixed).malformed.len(), 1000);
}

#[test]
fn a_pipe_is_no_data_file() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("a.jsonl");
    make_pipe(&path);
    let error = read_path(&path).expect_err("refused");
    assert_eq!(format!("{error:#}"), format!("{} is neither a file nor a folder", path.display()));
}

#[test]
fn a_reason_that_quotes_the_row_is_short_and_on_one_line() {
    let role = "\u{1b}]0;x\u{7}".repeat(5000);
    let row = serde_json::json!({"messages": [{"role": role, "content": "a"}, {"role": "assistant", "content": "b"}]});
    let bad = read("a.jsonl", format!("{row}\n").as_bytes()).malformed.remove(0);
    assert!(bad.reason.starts_with("turn 1 of column \"messages\" has the unknown role"), "{}", bad.reason);
    assert!(bad.reason.len() < 4000 && !bad.reason.chars().any(char::is_control), "{}", bad.reason);
}
