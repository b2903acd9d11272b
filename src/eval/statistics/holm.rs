//! Holm's correction (1979): who asks many questions finds a difference by chance; so the smallest p counts as often as
//! there are questions, the next once less, and so on.

/// The p's as they count when all are asked together, in their order.
#[must_use]
pub fn adjusted(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p.get(a).copied().unwrap_or(1.0).total_cmp(&p.get(b).copied().unwrap_or(1.0)));
    let mut adjusted = vec![1.0; p.len()];
    let mut least: f64 = 0.0;
    for (left, place) in (1..=p.len()).rev().zip(order) {
        least = least.max(p.get(place).copied().unwrap_or(1.0) * left as f64).min(1.0);
        if let Some(slot) = adjusted.get_mut(place) {
            *slot = least;
        }
    }
    adjusted
}
