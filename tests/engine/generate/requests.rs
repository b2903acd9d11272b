//! What requests ask for, and get.

use std::time::Duration;

use dojo_studio::engine::generate::{
    Constraint, EndTokens, Event, Fault, Finish, GenerateRequest, Generator, Guesses, Limits, Overflow,
    Precision, Sampling, What,
};
use dojo_studio::engine::model::{self, ModelFiles};

use super::{generator, open, run, tokens};
use crate::support::tiny::{Tiny, write_safetensors};

fn tiny() -> (Generator, tempfile::TempDir) {
    let (model, place) = open(&Tiny { tied: false, ..Tiny::new("llama") });
    (generator(&model, Precision::Full, Limits { threads: 1, ..Limits::default() }), place)
}

fn sampled(seed: u64) -> Sampling {
    Sampling { temperature: 1.0, seed, ..Sampling::default() }
}

fn long(count: usize, seed: u64) -> GenerateRequest {
    GenerateRequest {
        sampling: sampled(seed),
        end: EndTokens::Ignored,
        ..GenerateRequest::new(tokens(40, 1), count)
    }
}

#[test]
fn the_same_seed_gives_the_same_tokens_and_another_gives_others() {
    let (mut generator, _place) = tiny();
    let first = run(&mut generator, vec![long(30, 1)]);
    assert_eq!(run(&mut generator, vec![long(30, 1)])[0][0].tokens, first[0][0].tokens);
    assert_ne!(run(&mut generator, vec![long(30, 2)])[0][0].tokens, first[0][0].tokens);
    assert_eq!(first[0][0].why, Finish::Length);
    assert_eq!(first[0][0].usage.completion_tokens, 30);
}

#[test]
fn choices_of_one_prompt_are_those_of_their_seeds_and_compute_it_once() {
    let (mut generator, _place) = tiny();
    let together = run(&mut generator, vec![GenerateRequest { choices: 4, ..long(20, 5) }]);
    assert_eq!(together[0].len(), 4);
    assert_eq!(together[0][0].usage.cached_tokens, 0);
    for choice in &together[0][1..] {
        assert_eq!(choice.usage.cached_tokens, 40);
    }
    let (mut fresh, _place) = tiny();
    for (seed, choice) in (5..).zip(&together[0]) {
        assert_eq!(run(&mut fresh, vec![long(20, seed)])[0][0].tokens, choice.tokens);
    }
}

#[test]
fn a_single_question_begins_though_many_choices_and_long_prompts_wait_for_every_place() {
    let many = || GenerateRequest { choices: 16, ..long(32, 1) };
    let read_long = || GenerateRequest {
        sampling: sampled(2),
        end: EndTokens::Ignored,
        ..GenerateRequest::new(tokens(1100, 1), 8)
    };
    for (count, other) in [(6, &many as &dyn Fn() -> GenerateRequest), (70, &read_long)] {
        let (model, _place) = open(&Tiny { tied: false, context: 2048, ..Tiny::new("llama") });
        let mut generator = generator(&model, Precision::Full, Limits { threads: 1, ..Limits::default() });
        for _ in 0..count {
            generator.submit(other()).unwrap();
        }
        generator.step().unwrap();
        let single = generator.submit(long(4, 3)).unwrap();
        let mut begun = false;
        for _ in 0..4 {
            begun |= generator.step().unwrap().iter().any(|event| event.request == single);
        }
        assert!(begun, "{count}");
    }
}

#[test]
fn a_known_beginning_is_taken_from_the_cache() {
    let (mut generator, _place) = tiny();
    let first = run(&mut generator, vec![long(20, 1)]);
    let second = run(&mut generator, vec![long(20, 1)]);
    assert_eq!(second[0][0].usage.cached_tokens, 32);
    assert_eq!(second[0][0].tokens, first[0][0].tokens);
}

/// All text of a request, in the pieces that it came in.
fn pieces(generator: &mut Generator, request: GenerateRequest) -> (Vec<String>, Finish) {
    generator.submit(request).unwrap();
    let (mut pieces, mut end) = (Vec::new(), Finish::Cancelled);
    while generator.unfinished() > 0 {
        for Event { what, .. } in generator.step().unwrap() {
            pieces.push(what.text().to_owned());
            if let What::Finished { why, .. } = what {
                end = why;
            }
        }
    }
    (pieces, end)
}

