//! Constraints that take their time.

use std::time::{Duration, Instant};

use dojo_studio::engine::generate::{Compiler, Constraint};

use crate::support::tiny::Tiny;

#[test]
fn a_constraint_that_took_too_long_holds_nobody_up_and_is_there_for_whoever_asks_again() {
    let place = tempfile::tempdir().unwrap();
    let model = Tiny::new("llama").open_folder(place.path());
    let patience = Duration::from_nanos(1);
    let compiler =
        Compiler::new(model.tokenizer, model.config.vocabulary, model.config.eos).waiting(patience);
    // More of them than may run at the same time.
    for number in 0..9 {
        let choices = (0..200).map(|index| format!("{number}, then {index}")).collect();
        let constraint = Constraint::Choice(choices);
        while let Err(error) = compiler.compile(&constraint) {
            assert!(error.to_string().contains("takes more than 0 seconds to compile"), "{error}");
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_constraint_is_not_to_blame_for_the_time_that_the_tokenizer_takes() {
    let place = tempfile::tempdir().unwrap();
    let model = Tiny::new("llama").open_folder(place.path());
    for _ in 0..30 {
        // Without an end token the tokenizer can't be prepared: that is known before the constraint's own time begins.
        let compiler = Compiler::new(model.tokenizer.clone(), model.config.vocabulary, Vec::new())
            .waiting(Duration::from_nanos(1));
        let error = compiler.compile(&Constraint::JsonObject).err().unwrap();
        assert!(error.to_string().contains("end token"), "{error}");
    }
}

#[test]
fn multiples_that_would_fill_the_memory_are_refused_at_once() {
    let place = tempfile::tempdir().unwrap();
    let model = Tiny::new("llama").open_folder(place.path());
    let compiler = Compiler::new(model.tokenizer, model.config.vocabulary, model.config.eos);
    let of = |numbers: &[&str]| {
        let each = numbers.iter().map(|number| format!(r#"{{"type": "number", "multipleOf": {number}}}"#));
        let schema = format!(r#"{{"anyOf": [{}]}}"#, each.collect::<Vec<_>>().join(", "));
        Constraint::JsonSchema(serde_json::from_str(&schema).unwrap())
    };
    for numbers in [&["99999989"][..], &["1e300"], &["997", "991"], &["0.00012345"]] {
        let error = compiler.compile(&of(numbers)).err().unwrap().to_string();
        assert!(error.contains("multipleOf may come to 10000 remainders"), "{numbers:?}: {error}");
    }
    for numbers in [&["0.01"][..], &["5", "10", "1000"], &["0.25"], &["2.5e3"]] {
        assert!(compiler.compile(&of(numbers)).is_ok(), "{numbers:?}");
    }
    let grammar = "start: %json { \"type\": \"integer\", \"multipleOf\": 99999989 }".to_owned();
    let error = compiler.compile(&Constraint::Grammar(grammar)).err().unwrap().to_string();
    assert!(error.contains("multiples of 99999989"), "{error}");
}

#[test]
fn constraints_that_take_long_dont_hold_up_those_that_dont() {
    let place = tempfile::tempdir().unwrap();
    let model = Tiny::new("llama").open_folder(place.path());
    let patience = Duration::from_secs(2);
    let compiler =
        Compiler::new(model.tokenizer, model.config.vocabulary, model.config.eos).waiting(patience);
    compiler.compile(&Constraint::JsonObject).unwrap();
    std::thread::scope(|scope| {
        // As many as may be compiled at the same time; each takes far more than a fifth of the time.
        let asking = [0, 1].map(|number| {
            let slow = Constraint::Regex(format!("{number}a{{99999}}{{99999}}"));
            let compiler = &compiler;
            scope.spawn(move || compiler.compile(&slow).is_ok())
        });
        let begun = Instant::now();
        let is_done = || asking.iter().any(std::thread::ScopedJoinHandle::is_finished);
        let mut quick = 0;
        while quick < 3 {
            let constraint = Constraint::Choice(vec![format!("{:?}", begun.elapsed())]);
            compiler.compile(&constraint).unwrap();
            assert!(!is_done(), "{quick} after {:?}", begun.elapsed());
            quick += usize::from(begun.elapsed() > patience / 6);
        }
    });
}
