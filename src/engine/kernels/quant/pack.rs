//! Matrices laid out for the kernels: panels of sixteen rows, so that one vector holds four columns of each row.
//!
//! A panel of a quantised kind is, for each group of 32 columns, eight slices of 64 bytes (slice `s` holds columns
//! `4s..4s+4` of the 16 rows, row after row) squeezed to the kind's bits; behind all groups stand the scales as
//! halves (16 rows together), then the minima. A panel of a plain kind is, column by column, 16 rows.

use anyhow::{Context, Result, bail};
use half::{bf16, f16};
use rayon::prelude::*;

use super::format::{WeightFormat, WeightGroup, group};
use crate::model::weights::Stored;

/// Rows of a panel.
pub(crate) const LANES: usize = 16;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct CacheLine([u8; 64]);

/// A weight matrix, (rows, columns), ready for the kernels. `y = W x` with `x` of `columns` values.
pub struct Packed {
    pub(crate) kind: WeightFormat,
    rows: usize,
    columns: usize,
    panel_lines: usize,
    lines: Vec<CacheLine>,
}

/// How a panel of a quantised kind is divided, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct PanelShape {
    /// The squeezed numbers of one group of 32 columns.
    pub numbers: usize,
    /// Scales of a group: 1 or 2.
    pub scales: usize,
    pub minima: bool,
}

pub(crate) const fn panel_shape(kind: WeightFormat) -> PanelShape {
    let (numbers, scales, minima) = match kind {
        WeightFormat::F32 => (64 * 32, 0, false),
        WeightFormat::F16 | WeightFormat::Bf16 => (32 * 32, 0, false),
        WeightFormat::Q8 => (512, 1, false),
        WeightFormat::Q4 => (256, 1, false),
        WeightFormat::Q4Minimum => (256, 1, true),
        WeightFormat::Q5 => (320, 1, false),
        WeightFormat::Q5Minimum => (320, 1, true),
        WeightFormat::Q6 => (384, 2, false),
    };
    PanelShape { numbers, scales, minima }
}

impl PanelShape {
    const fn bytes(self, groups: usize) -> usize {
        groups * (self.numbers + 2 * LANES * (self.scales + if self.minima { 1 } else { 0 }))
    }
}

impl Packed {
    /// Lays out a stored tensor of (rows, columns). Formats without kernels are kept as half floats.
    ///
    /// # Errors
    /// Where the bytes don't fit the shape.
    pub fn new(stored: &Stored, rows: usize, columns: usize) -> Result<Self> {
        match WeightFormat::of(stored.format) {
            Some(WeightFormat::F32) => {
                let values = stored.bytes.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
                Self::dense(&values.collect::<Vec<_>>(), rows, columns, WeightFormat::F32)
            }
            Some(WeightFormat::F16) => {
                Self::dense(&halves(stored, f16::to_f32, f16::from_bits), rows, columns, WeightFormat::F16)
            }
            Some(WeightFormat::Bf16) => {
                Self::dense(&halves(stored, bf16::to_f32, bf16::from_bits), rows, columns, WeightFormat::Bf16)
            }
            Some(kind) => Self::quantised(stored, rows, columns, kind),
            None => Self::dense(&dequantised(stored, rows, columns)?, rows, columns, WeightFormat::F16),
        }
    }

    /// Lays out plain values, (rows, columns) row by row, as a plain kind or quantised to 8 bits.
    ///
    /// # Errors
    /// Where the number of values doesn't fit the shape, or the kind is neither plain nor `Q8`.
    pub fn from_f32(values: &[f32], rows: usize, columns: usize, kind: WeightFormat) -> Result<Self> {
        if kind.is_dense() {
            return Self::dense(values, rows, columns, kind);
        }
        if kind != WeightFormat::Q8 || !columns.is_multiple_of(32) || values.len() != rows * columns {
            bail!("{} values of {rows} x {columns} can't be quantised to {kind:?}", values.len());
        }
        Self::groups(rows, columns, kind, |row, index| {
            let start = row * columns + 32 * index;
            Ok(quantise_group(values.get(start..start + 32).unwrap_or(&[])))
        })
    }

