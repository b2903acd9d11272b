//! Quotes that aren't closed, keys and columns that stand twice, and rows that say nothing.

use super::rows::{read, refusal};

fn told(name: &str, text: &str) -> (usize, Vec<(u64, String)>) {
    let batch = read(name, text.as_bytes());
    (batch.records.len(), batch.malformed.into_iter().map(|bad| (bad.line, bad.reason)).collect())
}

const ADVICE: &str = "close it, or write a quote that is part of a text twice (\"\")";

#[test]
fn a_quote_that_is_never_closed_is_named_with_its_line() {
    let rest = "r,b\ns,c\nt,d\n";
    for breaks in ["\n", "\r\n"] {
        let text = format!("prompt,completion\nq,a\np,\"open\n{rest}").replace('\n', breaks);
        let reason = format!(
            "the quote that opens in line 3 is never closed, so the rows in the 4 lines up to the end of the file can't \
             be told; {ADVICE}"
        );
        assert_eq!(told("a.csv", &text), (1, vec![(3, reason.clone())]), "{breaks:?}");
        assert_eq!(told("a.tsv", &text.replace(',', "\t")), (1, vec![(3, reason)]));
    }
    let (records, bad) = told("a.csv", "prompt,completion\nq,a\np,\"open");
    assert_eq!((records, bad[0].0), (1, 3));
    assert!(bad[0].1.starts_with("the quote that opens in line 3 is never closed"), "{bad:?}");
    assert!(
        refusal("a.csv", b"prompt,\"completion\nq,a\n")
            .contains("in the header, the quote that opens in line 1")
    );
}

#[test]
fn a_quote_that_is_closed_by_that_of_another_row_is_named() {
    let text = "prompt,completion\np,\"open\nr,b\n\"s\",c\nt,d\n";
    let reason = format!(
        "the quote that opens in line 2 is closed in line 4 only, in the middle of a text, so the rows between can't be \
         told; {ADVICE}"
    );
    assert_eq!(told("a.csv", text), (1, vec![(2, reason)]));
    let rows = "r,b\n".repeat(12);
    let (records, bad) = told("a.csv", &format!("prompt,completion\np,\"open\n{rows}s,end\"\nt,d\n"));
    assert_eq!((records, bad[0].0), (1, 2));
    assert!(bad[0].1.contains("is closed in line 15 only, after lines that look like rows"), "{bad:?}");
}

#[test]
fn texts_of_many_lines_and_quotes_inside_them_are_read() {
    let lines = "A line, of a poem.\nAnd another\n".repeat(20);
    let text = format!("prompt,completion\nq,\"{lines}said \"\"so\"\"\"\r\nr,5\" wide\ns,\"v\"\n\"t\",\"u\"");
    let batch = read("a.csv", text.as_bytes());
    assert_eq!(batch.malformed, []);
    assert_eq!(batch.records[0].messages[1].content, format!("{lines}said \"so\""));
    assert_eq!(batch.records[1].messages[1].content, "5\" wide");
    assert_eq!(batch.records[3].messages[1].content, "u");
}

#[test]
fn a_key_that_is_there_twice_refuses_its_row_by_name() {
    let text = "{\"prompt\":\"q\",\"completion\":\"a\",\"n\":1.10}\n{\"prompt\":\"q\",\"completion\":\"a\",\"prompt\":\"r\"}\n\
                {\"messages\":[{\"role\":\"user\",\"content\":\"q\",\"content\":\"r\",\"n\":1.10}]}\n";
    let reason = |key: &str| {
        format!("the key {key:?} is there twice, and only one value of it would be kept; take one out")
    };
    assert_eq!(told("a.jsonl", text), (1, vec![(2, reason("prompt")), (3, reason("content"))]));
    let list = format!("[{}]", text.trim().replace('\n', ",\n"));
    assert_eq!(told("a.json", &list), (1, vec![(2, reason("prompt")), (3, reason("content"))]));
    // Keys of different objects, and colons in texts, are none.
    let fine = r#"{"prompt":"a: b: \" c:","completion":"d","x":{"prompt":1},"y":[{"k":1},{"k":2}]}"#;
    assert_eq!(told("a.jsonl", fine).1, []);
    let cell = "messages\n\"[{\"\"role\"\":\"\"user\"\",\"\"role\"\":\"\"assistant\"\",\"\"content\"\":\"\"q\"\"}]\"\n";
    let (_, bad) = told("a.csv", cell);
    assert_eq!(
        bad[0].1,
        "column \"messages\" holds turns in which the key \"role\" is there twice; take one out"
    );
}

