//! Questions with lines that a model adds: which are searched for, which are left out, and how they count.

use std::time::Duration;

use dojo_studio::domain::retrieval::{
    ExpansionTrace, FoundPassages, LineKind, PassageQuery, QueryLine, SearchMode,
};
use dojo_studio::rag::search::{Expansion, ExpansionStep, QueryExpander, SearchTools, line, typed};

use super::world::{World, query};

/// A model that says what it is told to, and remembers what it was asked.
struct Speaks {
    lines: Vec<QueryLine>,
    asked: Vec<(String, Option<String>)>,
}

impl Speaks {
    fn of(lines: &[&str]) -> Self {
        Self { lines: lines.iter().map(|text| line(text).unwrap()).collect(), asked: Vec::new() }
    }
}

impl QueryExpander for Speaks {
    fn name(&self) -> &'static str {
        "expander"
    }

    fn expand(&mut self, question: &str, intent: Option<&str>, _: Duration) -> Expansion {
        self.asked.push((question.to_owned(), intent.map(str::to_owned)));
        Expansion { lines: self.lines.clone(), notice: None }
    }
}

fn expanded(world: &mut World, query: &PassageQuery, expander: &mut Speaks) -> FoundPassages {
    let expansion = Some(ExpansionStep { expander, within: Duration::from_secs(1) });
    let mut tools = SearchTools { embedder: Some(&world.embedder), expansion, reranking: None };
    world.library.search_with(query, &mut tools).unwrap()
}

fn trace_of(world: &mut World, question: &str, lines: &[&str]) -> ExpansionTrace {
    let found = expanded(world, &query(SearchMode::Hybrid, question), &mut Speaks::of(lines));
    found.trace.expansion.unwrap()
}

#[test]
fn added_lines_find_what_the_question_lacks_and_the_question_counts_double() {
    let mut world =
        World::with(&[("a", "Trains run late."), ("b", "Locomotives are delayed."), ("c", "Zebras.")]);
    let question = query(SearchMode::Hybrid, "trains late");
    let mut expander =
        Speaks::of(&["lex: locomotive delay", "vec: why are locomotives delayed", "hyde: Trains late."]);
    let found = expanded(&mut world, &question, &mut expander);
    assert_eq!(expander.asked, [("trains late".to_owned(), None)]);
    let lists: Vec<_> = found
        .trace
        .lists
        .iter()
        .map(|list| (list.line, list.is_dense, list.is_expansion, list.weight))
        .collect();
    assert_eq!(
        lists,
        [
            (None, false, false, 2.0),
            (None, true, false, 2.0),
            (Some(LineKind::Lex), false, true, 1.0),
            (Some(LineKind::Vec), true, true, 1.0),
            (Some(LineKind::Hyde), true, true, 1.0),
        ]
    );
    let sources: Vec<&str> = found.passages.iter().map(|passage| passage.source.as_str()).collect();
    assert_eq!(sources, ["a", "b", "c"]);
    let places: Vec<(usize, u32)> =
        found.passages[1].lists.iter().map(|place| (place.list, place.rank)).collect();
    assert!(places.contains(&(2, 1)), "the added words find it first: {places:?}");
    assert_eq!(found.passages[1].bm25.map(|place| place.rank), Some(1), "only the expansion's words have it");
}

#[test]
fn a_question_whose_words_find_one_document_for_sure_is_not_expanded() {
    let mut world = World::with(&[
        ("a", "Coelacanth fossils, coelacanth bones and the coelacanth itself."),
        ("b", "Bones of other animals."),
        ("c", "Nothing of that."),
    ]);
    let mut expander = Speaks::of(&["lex: fish"]);
    let sure = expanded(&mut world, &query(SearchMode::Hybrid, "coelacanth bones"), &mut expander);
    let why = sure.trace.expansion.unwrap().passed_over.unwrap();
    assert!(why.starts_with("BM25 is sure: its best score is "), "{why}");
    assert_eq!((expander.asked.len(), sure.trace.lists.len()), (0, 2));

    let unsure = expanded(&mut world, &query(SearchMode::Hybrid, "bones"), &mut expander);
    assert_eq!(unsure.trace.expansion.unwrap().passed_over, None);
    // One document with a word in common is nothing to compare with.
    let alone = expanded(&mut world, &query(SearchMode::Hybrid, "nothing"), &mut expander);
    assert_eq!(alone.trace.expansion.unwrap().passed_over, None);
    // Meanings are never sure.
    let dense = expanded(&mut world, &query(SearchMode::Dense, "coelacanth bones"), &mut expander);
    assert_eq!(dense.trace.expansion.unwrap().passed_over, None);
}

#[test]
fn lines_that_a_search_has_no_list_for_are_told_of() {
    let mut world = World::with(&[("a", "apples"), ("b", "pears")]);
    let mut expander = Speaks::of(&["lex: fruit", "vec: which fruit is there", "lex: apples pears"]);
    let found = expanded(&mut world, &query(SearchMode::Bm25, "apples pears"), &mut expander);
    let trace = found.trace.expansion.unwrap();
    let left: Vec<&str> = trace.passed_over_lines.iter().map(|left| left.why.as_str()).collect();
    assert_eq!(
        (trace.added, left),
        (1, vec!["a bm25 search asks no vec lines", "it is the question itself"])
    );
}

