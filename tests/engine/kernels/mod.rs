//! Each fused operation against the plain definition, and its backward against finite differences.

mod attention;
mod autograd;
mod gemm;
mod linear;
mod pointwise;

/// Numbers in -1..1 that look random and repeat.
pub(super) fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Fails where two lists differ by more than `tolerance`, counted from the largest number.
pub(super) fn near(what: &str, ours: &[f32], plain: &[f32], tolerance: f32) {
    assert_eq!(ours.len(), plain.len(), "{what}");
    let scale = plain.iter().fold(1e-3f32, |most, value| most.max(value.abs()));
    for (i, (a, b)) in ours.iter().zip(plain).enumerate() {
        assert!((a - b).abs() <= tolerance * scale, "{what}[{i}]: {a}, expected {b} (largest {scale})");
    }
}

/// `d sum(weights * f(x)) / dx`, by central differences.
pub(super) fn slopes(x: &[f32], weights: &[f32], mut f: impl FnMut(&[f32]) -> Vec<f32>) -> Vec<f32> {
    const STEP: f32 = 1e-2;
    let mut value =
        |x: &[f32]| -> f64 { f(x).iter().zip(weights).map(|(y, w)| f64::from(*y) * f64::from(*w)).sum() };
    let mut x = x.to_vec();
    (0..x.len())
        .map(|i| {
            let middle = x[i];
            x[i] = middle + STEP;
            let above = value(&x);
            x[i] = middle - STEP;
            let below = value(&x);
            x[i] = middle;
            ((above - below) / (2.0 * f64::from(STEP))) as f32
        })
        .collect()
}
