//! The losses of preference pairs: their slopes, and values that can be worked out by hand.

use dojo_studio::domain::recipe::PreferenceLoss;
use dojo_studio::engine::train::objective::{PairScores, pair_loss};

const BETA: f64 = 0.3;
const SMOOTHING: f64 = 0.15;

fn scores() -> PairScores {
    PairScores { policy: [-11.2, -14.9], reference: [-12.0, -14.0], tokens: [7, 5] }
}

#[test]
fn slopes_are_those_of_differences() {
    for kind in PreferenceLoss::ALL {
        let found = pair_loss(kind, &scores(), BETA, SMOOTHING);
        for side in 0..2 {
            let at = |step: f64| {
                let mut moved = scores();
                moved.policy[side] += step;
                pair_loss(kind, &moved, BETA, SMOOTHING).loss
            };
            let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((found.by_policy[side] - slope).abs() < 1e-7, "{kind:?}: {found:?}, not {slope}");
        }
    }
}

/// With equal ratios each loss has a value that can be worked out by hand.
#[test]
fn losses_of_a_model_that_is_its_reference_are_known() {
    let scores = PairScores { policy: [-12.0, -14.0], reference: [-12.0, -14.0], tokens: [7, 5] };
    let loss = |kind| pair_loss(kind, &scores, 0.1, 0.0).loss;
    let two = 2.0f64.ln();
    assert!((loss(PreferenceLoss::Sigmoid) - two).abs() < 1e-12);
    assert!((loss(PreferenceLoss::SigmoidNorm) - two).abs() < 1e-12);
    assert!((loss(PreferenceLoss::Robust) - two).abs() < 1e-12);
    assert!((loss(PreferenceLoss::Hinge) - 1.0).abs() < 1e-12);
    assert!((loss(PreferenceLoss::Ipo) - 25.0).abs() < 1e-12);
    assert!((loss(PreferenceLoss::NcaPair) - 2.0 * two).abs() < 1e-12);
    assert!((loss(PreferenceLoss::SppoHard) - 50.0).abs() < 1e-12);
    assert!((loss(PreferenceLoss::ApoZero) - 1.0).abs() < 1e-12);
    assert!((loss(PreferenceLoss::ApoDown) - 1.0).abs() < 1e-12);
}

#[test]
fn far_margins_give_numbers() {
    for kind in PreferenceLoss::ALL {
        for far in [-4000.0, 4000.0] {
            let scores =
                PairScores { policy: [-4100.0, -4100.0 - far], reference: [-4100.0; 2], tokens: [9; 2] };
            let found = pair_loss(kind, &scores, BETA, SMOOTHING);
            let all = [found.loss, found.by_policy[0], found.by_policy[1]];
            assert!(all.iter().all(|value| value.is_finite()), "{kind:?} at {far}: {found:?}");
        }
    }
}
