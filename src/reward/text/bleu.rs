//! BLEU (Papineni et al. 2002) as sacreBLEU 2 computes it (Post 2018): tokens by `13a`, exponential smoothing; a sentence
//! by its effective order, a corpus by all four.

use std::sync::LazyLock;

use regex::Regex;

use super::{common, ngrams};

/// The longest n-gram.
pub const ORDER: usize = 4;

/// The counts that BLEU is made of; those of sentences add up to a corpus's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BleuCounts {
    pub correct: [usize; ORDER],
    pub total: [usize; ORDER],
    pub hypothesis_tokens: usize,
    pub reference_tokens: usize,
}

/// BLEU of one sentence against one reference, 0 to 100.
#[must_use]
pub fn sentence(hypothesis: &str, reference: &str) -> f64 {
    BleuCounts::of(hypothesis, reference).score(Orders::Effective)
}

/// BLEU of a corpus of (hypothesis, reference), 0 to 100.
#[must_use]
pub fn corpus<'t>(pairs: impl IntoIterator<Item = (&'t str, &'t str)>) -> f64 {
    let mut counts = BleuCounts::default();
    pairs.into_iter().for_each(|(hypothesis, reference)| counts.add(&BleuCounts::of(hypothesis, reference)));
    counts.score(Orders::All)
}

/// Which n-grams count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Orders {
    All,
    /// Those that the hypothesis is long enough for.
    Effective,
}

impl BleuCounts {
    #[must_use]
    pub fn of(hypothesis: &str, reference: &str) -> Self {
        let (hypothesis, reference) = (tokens(hypothesis), tokens(reference));
        let mut counts = Self {
            hypothesis_tokens: hypothesis.len(),
            reference_tokens: reference.len(),
            ..Self::default()
        };
        for (size, (correct, total)) in (1..).zip(counts.correct.iter_mut().zip(&mut counts.total)) {
            *total = (hypothesis.len() + 1).saturating_sub(size);
            *correct = common(&ngrams(&hypothesis, size), &ngrams(&reference, size));
        }
        counts
    }

    pub fn add(&mut self, other: &Self) {
        self.correct.iter_mut().zip(other.correct).for_each(|(sum, count)| *sum += count);
        self.total.iter_mut().zip(other.total).for_each(|(sum, count)| *sum += count);
        self.hypothesis_tokens += other.hypothesis_tokens;
        self.reference_tokens += other.reference_tokens;
    }

    /// 0 to 100.
    fn score(&self, orders: Orders) -> f64 {
        if self.correct.iter().all(|&count| count == 0) {
            return 0.0;
        }
        let (length, wanted) = (self.hypothesis_tokens as f64, self.reference_tokens as f64);
        let brevity = if length < wanted { (1.0 - wanted / length).exp() } else { 1.0 };
        let (mut smoothing, mut logarithms, mut order) = (1.0, 0.0, 0);
        for (&correct, &total) in self.correct.iter().zip(&self.total) {
            if total == 0 {
                break;
            }
            order += 1;
            let precision = if correct == 0 {
                smoothing *= 2.0;
                1.0 / (smoothing * total as f64)
            } else {
                correct as f64 / total as f64
            };
            logarithms += (100.0 * precision).ln();
        }
        if orders == Orders::All && order < ORDER {
            return 0.0;
        }
        brevity * (logarithms / f64::from(order.max(1) as u32)).exp()
    }
}

/// Signs that stand alone; full stops and commas but between digits; hyphens after digits.
static RULES: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let rules = [
        (r"([\{-\~\[-\x60 -\&\(-\+:-@/])", " $1 "),
        (r"([^0-9])([\.,])", "$1 $2 "),
        (r"([\.,])([^0-9])", " $1 $2"),
        (r"([0-9])(-)", "$1 $2 "),
    ];
    rules.into_iter().filter_map(|(pattern, with)| Some((Regex::new(pattern).ok()?, with))).collect()
});

/// Tokens by sacreBLEU's `13a`, which is that of mteval-v13a.
fn tokens(text: &str) -> Vec<String> {
    let mut line = text.replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    if line.contains('&') {
        line = line.replace("&quot;", "\"").replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
    }
    line = format!(" {line} ");
    for (pattern, with) in RULES.iter() {
        line = pattern.replace_all(&line, *with).into_owned();
    }
    line.split_whitespace().map(str::to_owned).collect()
}
