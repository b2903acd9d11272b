//! The Gaussian error unit (Hendrycks and Gimpel 2016), `x P(X <= x)` of a standard normal X.

use super::lanes::Lanes;

/// From here on the distribution is 0 or 1.
const END: f32 = 5.3;

/// `(P(X <= x) - 0.5) / x` as a polynomial of `2 (x / END)^2 - 1`, the last coefficient first: Chebyshev interpolation at
/// 64 nodes, cut after the 14th power. The unit is then within 7e-7.
const POLYNOMIAL: [f32; 15] = [
    3.419_416_3e-4,
    -7.937_791_5e-4,
    5.425_999e-4,
    -1.008_310_1e-3,
    3.375_373_5e-3,
    -5.949_964_7e-3,
    8.677_929e-3,
    -1.313_070_5e-2,
    1.897_362_6e-2,
    -2.531_267_7e-2,
    3.207_235_4e-2,
    -3.958_733_4e-2,
    4.926_456e-2,
    -6.651_855e-2,
    1.333_925_6e-1,
];

/// Sixteen of them.
///
/// # Safety
/// As [`Lanes`].
#[inline(always)]
pub(crate) unsafe fn gelu<L: Lanes>(x: L::Floats) -> L::Floats {
    // SAFETY: the caller promises the instruction set; no memory is touched.
    unsafe {
        let within = L::minimum(L::maximum(x, L::splat(-END)), L::splat(END));
        let u = L::fused(L::multiply(within, within), L::splat(2.0 / (END * END)), L::splat(-1.0));
        let [highest, rest @ ..] = POLYNOMIAL;
        let mut sum = L::splat(highest);
        for coefficient in rest {
            sum = L::fused(sum, u, L::splat(coefficient));
        }
        L::multiply(x, L::fused(within, sum, L::splat(0.5)))
    }
}
