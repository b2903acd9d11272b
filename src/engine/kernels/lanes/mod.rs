//! Vector operations for kernels that the compiler can't be left to vectorise: sixteen rows or sixteen floats at a time.
//!
//! A kernel is written once over [`Lanes`] and compiled once for each instruction set; which one runs is decided
//! when the program starts. What plain code over slices is as fast for is written by [`by_isa`](super::isa::by_isa).

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod element;
mod isa;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

pub(crate) use element::{AsBf16, AsF16, AsF32, Element};
pub use isa::LaneIsa;

/// Work written over [`Lanes`]. [`Lanes::vectorize`] compiles it for an instruction set.
pub(crate) trait Kernel {
    type Output;

    /// # Safety
    /// As [`Lanes`]; and whatever the kernel's own pointers need. To be marked `#[inline(always)]`, so that it is
    /// compiled with the instructions of the function that it is called from.
    unsafe fn run<L: Lanes>(self) -> Self::Output;
}

/// Sixteen lanes of an instruction set.
///
/// # Safety
/// Every function may only run on a machine that has the implementor's instructions, and pointers must be valid
/// for as many elements as the function says. Alignment is never required.
pub(crate) trait Lanes: Copy {
    /// Sixteen f32.
    type Floats: Copy;
    /// Sixteen i32.
    type Integers: Copy;
    /// Sixty-four bytes: sixteen lanes of four.
    type Bytes: Copy;
    /// Whether [`Lanes::dot_wide`] takes its bytes as they are (0..=255) and leaves it to the caller to subtract
    /// 128 times the activations' sum, or subtracts 128 itself.
    const WIDE_IS_UNSIGNED: bool;
    /// How many rows of activations a kernel should keep in registers at once.
    const TILE: usize;

    /// Runs a kernel compiled for these instructions.
    unsafe fn vectorize<K: Kernel>(kernel: K) -> K::Output;

    unsafe fn splat(value: f32) -> Self::Floats;
    /// Reads 16 f32.
    unsafe fn load(from: *const f32) -> Self::Floats;
    /// Reads 16 IEEE half floats.
    unsafe fn load_half(from: *const u16) -> Self::Floats;
    /// Reads 16 bfloat16.
    unsafe fn load_bfloat(from: *const u16) -> Self::Floats;
    /// Writes 16 f32.
    unsafe fn store(to: *mut f32, value: Self::Floats);
    /// Writes 16 IEEE half floats, rounded to nearest.
    unsafe fn store_half(to: *mut u16, value: Self::Floats);
    unsafe fn add(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    unsafe fn multiply(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    unsafe fn divide(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// `a * b + c`, rounded once where the machine can.
    unsafe fn fused(a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats;
    unsafe fn maximum(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    unsafe fn minimum(a: Self::Floats, b: Self::Floats) -> Self::Floats;
    unsafe fn absolute(a: Self::Floats) -> Self::Floats;
    unsafe fn round(a: Self::Floats) -> Self::Floats;
    /// `2^n` for whole `n` in -126..=127.
    unsafe fn power_of_two(n: Self::Floats) -> Self::Floats;
    unsafe fn sum(a: Self::Floats) -> f32;
    unsafe fn largest(a: Self::Floats) -> f32;
    /// Rounds to whole numbers in -127..=127, writes them as 16 i8, and returns their sum.
    unsafe fn narrow(to: *mut i8, value: Self::Floats) -> i32;

    unsafe fn splat_integer(value: i32) -> Self::Integers;
    unsafe fn to_floats(a: Self::Integers) -> Self::Floats;
    /// Adds to each lane the dot product of its four bytes, each at most 127, with the four i8 of `activations`.
    unsafe fn dot(sum: Self::Integers, weights: Self::Bytes, activations: i32) -> Self::Integers;
    /// As [`Lanes::dot`] for bytes up to 255; see [`Lanes::WIDE_IS_UNSIGNED`].
    unsafe fn dot_wide(sum: Self::Integers, weights: Self::Bytes, activations: i32) -> Self::Integers;

    /// Asks for the cache line at this address, which may lie anywhere.
    unsafe fn prefetch(at: *const u8);
    /// Reads 64 bytes.
    unsafe fn load_bytes(from: *const u8) -> Self::Bytes;
    /// Writes 64 bytes.
    unsafe fn store_bytes(to: *mut u8, value: Self::Bytes);
    /// `byte & 15`
    unsafe fn low_nibbles(a: Self::Bytes) -> Self::Bytes;
    /// `byte >> 4`
    unsafe fn high_nibbles(a: Self::Bytes) -> Self::Bytes;
    /// Adds 16 to each byte whose bit is set in the 64 bits at `mask`.
    unsafe fn add_fifth_bit(a: Self::Bytes, mask: *const u8) -> Self::Bytes;
    /// Adds `16 * ((pairs >> (2 * index)) & 3)` to each byte.
    unsafe fn add_bit_pair(a: Self::Bytes, pairs: Self::Bytes, index: u32) -> Self::Bytes;
}

/// `e^x` to within two units in the last place, by Cephes' method: `2^n` times a polynomial of the rest. Arguments
/// below -87 give nearly zero, above 88 the largest power.
///
/// # Safety
/// As [`Lanes`].
#[inline(always)]
pub(crate) unsafe fn exponential<L: Lanes>(x: L::Floats) -> L::Floats {
    // SAFETY: the caller promises the instruction set; no memory is touched.
    unsafe {
        let x = L::minimum(L::maximum(x, L::splat(-87.0)), L::splat(88.0));
        let n = L::round(L::multiply(x, L::splat(std::f32::consts::LOG2_E)));
        let rest = L::fused(n, L::splat(-0.693_359_4), x);
        let rest = L::fused(n, L::splat(2.121_944_4e-4), rest);
        let mut polynomial = L::splat(1.987_569_1e-4);
        for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
            polynomial = L::fused(polynomial, rest, L::splat(coefficient));
        }
        let square = L::multiply(rest, rest);
        let value = L::fused(polynomial, square, L::add(rest, L::splat(1.0)));
        L::multiply(value, L::power_of_two(n))
    }
}
