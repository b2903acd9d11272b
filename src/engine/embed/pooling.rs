//! One vector of length 1 for a text, from the states of its tokens.

/// Which tokens count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    /// All, equally.
    Mean,
    /// The one that begins a text.
    First,
    /// The one that ends it.
    Last,
}

impl Pooling {
    /// From `states`, (tokens, width).
    pub(super) fn vector(self, states: &[f32], width: usize) -> Vec<f32> {
        let mut rows = states.chunks_exact(width);
        let mut vector = vec![0.0; width];
        let add = |row: &[f32]| vector.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        match self {
            // The mean's own scale goes with the length.
            Self::Mean => rows.for_each(add),
            Self::First => rows.next().into_iter().for_each(add),
            Self::Last => rows.next_back().into_iter().for_each(add),
        }
        let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-12);
        vector.iter_mut().for_each(|value| *value /= length);
        vector
    }
}
