//! Constraints that take long: whoever is beside them goes on, and they become what they would be alone.

use dojo_studio::engine::generate::{Constraint, GenerateRequest, Limits, Precision, Sampling, What};

use super::{generator, open, run, tokens};
use crate::support::tiny::Tiny;

const CHOICES: usize = 12;
const TOKENS: usize = 90;

/// Text that can be read in more ways with every letter.
fn hard(choices: usize, seed: u64) -> GenerateRequest {
    GenerateRequest {
        choices,
        constraint: Some(Constraint::Grammar("start: s\ns: s s s s | s s s | s s | /[a-f]/\n".into())),
        sampling: Sampling {
            temperature: 1.0,
            seed,
            logit_bias: (0..3).map(|id| (id, -100.0)).collect(),
            ..Sampling::default()
        },
        ..GenerateRequest::new(tokens(12, 1), TOKENS)
    }
}

#[test]
fn a_plain_answer_goes_on_while_hard_ones_take_turns_and_these_stay_what_they_are() {
    let (model, _place) = open(&Tiny { context: 4096, ..Tiny::new("llama") });
    let new = || generator(&model, Precision::Full, Limits { threads: 1, ..Limits::default() });
    let mut together = new();
    let hard_id = together.submit(hard(CHOICES, 5)).unwrap();
    let plain = GenerateRequest {
        sampling: Sampling { logit_bias: (0..3).map(|id| (id, -100.0)).collect(), ..Sampling::default() },
        ..GenerateRequest::new(tokens(8, 2), 3000)
    };
    let plain_id = together.submit(plain).unwrap();
    let mut written: Vec<Vec<u32>> = vec![Vec::new(); CHOICES];
    let mut put_off = 0;
    while written.iter().any(|own| own.len() < TOKENS) {
        let (mut of_plain, mut of_hard) = (0, 0);
        for event in together.step().unwrap() {
            let What::Token { token, .. } = event.what else { continue };
            if event.request == plain_id {
                of_plain += 1;
            } else {
                assert_eq!(event.request, hard_id);
                written[event.choice].push(token.id);
                of_hard += 1;
            }
        }
        // Both have begun, and none is at its end.
        if written.iter().all(|own| !own.is_empty() && own.len() < TOKENS) {
            assert!(of_plain > 0, "the plain answer waited");
            put_off += usize::from(of_hard < CHOICES);
        }
    }
    assert!(put_off > 0, "none was put off: they are too easy");
    for (number, own) in written.into_iter().enumerate().step_by(5) {
        let alone = run(&mut new(), vec![hard(1, 5 + number as u64)]);
        assert_eq!(alone[0][0].tokens, own, "choice {number}");
    }
}