#[test]
fn typed_lines_are_searched_as_they_are() {
    let mut world = World::with(&[("a", "apples"), ("b", "pears")]);
    let lines = typed("lex: apples\nvec: pears\n").unwrap().unwrap().lines;
    let question = PassageQuery { lines, ..query(SearchMode::Hybrid, "") };
    let mut expander = Speaks::of(&["lex: plums"]);
    let found = expanded(&mut world, &question, &mut expander);
    assert_eq!(found.trace.lists.iter().map(|list| list.weight).collect::<Vec<_>>(), [2.0, 1.0]);
    let trace = found.trace.expansion.unwrap();
    assert_eq!(trace.passed_over.as_deref(), Some("typed lines are an expansion already"));
    assert!(expander.asked.is_empty());

    let words = PassageQuery { mode: SearchMode::Bm25, ..question };
    let found = world.library.search(&words, None).unwrap();
    assert_eq!(found.trace.notices, ["a bm25 search asks no vec lines: \"pears\" was left out"]);
}

#[test]
fn an_intent_moves_the_meaning_and_leaves_the_words_alone() {
    // The letters of the second are those of the intent.
    let mut world = World::with(&[("money", "bank mmm ooo nnn"), ("river", "bank rrr iii vvv")]);
    let question = query(SearchMode::Dense, "bank");
    let meant = PassageQuery { intent: Some("rrriiivvv".to_owned()), ..question.clone() };
    let scores = |found: &FoundPassages, source: &str| {
        let passage = found.passages.iter().find(|passage| passage.source == source).unwrap();
        passage.dense.unwrap().score
    };
    let plain = world.library.search(&question, Some(&world.embedder)).unwrap();
    let moved = world.library.search(&meant, Some(&world.embedder)).unwrap();
    assert!(scores(&plain, "money") > scores(&moved, "money"));
    assert!(scores(&plain, "river") < scores(&moved, "river"));
    assert_eq!(moved.passages[0].source, "river");
    assert_eq!(moved.trace.intent.as_deref(), Some("rrriiivvv"));
    // However long it is, what is asked is the larger part.
    let long = PassageQuery { intent: Some("rrriiivvv ".repeat(20)), ..question };
    let long = world.library.search(&long, Some(&world.embedder)).unwrap();
    assert!((scores(&long, "river") - scores(&moved, "river")).abs() < 1e-5);

    let words = PassageQuery { mode: SearchMode::Bm25, ..meant.clone() };
    let found = world.library.search(&words, None).unwrap();
    assert_eq!(found.passages.len(), 2, "only the question's words are searched");
    assert!(found.trace.notices[0].starts_with("the intent changed nothing"), "{:?}", found.trace.notices);
    let mut expander = Speaks::of(&["lex: shore"]);
    let found = expanded(&mut world, &words, &mut expander);
    assert_eq!(expander.asked, [("bank".to_owned(), Some("rrriiivvv".to_owned()))]);
    assert_eq!(found.trace.notices, Vec::<String>::new());
}

/// A question, its expansion in its own language, and one in another.
struct Case<'t> {
    question: &'t str,
    own: Vec<&'t str>,
    other: Vec<&'t str>,
}

fn cases(text: &str) -> Vec<Case<'_>> {
    let mut cases: Vec<Case<'_>> = Vec::new();
    for line in text.lines() {
        let (mark, said) = line.split_at_checked(2).unwrap_or((line, ""));
        match (mark, cases.last_mut()) {
            ("? ", _) => cases.push(Case { question: said, own: Vec::new(), other: Vec::new() }),
            ("+ ", Some(case)) => case.own.push(said),
            ("- ", Some(case)) => case.other.push(said),
            _ => assert!(line.starts_with('#'), "{line}"),
        }
    }
    cases
}

#[test]
fn an_expansion_stays_in_the_language_of_50_german_french_and_chinese_questions() {
    let mut world = World::with(&[("a", "text")]);
    let cases = cases(include_str!("../fixtures/expansion_languages.txt"));
    assert_eq!(cases.len(), 50);
    let mut wrong = Vec::new();
    for Case { question, own, other } in &cases {
        let kept = trace_of(&mut world, question, own);
        let dropped = trace_of(&mut world, question, other);
        // One line of another language among good ones.
        let mixed = [own.as_slice(), &other[2..]].concat();
        let mixed = trace_of(&mut world, question, &mixed);
        if (kept.added, dropped.added, mixed.added) != (3, 0, 3) {
            wrong.push((question, kept, dropped, mixed));
        }
    }
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

#[test]
fn english_expansions_of_english_questions_are_kept() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data/qmd_finetune/data/qmd_expansion_v3_structured.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("left out: no expansions at {}", path.display());
        return;
    };
    let mut world = World::with(&[("a", "text")]);
    let (mut lines, mut left, mut questions) = (0, Vec::new(), 0);
    for row in text.lines().step_by(4) {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        let question = row["query"].as_str().unwrap();
        let said: Vec<String> = row["output"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| format!("{}: {}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
            .collect();
        let said: Vec<&str> = said.iter().map(String::as_str).collect();
        let trace = trace_of(&mut world, question, &said);
        questions += 1;
        lines += said.len();
        let other = trace.passed_over_lines.into_iter().filter(|line| line.why.contains(" is in "));
        left.extend(other.map(|line| (question.to_owned(), line)));
    }
    println!("{questions} questions, {lines} lines, {} left out", left.len());
    assert!(left.len() * 500 < lines, "{} of {lines} lines: {left:#?}", left.len());
}
