//! [`Lanes`] in plain Rust, for any machine; the compiler vectorises what it can.

use super::{Kernel, Lanes};

#[derive(Clone, Copy)]
pub(crate) struct Portable;

#[inline(always)]
fn map(a: [f32; 16], operation: impl Fn(f32) -> f32) -> [f32; 16] {
    a.map(operation)
}

#[inline(always)]
fn zip(a: [f32; 16], b: [f32; 16], operation: impl Fn(f32, f32) -> f32) -> [f32; 16] {
    let mut out = a;
    for (out, b) in out.iter_mut().zip(b) {
        *out = operation(*out, b);
    }
    out
}

#[inline(always)]
fn dot(sum: [i32; 16], weights: &[u8; 64], activations: i32, offset: i32) -> [i32; 16] {
    let activations = activations.to_le_bytes().map(u8::cast_signed);
    let mut out = sum;
    for (out, weights) in out.iter_mut().zip(weights.chunks_exact(4)) {
        for (&weight, activation) in weights.iter().zip(activations) {
            *out += (i32::from(weight) - offset) * i32::from(activation);
        }
    }
    out
}

// SAFETY (all of the blocks below): the trait's contract is that pointers are valid for the length it names.
#[expect(clippy::undocumented_unsafe_blocks, reason = "one SAFETY comment above stands for all of them")]
impl Lanes for Portable {
    type Floats = [f32; 16];
    type Integers = [i32; 16];
    type Bytes = [u8; 64];
    const WIDE_IS_UNSIGNED: bool = false;
    const TILE: usize = 4;

    #[inline(always)]
    unsafe fn vectorize<K: Kernel>(kernel: K) -> K::Output {
        unsafe { kernel.run::<Portable>() }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> [f32; 16] {
        [value; 16]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; 16] {
        unsafe { from.cast::<[f32; 16]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn load_half(from: *const u16) -> [f32; 16] {
        unsafe { from.cast::<[u16; 16]>().read_unaligned() }.map(|bits| half::f16::from_bits(bits).to_f32())
    }
    #[inline(always)]
    unsafe fn load_bfloat(from: *const u16) -> [f32; 16] {
        unsafe { from.cast::<[u16; 16]>().read_unaligned() }.map(|bits| f32::from_bits(u32::from(bits) << 16))
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: [f32; 16]) {
        unsafe { to.cast::<[f32; 16]>().write_unaligned(value) }
    }
    #[inline(always)]
    unsafe fn store_half(to: *mut u16, value: [f32; 16]) {
        let halves = value.map(|value| half::f16::from_f32(value).to_bits());
        unsafe { to.cast::<[u16; 16]>().write_unaligned(halves) }
    }
    #[inline(always)]
    unsafe fn add(a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        zip(a, b, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn multiply(a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        zip(a, b, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn divide(a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        zip(a, b, |a, b| a / b)
    }
    #[inline(always)]
    unsafe fn fused(a: [f32; 16], b: [f32; 16], c: [f32; 16]) -> [f32; 16] {
        zip(zip(a, b, |a, b| a * b), c, |product, c| product + c)
    }
    #[inline(always)]
    unsafe fn maximum(a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        zip(a, b, f32::max)
    }
    #[inline(always)]
    unsafe fn minimum(a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        zip(a, b, f32::min)
    }
    #[inline(always)]
    unsafe fn absolute(a: [f32; 16]) -> [f32; 16] {
        map(a, f32::abs)
    }
    #[inline(always)]
    unsafe fn round(a: [f32; 16]) -> [f32; 16] {
        map(a, f32::round_ties_even)
    }
    #[inline(always)]
    unsafe fn power_of_two(n: [f32; 16]) -> [f32; 16] {
        map(n, |n| f32::from_bits(((n as i32 + 127) << 23).cast_unsigned()))
    }
    #[inline(always)]
    unsafe fn sum(a: [f32; 16]) -> f32 {
        a.iter().sum()
    }
    #[inline(always)]
    unsafe fn largest(a: [f32; 16]) -> f32 {
        a.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }
    #[inline(always)]
    unsafe fn narrow(to: *mut i8, value: [f32; 16]) -> i32 {
        let whole = value.map(|value| value.round_ties_even() as i8);
        unsafe { to.cast::<[i8; 16]>().write_unaligned(whole) };
        whole.iter().map(|&value| i32::from(value)).sum()
    }

    #[inline(always)]
    unsafe fn splat_integer(value: i32) -> [i32; 16] {
        [value; 16]
    }
    #[inline(always)]
    unsafe fn to_floats(a: [i32; 16]) -> [f32; 16] {
        a.map(|a| a as f32)
    }
    #[inline(always)]
    unsafe fn dot(sum: [i32; 16], weights: [u8; 64], activations: i32) -> [i32; 16] {
        dot(sum, &weights, activations, 0)
    }
    #[inline(always)]
    unsafe fn dot_wide(sum: [i32; 16], weights: [u8; 64], activations: i32) -> [i32; 16] {
        dot(sum, &weights, activations, 128)
    }

    #[inline(always)]
    unsafe fn prefetch(_: *const u8) {}
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> [u8; 64] {
        unsafe { from.cast::<[u8; 64]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store_bytes(to: *mut u8, value: [u8; 64]) {
        unsafe { to.cast::<[u8; 64]>().write_unaligned(value) }
    }
    #[inline(always)]
    unsafe fn low_nibbles(a: [u8; 64]) -> [u8; 64] {
        a.map(|byte| byte & 15)
    }
    #[inline(always)]
    unsafe fn high_nibbles(a: [u8; 64]) -> [u8; 64] {
        a.map(|byte| byte >> 4)
    }
    #[inline(always)]
    unsafe fn add_fifth_bit(a: [u8; 64], mask: *const u8) -> [u8; 64] {
        let mask = unsafe { mask.cast::<u64>().read_unaligned() };
        let mut out = a;
        for (index, byte) in out.iter_mut().enumerate() {
            *byte += 16 * ((mask >> index) & 1) as u8;
        }
        out
    }
    #[inline(always)]
    unsafe fn add_bit_pair(a: [u8; 64], pairs: [u8; 64], index: u32) -> [u8; 64] {
        let mut out = a;
        for (byte, pair) in out.iter_mut().zip(pairs) {
            *byte += 16 * ((pair >> (2 * index)) & 3);
        }
        out
    }
}