    pub const fn rows(&self) -> usize {
        self.rows
    }

    pub const fn columns(&self) -> usize {
        self.columns
    }

    pub const fn kind(&self) -> WeightFormat {
        self.kind
    }

    /// Bytes in memory.
    pub const fn bytes(&self) -> usize {
        self.lines.len() * size_of::<CacheLine>()
    }

    pub(crate) const fn panels(&self) -> usize {
        self.rows.div_ceil(LANES)
    }

    /// Where a panel starts, valid for the whole panel.
    #[inline]
    pub(crate) fn panel(&self, index: usize) -> *const u8 {
        debug_assert!(index < self.panels());
        self.lines.as_ptr().wrapping_add(index * self.panel_lines).cast()
    }

    /// A panel's bytes, and those of the panels after it.
    pub(super) fn panel_bytes(&self, index: usize) -> Option<&[u8]> {
        // SAFETY: lines are plain bytes.
        let all = unsafe {
            std::slice::from_raw_parts(
                self.lines.as_ptr().cast::<u8>(),
                self.lines.len() * size_of::<CacheLine>(),
            )
        };
        all.get(index * self.panel_lines * size_of::<CacheLine>()..)
    }

    /// All numbers as f32: (rows, columns).
    pub fn numbers(&self) -> Vec<f32> {
        let mut numbers = vec![0.0; self.rows * self.columns];
        numbers.par_chunks_mut(self.columns).enumerate().for_each(|(row, to)| self.read_row(row, to));
        numbers
    }

    /// Row `row` as f32, into `to` (columns).
    pub fn read_row(&self, row: usize, to: &mut [f32]) {
        let Some(panel) = self.panel_bytes(row / LANES).filter(|_| row < self.rows) else { return };
        let lane = row % LANES;
        if self.kind.is_dense() {
            for (column, value) in to.iter_mut().enumerate().take(self.columns) {
                let at = column * LANES + lane;
                *value = match self.kind {
                    WeightFormat::F16 => f16::from_bits(half_bits(panel, at)).to_f32(),
                    WeightFormat::Bf16 => bf16::from_bits(half_bits(panel, at)).to_f32(),
                    _ => f32::from_le_bytes([
                        panel[4 * at],
                        panel[4 * at + 1],
                        panel[4 * at + 2],
                        panel[4 * at + 3],
                    ]),
                };
            }
            return;
        }
        let groups = self.columns / 32;
        for (index, chunk) in to.chunks_exact_mut(32).enumerate().take(groups) {
            read_group(panel, self.kind, groups, index, lane, chunk);
        }
    }

    fn empty(rows: usize, columns: usize, kind: WeightFormat) -> Self {
        let panel_bytes = match kind {
            WeightFormat::F32 => columns * 4 * LANES,
            WeightFormat::F16 | WeightFormat::Bf16 => columns * 2 * LANES,
            _ => panel_shape(kind).bytes(columns / 32),
        };
        let panel_lines = panel_bytes.div_ceil(size_of::<CacheLine>());
        let count = panel_lines * rows.div_ceil(LANES);
        let mut lines = Vec::with_capacity(count);
        prefer_large_pages(&lines);
        lines.resize(count, CacheLine([0; 64]));
        Self { kind, rows, columns, panel_lines, lines }
    }

