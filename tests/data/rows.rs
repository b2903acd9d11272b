//! Reading files of every format, also of those that are none.

use std::path::Path;

use dojo_studio::data::import::{Import, ImportBatch, ImportOptions};
use dojo_studio::data::rows::{Format, TextUnit, find_files, look};
use dojo_studio::domain::record::Record;
use dojo_studio::domain::unseen::is_unseen;
use proptest::prelude::*;
use tempfile::TempDir;

use super::world::write;

pub(super) fn read(name: &str, bytes: &[u8]) -> ImportBatch {
    let folder = TempDir::new().expect("a folder");
    read_path(&write(&folder, name, bytes)).expect("read")
}

pub(super) fn read_path(path: &Path) -> anyhow::Result<ImportBatch> {
    let mut import = Import::open(path, &ImportOptions::default())?;
    let mut all = ImportBatch::default();
    while let Some(batch) = import.next_batch()? {
        all.records.extend(batch.records);
        all.malformed.extend(batch.malformed);
    }
    Ok(all)
}

pub(super) fn refusal(name: &str, bytes: &[u8]) -> String {
    let folder = TempDir::new().expect("a folder");
    let error = read_path(&write(&folder, name, bytes)).expect_err("refused");
    format!("{error:#}").replace(&folder.path().display().to_string(), "DIR")
}

/// The prompts, and the malformed lines with their reasons.
fn told(batch: &ImportBatch) -> (Vec<&str>, Vec<(u64, &str)>) {
    let prompts = batch.records.iter().map(Record::prompt).collect();
    (prompts, batch.malformed.iter().map(|bad| (bad.line, bad.reason.as_str())).collect())
}

