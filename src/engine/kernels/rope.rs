//! Rotary position embedding (Su et al. 2021), in place; a head's first half of dimensions pairs with its second.

use rayon::prelude::*;

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

    /// Positions that the tables reach.
    pub fn positions(&self) -> usize {
        self.cos.len() / self.half.max(1)
    }

    /// Turns the heads of every row; `positions` has one entry a row.
    pub fn apply(&self, rows: &mut [f32], heads: Heads, positions: &[u32], turn: RotationDirection) {
        rows.par_chunks_mut(heads.row).zip(positions).for_each(|(row, &position)| {
            let at = position as usize * self.half;
            let (cos, sin) = (&self.cos[at..at + self.half], &self.sin[at..at + self.half]);
            for head in 0..heads.count {
                let start = heads.first + head * heads.width;
                self.turn(&mut row[start..start + 2 * self.half], cos, sin, turn);
            }
        });
    }

    fn turn(&self, head: &mut [f32], cos: &[f32], sin: &[f32], turn: RotationDirection) {
        let (first, second) = head.split_at_mut(self.half);
        let sign = if turn == RotationDirection::Forward { 1.0 } else { -1.0 };
        for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
            let sin = sin * sign;
            (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
        }
    }
}
