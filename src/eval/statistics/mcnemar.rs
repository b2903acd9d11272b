//! McNemar's exact test (1947): of the items that one of two models alone has right, does one model have more than a fair
//! coin would give it?

/// The two-sided p of the exact binomial test; `only_a` and `only_b` are the items that one alone has right.
#[must_use]
pub fn exact(only_a: u64, only_b: u64) -> f64 {
    let n = only_a + only_b;
    let fewer = only_a.min(only_b);
    // The logarithm of C(n, k) / 2^n, from one k to the next.
    let mut term = -(n as f64) * std::f64::consts::LN_2;
    let mut sum = term.exp();
    for k in 1..=fewer {
        term += ((n - k + 1) as f64).ln() - (k as f64).ln();
        sum += term.exp();
    }
    (2.0 * sum).min(1.0)
}