#[test]
fn json_lines_are_read_with_their_line_numbers_and_bad_lines_are_named() {
    let file = b"{\"prompt\":\"a\",\"completion\":\"b\"}\n\n{\"prompt\":\"c\"\n[1]\n{\"prompt\":\"d\",\"completion\":\"e\"}\n{}\nnope\n";
    let batch = read("a.jsonl", file);
    assert_eq!(
        told(&batch),
        (
            vec!["a", "d"],
            vec![
                (3, "the JSON breaks off (EOF while parsing an object)"),
                (4, "a list stands where an object should"),
                (6, "the row is empty"),
                (7, "not JSON: expected ident at column 2"),
            ]
        )
    );
    assert_eq!(batch.records.iter().map(|record| record.provenance.line).collect::<Vec<_>>(), [1, 5]);
    assert_eq!(batch.malformed[0].start, "{\"prompt\":\"c\"");
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_do_no_harm() {
    let batch = read(
        "a.jsonl",
        b"\xEF\xBB\xBF{\"prompt\":\"a\",\"completion\":\"b\"}\r\n{\"prompt\":\"c\",\"completion\":\"d\"}\r\n",
    );
    assert_eq!(told(&batch), (vec!["a", "c"], vec![]));
    let batch = read("a.csv", b"\xEF\xBB\xBFprompt,completion\r\na,b\r\n");
    assert_eq!(told(&batch), (vec!["a"], vec![]));
}

#[test]
fn a_line_in_another_encoding_is_named() {
    let batch = read(
        "a.jsonl",
        b"{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"caf\xE9\",\"completion\":\"\"}\n",
    );
    assert_eq!(told(&batch), (vec!["a"], vec![(2, "not UTF-8 at byte 15")]));
    let batch = read("a.csv", b"prompt,completion\na,b\ncaf\xE9,c\n");
    assert_eq!(told(&batch), (vec!["a"], vec![(3, "column \"prompt\" is not UTF-8")]));
}

#[test]
fn what_nests_too_deep_is_named() {
    let deep = format!(
        "{{\"prompt\":\"a\",\"completion\":\"b\"}}\n{{\"prompt\":{}1{}}}\n",
        "[".repeat(5000),
        "]".repeat(5000)
    );
    let batch = read("a.jsonl", deep.as_bytes());
    assert_eq!(told(&batch), (vec!["a"], vec![(2, "nested more than 128 levels deep")]));
}

#[test]
fn a_gigantic_line_is_passed_over() {
    let mut file = b"{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"".to_vec();
    file.resize(file.len() + (33 << 20), b'x');
    file.extend_from_slice(b"\"}\n{\"prompt\":\"c\",\"completion\":\"d\"}\n");
    assert_eq!(told(&read("a.jsonl", &file)), (vec!["a", "c"], vec![(2, "the line is longer than 32 MiB")]));
    let list = [
        b"[",
        file.split(|byte| *byte == b'\n')
            .collect::<Vec<_>>()
            .join(&b","[..])
            .trim_ascii_end()
            .strip_suffix(b",")
            .expect("a comma"),
        b"]",
    ]
    .concat();
    assert_eq!(
        told(&read("a.json", &list)),
        (vec!["a", "c"], vec![(1, "the JSON value is longer than 32 MiB")])
    );
}

#[test]
fn a_quote_that_is_never_closed_stops_the_table_with_a_word() {
    let mut file = b"prompt,completion\n\"a,b\n".to_vec();
    file.resize(file.len() + (40 << 20), b'x');
    let error = refusal("a.csv", &file);
    assert!(
        error.ends_with("a row is longer than 32 MiB; the quote that opens in line 2 is probably not closed"),
        "{error}"
    );
}

#[test]
fn a_json_list_is_read_one_object_at_a_time() {
    let file = b"[\n  {\"prompt\": \"a, ] \\\" }\", \"completion\": \"b\"},\n  {\"prompt\": \"c\",\n \"completion\": \"d\"}, 7\n]\n";
    let batch = read("a.json", file);
    assert_eq!(told(&batch), (vec!["a, ] \" }", "c"], vec![(4, "a number stands where an object should")]));
    assert_eq!(batch.records.iter().map(|record| record.provenance.line).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn json_lines_may_be_called_json() {
    let batch =
        read("a.json", b"{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"c\",\"completion\":\"d\"}\n");
    assert_eq!(told(&batch), (vec!["a", "c"], vec![]));
}

#[test]
fn an_object_around_a_list_is_opened() {
    let batch = read("a.json", b"{\"version\": 1, \"data\": [{\"prompt\":\"a\",\"completion\":\"b\"}]}");
    assert_eq!(told(&batch), (vec!["a"], vec![]));
    let batch = read("a.json", b"{\n \"prompt\": \"a\",\n \"completion\": \"b\"\n}\n{\n \"prompt\": \"c\",\n \"completion\": \"d\"\n}");
    assert_eq!(told(&batch), (vec!["a", "c"], vec![]));
}

#[test]
fn a_json_list_that_breaks_off_keeps_what_came_before() {
    let batch = read("a.json", b"[{\"prompt\":\"a\",\"completion\":\"b\"},{\"prompt\":\"c");
    assert_eq!(told(&batch).0, ["a"]);
    assert_eq!(batch.malformed.len(), 2, "{:?}", batch.malformed);
}

#[test]
fn tables_are_read_by_their_header_with_quotes_and_line_breaks() {
    let batch = read("a.csv", b"prompt,completion,label\n\"a, b\",\"c\n\"\"d\"\"\",1\ne,f\ng,h,2\n");
    assert_eq!(told(&batch), (vec!["a, b", "g"], vec![(4, "2 cells where the header has 3")]));
    assert_eq!(batch.records[0].answer(), Some("c\n\"d\""));
    let batch = read("a.csv", b"prompt;completion\na,1;b\n");
    assert_eq!(told(&batch), (vec!["a,1"], vec![]));
    let batch = read("a.csv", b"prompt|completion\na,1|b\n");
    assert_eq!(told(&batch), (vec!["a,1"], vec![]));
    let batch = read("a.tsv", b"prompt\tcompletion\na,1\tb\n");
    assert_eq!(told(&batch), (vec!["a,1"], vec![]));
}

#[test]
fn text_is_read_by_line_paragraph_or_file() {
    let list = read("list.txt", b"# a list\nfirst query\n\nsecond query\n");
    assert_eq!(told(&list).0, ["first query", "second query"]);
    let prose = read("prose.txt", b"It was a\ndark night.\n\nAnd then,\nall at once.\n");
    assert_eq!(told(&prose).0, ["It was a\ndark night.", "And then,\nall at once."]);
    let page = read("page.md", b"# Title\n\nBody\n");
    assert_eq!(told(&page).0, ["# Title\n\nBody\n"]);
}

#[test]
fn what_is_no_data_file_is_said_in_a_word() {
    assert_eq!(
        refusal("a.jsonl", b"\xFF\xFE{\0"),
        "DIR/a.jsonl is in UTF-16; convert it first: iconv -f UTF-16 -t UTF-8 DIR/a.jsonl"
    );
    assert_eq!(
        refusal("a.jsonl", b"BZh91AY&SY"),
        "DIR/a.jsonl is compressed with bzip2; unpack it first: bunzip2 DIR/a.jsonl"
    );
    assert!(refusal("a.jsonl", b"\x1F\x8B\x08\0").starts_with("read DIR/a.jsonl"));
    assert_eq!(refusal("a.csv", b"a,b\0"), "DIR/a.csv holds zero bytes, so it is no text file");
    assert_eq!(refusal("a.json", b"  \n "), "DIR/a.json is empty");
    assert_eq!(refusal("a.json", b"hello"), "DIR/a.json does not begin with a JSON list or object");
    assert_eq!(refusal("a.csv", b"a,a\n1,2\n"), "DIR/a.csv: two columns are called \"a\"; rename one");
    assert!(refusal("a.parquet", b"PAR1 and no more").starts_with("read DIR/a.parquet as Parquet"));
    assert!(refusal("a.xyz", b"?").starts_with("DIR/a.xyz: the format can't be told from the name"));
}

#[test]
fn a_folder_gives_its_data_files_in_order_without_notes_and_descriptions() {
    let folder = TempDir::new().expect("a folder");
    for name in ["b.jsonl", "a/c.csv", "a/dataset_info.json", "LICENSE.txt", "notes.txt", ".hidden.jsonl"] {
        write(&folder, name, b"x\n");
    }
    let found = find_files(folder.path(), None).expect("find");
    let names: Vec<&str> = found
        .iter()
        .map(|file| file.path.strip_prefix(folder.path()).expect("inside").to_str().expect("text"))
        .collect();
    assert_eq!(names, ["a/c.csv", "b.jsonl"]);
}

#[test]
fn what_is_left_out_of_a_folder_is_named_with_its_reason() {
    let (folder, other) = (TempDir::new().expect("a folder"), TempDir::new().expect("another"));
    for name in ["a.jsonl", "notes.txt", "sheet.xlsx", "b.parquet.gz", ".hidden.jsonl", "README.md"] {
        write(&folder, name, b"x\n");
    }
    write(&folder, "empty.csv", b"");
    let outside = write(&other, "secret.jsonl", b"x\n");
    let link = |target: &Path, name: &str| {
        std::os::unix::fs::symlink(target, folder.path().join(name)).expect("link");
    };
    link(&outside, "out.jsonl");
    link(other.path(), "outside");
    link(Path::new("a.jsonl"), "inside.jsonl");
    let found = look(folder.path(), None).expect("look");
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    let files: Vec<String> = found.files.iter().map(|file| name(&file.path)).collect();
    assert_eq!(files, ["a.jsonl", "inside.jsonl"]);
    let left: Vec<(String, &str)> =
        found.left_out.iter().map(|left| (name(&left.path), left.reason)).collect();
    let expected = [
        ("b.parquet.gz", "its ending is that of no data file"),
        ("empty.csv", "it is empty"),
        ("notes.txt", "a text beside tables or JSON"),
        ("out.jsonl", "a link that leads out of the folder"),
        ("outside", "a link that leads out of the folder"),
        ("sheet.xlsx", "its ending is that of no data file"),
    ];
    assert_eq!(left, expected.map(|(name, reason)| (name.to_owned(), reason)));
}

#[test]
fn packed_files_are_read_as_what_is_in_them() {
    let row = b"{\"prompt\":\"a\",\"completion\":\"b\"}\n";
    let gzip = |bytes: &[u8]| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut out, bytes).expect("pack");
        out.finish().expect("pack")
    };
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).expect("pack");
    // Two members one behind the other, as parallel packers write them.
    let twice = [gzip(row), gzip(row)].concat();
    assert_eq!(told(&read("a.jsonl.gz", &twice)), (vec!["a", "a"], vec![]));
    let twice = [zstd(row), zstd(row)].concat();
    assert_eq!(told(&read("a.jsonl.zst", &twice)), (vec!["a", "a"], vec![]));
    assert_eq!(told(&read("a.json.gz", &gzip(b"[{\"text\": \"t\"}]"))), (vec!["t"], vec![]));
    assert_eq!(told(&read("a.csv.gz", &gzip(b"prompt,completion\na,b\n"))), (vec!["a"], vec![]));
    assert_eq!(told(&read("a.txt.zst", &zstd(b"one\ntwo\n"))), (vec!["one", "two"], vec![]));
    // A name without the ending is no matter; a file that breaks off is.
    assert_eq!(told(&read("a.jsonl", &gzip(row))), (vec!["a"], vec![]));
    let half = gzip(&row.repeat(1000));
    assert!(refusal("a.jsonl.gz", &half[..half.len() / 2]).starts_with("read DIR/a.jsonl.gz"));
    assert_eq!(
        refusal("b.jsonl.gz", &gzip(&gzip(row))),
        "DIR/b.jsonl.gz is compressed twice; unpack it once first"
    );
}

