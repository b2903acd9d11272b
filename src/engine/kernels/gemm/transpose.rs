//! Turns a 16 x 16 square of floats in registers.

/// Writes the transpose of the square at the start of `from` (rows `from_stride` apart) to the start of `to` (rows
/// `to_stride` apart). Only called where AVX-512 was found.
///
/// # Panics
/// Where a slice is too short.
pub(super) fn square(from: &[f32], from_stride: usize, to: &mut [f32], to_stride: usize) {
    assert!(from.len() >= 15 * from_stride + 16 && to.len() >= 15 * to_stride + 16);
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the caller found AVX-512; the extents were just checked.
    unsafe {
        square_avx512(from.as_ptr(), from_stride, to.as_mut_ptr(), to_stride);
    }
    #[cfg(not(target_arch = "x86_64"))]
    for i in 0..16 {
        for j in 0..16 {
            to[j * to_stride + i] = from[i * from_stride + j];
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn square_avx512(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
    use std::arch::x86_64::{
        _mm512_castpd_ps, _mm512_castps_pd, _mm512_loadu_ps, _mm512_setzero_ps, _mm512_shuffle_f32x4,
        _mm512_storeu_ps, _mm512_unpackhi_pd, _mm512_unpackhi_ps, _mm512_unpacklo_pd, _mm512_unpacklo_ps,
    };
    // SAFETY: 16 rows of 16 floats on both sides, by the caller's word.
    unsafe {
        let mut a = [_mm512_setzero_ps(); 16];
        for (i, row) in a.iter_mut().enumerate() {
            *row = _mm512_loadu_ps(from.add(i * from_stride));
        }
        // Pairs of rows, then pairs of pairs: each 128-bit lane then holds a 4 x 4 square, turned.
        let mut b = [_mm512_setzero_ps(); 16];
        for i in 0..8 {
            b[2 * i] = _mm512_unpacklo_ps(a[2 * i], a[2 * i + 1]);
            b[2 * i + 1] = _mm512_unpackhi_ps(a[2 * i], a[2 * i + 1]);
        }
        for i in 0..4 {
            for half in 0..2 {
                let low = _mm512_castps_pd(b[4 * i + half]);
                let high = _mm512_castps_pd(b[4 * i + 2 + half]);
                a[4 * i + 2 * half] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
                a[4 * i + 2 * half + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
            }
        }
        // Then the lanes: a[4 i + c] holds, in lane l, rows 4 i .. 4 i + 4 of column 4 l + c.
        for c in 0..4 {
            let even_low = _mm512_shuffle_f32x4::<0x88>(a[c], a[4 + c]);
            let odd_low = _mm512_shuffle_f32x4::<0xdd>(a[c], a[4 + c]);
            let even_high = _mm512_shuffle_f32x4::<0x88>(a[8 + c], a[12 + c]);
            let odd_high = _mm512_shuffle_f32x4::<0xdd>(a[8 + c], a[12 + c]);
            _mm512_storeu_ps(to.add(c * to_stride), _mm512_shuffle_f32x4::<0x88>(even_low, even_high));
            _mm512_storeu_ps(to.add((4 + c) * to_stride), _mm512_shuffle_f32x4::<0x88>(odd_low, odd_high));
            _mm512_storeu_ps(to.add((8 + c) * to_stride), _mm512_shuffle_f32x4::<0xdd>(even_low, even_high));
            _mm512_storeu_ps(to.add((12 + c) * to_stride), _mm512_shuffle_f32x4::<0xdd>(odd_low, odd_high));
        }
    }
}
