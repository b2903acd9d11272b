//! The matrix product's kernels: one panel of sixteen output rows against rows of activations.
//!
//! Every output is summed in the same order whatever the number of rows, so that a sequence's numbers don't depend
//! on what else is computed beside it.

#![expect(
    clippy::inline_always,
    reason = "kernels are compiled with the instructions of the function around them"
)]

use super::activation::ActivationsAt;
use super::format::WeightFormat;
use super::pack::{LANES, Packed, PanelShape, panel_shape};
use crate::kernels::lanes::{AsBf16, AsF16, AsF32, Element, Kernel, Lanes};

/// Where a product goes: row `r`, output `o` is at `to[r * stride + o]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PanelOutput {
    pub to: *mut f32,
    pub stride: usize,
    pub write: Write,
}

// SAFETY: an address; who writes where is settled by the callers.
unsafe impl Send for PanelOutput {}
// SAFETY: threads share the address and write rows and outputs of their own, which the callers see to.
unsafe impl Sync for PanelOutput {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    Replace,
    Add,
}

/// One panel of `matrix` times the first `rows` rows of `input`.
pub(crate) struct PanelProduct<'a> {
    pub matrix: &'a Packed,
    pub panel: usize,
    pub input: ActivationsAt,
    pub rows: usize,
    pub output: PanelOutput,
    /// Room for 16 rows of the matrix as bytes; used when there are many rows of activations.
    pub scratch: &'a mut Vec<u8>,
}

/// With at least this many rows, a panel's numbers are unpacked to bytes first.
const UNPACK_FROM: usize = 5;

impl Kernel for PanelProduct<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        // SAFETY: the caller promises valid rows of input and output and the machine's instructions.
        unsafe {
            match self.matrix.kind {
                WeightFormat::F32 => dense::<L, AsF32>(&self),
                WeightFormat::F16 => dense::<L, AsF16>(&self),
                WeightFormat::Bf16 => dense::<L, AsBf16>(&self),
                WeightFormat::Q8 => quantised::<L, Q8>(self),
                WeightFormat::Q4 => quantised::<L, Q4>(self),
                WeightFormat::Q4Minimum => quantised::<L, Q4Minimum>(self),
                WeightFormat::Q5 => quantised::<L, Q5>(self),
                WeightFormat::Q5Minimum => quantised::<L, Q5Minimum>(self),
                WeightFormat::Q6 => quantised::<L, Q6>(self),
            }
        }
    }
}

/// How a kind's squeezed numbers become bytes.
trait Format {
    const KIND: WeightFormat;
    const SHAPE: PanelShape = panel_shape(Self::KIND);
    /// The numbers' offset is 2 to this; 0 where there is a minimum instead.
    const OFFSET_BITS: u32;
    const WIDE: bool = matches!(Self::KIND, WeightFormat::Q8);

    /// The eight slices of a group.
    unsafe fn slices<L: Lanes>(group: *const u8) -> [L::Bytes; 8];
}

macro_rules! format {
    ($name:ident, $kind:expr, $offset:expr, $slices:expr) => {
        struct $name;
        impl Format for $name {
            const KIND: WeightFormat = $kind;
            const OFFSET_BITS: u32 = $offset;
            #[inline(always)]
            unsafe fn slices<L: Lanes>(group: *const u8) -> [L::Bytes; 8] {
                // SAFETY: the caller promises a whole group.
                unsafe { $slices(group) }
            }
        }
    };
}

format!(Q8, WeightFormat::Q8, 7, plain::<L>);
format!(Q4, WeightFormat::Q4, 3, four_bits::<L>);
format!(Q4Minimum, WeightFormat::Q4Minimum, 0, four_bits::<L>);
format!(Q5, WeightFormat::Q5, 4, five_bits::<L>);
format!(Q5Minimum, WeightFormat::Q5Minimum, 0, five_bits::<L>);
format!(Q6, WeightFormat::Q6, 5, six_bits::<L>);

#[inline(always)]
unsafe fn plain<L: Lanes>(group: *const u8) -> [L::Bytes; 8] {
    // SAFETY: the caller promises 512 bytes.
    unsafe {
        let at = |slice: usize| L::load_bytes(group.add(64 * slice));
        [at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)]
    }
}

#[inline(always)]
unsafe fn four_bits<L: Lanes>(group: *const u8) -> [L::Bytes; 8] {
    // SAFETY: the caller promises 256 bytes.
    unsafe {
        let at = |slice: usize| L::load_bytes(group.add(64 * slice));
        let packed = [at(0), at(1), at(2), at(3)];
        let [a, b, c, d] = packed;
        let low = |bytes| L::low_nibbles(bytes);
        let high = |bytes| L::high_nibbles(bytes);
        [low(a), low(b), low(c), low(d), high(a), high(b), high(c), high(d)]
    }
}

