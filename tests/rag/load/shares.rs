//! How much of real papers is read, in order, against what another program read.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use dojo_studio::rag::load::read;

/// A paper, the share that is there at least, and the running heads and feet that must go.
const PAPERS: &[(&str, f64, &[&str])] = &[
    ("huang22a_user_embedding", 0.98, &["Enriching Unsupervised User Embedding via Medical Concepts"]),
    ("wang23b_llm_hpo", 0.98, &[]),
    ("deepseek_r1", 0.98, &[]),
    (
        "parquetdb_joss",
        0.98,
        &[
            "Lang et al. (2025). ParquetDB: A Lightweight Python Parquet-Based Database. Journal of Open Source Software, \
             \u{bf}VOL?(\u{bf}ISSUE?), \u{bf}PAGE?",
            "https://doi.org/10.xxxxxx/draft",
        ],
    ),
];

#[test]
fn real_papers_are_read_in_order() {
    let folder = folder();
    if !folder.is_dir() {
        println!("left out: no papers at {}", folder.display());
        return;
    }
    for (name, least, heads) in PAPERS {
        let reference = std::fs::read_to_string(folder.join(format!("{name}.pypdf.txt"))).unwrap();
        let document = read(&folder.join(format!("{name}.pdf"))).unwrap();
        let text: String = document.blocks.iter().map(|block| format!("{}\n", block.text)).collect();
        let there: HashSet<Vec<String>> = runs(&text).into_iter().collect();
        let wanted = runs(&without_heads(&reference, heads));
        let share = wanted.iter().filter(|run| there.contains(*run)).count() as f64 / wanted.len() as f64;
        println!("{name}: {share:.4}");
        assert!(share >= *least, "{name}: {share:.4}");
        assert!(document.facts.pages.is_some() && document.notices.is_empty(), "{:?}", document.notices);
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/papers_pdf")
}

/// A head stays where it is the title.
fn without_heads(text: &str, heads: &[&str]) -> String {
    let mut text = text.to_owned();
    for head in heads {
        let first = text.find(head).filter(|place| *place < 300).map_or(0, |place| place + head.len());
        let rest = text.split_off(first).replace(head, "");
        text.push_str(&rest);
    }
    text
}

/// Runs of five words of two letters or more; what a line breaks is put together.
fn runs(text: &str) -> Vec<Vec<String>> {
    let joined = text.replace("-\n", "");
    let words: Vec<String> = joined
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| word.len() > 1)
        .map(str::to_ascii_lowercase)
        .collect();
    words.windows(5).map(<[String]>::to_vec).collect()
}
