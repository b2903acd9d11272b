//! Which instruction set the kernels run with: found once, when the program starts.

use std::sync::OnceLock;

use super::lanes::{Kernel, Lanes};
#[cfg(target_arch = "aarch64")]
use super::neon::Neon;
use super::portable::Portable;
#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};
use crate::engine::kernels::isa;

/// An instruction set that the machine has. Made only by [`Isa::best`] and [`Isa::available`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Isa(Which);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    Portable,
}

impl Isa {
    /// The fastest that this machine has and `DOJO_ISA` allows.
    pub fn best() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            Self::up_to(isa::Isa::detected()).first().copied().unwrap_or(Self(Which::Portable))
        })
    }

    /// All that this machine has, fastest first.
    pub fn available() -> Vec<Self> {
        Self::up_to(isa::Isa::of_this_machine())
    }

    /// Those of a general set that the block kernels are written for: they need a little more than it guarantees.
    #[cfg(target_arch = "x86_64")]
    fn up_to(most: isa::Isa) -> Vec<Self> {
        let mut found = Vec::new();
        let converts_halves = is_x86_feature_detected!("f16c");
        if most == isa::Isa::Avx512 && converts_halves && is_x86_feature_detected!("avx512vnni") {
            found.push(Self(Which::Avx512));
        }
        if most != isa::Isa::Portable && converts_halves {
            found.push(Self(Which::Avx2));
        }
        found.push(Self(Which::Portable));
        found
    }

    /// 64-bit Arm always has NEON.
    #[cfg(target_arch = "aarch64")]
    fn up_to(_most: isa::Isa) -> Vec<Self> {
        vec![Self(Which::Neon), Self(Which::Portable)]
    }

    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    fn up_to(_most: isa::Isa) -> Vec<Self> {
        vec![Self(Which::Portable)]
    }

    pub const fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Which::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Which::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Which::Neon => "neon",
            Which::Portable => "portable",
        }
    }

    /// Runs a kernel.
    ///
    /// # Safety
    /// Whatever the kernel's own pointers need.
    #[inline]
    pub(crate) unsafe fn run<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: an `Isa` exists only where the machine has its instructions; the rest is the caller's promise.
        unsafe {
            match self.0 {
                #[cfg(target_arch = "x86_64")]
                Which::Avx512 => Avx512::vectorize(kernel),
                #[cfg(target_arch = "x86_64")]
                Which::Avx2 => Avx2::vectorize(kernel),
                #[cfg(target_arch = "aarch64")]
                Which::Neon => Neon::vectorize(kernel),
                Which::Portable => Portable::vectorize(kernel),
            }
        }
    }
}
