//! The losses of a preference pair, by the names and formulas of TRL's `DPOConfig.loss_type`.

use dojo_core::domain::recipe::PreferenceLoss;

/// What the loss of a pair is computed from; log-probabilities are sums over an answer's tokens, in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairScores {
    /// Under the trained model: of the chosen answer, and of the rejected one.
    pub policy: [f64; 2],
    /// Under the reference model.
    pub reference: [f64; 2],
    /// Tokens of each answer.
    pub tokens: [usize; 2],
}

impl PairScores {
    /// How much likelier each answer has become: `log(policy / reference)`.
    #[must_use]
    pub fn ratios(&self) -> [f64; 2] {
        [self.policy[0] - self.reference[0], self.policy[1] - self.reference[1]]
    }

    fn lengths(&self) -> [f64; 2] {
        self.tokens.map(|tokens| tokens.max(1) as f64)
    }
}

/// A loss, and its derivatives by both log-probabilities under the trained model.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PairLoss {
    pub loss: f64,
    pub by_policy: [f64; 2],
}

/// One loss of one pair. [`PreferenceLoss::Sft`] is none of a pair: it is the mean over all tokens of a step.
#[must_use]
pub fn pair_loss(kind: PreferenceLoss, scores: &PairScores, beta: f64, smoothing: f64) -> PairLoss {
    let [chosen, rejected] = scores.ratios();
    let lengths = scores.lengths();
    let margin = beta * (chosen - rejected);
    let each = [1.0, 1.0];
    match kind {
        // Rafailov et al. 2023; with smoothing, cDPO (Mitchell 2023).
        PreferenceLoss::Sigmoid => of_margin(smoothed(margin, smoothing), beta, each),
        // Per token of each answer, as in Tulu 3 (Lambert et al. 2024).
        PreferenceLoss::SigmoidNorm => {
            let margin = beta * (chosen / lengths[0] - rejected / lengths[1]);
            of_margin(smoothed(margin, 0.0), beta, [1.0 / lengths[0], 1.0 / lengths[1]])
        }
        // Chowdhury et al. 2024.
        PreferenceLoss::Robust => {
            let part = |own: f64, other: f64| {
                ((1.0 - smoothing) * own + smoothing * other) / (1.0 - 2.0 * smoothing)
            };
            let loss = part(softplus(-margin), -softplus(margin));
            of_margin((loss, part(-sigmoid(-margin), -sigmoid(margin))), beta, each)
        }
        // Liu et al. 2024 (SLiC).
        PreferenceLoss::Hinge => {
            let slope = if margin < 1.0 { -1.0 } else { 0.0 };
            of_margin(((1.0 - margin).max(0.0), slope), beta, each)
        }
        // Azar et al. 2023, per token of each answer.
        PreferenceLoss::Ipo => {
            let off = chosen / lengths[0] - rejected / lengths[1] - 1.0 / (2.0 * beta);
            of_margin((off * off, 2.0 * off), 1.0, [1.0 / lengths[0], 1.0 / lengths[1]])
        }
        // Ji et al. 2024; without smoothing it has no value.
        PreferenceLoss::ExoPair => of_margin(exo(margin, smoothing.max(1e-3)), beta, each),
        // Chen et al. 2024.
        PreferenceLoss::NcaPair => {
            let [good, bad] = [beta * chosen, beta * rejected];
            PairLoss {
                loss: softplus(-good) + 0.5 * softplus(good) + 0.5 * softplus(bad),
                by_policy: [beta * (0.5 * sigmoid(good) - sigmoid(-good)), beta * 0.5 * sigmoid(bad)],
            }
        }
        // Wu et al. 2024.
        PreferenceLoss::SppoHard => {
            let [good, bad] = [chosen - 0.5 / beta, rejected + 0.5 / beta];
            PairLoss { loss: good * good + bad * bad, by_policy: [2.0 * good, 2.0 * bad] }
        }
        // D'Oosterlinck et al. 2024: the chosen answer is better than what the model gives, or worse.
        PreferenceLoss::ApoZero => {
            let [good, bad] = [sigmoid(beta * chosen), sigmoid(beta * rejected)];
            PairLoss {
                loss: 1.0 - good + bad,
                by_policy: [-beta * good * (1.0 - good), beta * bad * (1.0 - bad)],
            }
        }
        PreferenceLoss::ApoDown => {
            let (good, ahead) = (sigmoid(beta * chosen), sigmoid(margin));
            let slope = beta * ahead * (1.0 - ahead);
            PairLoss { loss: good + 1.0 - ahead, by_policy: [beta * good * (1.0 - good) - slope, slope] }
        }
        // Hong et al. 2024: the answer's own likelihood and the odds of one answer over the other, without a reference.
        PreferenceLoss::Orpo => orpo(scores, beta),
        PreferenceLoss::Sft => PairLoss::default(),
    }
}

/// Of a loss of the margin with its slope; the margin goes with `factor` times each answer's weight.
fn of_margin((loss, slope): (f64, f64), factor: f64, weights: [f64; 2]) -> PairLoss {
    PairLoss { loss, by_policy: [slope * factor * weights[0], -slope * factor * weights[1]] }
}

/// `-log sigmoid(x)` mixed with that of `-x`, and the slope.
fn smoothed(x: f64, smoothing: f64) -> (f64, f64) {
    let loss = (1.0 - smoothing) * softplus(-x) + smoothing * softplus(x);
    (loss, smoothing * sigmoid(x) - (1.0 - smoothing) * sigmoid(-x))
}

/// The divergence of `sigmoid(x)` from `1 - smoothing`, and the slope.
fn exo(x: f64, smoothing: f64) -> (f64, f64) {
    let (ahead, behind) = (sigmoid(x), sigmoid(-x));
    let (of_ahead, of_behind) = (-softplus(-x) - (1.0 - smoothing).ln(), -softplus(x) - smoothing.ln());
    (ahead * of_ahead + behind * of_behind, ahead * behind * (of_ahead - of_behind))
}

fn orpo(scores: &PairScores, beta: f64) -> PairLoss {
    let lengths = scores.lengths();
    let means = [scores.policy[0] / lengths[0], scores.policy[1] / lengths[1]];
    // log(1 - p): a mean is below 0, unless the model is certain.
    let others = means.map(|mean| (-mean.min(-1e-12).exp_m1()).ln());
    let log_odds = means[0] - means[1] - (others[0] - others[1]);
    // The log-odds of p rise with log p by 1 / (1 - p).
    let slopes = others.map(|other| (-other).exp());
    let behind = sigmoid(-log_odds);
    PairLoss {
        loss: -means[0] + beta * softplus(-log_odds),
        by_policy: [(-1.0 - beta * behind * slopes[0]) / lengths[0], beta * behind * slopes[1] / lengths[1]],
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `log(1 + exp(x))`, also for large x.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}