#[inline(always)]
unsafe fn five_bits<L: Lanes>(group: *const u8) -> [L::Bytes; 8] {
    // SAFETY: the caller promises 320 bytes.
    unsafe {
        let mut slices = four_bits::<L>(group);
        let mut index = 0;
        while index < 8 {
            slices[index] = L::add_fifth_bit(slices[index], group.add(256 + 8 * index));
            index += 1;
        }
        slices
    }
}

#[inline(always)]
unsafe fn six_bits<L: Lanes>(group: *const u8) -> [L::Bytes; 8] {
    // SAFETY: the caller promises 384 bytes.
    unsafe {
        let mut slices = four_bits::<L>(group);
        let (first, second) = (L::load_bytes(group.add(256)), L::load_bytes(group.add(320)));
        let mut index = 0;
        while index < 4 {
            slices[index] = L::add_bit_pair(slices[index], first, index as u32);
            slices[index + 4] = L::add_bit_pair(slices[index + 4], second, index as u32);
            index += 1;
        }
        slices
    }
}

/// With few rows, weights are asked for this many bytes before they are needed: the arithmetic is too short to hide
/// the way from memory.
const AHEAD: usize = 4096;
const FEW: usize = 2;

/// A panel's parts.
#[derive(Clone, Copy)]
struct Panel {
    numbers: *const u8,
    scales: *const u16,
    minima: *const u16,
    groups: usize,
    /// Rows of the matrix that the panel really has.
    lanes: usize,
}

#[inline(always)]
#[expect(
    clippy::cast_ptr_alignment,
    reason = "a panel is aligned to 64 bytes, and its numbers fill whole lines"
)]
unsafe fn quantised<L: Lanes, F: Format>(job: PanelProduct<'_>) {
    let PanelProduct { matrix, panel, input, rows, output, scratch } = job;
    let groups = matrix.columns() / 32;
    let numbers = matrix.panel(panel);
    // SAFETY: a panel holds its numbers, scales and minima one behind the other (`pack.rs`).
    unsafe {
        let scales = numbers.add(groups * F::SHAPE.numbers).cast::<u16>();
        let minima = scales.add(groups * F::SHAPE.scales * LANES);
        let lanes = LANES.min(matrix.rows() - panel * LANES);
        let at = Panel { numbers, scales, minima, groups, lanes };
        let output = PanelOutput { to: output.to.add(panel * LANES), ..output };
        if rows < UNPACK_FROM || F::SHAPE.numbers == 512 {
            tiles::<L, F, true>(at, input, rows, output);
            return;
        }
        if scratch.len() < groups * 512 + 64 {
            scratch.resize(groups * 512 + 64, 0);
        }
        let bytes = scratch.as_mut_ptr().add(scratch.as_ptr().align_offset(64));
        for group in 0..groups {
            let slices = F::slices::<L>(numbers.add(group * F::SHAPE.numbers));
            for (index, slice) in slices.into_iter().enumerate() {
                L::store_bytes(bytes.add(512 * group + 64 * index), slice);
            }
        }
        tiles::<L, F, false>(Panel { numbers: bytes, ..at }, input, rows, output);
    }
}

#[inline(always)]
unsafe fn tiles<L: Lanes, F: Format, const PACKED: bool>(
    panel: Panel,
    input: ActivationsAt,
    rows: usize,
    output: PanelOutput,
) {
    let mut row = 0;
    // SAFETY: tiles end at `rows`.
    unsafe {
        while L::TILE >= 8 && row + 8 <= rows {
            tile::<L, F, PACKED, 8>(panel, input, row, output);
            row += 8;
        }
        while row + 4 <= rows {
            tile::<L, F, PACKED, 4>(panel, input, row, output);
            row += 4;
        }
        while row + 2 <= rows {
            tile::<L, F, PACKED, 2>(panel, input, row, output);
            row += 2;
        }
        if row < rows {
            tile::<L, F, PACKED, 1>(panel, input, row, output);
        }
    }
}

