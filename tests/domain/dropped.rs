//! Paths as terminals paste them.

use dojo_studio::domain::dropped::path;

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
