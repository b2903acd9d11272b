//! The handful of vector operations that a matrix product's inner loop needs, for each instruction set.

/// One register of f32 lanes.
///
/// # Safety
/// Every method may only run where the processor has the instructions of the implementing type, and pointers must be
/// valid for as many floats as the method touches.
pub(super) trait Vector: Copy {
    const LANES: usize;
    unsafe fn zero() -> Self;
    unsafe fn splat(value: *const f32) -> Self;
    unsafe fn broadcast(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    /// The first `count` lanes, the rest zero.
    unsafe fn load_first(from: *const f32, count: usize) -> Self;
    unsafe fn store(self, to: *mut f32);
    /// The first `count` lanes only.
    unsafe fn store_first(self, to: *mut f32, count: usize);
    /// `self * factor + addend`
    unsafe fn mul_add(self, factor: Self, addend: Self) -> Self;
}

/// What a tile's inner loop does with a number of A, a register of B and a sum.
///
/// # Safety
/// As for [`Vector`].
pub(super) trait Arithmetic<V: Vector> {
    unsafe fn add_product(a: V, b: V, sum: V) -> V;
}

/// Every lane is an f32.
pub(super) struct F32Lanes;

impl<V: Vector> Arithmetic<V> for F32Lanes {
    #[inline(always)]
    unsafe fn add_product(a: V, b: V, sum: V) -> V {
        // SAFETY: the trait's condition.
        unsafe { a.mul_add(b, sum) }
    }
}

/// Eight lanes in plain code: two NEON registers on Arm, SSE2 on an old x86.
#[derive(Clone, Copy)]
pub(super) struct Portable([f32; 8]);

impl Vector for Portable {
    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn zero() -> Self {
        Self([0.0; 8])
    }

    #[inline(always)]
    unsafe fn splat(value: *const f32) -> Self {
        // SAFETY: the caller's pointer is valid.
        Self([unsafe { *value }; 8])
    }

    #[inline(always)]
    unsafe fn broadcast(value: f32) -> Self {
        Self([value; 8])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: valid for eight floats by the caller's word.
        Self(unsafe { from.cast::<[f32; 8]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        let mut lanes = [0.0; 8];
        for (i, lane) in lanes.iter_mut().enumerate().take(count) {
            // SAFETY: valid for `count` floats by the caller's word.
            *lane = unsafe { *from.add(i) };
        }
        Self(lanes)
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: valid for eight floats by the caller's word.
        unsafe { to.cast::<[f32; 8]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        for (i, lane) in self.0.into_iter().enumerate().take(count) {
            // SAFETY: valid for `count` floats by the caller's word.
            unsafe { *to.add(i) = lane }
        }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
        let mut sum = addend.0;
        for ((sum, a), b) in sum.iter_mut().zip(self.0).zip(factor.0) {
            *sum += a * b;
        }
        Self(sum)
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512, Bf16Pairs};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256, __m256i, __m512, __m512bh, __mmask16, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256,
        _mm256_maskload_ps, _mm256_maskstore_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps,
        _mm512_dpbf16_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps,
        _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    };

    use super::{Arithmetic, Vector};

    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx512(__m512);

    #[inline(always)]
    fn mask(count: usize) -> __mmask16 {
        ((1u32 << count) - 1) as __mmask16
    }

    impl Vector for Avx512 {
        const LANES: usize = 16;

        #[inline(always)]
        unsafe fn zero() -> Self {
            // SAFETY: the trait's condition.
            unsafe { Self(_mm512_setzero_ps()) }
        }

        #[inline(always)]
        unsafe fn splat(value: *const f32) -> Self {
            // SAFETY: the trait's condition.
            unsafe { Self(_mm512_set1_ps(*value)) }
        }

        #[inline(always)]
        unsafe fn broadcast(value: f32) -> Self {
            // SAFETY: the trait's condition.
            unsafe { Self(_mm512_set1_ps(value)) }
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the trait's condition.
            unsafe { Self(_mm512_loadu_ps(from)) }
        }

        #[inline(always)]
        unsafe fn load_first(from: *const f32, count: usize) -> Self {
            // SAFETY: the trait's condition; masked lanes are not touched.
            unsafe { Self(_mm512_maskz_loadu_ps(mask(count), from)) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the trait's condition.
            unsafe { _mm512_storeu_ps(to, self.0) }
        }

        #[inline(always)]
        unsafe fn store_first(self, to: *mut f32, count: usize) {
            // SAFETY: the trait's condition; masked lanes are not touched.
            unsafe { _mm512_mask_storeu_ps(to, mask(count), self.0) }
        }

        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
            // SAFETY: the trait's condition.
            unsafe { Self(_mm512_fmadd_ps(self.0, factor.0, addend.0)) }
        }
    }

    /// Every lane is two bf16 numbers, multiplied one by one and summed in f32 (AVX512-BF16).
    pub(in super::super) struct Bf16Pairs;

    impl Arithmetic<Avx512> for Bf16Pairs {
        #[inline(always)]
        unsafe fn add_product(a: Avx512, b: Avx512, sum: Avx512) -> Avx512 {
            // SAFETY: the trait's condition; the types differ in name only.
            unsafe {
                let pairs = |x: Avx512| std::mem::transmute::<__m512, __m512bh>(x.0);
                Avx512(_mm512_dpbf16_ps(sum.0, pairs(b), pairs(a)))
            }
        }
    }

    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx2(__m256);

    #[inline(always)]
    unsafe fn mask8(count: usize) -> __m256i {
        const ONES_THEN_ZEROS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
        // SAFETY: `count` is at most 8, so eight entries from `8 - count` on are inside the table.
        unsafe { _mm256_loadu_si256(ONES_THEN_ZEROS.as_ptr().add(8 - count).cast()) }
    }

    impl Vector for Avx2 {
        const LANES: usize = 8;

        #[inline(always)]
        unsafe fn zero() -> Self {
            // SAFETY: the trait's condition.
            unsafe { Self(_mm256_setzero_ps()) }
        }

        #[inline(always)]
        unsafe fn splat(value: *const f32) -> Self {
            // SAFETY: the trait's condition.
            unsafe { Self(_mm256_set1_ps(*value)) }
        }

        #[inline(always)]
        unsafe fn broadcast(value: f32) -> Self {
            // SAFETY: the trait's condition.
            unsafe { Self(_mm256_set1_ps(value)) }
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the trait's condition.
            unsafe { Self(_mm256_loadu_ps(from)) }
        }

        #[inline(always)]
        unsafe fn load_first(from: *const f32, count: usize) -> Self {
            // SAFETY: the trait's condition; masked lanes are not touched.
            unsafe { Self(_mm256_maskload_ps(from, mask8(count))) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the trait's condition.
            unsafe { _mm256_storeu_ps(to, self.0) }
        }

        #[inline(always)]
        unsafe fn store_first(self, to: *mut f32, count: usize) {
            // SAFETY: the trait's condition; masked lanes are not touched.
            unsafe { _mm256_maskstore_ps(to, mask8(count), self.0) }
        }

        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
            // SAFETY: the trait's condition.
            unsafe { Self(_mm256_fmadd_ps(self.0, factor.0, addend.0)) }
        }
    }
}
