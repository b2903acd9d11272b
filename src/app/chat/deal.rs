//! Which answerer stands in which column.

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

/// Which way a coin falls: nobody can tell from the clock's last digits.
fn coin() -> bool {
    use std::hash::BuildHasher;
    std::hash::RandomState::new().hash_one(0_u8) & 1 == 1
}
