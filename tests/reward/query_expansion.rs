//! The query-expansion reward, against the figures of the original program.

use dojo_studio::domain::reward::ScoreDetail;
use dojo_studio::reward::{QueryExpansionScore, score_query_expansion};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::world;

#[derive(Deserialize, Debug, PartialEq)]
struct Row {
    query: String,
    expansion: String,
    score: f64,
    percentage: f64,
    rating: String,
    format: i64,
    diversity: i64,
    hyde: i64,
    quality: i64,
    entity: i64,
    think_bonus: i64,
}

pub(super) fn golden() -> Option<String> {
    let folder = std::env::var("DOJO_GOLDEN").unwrap_or_else(|_| "../shared/golden".to_owned());
    let path = std::path::Path::new(&folder).join("query_expansion_scores.jsonl");
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("left out: {} is not here", path.display());
    }
    text
}

fn scored(query: &str, completion: &str) -> QueryExpansionScore {
    score_query_expansion(query, completion, ScoreDetail::Reasons)
}

#[test]
fn every_golden_row_is_equal_in_every_component() {
    let Some(text) = golden() else { return };
    let mut differing = Vec::new();
    let mut rows = 0;
    for line in text.lines() {
        let row: Row = serde_json::from_str(line).expect("a golden row");
        for detail in [ScoreDetail::Numbers, ScoreDetail::Reasons] {
            let given = score_query_expansion(&row.query, &row.expansion, detail);
            let given = Row {
                query: row.query.clone(),
                expansion: row.expansion.clone(),
                score: given.score,
                percentage: given.percentage,
                rating: given.rating.to_owned(),
                format: given.format,
                diversity: given.diversity,
                hyde: given.hyde,
                quality: given.quality,
                entity: given.entity,
                think_bonus: given.think_bonus,
            };
            if given != row {
                differing.push(format!("{row:?}\n    {given:?}"));
            }
        }
        rows += 1;
    }
    assert!(differing.is_empty(), "{} of {rows} differ, such as\n{}", differing.len(), differing[0]);
    assert_eq!(rows, 1506);
}

#[test]
fn every_lost_point_has_its_reason() {
    let given = scored(
        "React hooks tutorial",
        "lex: overview of state\nlex: overview of the state\nvec: React hooks",
    );
    let told: Vec<String> = given
        .deductions
        .iter()
        .map(|lost| format!("{} {}: {}", lost.points, lost.component, lost.why))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_fails_as_a_whole_says_why() {
    let why = |completion: &str| {
        let given = scored("fix wifi", completion);
        assert_eq!((given.score, given.rating, given.most), (0.0, "Failed", 100));
        given.deductions[0].why.clone()
    };
    assert_eq!(
        why("lex: wifi\nHere you are"),
        "line 2 begins with none of lex:, vec: and hyde: (\"Here you are\")"
    );
    assert_eq!(why("lex: wifi <|im_start|>"), "it holds \"<|im_start|>\", which belongs to the chat's form");
    let given = scored("fix wifi /only:vec", "lex: wifi");
    assert_eq!(given.deductions[0].why, "no vec line, which alone is asked for");
}

#[test]
fn lengths_are_counted_in_characters_and_percentages_have_one_decimal() {
    // 150 characters of two bytes each: within 50 to 200.
    let hyde = scored("a", &format!("hyde: {}", "é".repeat(150)));
    assert_eq!(hyde.hyde, 20);
    // 70 of 120.
    assert_eq!(scored("x", "lex: a").percentage, 58.3);
}

#[test]
fn the_reward_reads_the_query_of_the_record() {
    let task = world::task("query-expansion");
    let set = world::set(&task, json!(["query-expansion"]));
    let record = world::row(json!({"query": "fix wifi"}));
    let given = world::score(&set, &record, "lex: fix wifi router\nvec: how to repair a wireless connection");
    let alone = scored("fix wifi", "lex: fix wifi router\nvec: how to repair a wireless connection");
    assert_eq!(given.value, alone.score);
    assert_eq!(world::number(&given, "diversity"), alone.diversity as f64);
    let nothing = world::row(json!({"other": "x"}));
    assert_eq!(world::reason(&set, &nothing, "lex: a"), "the record has no query");
}

#[test]
#[ignore = "prints a figure: run it optimised"]
fn scores_in_a_second() {
    let Some(text) = golden() else { return };
    let rows: Vec<Row> = text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    for detail in [ScoreDetail::Numbers, ScoreDetail::Reasons] {
        let begun = std::time::Instant::now();
        let sum: f64 = (0..20)
            .flat_map(|_| &rows)
            .map(|row| score_query_expansion(&row.query, &row.expansion, detail).score)
            .sum();
        let each = rows.len() as f64 * 20.0 / begun.elapsed().as_secs_f64();
        println!("{detail:?}: {each:.0} scores/s on one thread (sum {sum:.3})");
    }
}

proptest! {
    #[test]
    fn no_completion_makes_the_reward_panic_or_leave_its_range(
        query in r#"(?s)([A-Za-z]{0,5} ?|/only:(lex|vec|hyde)|[^a]){0,8}"#,
        text in r#"(?s)((lex|vec|hyde): ?|<think>|</think>|<\|im_end\|>|\n|[a-z]{1,4} |.){0,30}"#,
    ) {
        let given = scored(&query, &text);
        prop_assert!((0.0..=1.0).contains(&given.score));
        prop_assert!((0.0..=100.0).contains(&given.percentage));
        let numbers = score_query_expansion(&query, &text, ScoreDetail::Numbers);
        prop_assert_eq!(QueryExpansionScore { deductions: Vec::new(), ..given }, numbers);
    }
}
