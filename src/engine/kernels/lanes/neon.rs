//! [`Lanes`] by NEON, as four quarters of four: every 64-bit Arm machine has it.

use std::arch::aarch64::{
    float32x4_t, int32x4_t, uint8x16_t, vabsq_f32, vaddq_f32, vaddq_s32, vaddq_u8, vaddvq_f32, vaddvq_s32,
    vandq_u8, vandq_u32, vceqq_u8, vcombine_s16, vcombine_u8, vcvtnq_s32_f32, vcvtq_f32_s32, vdivq_f32,
    vdup_n_u8, vdupq_n_f32, vdupq_n_s8, vdupq_n_s32, vdupq_n_u8, vdupq_n_u32, veorq_u8, vfmaq_f32,
    vget_high_u16, vget_low_s8, vget_low_u16, vld1_u8, vld1q_f32, vld1q_u8, vld1q_u16, vmaxq_f32, vmaxvq_f32,
    vminq_f32, vmovl_u16, vmull_high_s8, vmull_s8, vmulq_f32, vorrq_u32, vpadalq_s16, vpaddq_s16, vqmovn_s16,
    vqmovn_s32, vreinterpretq_f32_s32, vreinterpretq_f32_u32, vreinterpretq_s8_s32, vreinterpretq_s8_u8,
    vrndnq_f32, vshlq_n_s32, vshlq_n_u8, vshlq_n_u32, vshlq_u8, vshrq_n_u8, vst1_s8, vst1q_f32, vst1q_u8,
};

use super::{Kernel, Lanes};

#[derive(Clone, Copy)]
pub(crate) struct Neon;

type Four<T> = [T; 4];

/// Applies an operation to each of the four quarters.
macro_rules! each {
    ($index:ident, $operation:expr) => {{
        let at = |$index: usize| $operation;
        [at(0), at(1), at(2), at(3)]
    }};
}

// SAFETY (all of the blocks below): the trait's contract is that the machine has these instructions and that
// pointers are valid for the length the trait names.
#[expect(clippy::undocumented_unsafe_blocks, reason = "one SAFETY comment above stands for all of them")]
#[expect(
    clippy::inline_always,
    reason = "compiled with the instructions of the kernel around it, or not at all"
)]
impl Lanes for Neon {
    type Floats = Four<float32x4_t>;
    type Integers = Four<int32x4_t>;
    type Bytes = Four<uint8x16_t>;
    const WIDE_IS_UNSIGNED: bool = false;
    const TILE: usize = 4;