#[test]
fn a_stop_text_ends_the_answer_and_never_shows_in_part() {
    let (mut generator, _place) = tiny();
    let (whole, _) = pieces(&mut generator, long(60, 3));
    let text = whole.concat();
    let characters: Vec<char> = text.chars().collect();
    for at in [3, 10, 25] {
        let stop: String = characters[at..at + 3].iter().collect();
        let before = &text[..text.find(&stop).unwrap()];
        let request = GenerateRequest { stop: vec![format!("{stop}never"), stop.clone()], ..long(60, 3) };
        let (parts, why) = pieces(&mut generator, request);
        assert_eq!(parts.concat(), before, "stop {stop:?}");
        assert_eq!(why, Finish::StopText);
    }
    let (parts, why) =
        pieces(&mut generator, GenerateRequest { stop: vec!["not there".into()], ..long(60, 3) });
    assert_eq!((parts.concat(), why), (text, Finish::Length));
}

#[test]
fn text_comes_in_whole_characters_and_adds_up() {
    let (model, _place) = open(&Tiny::new("llama"));
    let mut generator = generator(&model, Precision::Full, Limits::default());
    // A bias for the bytes of one character, so that the answer is full of characters of several tokens.
    let crab = model.tokenizer.encode("🦀", false).unwrap();
    let bias = crab.get_ids().iter().map(|&id| (id, 8.0)).collect();
    let request = GenerateRequest { sampling: Sampling { logit_bias: bias, ..sampled(1) }, ..long(80, 1) };
    let tokens = run(&mut generator, vec![request.clone()])[0][0].tokens.clone();
    let (parts, _) = pieces(&mut generator, request);
    let expected = model.tokenizer.decode(&tokens, true).unwrap();
    assert_eq!(parts.concat().trim_end_matches('\u{fffd}'), expected.trim_end_matches('\u{fffd}'));
}

#[test]
fn a_cancelled_request_ends_at_once_and_leaves_the_others_alone() {
    let (mut generator, _place) = tiny();
    let expected = run(&mut generator, vec![long(30, 2)])[0][0].tokens.clone();
    let gone = generator.submit(GenerateRequest { choices: 3, ..long(1000, 1) }).unwrap();
    let kept = generator.submit(long(30, 2)).unwrap();
    let mut found = Vec::new();
    let mut steps = 0;
    while generator.unfinished() > 0 {
        steps += 1;
        if steps == 5 {
            let ended = generator.cancel(gone);
            assert_eq!(ended.len(), 3);
            assert!(
                ended.iter().all(|event| matches!(event.what, What::Finished { why: Finish::Cancelled, .. }))
            );
        }
        for event in generator.step().unwrap() {
            assert!(event.request == kept || steps <= 5);
            if let (true, What::Token { token, .. }) = (event.request == kept, event.what) {
                found.push(token.id);
            }
        }
    }
    assert_eq!(found, expected);
}

#[test]
fn a_full_context_stops_or_slides_as_told() {
    let (mut generator, _place) = tiny();
    let context = generator.context();
    let request = GenerateRequest { max_tokens: 400, ..long(400, 1) };
    let stopped = run(&mut generator, vec![request.clone()]);
    assert_eq!(stopped[0][0].why, Finish::Context);
    assert_eq!(stopped[0][0].tokens.len(), context - 40);
    let slid =
        run(&mut generator, vec![GenerateRequest { overflow: Overflow::Slide { keep: 8 }, ..request }]);
    assert_eq!(slid[0][0].why, Finish::Length);
    assert_eq!(slid[0][0].tokens.len(), 400);
    assert_eq!(slid[0][0].tokens[..context - 40], stopped[0][0].tokens);
}

#[test]
fn a_small_cache_makes_requests_wait_but_all_are_answered() {
    let (model, _place) = open(&Tiny::new("llama"));
    let small = Limits { threads: 1, cache_bytes: 1, ..Limits::default() };
    let mut few = generator(&model, Precision::Full, small);
    let requests: Vec<GenerateRequest> = (0..12).map(|seed| long(60, seed)).collect();
    let found = run(&mut few, requests.clone());
    let mut many = generator(&model, Precision::Full, Limits::default());
    assert_eq!(
        found.iter().map(|choices| &choices[0].tokens).collect::<Vec<_>>(),
        run(&mut many, requests).iter().map(|choices| &choices[0].tokens).collect::<Vec<_>>()
    );
}

