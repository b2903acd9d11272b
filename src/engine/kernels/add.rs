//! Sums of rows.

use super::lanes::{Kernel, Lanes};

/// `to += from`, both (width).
pub(crate) struct AddInto {
    pub from: *const f32,
    pub to: *mut f32,
    pub width: usize,
}

impl Kernel for AddInto {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let whole = self.width / 16 * 16;
        // SAFETY: the caller promises `width` valid values at each address.
        unsafe {
            for at in (0..whole).step_by(16) {
                L::store(self.to.add(at), L::add(L::load(self.to.add(at)), L::load(self.from.add(at))));
            }
            for at in whole..self.width {
                *self.to.add(at) += *self.from.add(at);
            }
        }
    }
}
