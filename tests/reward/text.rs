//! BLEU, ROUGE, METEOR and chrF, against the figures of the reference programs.

use dojo_studio::reward::text::rouge::{RougeKind, Stems, f_measure};
use dojo_studio::reward::text::{bleu, chrf, meteor, porter};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::world::{close, reason, row, score, set, task};

fn golden() -> Option<Value> {
    let folder = std::env::var("DOJO_GOLDEN").unwrap_or_else(|_| "../shared/golden".to_owned());
    let path = std::path::Path::new(&folder).join("text_metrics.json");
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("left out: {} is not here", path.display());
    }
    text.map(|text| serde_json::from_str(&text).expect("figures"))
}

#[test]
fn every_figure_of_the_reference_programs_is_met() {
    let Some(golden) = golden() else { return };
    let items = golden["items"].as_array().expect("items");
    let text = |item: &Value, name: &str| item[name].as_str().expect("a text").to_owned();
    let pairs: Vec<(String, String)> =
        items.iter().map(|item| (text(item, "hypothesis"), text(item, "reference"))).collect();
    for (item, (hypothesis, reference)) in items.iter().zip(&pairs) {
        let rouge = |kind, stems| f_measure(kind, stems, hypothesis, reference);
        let given = [
            ("sentence_bleu", bleu::sentence(hypothesis, reference)),
            ("rouge1", rouge(RougeKind::Ngrams(1), Stems::Ignored)),
            ("rouge2", rouge(RougeKind::Ngrams(2), Stems::Ignored)),
            ("rougeL", rouge(RougeKind::Longest, Stems::Ignored)),
            ("rouge1_stem", rouge(RougeKind::Ngrams(1), Stems::Compared)),
            ("rouge2_stem", rouge(RougeKind::Ngrams(2), Stems::Compared)),
            ("rougeL_stem", rouge(RougeKind::Longest, Stems::Compared)),
            ("meteor_no_synonyms", meteor::meteor(hypothesis, reference)),
        ];
        for (name, given) in given {
            let expected = item[name].as_f64().expect("a figure");
            assert!((given - expected).abs() < 1e-9, "{name} is {given}, not {expected}: {hypothesis}");
        }
    }
    let corpus = || pairs.iter().map(|(hypothesis, reference)| (hypothesis.as_str(), reference.as_str()));
    close(bleu::corpus(corpus()), golden["corpus_bleu"].as_f64().expect("a figure"));
    close(chrf::corpus(corpus()), golden["corpus_chrf"].as_f64().expect("a figure"));
    assert!(items.len() > 100, "{} pairs", items.len());
}

#[test]
fn stems_are_those_of_porter_as_nltk_has_him() {
    let cases = [
        ("caresses", "caress"),
        ("ponies", "poni"),
        ("ties", "tie"),
        ("cats", "cat"),
        ("feed", "feed"),
        ("agreed", "agre"),
        ("plastered", "plaster"),
        ("motoring", "motor"),
        ("conflated", "conflat"),
        ("hopping", "hop"),
        ("falling", "fall"),
        ("filing", "file"),
        ("happy", "happi"),
        ("sky", "sky"),
        ("relational", "relat"),
        ("digitizer", "digit"),
        ("formality", "formal"),
        ("electrical", "electr"),
        ("goodness", "good"),
        ("adoption", "adopt"),
        ("probate", "probat"),
        ("rate", "rate"),
        ("cease", "ceas"),
        ("controlling", "control"),
        ("roll", "roll"),
        ("dying", "die"),
        ("by", "by"),
        ("archaeology", "archaeolog"),
    ];
    for (word, stem) in cases {
        assert_eq!(porter::stem(word), stem, "{word}");
    }
}

#[test]
fn the_rewards_compare_with_the_reference_or_a_field() {
    let task = task("paraphrase");
    let record = row(
        json!({"sentence1": "the cat sat on the mat", "sentence2": "on the mat sat the cat", "label": 1}),
    );
    for reward in ["bleu", "rouge", "meteor"] {
        let own = set(&task, json!([reward]));
        let same = score(&own, &record, "on the mat sat the cat").value;
        assert!(same > 0.99, "{reward} of the reference itself is {same}");
        assert_eq!(score(&own, &record, "").value, 0.0, "{reward}");
        let source = set(&task, json!({reward: {"against": "sentence"}}));
        assert!(score(&source, &record, "the cat sat on the mat").value > 0.99, "{reward}");
    }
    let none = set(&task, json!({"bleu": {"against": "summary"}}));
    assert_eq!(reason(&none, &record, "x"), "the record has no summary");
}

proptest! {
    #[test]
    fn every_metric_stays_in_its_range(a in r"(?s)([a-c]{1,3} |[.,&-]|é|\n|.){0,30}", b in r"(?s)([a-c]{1,3} |[.,&-]|é|\n|.){0,30}") {
        let percent = 0.0..=100.000_001;
        prop_assert!(percent.contains(&bleu::sentence(&a, &b)));
        prop_assert!(percent.contains(&bleu::corpus([(a.as_str(), b.as_str())])));
        prop_assert!(percent.contains(&chrf::corpus([(a.as_str(), b.as_str())])));
        prop_assert!((0.0..=1.000_001).contains(&meteor::meteor(&a, &b)));
        prop_assert!((0.0..=1.000_001).contains(&f_measure(RougeKind::Longest, Stems::Compared, &a, &b)));
    }

    #[test]
    fn a_stem_is_never_longer_than_its_word_by_more_than_a_letter(word in "[a-zé]{0,12}") {
        prop_assert!(porter::stem(&word).chars().count() <= word.chars().count() + 1);
    }
}
