//! Which passages are worth an answer.

use dojo_studio::app::library::answer::{near, standing_alone};
use dojo_studio::domain::retrieval::{FoundPassage, ListPlace};

fn passage(dense: Option<f32>, bm25: Option<f32>) -> FoundPassage {
    let place = |score: Option<f32>| score.map(|score| ListPlace { rank: 1, score });
    FoundPassage {
        rank: 1,
        score: 1.0,
        bm25: place(bm25),
        dense: place(dense),
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
    assert_eq!(standing_alone(&"long ".repeat(200), "and he?"), "and he?");
}
