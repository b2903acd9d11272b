//! Which vector instructions this processor has, found once at run time; no build flag is needed for speed.

use std::sync::OnceLock;

/// Instruction sets that the kernels are compiled for, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// 16 lanes (x86-64 with AVX-512 F, BW, DQ and VL).
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 8 lanes (x86-64 with AVX2 and FMA).
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 4 lanes: every 64-bit Arm has them.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// Whatever the target guarantees.
    Portable,
}

impl Isa {
    /// The best set that this processor has. `DOJO_ISA=avx2|portable` lowers it, for tests and comparison: this is the
    /// only place that reads it.
    pub fn detected() -> Self {
        static DETECTED: OnceLock<Isa> = OnceLock::new();
        *DETECTED.get_or_init(|| {
            let best = Self::of_this_machine();
            match (std::env::var("DOJO_ISA").as_deref(), best) {
                (Ok("portable"), _) => Self::Portable,
                #[cfg(target_arch = "x86_64")]
                (Ok("avx2"), Self::Avx512) => Self::Avx2,
                _ => best,
            }
        })
    }

    /// The best set that this processor has, whatever was asked for.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn of_this_machine() -> Self {
        let avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        if avx512 {
            Self::Avx512
        } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            Self::Avx2
        } else {
            Self::Portable
        }
    }

    /// The best set that this processor has, whatever was asked for.
    #[cfg(target_arch = "aarch64")]
    pub(crate) fn of_this_machine() -> Self {
        Self::Neon
    }

    /// The best set that this processor has, whatever was asked for.
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub(crate) fn of_this_machine() -> Self {
        Self::Portable
    }

    pub const fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Self::Neon => "neon",
            Self::Portable => "portable",
        }
    }
}

/// Whether products of bf16 pairs are one instruction (AVX512-BF16).
pub fn has_bf16_products() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        Isa::detected() == Isa::Avx512 && is_x86_feature_detected!("avx512bf16")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// Compiles a function once per instruction set and picks at run time. The body is plain code over slices, written
/// so that the compiler can turn it into vector instructions.
macro_rules! by_isa {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$meta])*
        $vis fn $name($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            fn body($($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            fn avx512($($argument: $type),*) $(-> $result)? { body($($argument),*) }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($argument: $type),*) $(-> $result)? { body($($argument),*) }

            match $crate::kernels::isa::Isa::detected() {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the processor was found to have these instructions.
                $crate::kernels::isa::Isa::Avx512 => unsafe { avx512($($argument),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: AVX2 and FMA were found, and nothing more is used.
                $crate::kernels::isa::Isa::Avx2 => unsafe { avx2($($argument),*) },
                _ => body($($argument),*),
            }
        }
    };
}

pub(crate) use by_isa;
