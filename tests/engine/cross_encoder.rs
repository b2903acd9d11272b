//! Cross-encoders: a tiny random one against figures that NumPy computed with the same numbers in double precision.

use dojo_studio::engine::embed::{CrossEncoder, is_cross_encoder};
use dojo_studio::engine::model::ModelFiles;

use super::embed::{write_tiny_bert, write_tiny_cross_encoder};

fn tiny(numbers: usize) -> (ModelFiles, tempfile::TempDir) {
    let place = tempfile::tempdir().unwrap();
    write_tiny_cross_encoder(place.path(), numbers);
    (ModelFiles::at(place.path()).unwrap(), place)
}

fn scores(numbers: usize, pairs: &[(&str, &str)]) -> Vec<f32> {
    let (files, _place) = tiny(numbers);
    let model = CrossEncoder::open(&files).unwrap();
    pairs.iter().map(|(question, passage)| model.score(question, passage).unwrap()).collect()
}

#[track_caller]
fn near(found: &[f32], wanted: &[f32]) {
    let far = found.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(found.len() == wanted.len() && far < 2e-6, "{found:?} is not {wanted:?}");
}

#[test]
fn a_pairs_number_is_what_the_reference_says() {
    let pairs = [("a b", "c d e"), ("x", "y"), ("a b", "z q")];
    near(&scores(1, &pairs), &[-0.098_400_4, -0.067_499_6, -0.084_747_9]);
    // Of two numbers the second speaks for the passage.
    let apart = [0.640_981_34 - 0.154_475_82, 0.659_878_09 - 0.185_376_63, 0.659_429_52 - 0.168_128_32];
    near(&scores(2, &pairs), &apart);
}

#[test]
fn a_passage_is_cut_to_what_the_model_reads_and_the_question_is_not() {
    let pairs = [("a b", "c d e f g h i"), ("a b", "c d e f g h i j k l m n")];
    near(&scores(1, &pairs), &[-0.107_403_76, -0.107_403_76]);
}

#[test]
fn what_puts_no_number_on_a_pair_is_refused_in_words() {
    let (three, _place) = tiny(3);
    assert!(is_cross_encoder(&three));
    let refused = |files: &ModelFiles| format!("{:#}", CrossEncoder::open(files).err().expect("a refusal"));
    assert!(refused(&three).contains("it gives 3 numbers for a pair"), "{}", refused(&three));

    let place = tempfile::tempdir().unwrap();
    write_tiny_bert(place.path());
    let sentences = ModelFiles::at(place.path()).unwrap();
    assert!(!is_cross_encoder(&sentences));
    assert!(refused(&sentences).contains("read as BertForSequenceClassification"), "{}", refused(&sentences));
}