#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "the slice's number is also its place in the activations")]
unsafe fn tile<L: Lanes, F: Format, const PACKED: bool, const T: usize>(
    panel: Panel,
    input: ActivationsAt,
    row: usize,
    output: PanelOutput,
) {
    let groups = panel.groups;
    let group_bytes = if PACKED { F::SHAPE.numbers } else { 512 };
    // SAFETY: rows `row..row + T` are valid, and so are the panel's groups.
    unsafe {
        let mut totals = [L::splat(0.0); T];
        let quants = input.quants.add(row * input.columns);
        for group in 0..groups {
            let numbers = panel.numbers.add(group * group_bytes);
            if T <= FEW {
                for line in (0..F::SHAPE.numbers).step_by(64) {
                    L::prefetch(numbers.wrapping_add(AHEAD + line));
                }
            }
            let slices = if PACKED { F::slices::<L>(numbers) } else { plain::<L>(numbers) };
            for part in 0..F::SHAPE.scales {
                let width = 8 / F::SHAPE.scales;
                let mut sums = [L::splat_integer(0); T];
                for (t, sum) in sums.iter_mut().enumerate() {
                    if F::OFFSET_BITS > 0 && (!F::WIDE || L::WIDE_IS_UNSIGNED) {
                        let minus = if F::SHAPE.scales == 2 {
                            *input.minus_halves.add(2 * ((row + t) * groups + group) + part)
                        } else {
                            *input.minus_sums.add((row + t) * groups + group)
                        };
                        *sum = L::splat_integer(minus << F::OFFSET_BITS);
                    }
                }
                for slice in part * width..(part + 1) * width {
                    for (t, sum) in sums.iter_mut().enumerate() {
                        let four = quants.add(t * input.columns + 32 * group + 4 * slice);
                        let four = four.cast::<i32>().read_unaligned();
                        *sum = if F::WIDE {
                            L::dot_wide(*sum, slices[slice], four)
                        } else {
                            L::dot(*sum, slices[slice], four)
                        };
                    }
                }
                let scale = L::load_half(panel.scales.add((group * F::SHAPE.scales + part) * LANES));
                for (t, total) in totals.iter_mut().enumerate() {
                    let of_row = L::splat(*input.scales.add((row + t) * groups + group));
                    *total = L::fused(L::multiply(L::to_floats(sums[t]), of_row), scale, *total);
                }
            }
            if F::SHAPE.minima {
                let minimum = L::load_half(panel.minima.add(group * LANES));
                for (t, total) in totals.iter_mut().enumerate() {
                    let sum = L::splat(*input.totals.add((row + t) * groups + group));
                    *total = L::fused(minimum, sum, *total);
                }
            }
        }
        for (t, &total) in totals.iter().enumerate() {
            put::<L>(total, output.to.add((row + t) * output.stride), output.write, panel.lanes);
        }
    }
}

/// Writes one row's sixteen outputs, or as many of them as the matrix has.
#[inline(always)]
unsafe fn put<L: Lanes>(total: L::Floats, to: *mut f32, write: Write, lanes: usize) {
    // SAFETY: the caller promises `lanes` valid places.
    unsafe {
        if lanes == LANES {
            let value = if write == Write::Add { L::add(L::load(to), total) } else { total };
            L::store(to, value);
            return;
        }
        let mut values = [0.0; LANES];
        L::store(values.as_mut_ptr(), total);
        for (lane, value) in values.into_iter().enumerate().take(lanes) {
            let place = to.add(lane);
            *place = if write == Write::Add { *place + value } else { value };
        }
    }
}

#[inline(always)]
unsafe fn dense<L: Lanes, E: Element>(job: &PanelProduct<'_>) {
    let lanes = LANES.min(job.matrix.rows() - job.panel * LANES);
    let panel = job.matrix.panel(job.panel).cast::<E::Bits>();
    let mut row = 0;
    // SAFETY: a panel holds `columns` times 16 elements; tiles end at `rows`.
    unsafe {
        let output = PanelOutput { to: job.output.to.add(job.panel * LANES), ..job.output };
        while L::TILE >= 8 && row + 8 <= job.rows {
            dense_tile::<L, E, 8>(panel, job.input, row, output, lanes);
            row += 8;
        }
        while row + 4 <= job.rows {
            dense_tile::<L, E, 4>(panel, job.input, row, output, lanes);
            row += 4;
        }
        while row + 2 <= job.rows {
            dense_tile::<L, E, 2>(panel, job.input, row, output, lanes);
            row += 2;
        }
        if row < job.rows {
            dense_tile::<L, E, 1>(panel, job.input, row, output, lanes);
        }
    }
}

#[inline(always)]
unsafe fn dense_tile<L: Lanes, E: Element, const T: usize>(
    panel: *const E::Bits,
    input: ActivationsAt,
    row: usize,
    output: PanelOutput,
    lanes: usize,
) {
    // SAFETY: rows `row..row + T` of input and output are valid, and so are the panel's columns.
    unsafe {
        let mut totals = [L::splat(0.0); T];
        let values = input.values.add(row * input.columns);
        for column in 0..input.columns {
            let weights = E::load::<L>(panel.add(column * LANES));
            for (t, total) in totals.iter_mut().enumerate() {
                let value = L::splat(*values.add(t * input.columns + column));
                *total = L::fused(weights, value, *total);
            }
        }
        for (t, &total) in totals.iter().enumerate() {
            put::<L>(total, output.to.add((row + t) * output.stride), output.write, lanes);
        }
    }
}
