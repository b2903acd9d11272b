//! Which instruction set the kernels run with: found once, when the program starts.

use std::sync::OnceLock;

use super::lanes::{Kernel, Lanes};
#[cfg(target_arch = "aarch64")]
use super::neon::Neon;
use super::portable::Portable;
#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};

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
    /// The fastest that this machine has; `DOJO_ISA=avx512|avx2|neon|portable` asks for a lesser one.
    pub fn best() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            let asked = std::env::var("DOJO_ISA").ok();
            let available = Self::available();
            let named = available.iter().find(|isa| Some(isa.name()) == asked.as_deref());
            named.or(available.first()).copied().unwrap_or(Self(Which::Portable))
        })
    }

    /// All that this machine has, fastest first.
    pub fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("f16c");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vnni");
            if avx2 && avx512 {
                found.push(Self(Which::Avx512));
            }
            if avx2 {
                found.push(Self(Which::Avx2));
            }
        }
        #[cfg(target_arch = "aarch64")]
        found.push(Self(Which::Neon));
        found.push(Self(Which::Portable));
        found
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