    /// The panels' bytes, to fill.
    fn panels_mut(&mut self) -> impl IndexedParallelIterator<Item = &mut [u8]> {
        let panel = self.panel_lines.max(1);
        self.lines.par_chunks_mut(panel).map(|lines| {
            let length = size_of_val(lines);
            // SAFETY: a `CacheLine` is 64 plain bytes without padding.
            unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast::<u8>(), length) }
        })
    }

    fn dense(values: &[f32], rows: usize, columns: usize, kind: WeightFormat) -> Result<Self> {
        if values.len() != rows * columns {
            bail!("{} values don't fill {rows} x {columns}", values.len());
        }
        let mut packed = Self::empty(rows, columns, kind);
        packed.panels_mut().enumerate().for_each(|(panel, bytes)| {
            for lane in 0..LANES.min(rows - panel * LANES) {
                let row = &values[(panel * LANES + lane) * columns..][..columns];
                for (column, &value) in row.iter().enumerate() {
                    let at = column * LANES + lane;
                    match kind {
                        WeightFormat::F16 => put_half(bytes, at, f16::from_f32(value).to_bits()),
                        WeightFormat::Bf16 => put_half(bytes, at, bf16::from_f32(value).to_bits()),
                        _ => bytes[4 * at..4 * at + 4].copy_from_slice(&value.to_le_bytes()),
                    }
                }
            }
        });
        Ok(packed)
    }

    fn quantised(stored: &Stored, rows: usize, columns: usize, kind: WeightFormat) -> Result<Self> {
        let block = stored.format.block_size();
        if !columns.is_multiple_of(block) {
            bail!("{columns} columns are no multiple of {block}, the block of {:?}", stored.format);
        }
        let row_bytes = columns / block * stored.format.type_size();
        if stored.bytes.len() != rows * row_bytes {
            bail!("{} bytes of {:?} don't fill {rows} x {columns}", stored.bytes.len(), stored.format);
        }
        Self::groups(rows, columns, kind, |row, index| {
            group(stored.format, &stored.bytes[row * row_bytes..(row + 1) * row_bytes], index)
        })
    }

    fn groups(
        rows: usize,
        columns: usize,
        kind: WeightFormat,
        read: impl Fn(usize, usize) -> Result<WeightGroup> + Sync,
    ) -> Result<Self> {
        let mut packed = Self::empty(rows, columns, kind);
        let groups = columns / 32;
        packed.panels_mut().enumerate().try_for_each(|(panel, bytes)| {
            for lane in 0..LANES.min(rows - panel * LANES) {
                for index in 0..groups {
                    put_group(bytes, kind, groups, index, lane, &read(panel * LANES + lane, index)?);
                }
            }
            anyhow::Ok(())
        })?;
        Ok(packed)
    }
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:?} {} x {}", self.kind, self.rows, self.columns)
    }
}

fn halves<T>(stored: &Stored, to_f32: impl Fn(T) -> f32, from_bits: impl Fn(u16) -> T) -> Vec<f32> {
    let pairs = stored.bytes.as_chunks::<2>().0;
    pairs.iter().map(|&bytes| to_f32(from_bits(u16::from_le_bytes(bytes)))).collect()
}

fn dequantised(stored: &Stored, rows: usize, columns: usize) -> Result<Vec<f32>> {
    use candle_core::quantized::{QStorage, QTensor};
    let device = candle_core::Device::Cpu;
    let storage = QStorage::from_data(std::borrow::Cow::Borrowed(&stored.bytes), &device, stored.format)?;
    let tensor = QTensor::new(storage, (rows, columns)).context("read the blocks of a tensor")?;
    Ok(tensor.dequantize(&device)?.flatten_all()?.to_vec1()?)
}

/// `Q8_0`'s own rounding: the largest magnitude becomes 127.
fn quantise_group(values: &[f32]) -> WeightGroup {
    let largest = values.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    let scale = largest / 127.0;
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    let mut numbers = [128; 32];
    for (number, value) in numbers.iter_mut().zip(values) {
        *number = ((value * inverse).round() as i8).cast_unsigned() ^ 128;
    }
    WeightGroup { numbers, scales: [scale; 2], minimum: 0.0 }
}

fn put_half(bytes: &mut [u8], at: usize, bits: u16) {
    bytes[2 * at..2 * at + 2].copy_from_slice(&bits.to_le_bytes());
}

