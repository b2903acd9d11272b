//! A buffer that only grows, so that steps of different lengths allocate once.

#[derive(Debug, Default)]
pub(super) struct Buffer {
    data: Vec<f32>,
    length: usize,
}

impl Buffer {
    /// The first `length` floats, for writing; what is in them is left from earlier.
    pub(super) fn of(&mut self, length: usize) -> &mut [f32] {
        if self.data.len() < length {
            self.data.resize(length, 0.0);
        }
        self.length = length;
        &mut self.data[..length]
    }

    /// As much as was last asked for.
    pub(super) fn slice(&self) -> &[f32] {
        &self.data[..self.length]
    }

    pub(super) fn slice_mut(&mut self) -> &mut [f32] {
        &mut self.data[..self.length]
    }
}
