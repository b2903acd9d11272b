//! Plans: the same seeds from the same blueprint, in every cell its share, and nothing that moves when others come.

use std::collections::{BTreeMap, BTreeSet};

use dojo_studio::blueprint::{Blueprint, Seed, SeedOrder, cell_counts};

use super::BREAD;

fn bread() -> Blueprint {
    Blueprint::parse(BREAD, "b.toml").unwrap_or_else(|error| panic!("{error}"))
}

fn named(blueprint: &Blueprint, seeds: impl Iterator<Item = Seed>) -> BTreeMap<(String, u32), Vec<String>> {
    seeds.map(|seed| ((blueprint.cell_name(seed.cell).to_string(), seed.number), seed.columns)).collect()
}

#[test]
fn a_longer_plan_begins_with_the_shorter_one() {
    let blueprint = bread();
    let short: Vec<Seed> = SeedOrder::new(&blueprint).take(200).collect();
    let long: Vec<Seed> = SeedOrder::new(&blueprint).take(1000).collect();
    assert_eq!(short, long[..200]);
}

#[test]
fn every_cell_has_its_share_at_every_moment() {
    let blueprint = bread();
    let counts = cell_counts(&blueprint, 320);
    assert_eq!(counts.iter().map(|(_, planned)| planned).sum::<u64>(), 320);
    for (cell, planned) in counts {
        // Three of four examples are of the subtopic with the weight 3, over eight cells each.
        let due = if cell.subtopic == 0 { 30 } else { 10 };
        assert!(planned.abs_diff(due) <= 1, "{}: {planned}", blueprint.cell_name(cell));
    }
    let first: BTreeSet<_> = SeedOrder::new(&blueprint).take(40).map(|seed| seed.cell).collect();
    assert_eq!(first.len(), 16, "all cells come before the lightest comes twice");
}

#[test]
fn a_new_subtopic_moves_nothing_that_was_planned_for_the_others() {
    let before = bread();
    let more = BREAD.replacen("[[forms]]", "[[map.subtopics]]\nname = \"ovens\"\n\n[[forms]]", 1);
    let after = Blueprint::parse(&more, "b.toml").unwrap_or_else(|error| panic!("{error}"));
    let (old, new) =
        (named(&before, SeedOrder::new(&before).take(200)), named(&after, SeedOrder::new(&after).take(400)));
    let moved: Vec<_> =
        old.iter().filter(|(seed, columns)| new.get(*seed).is_some_and(|now| now != *columns)).collect();
    assert_eq!(moved, Vec::<(&(String, u32), &Vec<String>)>::new());
}

#[test]
fn values_come_by_their_weights_and_only_where_the_other_column_allows_them() {
    let blueprint = bread();
    let mut pairs: BTreeMap<(String, String), u64> = BTreeMap::new();
    for seed in SeedOrder::new(&blueprint).take(4000) {
        *pairs.entry((seed.columns[0].clone(), seed.columns[1].clone())).or_default() += 1;
    }
    let known: Vec<(&str, &str)> = pairs.keys().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(known, [("baker", "hard"), ("baker", "harder"), ("beginner", "easy")]);
}

#[test]
fn a_cell_repeats_no_values_before_it_has_had_all() {
    let blueprint = bread();
    let mut of_cells: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for seed in SeedOrder::new(&blueprint).take(320) {
        of_cells.entry(blueprint.cell_name(seed.cell).to_string()).or_default().push(seed.columns);
    }
    // Three are possible: each of the first few draws is a new one.
    let repeats = of_cells.values().filter(|drawn| drawn[0] == drawn[1]).count();
    assert_eq!(repeats, 0, "{of_cells:?}");
}

#[test]
fn another_seed_gives_another_plan() {
    let blueprint = bread();
    let other = Blueprint::parse(&BREAD.replace("seed = 5", "seed = 6"), "b.toml").expect("a blueprint");
    let (one, two) = (SeedOrder::new(&blueprint).take(40), SeedOrder::new(&other).take(40));
    assert_ne!(named(&blueprint, one), named(&other, two));
}

#[test]
fn a_question_is_one_of_the_form_s_with_the_values_in_place() {
    let blueprint = bread();
    let mut asked: BTreeSet<String> = BTreeSet::new();
    for seed in SeedOrder::new(&blueprint).take(200) {
        let question = blueprint.question(&seed).expect("a question");
        assert_eq!(question.is_some(), blueprint.cell_name(seed.cell).form == "principles");
        asked.extend(question.filter(|_| seed.cell.subtopic == 0 && seed.cell.evolution == 3));
    }
    assert_eq!(asked.into_iter().collect::<Vec<_>>(), ["Explain fermentation.", "Why a cold night?"]);
}