fn half_bits(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[2 * at], bytes[2 * at + 1]])
}

/// The other way round from [`put_group`]: 32 values.
fn read_group(bytes: &[u8], kind: WeightFormat, groups: usize, index: usize, lane: usize, to: &mut [f32]) {
    let shape = panel_shape(kind);
    let numbers = &bytes[index * shape.numbers..(index + 1) * shape.numbers];
    let half = |at: usize| f16::from_bits(half_bits(&bytes[groups * shape.numbers..], at)).to_f32();
    let minimum = if shape.minima { half((groups * shape.scales + index) * LANES + lane) } else { 0.0 };
    let offset = match kind {
        WeightFormat::Q8 => 128,
        WeightFormat::Q4 => 8,
        WeightFormat::Q5 => 16,
        WeightFormat::Q6 => 32,
        _ => 0,
    };
    for (column, value) in to.iter_mut().enumerate() {
        let (slice, within) = (column / 4, 4 * lane + column % 4);
        let number = if kind == WeightFormat::Q8 {
            numbers[64 * slice + within]
        } else {
            let low = (numbers[64 * (slice % 4) + within] >> (4 * (slice / 4))) & 15;
            let high = match kind {
                WeightFormat::Q5 | WeightFormat::Q5Minimum => {
                    (numbers[256 + 8 * slice + within / 8] >> (within % 8)) & 1
                }
                WeightFormat::Q6 => (numbers[256 + 64 * (slice / 4) + within] >> (2 * (slice % 4))) & 3,
                _ => 0,
            };
            low | (high << 4)
        };
        let scale = half((index * shape.scales + column * shape.scales / 32) * LANES + lane);
        *value = scale * (i32::from(number) - offset) as f32 + minimum;
    }
}

fn put_group(
    bytes: &mut [u8],
    kind: WeightFormat,
    groups: usize,
    index: usize,
    lane: usize,
    group: &WeightGroup,
) {
    let shape = panel_shape(kind);
    let numbers = &mut bytes[index * shape.numbers..(index + 1) * shape.numbers];
    for (column, &number) in group.numbers.iter().enumerate() {
        let (slice, within) = (column / 4, 4 * lane + column % 4);
        if kind == WeightFormat::Q8 {
            numbers[64 * slice + within] = number;
            continue;
        }
        numbers[64 * (slice % 4) + within] |= (number & 15) << (4 * (slice / 4));
        match kind {
            WeightFormat::Q5 | WeightFormat::Q5Minimum => {
                numbers[256 + 8 * slice + within / 8] |= (number >> 4) << (within % 8);
            }
            WeightFormat::Q6 => {
                numbers[256 + 64 * (slice / 4) + within] |= (number >> 4) << (2 * (slice % 4));
            }
            _ => {}
        }
    }
    let scales = groups * shape.numbers;
    let half = |value: f32| f16::from_f32(value).to_bits();
    for (part, &scale) in group.scales.iter().take(shape.scales).enumerate() {
        put_half(&mut bytes[scales..], (index * shape.scales + part) * LANES + lane, half(scale));
    }
    if shape.minima {
        let minima = scales + groups * shape.scales * 2 * LANES;
        put_half(&mut bytes[minima..], index * LANES + lane, half(group.minimum));
    }
}

/// Weights are read from end to end for every token: large pages spare the processor most of its address look-ups.
fn prefer_large_pages(lines: &Vec<CacheLine>) {
    #[cfg(target_os = "linux")]
    {
        const LARGE: usize = 2 << 20;
        let bytes = lines.capacity() * size_of::<CacheLine>();
        let start = (lines.as_ptr() as usize).next_multiple_of(LARGE);
        let end = (lines.as_ptr() as usize + bytes) / LARGE * LARGE;
        if end > start {
            // SAFETY: the range lies inside memory that `lines` owns; the advice changes no contents, and failing
            // it changes nothing.
            unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_HUGEPAGE) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = lines;
}