#[test]
fn settings_narrow_what_is_drawn() {
    let (mut generator, _place) = tiny();
    let greedy = run(&mut generator, vec![GenerateRequest { sampling: Sampling::default(), ..long(20, 0) }]);
    for narrow in [
        Sampling { top_k: 1, ..sampled(9) },
        Sampling { top_p: 1e-6, ..sampled(9) },
        Sampling { min_p: 1.0, ..sampled(9) },
        Sampling { temperature: 1e-4, ..sampled(9) },
    ] {
        let found = run(&mut generator, vec![GenerateRequest { sampling: narrow.clone(), ..long(20, 0) }]);
        assert_eq!(found[0][0].tokens, greedy[0][0].tokens, "{narrow:?}");
    }
    let only = Sampling { logit_bias: vec![(77, 1e4)], ..sampled(1) };
    let found = run(&mut generator, vec![GenerateRequest { sampling: only, ..long(5, 0) }]);
    assert_eq!(found[0][0].tokens, [77; 5]);
    let never = Sampling { repetition_penalty: 100.0, ..Sampling::default() };
    let found = run(&mut generator, vec![GenerateRequest { sampling: never, ..long(60, 0) }]);
    let mut distinct = found[0][0].tokens.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert!(distinct.len() > 50, "{distinct:?}");
}

#[test]
fn log_probabilities_are_those_of_the_model() {
    let (mut generator, _place) = tiny();
    let sampling = Sampling { log_probabilities: Some(3), ..sampled(4) };
    let request = GenerateRequest { sampling, ..long(10, 4) };
    let prompt = request.prompt.clone();
    generator.submit(request).unwrap();
    let mut chosen = Vec::new();
    while generator.unfinished() > 0 {
        for event in generator.step().unwrap() {
            if let What::Token { token, .. } = event.what {
                chosen.push(token);
            }
        }
    }
    let all: Vec<u32> = prompt.iter().copied().chain(chosen.iter().map(|token| token.id)).collect();
    let scored = generator.negative_log_likelihoods(&all, None).unwrap();
    for (token, nll) in chosen.iter().zip(&scored[prompt.len() - 1..]) {
        assert!((token.log_probability.unwrap() + nll).abs() < 1e-3);
        assert_eq!(token.likeliest.len(), 3);
        assert!(token.likeliest.is_sorted_by(|a, b| a.1 >= b.1));
    }
}

