//! Sentence embeddings beside those of PyTorch.

use dojo_studio::engine::embed::Embedder;
use serde::Deserialize;

use crate::support::models::{golden, minilm};

#[derive(Deserialize)]
struct Sentence {
    text: String,
    input_ids: Vec<u32>,
    embedding: Vec<f32>,
}

#[test]
fn sentence_embeddings_are_the_references() {
    let (Some(folder), Some(files)) = (golden(), minilm()) else { return };
    let text = std::fs::read_to_string(folder.join("embeddings.json")).unwrap();
    let sentences: Vec<Sentence> = serde_json::from_str(&text).unwrap();
    let embedder = Embedder::open(&files).unwrap();
    let texts: Vec<&str> = sentences.iter().map(|sentence| sentence.text.as_str()).collect();
    // Together, in groups of like length: padding must change nothing.
    let embedded = embedder.embed(&texts).unwrap();
    assert_eq!(embedded.tokens, sentences.iter().map(|sentence| sentence.input_ids.len()).sum::<usize>());
    for (sentence, vector) in sentences.iter().zip(&embedded.vectors) {
        assert_eq!(vector.len(), sentence.embedding.len());
        for (value, expected) in vector.iter().zip(&sentence.embedding) {
            assert!((value - expected).abs() < 1e-5, "{}: {value} and {expected}", sentence.text);
        }
    }
}
