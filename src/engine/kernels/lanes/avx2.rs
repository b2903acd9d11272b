//! [`Lanes`] by AVX2 with FMA and F16C, as two halves of eight: Intel from Haswell on, AMD from Zen on.

use std::arch::x86_64::{
    __m256, __m256i, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT, _MM_HINT_T0, _mm_cvtsi32_si128,
    _mm_loadu_si128, _mm_packs_epi16, _mm_packs_epi32, _mm_prefetch, _mm_storel_epi64, _mm_storeu_si128,
    _mm256_abs_epi8, _mm256_add_epi8, _mm256_add_epi32, _mm256_add_ps, _mm256_and_ps, _mm256_and_si256,
    _mm256_castsi256_ps, _mm256_castsi256_si128, _mm256_cmpeq_epi8, _mm256_cvtepi32_ps,
    _mm256_cvtepu16_epi32, _mm256_cvtph_ps, _mm256_cvtps_epi32, _mm256_cvtps_ph, _mm256_div_ps,
    _mm256_extracti128_si256, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_maddubs_epi16, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_round_ps, _mm256_set1_epi8,
    _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_set1_ps, _mm256_setr_epi8,
    _mm256_shuffle_epi8, _mm256_sign_epi8, _mm256_slli_epi16, _mm256_slli_epi32, _mm256_srl_epi16,
    _mm256_srli_epi16, _mm256_storeu_ps, _mm256_storeu_si256, _mm256_xor_si256,
};

use super::{Kernel, Lanes};

#[derive(Clone, Copy)]
pub(crate) struct Avx2;

const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

type Pair<T> = (T, T);

// SAFETY (all of the blocks below): the trait's contract is that the machine has these instructions and that
// pointers are valid for the length the trait names.
#[expect(clippy::undocumented_unsafe_blocks, reason = "one SAFETY comment above stands for all of them")]
#[expect(
    clippy::inline_always,
    reason = "compiled with the instructions of the kernel around it, or not at all"
)]
impl Lanes for Avx2 {
    type Floats = Pair<__m256>;
    type Integers = Pair<__m256i>;
    type Bytes = Pair<__m256i>;
    const WIDE_IS_UNSIGNED: bool = false;
    const TILE: usize = 4;

