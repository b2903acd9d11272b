//! Layers `y = x W^T + b` over weights that are laid out once: a product of some rows on the calling thread, with what
//! follows it (bias, what is there already, an activation) done while its numbers are in registers.
//!
//! Every number is summed in the order of the inputs, however many rows there are: a row gives the same alone and among
//! others, bit for bit.

use super::gelu::gelu;
use super::lanes::{Kernel, LaneIsa, Lanes};

/// Outputs of a panel.
pub(crate) const LANES: usize = 16;

/// Inputs that a panel goes through before the next panel: those numbers of it stay in the first-level cache.
const DEPTH: usize = 384;

/// Weights and bias, laid out for [`Linear::apply`].
pub struct Linear {
    /// Panel after panel of 16 outputs, each (inputs, 16); outputs past the last are zero.
    panels: Vec<Line>,
    /// (panels x 16)
    bias: Vec<f32>,
    inputs: usize,
    outputs: usize,
}

/// One input's weights for 16 outputs: a cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LANES]);

/// What follows the sum and the bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It replaces what is there.
    Nothing,
    /// It is added to what is there.
    Add,
    /// The Gaussian error unit of it replaces what is there.
    Gelu,
}

impl Linear {
    /// Lays out `weight`, (outputs, inputs), and `bias`, (outputs), or none.
    ///
    /// # Panics
    /// If the slices don't have these sizes.
    #[must_use]
    pub fn new(weight: &[f32], bias: &[f32], inputs: usize) -> Self {
        let outputs = bias.len();
        assert!(weight.len() == outputs * inputs, "a weight of another size than its layer's");
        let count = outputs.div_ceil(LANES);
        let mut panels = vec![Line([0.0; LANES]); count * inputs];
        for (output, row) in weight.chunks_exact(inputs.max(1)).enumerate() {
            let (panel, lane) = (output / LANES, output % LANES);
            for (line, value) in panels[panel * inputs..(panel + 1) * inputs].iter_mut().zip(row) {
                line.0[lane] = *value;
            }
        }
        let mut padded = bias.to_vec();
        padded.resize(count * LANES, 0.0);
        Self { panels, bias: padded, inputs, outputs }
    }

    #[must_use]
    pub const fn inputs(&self) -> usize {
        self.inputs
    }

    #[must_use]
    pub const fn outputs(&self) -> usize {
        self.outputs
    }

    /// `y = after(x W^T + b)`: x is (rows, inputs), y (rows, outputs).
    ///
    /// # Panics
    /// If the slices have no such rows.
    pub fn apply(&self, x: &[f32], y: &mut [f32], after: After) {
        let rows = y.len() / self.outputs;
        assert!(x.len() == rows * self.inputs && y.len() == rows * self.outputs, "rows of another layer");
        let (x, y) = (x.as_ptr(), y.as_mut_ptr());
        // SAFETY: x and y have `rows` rows of this layer's widths, and y is borrowed for writing.
        unsafe { LaneIsa::best().run(Apply { linear: self, x, y, rows, after }) };
    }
}

struct Apply<'a> {
    linear: &'a Linear,
    x: *const f32,
    y: *mut f32,
    rows: usize,
    after: After,
}

impl Kernel for Apply<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let Linear { panels, bias, inputs, outputs } = self.linear;
        let (inputs, outputs) = (*inputs, *outputs);
        let mut first = 0;
        while first < inputs {
            let depth = DEPTH.min(inputs - first);
            let is_last = first + depth == inputs;
            for panel in 0..outputs.div_ceil(LANES) {
                // SAFETY: the panel's part is inside `panels`, and the rows inside x and y by the caller's word.
                unsafe {
                    let place = Place {
                        to: self.y.add(panel * LANES),
                        stride: outputs,
                        lanes: LANES.min(outputs - panel * LANES),
                        add: first > 0 || self.after == After::Add,
                        bias: (first == 0).then(|| bias.as_ptr().add(panel * LANES)),
                        gelu: is_last && self.after == After::Gelu,
                        scales: None,
                    };
                    let factors = Factors {
                        a: self.x.add(first),
                        a_stride: inputs,
                        b: panels.as_ptr().add(panel * inputs + first).cast(),
                        b_stride: LANES,
                        depth,
                        // Past the last panel it asks for what nobody reads, which harms nobody.
                        next: Some(panels.as_ptr().wrapping_add((panel + 1) * inputs + first).cast()),
                    };
                    product::<L>(factors, self.rows, place);
                }
            }
            first += depth;
        }
    }
}

