//! Which passages are worth an answer, and what is embedded for a library.

use dojo_studio::app::library::LocalEmbedder;
use dojo_studio::app::library::answer::{near, standing_alone};
use dojo_studio::domain::retrieval::{FoundPassage, ListPlace};
use dojo_studio::engine::model::ModelFiles;
use dojo_studio::rag::embedding::{EmbeddedAs, TextEmbedder};
use serde_json::json;

use crate::engine::embed::write_tiny_bert;

fn passage(dense: Option<f32>, bm25: Option<f32>) -> FoundPassage {
    let place = |score: Option<f32>| score.map(|score| ListPlace { rank: 1, score });
    FoundPassage {
        rank: 1,
        score: 1.0,
        bm25: place(bm25),
        dense: place(dense),
        lists: Vec::new(),
        reranked: None,
        source: "a.md".into(),
        title: "a".into(),
        context: None,
        section: Vec::new(),
        pages: None,
        chunks: (0, 0),
        text: "text".into(),
        id: 1,
    }
}

#[test]
fn a_passage_is_near_by_its_meaning_or_by_seldom_words_and_others_are_left_out() {
    let meant = passage(Some(0.4), None);
    let named = passage(Some(0.17), Some(7.0));
    let others = [passage(Some(0.08), None), passage(Some(0.1), Some(2.1)), passage(None, Some(1.0))];
    let all = [vec![meant.clone(), named.clone()], others.to_vec()].concat();
    assert_eq!(near(all), [meant, named]);
    assert_eq!(near(others.to_vec()), []);
    // Without embeddings a word in common is all that is known.
    assert_eq!(near(vec![passage(None, Some(0.5))]).len(), 1);
}

#[test]
fn a_rewritten_question_is_taken_only_if_it_is_one() {
    assert_eq!(standing_alone(" \"What did Carnot find?\"\nMore words.", "and he?"), "What did Carnot find?");
    assert_eq!(standing_alone("  \n", "and he?"), "and he?");
    assert_eq!(standing_alone("<think>\nCarnot.\n</think>\n\nWho was Carnot?", "and he?"), "Who was Carnot?");
    assert_eq!(standing_alone("<think>\nThe reader wants", "and he?"), "and he?");
    assert_eq!(standing_alone(&"long ".repeat(200), "and he?"), "and he?");
    // One about something else is none of this question.
    let asked = "What is ParquetDB compared with in the benchmarks?";
    assert_eq!(standing_alone("The answer is based on the previous answer.", asked), asked);
    assert_eq!(
        standing_alone("What was ParquetDB compared to in its benchmark?", asked),
        "What was ParquetDB compared to in its benchmark?"
    );
    assert_eq!(standing_alone("Was fand Carnot 1824 heraus?", "und 1824?"), "Was fand Carnot 1824 heraus?");
    assert_eq!(standing_alone("卡诺发现了什么?", "他发现了什么?"), "卡诺发现了什么?");
}

#[test]
fn a_question_and_a_passage_are_embedded_with_what_the_models_files_say_before_each() {
    let place = tempfile::tempdir().unwrap();
    write_tiny_bert(place.path());
    let files = ModelFiles::at(place.path()).unwrap();
    let plain = LocalEmbedder::open(&files).unwrap();
    let prompts = json!({ "prompts": { "query": "q ", "document": "p p " } });
    std::fs::write(place.path().join("config_sentence_transformers.json"), prompts.to_string()).unwrap();
    let embedder = LocalEmbedder::open(&files).unwrap();
    let said = |text: &str| plain.embed(&[text], EmbeddedAs::Query).unwrap();
    assert_eq!(embedder.embed(&["a b"], EmbeddedAs::Query).unwrap(), said("q a b"));
    assert_eq!(embedder.embed(&["a b"], EmbeddedAs::Passage).unwrap(), said("p p a b"));
    assert_ne!(said("q a b"), said("p p a b"));
    assert_ne!(embedder.model(), plain.model());
    // The room for a passage is what its prefix leaves.
    assert_eq!((plain.longest(), embedder.longest()), (12, 10));
}
