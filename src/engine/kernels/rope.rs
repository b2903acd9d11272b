//! Rotary position embedding (Su et al. 2021), in place; a head's first half of dimensions pairs with its second.

use rayon::prelude::*;

use super::lanes::{Kernel, LaneIsa, Lanes};

/// cos and sin for every position: each (positions, dimensions / 2).
#[derive(Debug, Clone)]
pub struct Rotation {
    cos: Vec<f32>,
    sin: Vec<f32>,
    half: usize,
}

/// Which way to turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationDirection {
    Forward,
    /// The transpose: what the gradient needs.
    Back,
}

/// Where the heads to turn are in a row.
#[derive(Debug, Clone, Copy)]
pub struct Heads {
    /// Floats from one token's row to the next.
    pub row: usize,
    /// Where the first head starts in a row; the others follow without gaps.
    pub first: usize,
    pub count: usize,
    pub width: usize,
}

impl Rotation {
    /// Tables from radians per position of each pair, and the factor of cos and sin.
    pub fn new(frequencies: &[f32], factor: f32, positions: usize) -> Self {
        let angles = (0..positions).flat_map(|p| frequencies.iter().map(move |f| p as f32 * f));
        let (cos, sin) = angles.map(|angle| (angle.cos() * factor, angle.sin() * factor)).unzip();
        Self { cos, sin, half: frequencies.len() }
    }

    /// cos and sin of some positions, one row each: (positions, dimensions / 2).
    pub fn rows(&self, positions: &[u32]) -> (Vec<f32>, Vec<f32>) {
        let take = |table: &[f32]| {
            let row = |&position: &u32| table.iter().skip(position as usize * self.half).take(self.half);
            positions.iter().flat_map(row).copied().collect()
        };
        (take(&self.cos), take(&self.sin))
    }

    /// Turns one head at a position, on this thread.
    ///
    /// # Panics
    /// If the position is past the tables, or the head is narrower than they are.
    pub fn turn(&self, head: &mut [f32], position: usize) {
        let at = position * self.half;
        let (cos, sin) = (&self.cos[at..at + self.half], &self.sin[at..at + self.half]);
        let head = head[..2 * self.half].as_mut_ptr();
        let (cosines, sines, half) = (cos.as_ptr(), sin.as_ptr(), self.half);
        let rotate = Rotate { head, cosines, sines, half, direction: RotationDirection::Forward };
        // SAFETY: head and tables were cut to these lengths above.
        unsafe { LaneIsa::best().run(rotate) };
    }

    /// Positions that the tables reach.
    pub fn positions(&self) -> usize {
        self.cos.len() / self.half.max(1)
    }

    /// Turns the heads of every row; `positions` has one entry a row.
    pub fn apply(&self, rows: &mut [f32], heads: Heads, positions: &[u32], direction: RotationDirection) {
        let isa = LaneIsa::best();
        rows.par_chunks_mut(heads.row).zip(positions).for_each(|(row, &position)| {
            let at = position as usize * self.half;
            let (cos, sin) = (&self.cos[at..at + self.half], &self.sin[at..at + self.half]);
            for head in 0..heads.count {
                let start = heads.first + head * heads.width;
                let head = row[start..start + 2 * self.half].as_mut_ptr();
                let (cosines, sines, half) = (cos.as_ptr(), sin.as_ptr(), self.half);
                // SAFETY: head and tables were cut to these lengths above.
                unsafe { isa.run(Rotate { head, cosines, sines, half, direction }) };
            }
        });
    }
}

/// Rotates one head in place: value `i` pairs with `i + half` (Su et al. 2021, in Hugging Face's layout).
pub(crate) struct Rotate {
    /// (at least 2 * half)
    pub head: *mut f32,
    /// (half) each
    pub cosines: *const f32,
    pub sines: *const f32,
    pub half: usize,
    pub direction: RotationDirection,
}

impl Kernel for Rotate {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let whole = self.half / 16 * 16;
        // SAFETY: the caller promises the lengths named above.
        unsafe {
            let (low, high) = (self.head, self.head.add(self.half));
            let sign = if self.direction == RotationDirection::Forward { 1.0 } else { -1.0 };
            for at in (0..whole).step_by(16) {
                let (a, b) = (L::load(low.add(at)), L::load(high.add(at)));
                let cos = L::load(self.cosines.add(at));
                let sin = L::multiply(L::load(self.sines.add(at)), L::splat(sign));
                let minus = L::multiply(sin, L::splat(-1.0));
                L::store(low.add(at), L::fused(b, minus, L::multiply(a, cos)));
                L::store(high.add(at), L::fused(a, sin, L::multiply(b, cos)));
            }
            for at in whole..self.half {
                let (a, b) = (*low.add(at), *high.add(at));
                let (cos, sin) = (*self.cosines.add(at), *self.sines.add(at) * sign);
                *low.add(at) = a * cos - b * sin;
                *high.add(at) = b * cos + a * sin;
            }
        }
    }
}