#[test]
fn what_cant_be_done_is_refused_in_words() {
    let (mut generator, _place) = tiny();
    let cases = [
        (GenerateRequest::new(Vec::new(), 4), "prompt is empty"),
        (GenerateRequest::new(vec![1, 99_999], 4), "token 99999, for which the model has no row"),
        (GenerateRequest::new(tokens(300, 1), 4), "300 tokens, the context 256"),
        (GenerateRequest { choices: 0, ..long(4, 1) }, "choices"),
        (GenerateRequest { sampling: Sampling { top_p: -0.1, ..sampled(1) }, ..long(4, 1) }, "top_p is -0.1"),
        (
            GenerateRequest { sampling: Sampling { temperature: -1.0, ..sampled(1) }, ..long(4, 1) },
            "temperature is -1",
        ),
    ];
    for (request, words) in cases {
        let error = generator.submit(request).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(generator.unfinished(), 0);
}

/// The steps after which each request, by its place, has its first token.
fn first_tokens(generator: &mut Generator, requests: Vec<GenerateRequest>) -> Vec<usize> {
    let ids: Vec<_> = requests.into_iter().map(|request| generator.submit(request).unwrap()).collect();
    let mut found = vec![0; ids.len()];
    for step in 1.. {
        if generator.unfinished() == 0 {
            break;
        }
        for event in generator.step().unwrap() {
            let place = ids.iter().position(|id| *id == event.request).unwrap();
            if matches!(event.what, What::Token { .. }) && found[place] == 0 {
                found[place] = step;
            }
        }
    }
    found
}

#[test]
fn a_short_prompt_passes_a_long_one_that_goes_on_all_the_same() {
    let (model, _place) = open(&Tiny { tied: false, context: 4096, ..Tiny::new("llama") });
    let limits = Limits { threads: 1, prompt_chunk: 64, ..Limits::default() };
    let mut generator = generator(&model, Precision::Full, limits);
    let alone = first_tokens(&mut generator, vec![GenerateRequest::new(tokens(2000, 1), 2)])[0];
    // Fifty short ones beside it: each other seed, so that nothing comes from the cache.
    let short = (0..50).map(|seed| GenerateRequest::new(tokens(40, 100 + seed), 2));
    let requests = std::iter::once(GenerateRequest::new(tokens(2000, 7), 2)).chain(short).collect();
    let found = first_tokens(&mut generator, requests);
    assert!(found[1] <= 2, "{found:?}");
    assert!(found[1..].iter().all(|step| *step < found[0]), "{found:?}");
    // Half of the budget is left while others generate, and a quarter of that is the oldest one's.
    assert!(found[0] <= alone + 50 * 40 / 24 + 60, "{alone}: {found:?}");
}

#[test]
fn a_step_reads_as_much_of_a_long_prompt_as_its_time_allows() {
    let (model, _place) = open(&Tiny { tied: false, context: 4096, ..Tiny::new("llama") });
    let limits = || Limits { threads: 1, ..Limits::default() };
    let requests =
        || vec![GenerateRequest::new(tokens(3000, 7), 2), GenerateRequest::new(tokens(3000, 8), 2)];
    let mut generator = generator(&model, Precision::Full, limits());
    let whole = first_tokens(&mut generator, requests());
    let mut generator = self::generator(&model, Precision::Full, limits());
    generator.keep_steps_within(Duration::ZERO);
    let short = first_tokens(&mut generator, requests());
    // No time at all: the least that a step reads, 32 tokens, but for the first, whose time isn't known.
    assert!(
        whole.iter().all(|step| *step <= 20) && short.iter().all(|step| *step >= 60),
        "{whole:?}, {short:?}"
    );
    // Alone too: whoever comes waits for the step's end.
    assert!(first_tokens(&mut generator, vec![GenerateRequest::new(tokens(3000, 9), 2)])[0] >= 60);
}

#[test]
fn a_prompt_that_needs_much_room_is_passed_by_others_only_so_often() {
    let (model, _place) = open(&Tiny { tied: false, context: 1024, ..Tiny::new("llama") });
    // Room for one whole context and little more.
    let limits = Limits { threads: 1, cache_bytes: 1, ..Limits::default() };
    let mut generator = generator(&model, Precision::Full, limits);
    let first = GenerateRequest { end: EndTokens::Ignored, ..GenerateRequest::new(tokens(400, 1), 200) };
    let large = GenerateRequest { end: EndTokens::Ignored, ..GenerateRequest::new(tokens(600, 2), 200) };
    let small = (0..300).map(|seed| GenerateRequest {
        end: EndTokens::Ignored,
        ..GenerateRequest::new(tokens(8, 10 + seed), 30)
    });
    let requests = [first, large].into_iter().chain(small).collect();
    let found = first_tokens(&mut generator, requests);
    let before = found[2..].iter().filter(|step| **step < found[1]).count();
    // 64 pass it, 64 the one before it that is set aside for them, and some of those that begin after it are read first.
    assert!((1..=150).contains(&before), "{before}");
}

#[test]
fn a_prompts_own_tokens_are_scored_and_nothing_needs_to_follow() {
    let (mut generator, _place) = tiny();
    let prompt = tokens(200, 3);
    let expected = generator.negative_log_likelihoods(&prompt, None).unwrap();
    for count in [0, 3] {
        let request = GenerateRequest {
            prompt_log_probabilities: Some(2),
            ..GenerateRequest::new(prompt.clone(), count)
        };
        generator.submit(request).unwrap();
        let (mut scored, mut generated) = (Vec::new(), 0);
        while generator.unfinished() > 0 {
            for event in generator.step().unwrap() {
                match event.what {
                    What::Prompt { tokens } => {
                        assert_eq!(generated, 0);
                        scored.extend(tokens);
                    }
                    What::Token { .. } => generated += 1,
                    What::Finished { usage, .. } => assert_eq!(usage.completion_tokens, generated),
                }
            }
        }
        assert_eq!(generated, count);
        let ids: Vec<u32> = scored.iter().map(|token| token.id).collect();
        assert_eq!(ids, prompt);
        assert_eq!(scored[0].log_probability, None);
        for (token, nll) in scored[1..].iter().zip(&expected) {
            assert!((token.log_probability.unwrap() + nll).abs() < 1e-3);
            assert_eq!(token.likeliest.len(), 2);
        }
    }
}

/// The tokens of each request's choices, with the steps that all took.
fn steps(generator: &mut Generator, requests: Vec<GenerateRequest>) -> (Vec<[Vec<u32>; 3]>, usize) {
    let ids: Vec<_> = requests.into_iter().map(|request| generator.submit(request).unwrap()).collect();
    let (mut found, mut steps) = (vec![<[Vec<u32>; 3]>::default(); ids.len()], 0);
    while generator.unfinished() > 0 {
        steps += 1;
        for event in generator.step().unwrap() {
            let place = ids.iter().position(|id| *id == event.request).unwrap();
            if let What::Token { token, .. } = event.what {
                found[place][event.choice].push(token.id);
            }
        }
    }
    (found, steps)
}

#[test]
fn guessed_tokens_change_nothing_but_the_number_of_steps() {
    let (model, _place) = open(&Tiny { tied: false, context: 512, ..Tiny::new("llama") });
    let of = |guesses| Limits { threads: 2, guesses, ..Limits::default() };
    let mut guessing = generator(&model, Precision::Full, of(Guesses::Few));
    let mut plain = generator(&model, Precision::Full, of(Guesses::None));
    let greedy =
        |seed| GenerateRequest { end: EndTokens::Ignored, ..GenerateRequest::new(tokens(40, seed), 300) };
    let drawn = |seed| GenerateRequest {
        sampling: Sampling {
            temperature: 0.7,
            top_k: 3,
            repetition_penalty: 1.1,
            seed: u64::from(seed),
            ..Sampling::default()
        },
        ..greedy(seed)
    };
    let held = |seed| GenerateRequest {
        constraint: Some(Constraint::Regex("(abc, )*".into())),
        stop: vec!["abc, abc, abc, abc, abc, abc, abc, abc, abc, abc, abc, ".into()],
        ..drawn(seed)
    };
    let (mut fewer, mut all) = (0, 0);
    for requests in [
        vec![greedy(1)],
        vec![greedy(2), drawn(3)],
        vec![drawn(4), held(5), greedy(6)],
        vec![GenerateRequest { choices: 3, ..drawn(7) }],
        vec![GenerateRequest {
            overflow: Overflow::Slide { keep: 8 },
            ..GenerateRequest { max_tokens: 700, ..greedy(8) }
        }],
        vec![held(9)],
    ] {
        let (with, some) = steps(&mut guessing, requests.clone());
        let (without, many) = steps(&mut plain, requests);
        assert_eq!(with, without);
        assert!(some <= many);
        (fewer, all) = (fewer + some, all + many);
    }
    // Even a random model repeats itself a little.
    assert!(fewer * 10 < all * 9, "{fewer} of {all}");
}

#[test]
fn a_model_whose_numbers_are_none_says_so_instead_of_answering() {
    let place = tempfile::tempdir().unwrap();
    let tiny = Tiny { tied: false, ..Tiny::new("llama") };
    tiny.write_folder(place.path());
    let mut tensors = tiny.tensors();
    let norm = tensors.iter_mut().find(|(name, ..)| name == "model.norm.weight").unwrap();
    norm.2[0] = f32::NAN;
    write_safetensors(&place.path().join("model.safetensors"), &tensors);
    let model = model::open(&ModelFiles::at(place.path()).unwrap()).unwrap();
    let mut generator = generator(&model, Precision::Full, Limits { threads: 1, ..Limits::default() });
    generator.submit(GenerateRequest::new(tokens(12, 1), 8)).unwrap();
    let mut ends = Vec::new();
    while generator.unfinished() > 0 {
        for event in generator.step().unwrap() {
            if let What::Finished { why, .. } = event.what {
                ends.push(why);
            }
        }
    }
    assert_eq!(ends, [Finish::Failed(Fault::Numbers)]);
}