#[test]
fn a_column_that_is_there_twice_refuses_the_table() {
    let split = r#"{"columns":["prompt","completion","prompt"],"data":[["q","a","r"]]}"#;
    let reason = "two columns are called \"prompt\", and only one of them would be kept; rename one";
    assert_eq!(told("a.json", split), (0, vec![(1, reason.to_owned())]));
    assert!(
        refusal("a.csv", b"prompt,completion,prompt\nq,a,r\n").contains("two columns are called \"prompt\"")
    );
}

#[test]
fn a_row_that_says_nothing_is_malformed() {
    let lines =
        "{\"prompt\":\"q\",\"completion\":\"a\"}\n{}\n{\"prompt\":null,\"completion\":\" \"}\n{\"x\":\"\"}\n";
    let empty = |line: u64| (line, "the row is empty".to_owned());
    assert_eq!(told("a.jsonl", lines), (1, vec![empty(2), empty(3), empty(4)]));
    assert_eq!(told("a.csv", "prompt,completion\nq,a\n,\n , \n"), (1, vec![empty(3), empty(4)]));
}

#[test]
fn quotes_behind_a_backslash_are_read_as_quotes_where_the_table_writes_them_so() {
    let text = "prompt,completion\n\"say \\\"yes, no\\\" now\",\"a \\\\ b \\\"c\\\"\"\nq,C:\\x\n\"\\\"\",\"two\nlines\"\n";
    let batch = read("a.csv", text.as_bytes());
    assert_eq!(batch.malformed, []);
    let said: Vec<(&str, &str)> = batch
        .records
        .iter()
        .map(|one| (one.messages[0].content.as_str(), one.messages[1].content.as_str()))
        .collect();
    assert_eq!(said, [("say \"yes, no\" now", "a \\ b \"c\""), ("q", "C:\\x"), ("\"", "two\nlines")]);
    assert_eq!(batch.records[2].provenance.line, 4);
    // A backslash before a letter is one of the text, and then two are two.
    let text = "prompt,completion\n\"\\frac 1 \\\\ \\\"x\\\" y\",b\n";
    assert_eq!(read("a.csv", text.as_bytes()).records[0].messages[0].content, "\\frac 1 \\\\ \"x\" y");
}

#[test]
fn a_quote_behind_a_backslash_is_refused_where_others_are_written_twice() {
    let text = "prompt,completion\n\"a \"\"b\"\" c\",d\ne,\"f \\\"g\\\" h\"\n\"C:\\\",i\n";
    let (records, bad) = told("a.csv", text);
    assert_eq!((records, bad.len(), bad[0].0), (2, 1, 3), "{bad:?}");
    assert!(
        bad[0].1.starts_with("the text that opens in line 3 has a quote after a backslash (\\\")"),
        "{bad:?}"
    );
}

#[test]
fn a_number_that_is_none_in_a_column_that_nothing_uses_refuses_no_row() {
    let text = "{\"prompt\":\"q: NaN\",\"completion\":\"a\",\"score\":NaN}\n\
                {\"prompt\":\"q\",\"completion\":\"a\",\"meta\":{\"x\":-Infinity}}\n{\"prompt\":\"q\",\"completion\":NaN}\n";
    assert_eq!(told("a.jsonl", text), (2, vec![(3, "column \"completion\" is null".to_owned())]));
    let call = "{\"prompt\":\"q\",\"completion\":\"a\",\"tools\":[{\"x\":NaN}]}\n";
    assert_eq!(told("a.jsonl", call).0, 0);
}