#[test]
fn line_numbers_count_every_kind_of_line_break() {
    for end in ["\n", "\r\n", "\r"] {
        let table = ["prompt,completion", "a,b", "", "c", "\"e", "f\",g", "h"].join(end);
        let batch = read("a.csv", table.as_bytes());
        let lines: Vec<u64> = batch.records.iter().map(|record| record.provenance.line).collect();
        let bad: Vec<u64> = batch.malformed.iter().map(|bad| bad.line).collect();
        assert_eq!((lines, bad), (vec![2, 5], vec![4, 7]), "{end:?}");
        let rows = ["{\"text\":\"a\"}", "", "nope", "{\"text\":\"b\"}"].join(end);
        let batch = read("a.jsonl", rows.as_bytes());
        let lines: Vec<u64> = batch.records.iter().map(|record| record.provenance.line).collect();
        assert_eq!((lines, batch.malformed[0].line), (vec![1, 4], 3), "{end:?}");
        let list = ["[", "{\"text\":", "\"a\"},", "", "{\"text\":\"b\"}]"].join(end);
        let lines: Vec<u64> =
            read("a.json", list.as_bytes()).records.iter().map(|record| record.provenance.line).collect();
        assert_eq!(lines, [2, 5], "{end:?}");
    }
}

#[test]
fn an_object_around_lists_gives_all_of_them_one_row_at_a_time() {
    let file = b"{\n \"version\": {\"data\": [{\"text\": \"no\"}]},\n \"train\": [\n  {\"text\": \"a\"},\n  {\"text\": \"b\"}],\n \"names\": [1, 2],\n \"test\": [{\"text\": \"c\"}]\n}\n";
    let batch = read("a.json", file);
    assert_eq!(told(&batch), (vec!["a", "b", "c"], vec![]));
    let split: Vec<Option<&str>> = batch.records.iter().map(|record| record.split.as_deref()).collect();
    assert_eq!(split, [Some("train"), Some("train"), Some("test")]);
    assert_eq!(batch.records.iter().map(|record| record.provenance.line).collect::<Vec<_>>(), [4, 5, 7]);
    let turns = b"{\"id\": 1,\n \"items\": [{\"from\": \"human\", \"value\": \"q\"},\n {\"from\": \"gpt\", \"value\": \"a\"}]}";
    assert_eq!(told(&read("a.json", turns)), (vec!["q"], vec![]));
    let broken = read("a.json", b"{\"data\": [\n{\"text\": \"a\"},\n");
    assert_eq!(told(&broken), (vec!["a"], vec![(3, "the list is not closed")]));
}

