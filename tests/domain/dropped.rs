//! Paths as terminals paste them.

use dojo_studio::domain::dropped::{is_whole, path};

#[test]
fn quotes_escapes_and_addresses_are_taken_off() {
    for text in [
        "/data/my file.csv",
        "  /data/my file.csv \n",
        "'/data/my file.csv'",
        "\"/data/my file.csv\"",
        r"/data/my\ file.csv",
        "file:///data/my%20file.csv",
        "file://localhost/data/my%20file.csv",
        "'file:///data/my%20file.csv'",
        "/data/my file.csv\n/data/another.csv",
        "'/data/my file.csv' '/data/another.csv' ",
        r#""/data/my file.csv" /data/another.csv"#,
    ] {
        assert_eq!(path(text), "/data/my file.csv", "{text}");
    }
}

#[test]
fn what_is_no_escape_stays() {
    for text in ["hf:owner/name:config", "100%.csv", r"C:\data\rows.csv", "~/rows.jsonl", "it's.csv", ""] {
        assert_eq!(path(text), text);
    }
}

#[test]
fn an_apostrophe_in_a_name_comes_through_however_a_terminal_says_it() {
    for text in [
        r"'/data/bob'\''s rows.csv' ",
        r#"'/data/bob'"'"'s rows.csv'"#,
        r#""/data/bob's rows.csv""#,
        r"/data/bob\'s\ rows.csv",
        r"/data/bob'\''s rows.csv",
        "file:///data/bob's%20rows.csv",
        "'/data/bob's rows.csv'",
        "/data/bob's rows.csv",
    ] {
        assert_eq!(path(text), "/data/bob's rows.csv", "{text}");
    }
    assert_eq!(path(r#""/data/a \"b\" c.csv""#), "/data/a \"b\" c.csv");
}

#[test]
fn what_begins_at_a_root_is_a_whole_path_and_the_rest_of_one_is_not() {
    for text in
        ["/data/rows.csv", "'/data/my rows.csv'", "~/rows.csv", "file:///data/rows.csv", "hf:owner/name"]
    {
        assert!(is_whole(text), "{text}");
    }
    for text in ["rows.csv", "data/rows.csv", "../rows.csv", "it's", ""] {
        assert!(!is_whole(text), "{text}");
    }
}
