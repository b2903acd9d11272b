//! Which answerer stands in which column, and by which seed each draws.

use crate::domain::chat::{Answerer, AnswererNames, Setup, Side};

/// Who answers in which column. Hidden names are dealt anew for every question.
pub(super) fn deal(setup: &Setup) -> Vec<(Side, &Answerer)> {
    let Some(right) = &setup.right else { return vec![(Side::Left, &setup.left)] };
    let (left, right) = match setup.names {
        AnswererNames::Hidden if coin() => (right, &setup.left),
        AnswererNames::Hidden | AnswererNames::Shown => (&setup.left, right),
    };
    vec![(Side::Left, left), (Side::Right, right)]
}

/// The seed of an answer: a further one is another draw, and so is the one beside it, or a model beside itself would say
/// the same twice.
pub(super) const fn seed(chosen: u64, side: Side, answers: u64) -> u64 {
    let further = chosen.wrapping_add(answers.saturating_sub(1));
    match side {
        Side::Left => further,
        Side::Right => further.wrapping_add(RIGHT),
    }
}

/// Far enough for further answers of the left column never to meet those of the right one.
const RIGHT: u64 = 1 << 32;

/// Which way a coin falls: nobody can tell from the clock's last digits.
fn coin() -> bool {
    use std::hash::BuildHasher;
    std::hash::RandomState::new().hash_one(0_u8) & 1 == 1
}
