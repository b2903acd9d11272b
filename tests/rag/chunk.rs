//! `src/rag/chunk`.

use std::path::Path;

use dojo_studio::domain::library::{ChunkSettings, DocumentChunk, SourceDocument};
use dojo_studio::rag::chunk::chunks;
use dojo_studio::rag::load::read_bytes;
use proptest::prelude::*;

fn read(name: &str, text: &str) -> SourceDocument {
    read_bytes(Path::new(name), text.as_bytes()).unwrap()
}

/// Words are tokens.
fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn cut(document: &SourceDocument, tokens: u32, overlap: u32) -> Vec<DocumentChunk> {
    chunks(document, &ChunkSettings { tokens, overlap }, &words)
}

fn texts(chunks: &[DocumentChunk]) -> Vec<&str> {
    chunks.iter().map(|chunk| chunk.text.as_str()).collect()
}

#[test]
fn a_chunk_ends_with_a_sentence_and_the_next_begins_with_it() {
    let document =
        read("a.txt", "One two three four. Five six seven eight. Nine ten eleven twelve. Last of all.");
    assert_eq!(
        texts(&cut(&document, 8, 4)),
        [
            "One two three four. Five six seven eight.",
            "Five six seven eight. Nine ten eleven twelve.",
            "Nine ten eleven twelve. Last of all."
        ]
    );
    assert_eq!(texts(&cut(&document, 8, 0))[1..], ["Nine ten eleven twelve. Last of all."]);
}

#[test]
fn abbreviations_end_no_sentence() {
    let document = read(
        "a.txt",
        "Owls hear (Lee et al. 2020, Fig. 3) well. They hunt, e.g. Mice, at night. So did J. Owl.",
    );
    assert_eq!(
        texts(&cut(&document, 9, 0)),
        ["Owls hear (Lee et al. 2020, Fig. 3) well.", "They hunt, e.g. Mice, at night.", "So did J. Owl."]
    );
}

#[test]
fn a_heading_stays_with_what_follows_it_and_begins_a_chunk() {
    let text = "# Owls\n\nOwls hunt at night and hear well.\n\n## Barn owls\n\nThey live in barns and in old towers.\n\n\
        # Mice\n\nMice run.\n";
    let chunks = cut(&read("a.md", text), 12, 4);
    assert_eq!(
        texts(&chunks),
        [
            "Owls\n\nOwls hunt at night and hear well.",
            "Barn owls\n\nThey live in barns and in old towers.",
            "Mice\n\nMice run."
        ]
    );
    let sections: Vec<Vec<String>> = chunks.iter().map(|chunk| chunk.section.clone()).collect();
    assert_eq!(sections, [vec!["Owls"], vec!["Owls", "Barn owls"], vec!["Mice"]]);
    assert_eq!(chunks.iter().map(|chunk| chunk.tokens).collect::<Vec<_>>(), [8, 10, 3]);
}

#[test]
fn code_is_cut_between_items_and_not_within_lines() {
    let code = "fn one() {\n    a b c\n}\n\nfn two() {\n    d e f\n}\n\nfn three() {\n    g\n}\n";
    assert_eq!(
        texts(&cut(&read("a.rs", code), 14, 0)),
        ["fn one() {\n    a b c\n}\n\nfn two() {\n    d e f\n}", "fn three() {\n    g\n}"]
    );
}

#[test]
fn a_sentence_that_is_longer_than_a_chunk_is_cut_between_words() {
    let long = (0..20).map(|word| format!("word{word}")).collect::<Vec<_>>().join(" ");
    let document = read("a.txt", &long);
    let chunks = cut(&document, 8, 0);
    assert!(chunks.iter().all(|chunk| chunk.tokens <= 8 && chunk.text.starts_with("word")), "{chunks:?}");
    assert_eq!(texts(&chunks).join(" "), long);
}

#[test]
fn a_megabyte_without_a_space_is_cut_soon() {
    let document = read("a.js", &"x=1;".repeat(300_000));
    let started = std::time::Instant::now();
    let chunks = chunks(&document, &ChunkSettings::default(), &|text| text.len().div_ceil(3));
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    assert_eq!(chunks.iter().map(|chunk| chunk.text.len()).sum::<usize>(), 1_200_000);
}

proptest! {
    #[test]
    fn every_word_is_in_a_chunk_in_order_and_none_is_too_long(
        sentences in proptest::collection::vec((1_usize..30, any::<bool>(), any::<bool>()), 1..60),
        tokens in 8_u32..60,
        overlap in 0_u32..30,
    ) {
        let mut text = String::new();
        let mut count = 0;
        for (length, heading, paragraph) in sentences {
            if heading {
                text.push_str(&format!("\n\n## Head{count}\n\n"));
                count += 1;
            }
            for _ in 0..length {
                text.push_str(&format!("Word{count} "));
                count += 1;
            }
            text.truncate(text.trim_end().len());
            text.push_str(if paragraph { ".\n\n" } else { ". " });
        }
        let document = read("a.md", &text);
        let chunks = cut(&document, tokens, overlap);
        let mut next = 0;
        for chunk in &chunks {
            prop_assert!(chunk.tokens <= tokens);
            prop_assert_eq!(chunk.tokens as usize, words(&chunk.text));
            let numbers: Vec<usize> = chunk.text.split_whitespace().map(|word| {
                word.trim_start_matches(|c: char| c.is_alphabetic()).trim_end_matches('.').parse().unwrap()
            }).collect();
            prop_assert!(numbers[0] <= next);
            prop_assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{:?}", numbers);
            prop_assert!(*numbers.last().unwrap() + 1 > next);
            next = numbers.last().unwrap() + 1;
        }
        prop_assert_eq!(next, count);
    }
}
