//! Plain numbers as they are in memory: read as f32.

use super::Lanes;

/// A kind of number.
pub(crate) trait Element {
    type Bits;
    unsafe fn load<L: Lanes>(from: *const Self::Bits) -> L::Floats;
}

macro_rules! element {
    ($name:ident, $bits:ty, $load:ident) => {
        pub(crate) struct $name;
        impl Element for $name {
            type Bits = $bits;
            #[inline(always)]
            unsafe fn load<L: Lanes>(from: *const $bits) -> L::Floats {
                // SAFETY: the caller promises 16 elements.
                unsafe { L::$load(from) }
            }
        }
    };
}

element!(AsF32, f32, load);
element!(AsF16, u16, load_half);
element!(AsBf16, u16, load_bfloat);
