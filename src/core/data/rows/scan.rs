//! Finds where JSON values end, without parsing them, and holds their bytes.

use super::LONGEST_ROW;

/// Bytes of a value, as long as they are no more than a row may have.
#[derive(Default)]
pub(super) struct HeldBytes {
    pub(super) bytes: Vec<u8>,
    pub(super) overflown: bool,
}

impl HeldBytes {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.overflown |= self.bytes.len() + bytes.len() > LONGEST_ROW;
        if !self.overflown {
            self.bytes.extend_from_slice(bytes);
        }
    }
}

/// Finds where one JSON value ends, without parsing it.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "a scanner's states, of which several hold at once")]
pub(super) struct Scan {
    depth: u32,
    in_text: bool,
    escaped: bool,
    started: bool,
    pub(super) done: bool,
}

impl Scan {
    /// In a list whose bracket is behind.
    pub(super) fn inside() -> Self {
        Self { depth: 1, started: true, ..Self::default() }
    }

    /// How many of these bytes belong to the value.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        for (index, byte) in bytes.iter().enumerate() {
            if self.in_text {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_text = false;
                        self.done = self.depth == 0;
                    }
                    _ => {}
                }
            } else {
                match byte {
                    b'"' => self.in_text = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' if self.depth == 0 => {
                        self.done = true;
                        // A stray bracket is a value of its own, so that something is always taken.
                        return index + usize::from(!self.started);
                    }
                    b'}' | b']' => {
                        self.depth -= 1;
                        self.done = self.depth == 0;
                    }
                    b',' | b'\n' if self.depth == 0 => {
                        self.done = true;
                        return index;
                    }
                    _ => {}
                }
            }
            self.started = true;
            if self.done {
                return index + 1;
            }
        }
        bytes.len()
    }
}
