//! Which instruction set a kernel over [`Lanes`] runs with: found once, when the program starts.

use std::sync::OnceLock;

#[cfg(target_arch = "aarch64")]
use super::neon::Neon;
use super::portable::Portable;
use super::{Kernel, Lanes};
#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};
use crate::kernels::isa::Isa;

/// An instruction set that this machine has and [`Lanes`] is written for. Made only by [`LaneIsa::best`] and
/// [`LaneIsa::available`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneIsa(Isa);

impl LaneIsa {
    /// The fastest that this machine has and `DOJO_ISA` allows.
    pub fn best() -> Self {
        static BEST: OnceLock<LaneIsa> = OnceLock::new();
        *BEST.get_or_init(|| Self::up_to(Isa::detected()).first().copied().unwrap_or(Self(Isa::Portable)))
    }

    /// All that this machine has, fastest first.
    pub fn available() -> Vec<Self> {
        Self::up_to(Isa::of_this_machine())
    }

    /// Those up to a set: lanes need a little more than it guarantees.
    #[cfg(target_arch = "x86_64")]
    fn up_to(most: Isa) -> Vec<Self> {
        let mut found = Vec::new();
        let converts_halves = is_x86_feature_detected!("f16c");
        if most == Isa::Avx512 && converts_halves && is_x86_feature_detected!("avx512vnni") {
            found.push(Self(Isa::Avx512));
        }
        if most != Isa::Portable && converts_halves {
            found.push(Self(Isa::Avx2));
        }
        found.push(Self(Isa::Portable));
        found
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn up_to(most: Isa) -> Vec<Self> {
        let mut found = vec![Self(most)];
        found.extend((most != Isa::Portable).then_some(Self(Isa::Portable)));
        found
    }

    pub const fn name(self) -> &'static str {
        self.0.name()
    }

    /// Runs a kernel.
    ///
    /// # Safety
    /// Whatever the kernel's own pointers need.
    #[inline]
    pub(crate) unsafe fn run<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: a value of this type exists only where the machine has its instructions; the rest is the caller's
        // promise.
        unsafe {
            match self.0 {
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => Avx512::vectorize(kernel),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => Avx2::vectorize(kernel),
                #[cfg(target_arch = "aarch64")]
                Isa::Neon => Neon::vectorize(kernel),
                Isa::Portable => Portable::vectorize(kernel),
            }
        }
    }
}