    #[inline(always)]
    unsafe fn vectorize<K: Kernel>(kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma,f16c")]
        unsafe fn inner<K: Kernel>(kernel: K) -> K::Output {
            unsafe { kernel.run::<Avx2>() }
        }
        unsafe { inner(kernel) }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self::Floats {
        unsafe { (_mm256_set1_ps(value), _mm256_set1_ps(value)) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::Floats {
        unsafe { (_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))) }
    }
    #[inline(always)]
    unsafe fn load_half(from: *const u16) -> Self::Floats {
        unsafe {
            let upper = _mm_loadu_si128(from.add(8).cast());
            (_mm256_cvtph_ps(_mm_loadu_si128(from.cast())), _mm256_cvtph_ps(upper))
        }
    }
    #[inline(always)]
    unsafe fn load_bfloat(from: *const u16) -> Self::Floats {
        unsafe {
            let half = |at: *const u16| {
                let wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(at.cast()));
                _mm256_castsi256_ps(_mm256_slli_epi32::<16>(wide))
            };
            (half(from), half(from.add(8)))
        }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: Self::Floats) {
        unsafe {
            _mm256_storeu_ps(to, value.0);
            _mm256_storeu_ps(to.add(8), value.1);
        }
    }
    #[inline(always)]
    unsafe fn store_half(to: *mut u16, value: Self::Floats) {
        unsafe {
            _mm_storeu_si128(to.cast(), _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(value.0));
            _mm_storeu_si128(to.add(8).cast(), _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(value.1));
        }
    }
    #[inline(always)]
    unsafe fn add(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { (_mm256_add_ps(a.0, b.0), _mm256_add_ps(a.1, b.1)) }
    }
    #[inline(always)]
    unsafe fn multiply(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { (_mm256_mul_ps(a.0, b.0), _mm256_mul_ps(a.1, b.1)) }
    }
    #[inline(always)]
    unsafe fn divide(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { (_mm256_div_ps(a.0, b.0), _mm256_div_ps(a.1, b.1)) }
    }
    #[inline(always)]
    unsafe fn fused(a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats {
        unsafe { (_mm256_fmadd_ps(a.0, b.0, c.0), _mm256_fmadd_ps(a.1, b.1, c.1)) }
    }
    #[inline(always)]
    unsafe fn maximum(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { (_mm256_max_ps(a.0, b.0), _mm256_max_ps(a.1, b.1)) }
    }
    #[inline(always)]
    unsafe fn minimum(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { (_mm256_min_ps(a.0, b.0), _mm256_min_ps(a.1, b.1)) }
    }
    #[inline(always)]
    unsafe fn absolute(a: Self::Floats) -> Self::Floats {
        unsafe {
            let mask = _mm256_castsi256_ps(_mm256_set1_epi32(i32::MAX));
            (_mm256_and_ps(a.0, mask), _mm256_and_ps(a.1, mask))
        }
    }
    #[inline(always)]
    unsafe fn round(a: Self::Floats) -> Self::Floats {
        unsafe { (_mm256_round_ps::<NEAREST>(a.0), _mm256_round_ps::<NEAREST>(a.1)) }
    }
    #[inline(always)]
    unsafe fn power_of_two(n: Self::Floats) -> Self::Floats {
        unsafe {
            let half = |n: __m256| {
                let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
                _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
            };
            (half(n.0), half(n.1))
        }
    }
    #[inline(always)]
    unsafe fn sum(a: Self::Floats) -> f32 {
        let mut lanes = [0.0; 8];
        unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), _mm256_add_ps(a.0, a.1)) };
        lanes.iter().sum()
    }
    #[inline(always)]
    unsafe fn largest(a: Self::Floats) -> f32 {
        let mut lanes = [0.0; 8];
        unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), _mm256_max_ps(a.0, a.1)) };
        lanes.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }
    #[inline(always)]
    unsafe fn narrow(to: *mut i8, value: Self::Floats) -> i32 {
        unsafe {
            let mut total = 0;
            for (index, half) in [value.0, value.1].into_iter().enumerate() {
                let whole = _mm256_cvtps_epi32(half);
                let short =
                    _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256::<1>(whole));
                _mm_storel_epi64(to.add(8 * index).cast(), _mm_packs_epi16(short, short));
                let mut lanes = [0i32; 8];
                _mm256_storeu_si256(lanes.as_mut_ptr().cast(), whole);
                total += lanes.iter().sum::<i32>();
            }
            total
        }
    }

    #[inline(always)]
    unsafe fn splat_integer(value: i32) -> Self::Integers {
        unsafe { (_mm256_set1_epi32(value), _mm256_set1_epi32(value)) }
    }
    #[inline(always)]
    unsafe fn to_floats(a: Self::Integers) -> Self::Floats {
        unsafe { (_mm256_cvtepi32_ps(a.0), _mm256_cvtepi32_ps(a.1)) }
    }
    #[inline(always)]
    unsafe fn dot(sum: Self::Integers, weights: Self::Bytes, activations: i32) -> Self::Integers {
        unsafe {
            let activations = _mm256_set1_epi32(activations);
            let half = |sum: __m256i, weights: __m256i| {
                let pairs = _mm256_maddubs_epi16(weights, activations);
                _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
            };
            (half(sum.0, weights.0), half(sum.1, weights.1))
        }
    }
    #[inline(always)]
    unsafe fn dot_wide(sum: Self::Integers, weights: Self::Bytes, activations: i32) -> Self::Integers {
        unsafe {
            let activations = _mm256_set1_epi32(activations);
            let half = |sum: __m256i, weights: __m256i| {
                // |w| * (a with w's sign): products of two stay below 2^15.
                let weights = _mm256_xor_si256(weights, _mm256_set1_epi8(-128));
                let signed = _mm256_sign_epi8(activations, weights);
                let pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(weights), signed);
                _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
            };
            (half(sum.0, weights.0), half(sum.1, weights.1))
        }
    }

    #[inline(always)]
    unsafe fn prefetch(at: *const u8) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> Self::Bytes {
        unsafe { (_mm256_loadu_si256(from.cast()), _mm256_loadu_si256(from.add(32).cast())) }
    }
    #[inline(always)]
    unsafe fn store_bytes(to: *mut u8, value: Self::Bytes) {
        unsafe {
            _mm256_storeu_si256(to.cast(), value.0);
            _mm256_storeu_si256(to.add(32).cast(), value.1);
        }
    }
    #[inline(always)]
    unsafe fn low_nibbles(a: Self::Bytes) -> Self::Bytes {
        unsafe {
            let mask = _mm256_set1_epi8(15);
            (_mm256_and_si256(a.0, mask), _mm256_and_si256(a.1, mask))
        }
    }
    #[inline(always)]
    unsafe fn high_nibbles(a: Self::Bytes) -> Self::Bytes {
        unsafe {
            let mask = _mm256_set1_epi8(15);
            let half = |a: __m256i| _mm256_and_si256(_mm256_srli_epi16::<4>(a), mask);
            (half(a.0), half(a.1))
        }
    }
    #[inline(always)]
    unsafe fn add_fifth_bit(a: Self::Bytes, mask: *const u8) -> Self::Bytes {
        unsafe {
            // Each of 32 bytes gets the mask byte that holds its bit, then keeps that bit alone.
            let spread = _mm256_setr_epi8(
                0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3,
                3,
            );
            let bit = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64.cast_signed());
            let half = |a: __m256i, mask: *const u8| {
                let word = _mm256_set1_epi32(mask.cast::<i32>().read_unaligned());
                let own = _mm256_and_si256(_mm256_shuffle_epi8(word, spread), bit);
                let set = _mm256_cmpeq_epi8(own, bit);
                _mm256_add_epi8(a, _mm256_and_si256(set, _mm256_set1_epi8(16)))
            };
            (half(a.0, mask), half(a.1, mask.add(4)))
        }
    }
    #[inline(always)]
    unsafe fn add_bit_pair(a: Self::Bytes, pairs: Self::Bytes, index: u32) -> Self::Bytes {
        unsafe {
            let count = _mm_cvtsi32_si128(2 * index as i32);
            let half = |a: __m256i, pairs: __m256i| {
                let pair = _mm256_and_si256(_mm256_srl_epi16(pairs, count), _mm256_set1_epi8(3));
                _mm256_add_epi8(a, _mm256_slli_epi16::<4>(pair))
            };
            (half(a.0, pairs.0), half(a.1, pairs.1))
        }
    }
}
