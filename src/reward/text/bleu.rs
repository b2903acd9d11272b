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

/// What a score is made of besides its counts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BleuParts {
    /// Of each n-gram's size, smoothed; 0 to 100.
    pub precisions: [f64; ORDER],
    /// What a text that is too short is worth; 0 to 1.
    pub brevity: f64,
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

    /// Of a corpus, 0 to 100.
    #[must_use]
    pub fn of_corpus(&self) -> f64 {
        self.score(Orders::All)
    }

    /// Smoothed precisions and the brevity penalty.
    #[must_use]
    pub fn parts(&self) -> BleuParts {
        let (length, wanted) = (self.hypothesis_tokens as f64, self.reference_tokens as f64);
        let brevity = match (length < wanted, self.hypothesis_tokens) {
            (true, 0) => 0.0,
            (true, _) => (1.0 - wanted / length).exp(),
            (false, _) => 1.0,
        };
        let mut parts = BleuParts { brevity, ..BleuParts::default() };
        let mut smoothing = 1.0;
        let counts = self.correct.iter().zip(&self.total);
        for (precision, (&correct, &total)) in
            parts.precisions.iter_mut().zip(counts).take_while(|(_, (_, total))| **total > 0)
        {
            *precision = if correct == 0 {
                smoothing *= 2.0;
                100.0 / (smoothing * total as f64)
            } else {
                100.0 * correct as f64 / total as f64
            };
        }
        parts
    }

    /// 0 to 100.
    fn score(&self, orders: Orders) -> f64 {
        if self.correct.iter().all(|&count| count == 0) {
            return 0.0;
        }
        let BleuParts { precisions, brevity } = self.parts();
        let order = self.total.iter().take_while(|&&total| total > 0).count();
        if orders == Orders::All && order < ORDER {
            return 0.0;
        }
        let logarithms: f64 = precisions.iter().take(order).map(|precision| precision.ln()).sum();
        brevity * (logarithms / order.max(1) as f64).exp()
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
