//! Long answers make room for a short question, and go on as if nothing had been.

use dojo_studio::engine::generate::{
    Completion, Constraint, EndTokens, Event, Finish, GenerateRequest, Generator, Limits, Precision,
    RequestId, Sampling, What,
};

use super::{generator, open, run, tokens};
use crate::support::tiny::Tiny;

/// An answer that takes a place for long; each another one.
fn long(seed: u64) -> GenerateRequest {
    let sampling = Sampling { temperature: 1.0, seed, ..Sampling::default() };
    GenerateRequest {
        sampling,
        end: EndTokens::Ignored,
        ..GenerateRequest::new(tokens(40, seed as u32), 100)
    }
}

/// The letters are chosen by a constraint, whose state has to be kept.
fn constrained() -> GenerateRequest {
    GenerateRequest { constraint: Some(Constraint::Regex("[ab]{60}".to_owned())), ..long(90) }
}

fn question(seed: u32) -> GenerateRequest {
    GenerateRequest { end: EndTokens::Ignored, ..GenerateRequest::new(tokens(12, 500 + seed), 4) }
}

fn with_places(sequences: usize) -> (Generator, tempfile::TempDir) {
    let (model, place) = open(&Tiny { tied: false, context: 1024, ..Tiny::new("llama") });
    (generator(&model, Precision::Full, Limits { threads: 1, sequences, ..Limits::default() }), place)
}

/// Steps until the request's first token.
fn steps_to_begin(generator: &mut Generator, asked: RequestId, events: &mut Vec<Event>) -> usize {
    for step in 1.. {
        let new = generator.step().unwrap();
        let begun = new.iter().any(|event| event.request == asked);
        events.extend(new);
        if begun {
            return step;
        }
    }
    unreachable!()
}

fn ids(events: &[Event], of: RequestId) -> Vec<u32> {
    let own = events.iter().filter(|event| event.request == of);
    own.filter_map(|event| match &event.what {
        What::Token { token, .. } => Some(token.id),
        What::Prompt { .. } | What::Finished { .. } => None,
    })
    .collect()
}

#[test]
fn a_short_question_begins_though_long_answers_have_every_place_and_these_end_as_they_would() {
    let requests = || (0..4).map(|seed| long(u64::from(seed as u8))).chain([constrained()]);
    let (mut generator, _place) = with_places(16);
    let undisturbed = run(&mut generator, requests().collect());
    let (mut generator, _place) = with_places(5);
    let asked: Vec<RequestId> = requests().map(|request| generator.submit(request).unwrap()).collect();
    let mut events = Vec::new();
    for _ in 0..20 {
        events.extend(generator.step().unwrap());
    }
    for seed in 0..6 {
        let short = generator.submit(question(seed)).unwrap();
        assert!(steps_to_begin(&mut generator, short, &mut events) <= 5, "question {seed}");
    }
    while generator.unfinished() > 0 {
        events.extend(generator.step().unwrap());
    }
    for (asked, undisturbed) in asked.into_iter().zip(&undisturbed) {
        assert_eq!(ids(&events, asked), undisturbed[0].tokens);
        let end = events.iter().find_map(|event| match &event.what {
            What::Finished { why, usage, .. } if event.request == asked => Some((*why, *usage)),
            What::Finished { .. } | What::Token { .. } | What::Prompt { .. } => None,
        });
        assert_eq!(end, Some((undisturbed[0].why, undisturbed[0].usage)));
    }
}

#[test]
fn those_that_ask_for_as_much_wait_for_each_other() {
    let (mut generator, _place) = with_places(2);
    let request = |seed| GenerateRequest { max_tokens: 60, ..long(seed) };
    let asked: Vec<RequestId> = (0..6).map(|seed| generator.submit(request(seed)).unwrap()).collect();
    let mut ended = Vec::new();
    while generator.unfinished() > 0 {
        for event in generator.step().unwrap() {
            if let What::Finished { why, .. } = event.what {
                assert_eq!(why, Finish::Length);
                ended.push(event.request);
            }
        }
    }
    assert_eq!(ended, asked);
}

#[test]
fn a_long_answer_is_set_aside_only_so_often() {
    let (mut generator, _place) = with_places(1);
    let patient = generator.submit(GenerateRequest { max_tokens: 400, ..long(1) }).unwrap();
    let mut seed = 0;
    let (mut steps, mut ended) = (0, false);
    while !ended {
        // Somebody waits at every moment.
        if generator.waiting() < 2 {
            generator.submit(question(seed)).unwrap();
            seed += 1;
        }
        steps += 1;
        let events = generator.step().unwrap();
        ended = events
            .iter()
            .any(|event| event.request == patient && matches!(event.what, What::Finished { .. }));
    }
    assert!((10..=80).contains(&seed), "{seed}");
    assert!(steps <= 400 + 80 * 8, "{steps}");
}

/// Writes to the end of the context, and says nothing of how much it may write.
fn endless(seed: u64) -> GenerateRequest {
    GenerateRequest { max_tokens: usize::MAX >> 1, ..long(seed) }
}

#[test]
fn a_question_without_a_limit_begins_beside_endless_answers_that_have_every_place() {
    let (mut generator, _place) = with_places(8);
    for seed in 0..12 {
        generator.submit(endless(seed)).unwrap();
    }
    let mut events = Vec::new();
    for _ in 0..40 {
        events.extend(generator.step().unwrap());
    }
    for seed in 20..24 {
        let asked = generator.submit(endless(seed)).unwrap();
        let steps = steps_to_begin(&mut generator, asked, &mut events);
        assert!(steps <= 200, "{steps}");
        let short = generator.submit(question(seed as u32)).unwrap();
        let steps = steps_to_begin(&mut generator, short, &mut events);
        assert!(steps <= 5, "{steps}");
    }
}

#[test]
fn answers_that_outgrow_the_cache_together_end_as_they_would_alone() {
    let requests = || (0..6).map(|seed| GenerateRequest { max_tokens: 300, ..long(seed) });
    let (model, _place) = open(&Tiny { tied: false, context: 400, ..Tiny::new("llama") });
    let with_cache = |cache_bytes| {
        generator(&model, Precision::Full, Limits { threads: 1, cache_bytes, ..Limits::default() })
    };
    let undisturbed = run(&mut with_cache(1 << 30), requests().collect());
    // One whole context: six answers of 340 tokens don't fit together.
    let mut small = with_cache(0);
    assert!(small.positions() < 2 * 340);
    let ended = run(&mut small, requests().collect());
    let tokens =
        |all: &[Vec<Completion>]| all.iter().map(|choices| choices[0].tokens.clone()).collect::<Vec<_>>();
    assert_eq!(tokens(&ended), tokens(&undisturbed));
}