/// Two factors: `a` is (rows, depth), `b` (depth, 16), both with strides.
#[derive(Clone, Copy)]
pub(crate) struct Factors {
    pub(crate) a: *const f32,
    pub(crate) a_stride: usize,
    pub(crate) b: *const f32,
    pub(crate) b_stride: usize,
    pub(crate) depth: usize,
    /// What is read next, if it is far away: asked for meanwhile, `depth` lines of 16.
    pub(crate) next: Option<*const f32>,
}

/// Where a product of 16 columns goes, and what is done to it before.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) to: *mut f32,
    pub(crate) stride: usize,
    /// Columns that there are, up to 16.
    pub(crate) lanes: usize,
    /// Whether it is added to what is there.
    pub(crate) add: bool,
    /// Added to every row.
    pub(crate) bias: Option<*const f32>,
    pub(crate) gelu: bool,
    /// What each row is multiplied by.
    pub(crate) scales: Option<*const f32>,
}

impl Place {
    /// The product as it is.
    pub(crate) const fn plain(to: *mut f32, stride: usize, lanes: usize) -> Self {
        Self { to, stride, lanes, add: false, bias: None, gelu: false, scales: None }
    }

    /// The place of the rows from `row` on.
    #[inline(always)]
    unsafe fn from(self, row: usize) -> Self {
        // SAFETY: the caller's word.
        unsafe {
            let scales = self.scales.map(|scales| scales.add(row));
            Self { to: self.to.add(row * self.stride), scales, ..self }
        }
    }
}

/// `a b` for all rows.
///
/// # Safety
/// All elements that sizes and strides name must be there, those of the place for writing; 16 of every row of `b` and of
/// the bias. And as [`Lanes`].
#[inline(always)]
pub(crate) unsafe fn product<L: Lanes>(factors: Factors, rows: usize, place: Place) {
    let mut row = 0;
    let lines = factors.depth.div_ceil((rows / 6).max(1));
    // SAFETY: rows up to `rows`, by the caller's word.
    unsafe {
        let at = |row: usize| {
            if let Some(next) = factors.next {
                let from = row / 6 * lines;
                for line in from..(from + lines).min(factors.depth) {
                    L::prefetch(next.wrapping_add(line * LANES).cast());
                }
            }
            let factors = Factors { a: factors.a.add(row * factors.a_stride), ..factors };
            (factors, place.from(row))
        };
        if L::TILE >= 8 {
            while row + 12 <= rows {
                let (factors, place) = at(row);
                tile::<L, 12>(factors, place);
                row += 12;
            }
        }
        while row + 6 <= rows {
            let (factors, place) = at(row);
            tile::<L, 6>(factors, place);
            row += 6;
        }
        let (factors, place) = at(row);
        match rows - row {
            0 => {}
            1 => tile::<L, 1>(factors, place),
            2 => tile::<L, 2>(factors, place),
            3 => tile::<L, 3>(factors, place),
            4 => tile::<L, 4>(factors, place),
            _ => tile::<L, 5>(factors, place),
        }
    }
}

/// `ROWS` rows at once: their sums stay in registers.
#[inline(always)]
unsafe fn tile<L: Lanes, const ROWS: usize>(factors: Factors, place: Place) {
    let Factors { a, a_stride, b, b_stride, depth, .. } = factors;
    // SAFETY: the caller's word.
    unsafe {
        let mut sums = [L::splat(0.0); ROWS];
        for k in 0..depth {
            let b = L::load(b.add(k * b_stride));
            for (row, sum) in sums.iter_mut().enumerate() {
                *sum = L::fused(L::splat(*a.add(row * a_stride + k)), b, *sum);
            }
        }
        for (row, sum) in sums.into_iter().enumerate() {
            put::<L>(sum, place.from(row));
        }
    }
}

/// Finishes one row's sums and writes them.
#[inline(always)]
unsafe fn put<L: Lanes>(sum: L::Floats, place: Place) {
    // SAFETY: the caller promises as many places as there are lanes, and 16 of the bias.
    unsafe {
        let scaled = place.scales.map_or(sum, |scale| L::multiply(sum, L::splat(*scale)));
        let biased = place.bias.map_or(scaled, |bias| L::add(sum, L::load(bias)));
        let mut there = [0.0; LANES];
        let is_whole = place.lanes == LANES;
        if place.add && !is_whole {
            there.as_mut_ptr().copy_from_nonoverlapping(place.to, place.lanes);
        }
        let added = match (place.add, is_whole) {
            (false, _) => biased,
            (true, true) => L::add(biased, L::load(place.to)),
            (true, false) => L::add(biased, L::load(there.as_ptr())),
        };
        let value = if place.gelu { gelu::<L>(added) } else { added };
        if is_whole {
            L::store(place.to, value);
        } else {
            L::store(there.as_mut_ptr(), value);
            place.to.copy_from_nonoverlapping(there.as_ptr(), place.lanes);
        }
    }
}