#[test]
fn a_table_of_very_many_columns_is_read_in_a_moment() {
    let names: Vec<String> = (0..60_000).map(|index| format!("c{index}")).collect();
    let table = format!("{},text\n{}hello\n", names.join(","), ",".repeat(60_000));
    let started = std::time::Instant::now();
    assert_eq!(told(&read("a.csv", table.as_bytes())).0, ["hello"]);
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

fn survives(format: Format, bytes: &[u8], unit: TextUnit) {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "file", bytes);
    let options = ImportOptions { format: Some(format), text: unit, ..ImportOptions::default() };
    let Ok(mut import) = Import::open(&path, &options) else { return };
    while let Ok(Some(batch)) = import.next_batch() {
        assert!(!batch.records.is_empty() || !batch.malformed.is_empty());
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic_or_hang(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        format in proptest::sample::select(vec![Format::JsonLines, Format::Json, Format::Csv, Format::Tsv, Format::Text]),
    ) {
        survives(format, &bytes, TextUnit::Found);
    }

    #[test]
    fn no_json_like_text_makes_a_reader_panic_or_hang(text in r#"([\[\]{},:"\\\n ]|"a":|null|true|1|"prompt": "x"){0,60}"#) {
        survives(Format::Json, text.as_bytes(), TextUnit::Found);
        survives(Format::JsonLines, text.as_bytes(), TextUnit::Found);
    }

    #[test]
    fn a_json_list_reads_as_its_lines_do(texts in proptest::collection::vec(".{0,20}", 1..20), spaces in "[ \n]{0,3}") {
        let rows: Vec<String> =
            texts.iter().map(|text| serde_json::json!({"prompt": text, "completion": "x"}).to_string()).collect();
        let lines = read("a.jsonl", rows.join("\n").as_bytes());
        let list = read("a.json", format!("{spaces}[{spaces}{}{spaces}]{spaces}", rows.join(&format!(",{spaces}"))).as_bytes());
        prop_assert_eq!(told(&lines), told(&list));
        prop_assert_eq!(told(&lines).0, texts.iter().map(String::as_str).collect::<Vec<_>>());
    }

    #[test]
    fn a_table_reads_as_it_was_written(rows in proptest::collection::vec((".{1,12}", "(?s).{1,12}"), 1..20)) {
        let rows: Vec<(String, String)> = rows.into_iter().filter(|(_, answer)| !is_unseen(answer)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record(["prompt", "completion"]).expect("write");
        for (question, answer) in &rows {
            table.write_record([question, answer]).expect("write");
        }
        let bytes = table.into_inner().expect("written");
        if bytes.contains(&0) {
            return Ok(());
        }
        let batch = read("a.csv", &bytes);
        let read: Vec<(&str, &str)> =
            batch.records.iter().map(|record| (record.prompt(), record.answer().unwrap_or_default())).collect();
        prop_assert_eq!(read, rows.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect::<Vec<_>>());
    }
}
