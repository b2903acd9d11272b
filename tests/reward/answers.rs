//! Final answers: where they are found, and when two are the same.

use proptest::prelude::*;
use serde_json::json;

use super::world::{reason, row, score, set, task};

fn given(reference: &str, completion: &str) -> f64 {
    score(
        &set(&task("math"), json!(["answer"])),
        &row(json!({"question": "q", "answer": reference})),
        completion,
    )
    .value
}

#[test]
fn an_answer_is_found_where_people_write_it() {
    let reference = "6 * 3 = <<6*3=18>>18\n#### 18";
    let right = [
        "so 18 apples\n#### 18",
        "#### 1\nno:\n#### 18",
        "it is \\boxed{18}",
        "it is \\boxed{\\frac{36}{2}}",
        "The answer is 18.",
        "**Answer: 18**",
        "the answer is: $18.00",
        "first 3, then 18",
        "#### 18 apples",
    ];
    for completion in right {
        assert_eq!(given(reference, completion), 1.0, "{completion:?}");
    }
    for completion in ["#### 19", "18 it was, no: 19", "", "####", "\\boxed{}", "The answer is nothing."] {
        assert_eq!(given(reference, completion), 0.0, "{completion:?}");
    }
}

#[test]
fn answers_that_are_written_in_another_way_are_the_same() {
    let same = [
        ("1,234", "1234"),
        ("3/4", "0.75"),
        ("\\frac{3}{4}", "\\frac34"),
        ("0.5", ".5"),
        ("50", "50\\%"),
        ("5", "x = 5"),
        ("5", "5\\text{ cm}"),
        ("(C)", "(c)"),
        ("Paris", "**paris**"),
        ("\\sqrt{3}", "\\sqrt3"),
        ("2\\sqrt{2}", "2 \\sqrt{2}"),
        ("-7", "\u{2212}7"),
    ];
    for (reference, answer) in same {
        assert_eq!(
            given(&format!("#### {reference}"), &format!("#### {answer}")),
            1.0,
            "{reference} {answer}"
        );
    }
    for (reference, answer) in
        [("5", "-5"), ("Paris", "Rome"), ("1e3", "100"), ("x^2", "x^3"), ("3/4", "4/3")]
    {
        assert_eq!(
            given(&format!("#### {reference}"), &format!("#### {answer}")),
            0.0,
            "{reference} {answer}"
        );
    }
}

#[test]
fn an_answer_may_have_to_be_in_its_place() {
    let task = task("math");
    let record = row(json!({"question": "q", "answer": "#### 18"}));
    let boxed = set(&task, json!({"answer": {"from": "boxed"}}));
    let scored = score(&boxed, &record, "#### 18");
    assert_eq!((scored.value, &*scored.deductions[0].why), (0.0, "no final answer can be read"));
    let text = set(&task, json!({"answer": {"compare": "text"}}));
    assert_eq!(score(&text, &record, "#### 18.0").value, 0.0);
    let wrong = score(&text, &record, "#### 19");
    assert_eq!(wrong.deductions[0].why, "it answers 19, the reference is 18");
    assert_eq!(reason(&text, &row(json!({"question": "q"})), "#### 1"), "the record has no reference answer");
}

proptest! {
    #[test]
    fn no_completion_makes_the_reader_panic(
        text in r"(?s)(####|\\boxed\{|\\frac|\\sqrt|\\text\{|[{}=$%.,/0-9-]|answer is|\n|é|.){0,40}",
    ) {
        let value = given(&format!("#### {text}"), &text);
        prop_assert!(value == 0.0 || value == 1.0);
    }

    #[test]
    fn a_number_is_the_same_behind_any_words(number in -1_000_000_i64..1_000_000, words in "[a-z ]{0,30}") {
        prop_assert_eq!(given(&format!("#### {number}"), &format!("{words}\n#### {number}")), 1.0);
        prop_assert_eq!(given(&format!("#### {number}"), &format!("{words}\n#### {}", number + 1)), 0.0);
    }
}