    #[inline(always)]
    unsafe fn vectorize<K: Kernel>(kernel: K) -> K::Output {
        unsafe { kernel.run::<Self>() }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self::Floats {
        unsafe { [vdupq_n_f32(value); 4] }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::Floats {
        unsafe { each!(i, vld1q_f32(from.add(4 * i))) }
    }
    #[inline(always)]
    unsafe fn load_half(from: *const u16) -> Self::Floats {
        unsafe {
            // Exponent and mantissa moved into place, then scaled by the difference of the exponents' biases: exact
            // for all finite numbers, subnormal ones too.
            let scale = vreinterpretq_f32_u32(vdupq_n_u32(0x7780_0000));
            let quarter = |bits| {
                let magnitude = vshlq_n_u32::<13>(vandq_u32(bits, vdupq_n_u32(0x7fff)));
                let sign = vshlq_n_u32::<16>(vandq_u32(bits, vdupq_n_u32(0x8000)));
                let value = vmulq_f32(vreinterpretq_f32_u32(magnitude), scale);
                vreinterpretq_f32_u32(vorrq_u32(std::mem::transmute(value), sign))
            };
            let (a, b) = (vld1q_u16(from), vld1q_u16(from.add(8)));
            [
                quarter(vmovl_u16(vget_low_u16(a))),
                quarter(vmovl_u16(vget_high_u16(a))),
                quarter(vmovl_u16(vget_low_u16(b))),
                quarter(vmovl_u16(vget_high_u16(b))),
            ]
        }
    }
    #[inline(always)]
    unsafe fn load_bfloat(from: *const u16) -> Self::Floats {
        unsafe {
            let quarter = |bits| vreinterpretq_f32_u32(vshlq_n_u32::<16>(bits));
            let (a, b) = (vld1q_u16(from), vld1q_u16(from.add(8)));
            [
                quarter(vmovl_u16(vget_low_u16(a))),
                quarter(vmovl_u16(vget_high_u16(a))),
                quarter(vmovl_u16(vget_low_u16(b))),
                quarter(vmovl_u16(vget_high_u16(b))),
            ]
        }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: Self::Floats) {
        for (i, quarter) in value.into_iter().enumerate() {
            unsafe { vst1q_f32(to.add(4 * i), quarter) };
        }
    }
    #[inline(always)]
    unsafe fn store_half(to: *mut u16, value: Self::Floats) {
        let mut plain = [0.0f32; 16];
        unsafe {
            Self::store(plain.as_mut_ptr(), value);
            to.cast::<[u16; 16]>().write_unaligned(plain.map(|value| half::f16::from_f32(value).to_bits()));
        }
    }
    #[inline(always)]
    unsafe fn add(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { each!(i, vaddq_f32(a[i], b[i])) }
    }
    #[inline(always)]
    unsafe fn multiply(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { each!(i, vmulq_f32(a[i], b[i])) }
    }
    #[inline(always)]
    unsafe fn divide(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { each!(i, vdivq_f32(a[i], b[i])) }
    }
    #[inline(always)]
    unsafe fn fused(a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats {
        unsafe { each!(i, vfmaq_f32(c[i], a[i], b[i])) }
    }
    #[inline(always)]
    unsafe fn maximum(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { each!(i, vmaxq_f32(a[i], b[i])) }
    }
    #[inline(always)]
    unsafe fn minimum(a: Self::Floats, b: Self::Floats) -> Self::Floats {
        unsafe { each!(i, vminq_f32(a[i], b[i])) }
    }
    #[inline(always)]
    unsafe fn absolute(a: Self::Floats) -> Self::Floats {
        unsafe { each!(i, vabsq_f32(a[i])) }
    }
    #[inline(always)]
    unsafe fn round(a: Self::Floats) -> Self::Floats {
        unsafe { each!(i, vrndnq_f32(a[i])) }
    }
    #[inline(always)]
    unsafe fn power_of_two(n: Self::Floats) -> Self::Floats {
        unsafe {
            each!(i, {
                let exponent = vaddq_s32(vcvtnq_s32_f32(n[i]), vdupq_n_s32(127));
                vreinterpretq_f32_s32(vshlq_n_s32::<23>(exponent))
            })
        }
    }
    #[inline(always)]
    unsafe fn sum(a: Self::Floats) -> f32 {
        unsafe { vaddvq_f32(vaddq_f32(vaddq_f32(a[0], a[1]), vaddq_f32(a[2], a[3]))) }
    }
    #[inline(always)]
    unsafe fn largest(a: Self::Floats) -> f32 {
        unsafe { vmaxvq_f32(vmaxq_f32(vmaxq_f32(a[0], a[1]), vmaxq_f32(a[2], a[3]))) }
    }
    #[inline(always)]
    unsafe fn narrow(to: *mut i8, value: Self::Floats) -> i32 {
        unsafe {
            let whole = each!(i, vcvtnq_s32_f32(value[i]));
            let low = vcombine_s16(vqmovn_s32(whole[0]), vqmovn_s32(whole[1]));
            let high = vcombine_s16(vqmovn_s32(whole[2]), vqmovn_s32(whole[3]));
            vst1_s8(to, vqmovn_s16(low));
            vst1_s8(to.add(8), vqmovn_s16(high));
            vaddvq_s32(vaddq_s32(vaddq_s32(whole[0], whole[1]), vaddq_s32(whole[2], whole[3])))
        }
    }

    #[inline(always)]
    unsafe fn splat_integer(value: i32) -> Self::Integers {
        unsafe { [vdupq_n_s32(value); 4] }
    }
    #[inline(always)]
    unsafe fn to_floats(a: Self::Integers) -> Self::Floats {
        unsafe { each!(i, vcvtq_f32_s32(a[i])) }
    }
    #[inline(always)]
    unsafe fn dot(sum: Self::Integers, weights: Self::Bytes, activations: i32) -> Self::Integers {
        unsafe {
            let activations = vreinterpretq_s8_s32(vdupq_n_s32(activations));
            each!(i, {
                let weights = vreinterpretq_s8_u8(weights[i]);
                let low = vmull_s8(vget_low_s8(weights), vget_low_s8(activations));
                let high = vmull_high_s8(weights, activations);
                // Pairs first: four lanes of two, which the wider addition then joins.
                vpadalq_s16(sum[i], vpaddq_s16(low, high))
            })
        }
    }
    #[inline(always)]
    unsafe fn dot_wide(sum: Self::Integers, weights: Self::Bytes, activations: i32) -> Self::Integers {
        unsafe {
            let signed = each!(i, veorq_u8(weights[i], vdupq_n_u8(128)));
            Self::dot(sum, signed, activations)
        }
    }

    #[inline(always)]
    unsafe fn prefetch(_: *const u8) {}
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> Self::Bytes {
        unsafe { each!(i, vld1q_u8(from.add(16 * i))) }
    }
    #[inline(always)]
    unsafe fn store_bytes(to: *mut u8, value: Self::Bytes) {
        for (i, quarter) in value.into_iter().enumerate() {
            unsafe { vst1q_u8(to.add(16 * i), quarter) };
        }
    }
    #[inline(always)]
    unsafe fn low_nibbles(a: Self::Bytes) -> Self::Bytes {
        unsafe { each!(i, vandq_u8(a[i], vdupq_n_u8(15))) }
    }
    #[inline(always)]
    unsafe fn high_nibbles(a: Self::Bytes) -> Self::Bytes {
        unsafe { each!(i, vshrq_n_u8::<4>(a[i])) }
    }
    #[inline(always)]
    unsafe fn add_fifth_bit(a: Self::Bytes, mask: *const u8) -> Self::Bytes {
        unsafe {
            let bits = vld1_u8([1u8, 2, 4, 8, 16, 32, 64, 128].as_ptr());
            let bits = vcombine_u8(bits, bits);
            each!(i, {
                let spread = vcombine_u8(vdup_n_u8(*mask.add(2 * i)), vdup_n_u8(*mask.add(2 * i + 1)));
                let set = vceqq_u8(vandq_u8(spread, bits), bits);
                vaddq_u8(a[i], vandq_u8(set, vdupq_n_u8(16)))
            })
        }
    }
    #[inline(always)]
    unsafe fn add_bit_pair(a: Self::Bytes, pairs: Self::Bytes, index: u32) -> Self::Bytes {
        unsafe {
            let shift = vdupq_n_s8(-2 * index as i8);
            each!(i, {
                let pair = vandq_u8(vshlq_u8(pairs[i], shift), vdupq_n_u8(3));
                vaddq_u8(a[i], vshlq_n_u8::<4>(pair))
            })
        }
    }
}
