//! The devices of this machine and this build: chosen by name, described, and their memory.

#[cfg(feature = "cuda")]
mod cuda;
pub(crate) mod kernels;
pub(crate) mod layout;

use anyhow::{Context, Result, bail};
use candle_core::{DType, Device, DeviceLocation};

use crate::kernels::isa::has_bf16_products;
use dojo_core::domain::device::DeviceName;
use dojo_core::domain::recipe::Dtype;
use dojo_core::ground::memory;

/// Where a model is trained or run.
#[derive(Debug, Clone)]
pub enum ComputeDevice {
    /// By the kernels that are written for processors.
    Cpu,
    /// By candle's tensors on one of its devices.
    Device(Device),
}

/// Memory of a device, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Taken, by this program where the driver tells it apart.
    pub used: u64,
    pub free: u64,
    pub total: u64,
}

/// Finds the device of a name.
///
/// # Errors
/// Where this build lacks the device, or the machine does.
pub fn choose(name: DeviceName) -> Result<ComputeDevice> {
    match name {
        DeviceName::Cpu => Ok(ComputeDevice::Cpu),
        DeviceName::Auto => Ok(fastest().map_or(ComputeDevice::Cpu, ComputeDevice::Device)),
        DeviceName::Cuda(number) => {
            lacks(name, "CUDA", "cuda", cfg!(feature = "cuda"))?;
            let device = Device::new_cuda(usize::from(number));
            let device = device.with_context(|| {
                format!("open the device {name} (nvidia-smi lists the cards and the driver's version)")
            })?;
            Ok(ComputeDevice::Device(ready(device)))
        }
        DeviceName::Metal => {
            lacks(name, "Metal", "metal", cfg!(feature = "metal"))?;
            Ok(ComputeDevice::Device(Device::new_metal(0).context("open the device metal")?))
        }
    }
}

fn lacks(name: DeviceName, what: &str, feature: &str, built: bool) -> Result<()> {
    if built {
        return Ok(());
    }
    bail!(
        "the device {name} was asked for, but this build has no {what}: build Dojo with `--features {feature}`, or ask \
         for auto or cpu"
    )
}

/// What `auto` takes before the CPU.
fn fastest() -> Option<Device> {
    if cfg!(feature = "cuda")
        && let Ok(device) = Device::new_cuda(0)
    {
        return Some(ready(device));
    }
    if cfg!(feature = "metal")
        && let Ok(device) = Device::new_metal(0)
    {
        return Some(device);
    }
    None
}

/// A card, set up for steps that ask for the same memory again and again.
fn ready(device: Device) -> Device {
    #[cfg(feature = "cuda")]
    if let Device::Cuda(card) = &device {
        cuda::keep_memory(card);
    }
    device
}

/// Compiles the kernels of a number format for NVIDIA's cards of a compute capability (9.0 as 90), as they are compiled
/// when a model is opened; no card is needed, only NVRTC.
///
/// # Errors
/// Where NVRTC isn't there or refuses the sources.
#[cfg(feature = "cuda")]
pub fn compile_kernels(dtype: Dtype, capability: i32) -> Result<String> {
    kernels::cuda::compile(number_format(dtype), capability)
}

/// Candle's name of a number format.
pub(crate) const fn number_format(dtype: Dtype) -> DType {
    match dtype {
        Dtype::F32 => DType::F32,
        Dtype::Bf16 => DType::BF16,
        Dtype::F16 => DType::F16,
    }
}

/// Which devices beside the processor this build can use.
#[must_use]
pub const fn built_with() -> &'static str {
    match (cfg!(feature = "cuda"), cfg!(feature = "metal")) {
        (false, false) => "built without CUDA and Metal",
        (true, false) => "built with CUDA",
        (false, true) => "built with Metal",
        (true, true) => "built with CUDA and Metal",
    }
}

impl ComputeDevice {
    /// Its name, as a person would ask for it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Cpu => "cpu".to_owned(),
            Self::Device(device) => name(device),
        }
    }

    /// Refuses a number format that can't be worked in here.
    ///
    /// # Errors
    /// Where that is so; the sentence says what to ask for instead.
    pub fn check(&self, dtype: Dtype) -> Result<()> {
        match (self, dtype) {
            (Self::Cpu, Dtype::F16) => bail!(
                "compute.dtype is \"f16\", which training on the CPU has no products for; set it to \"f32\" or \"bf16\""
            ),
            (Self::Cpu, Dtype::Bf16) if !has_bf16_products() => bail!(
                "compute.dtype is \"bf16\", which needs a processor with AVX512-BF16, and this one has none; set it to \
                 \"f32\""
            ),
            (Self::Cpu, Dtype::F32 | Dtype::Bf16) | (Self::Device(_), _) => Ok(()),
        }
    }

    /// What can still be allocated there; `None` where nobody says.
    #[must_use]
    pub fn free_bytes(&self) -> Option<u64> {
        match self {
            Self::Cpu => memory::free_bytes(),
            Self::Device(device) => free_bytes(device),
        }
    }
}

/// A device's name, as a person would ask for it.
#[must_use]
pub fn name(device: &Device) -> String {
    match device.location() {
        DeviceLocation::Cpu => "cpu".to_owned(),
        DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        DeviceLocation::Metal { .. } => "metal".to_owned(),
    }
}

/// A device's memory, where its driver tells.
#[must_use]
pub fn memory(device: &Device) -> Option<Memory> {
    match device {
        #[cfg(feature = "cuda")]
        Device::Cuda(card) => cuda::memory(card),
        _ => None,
    }
}

/// What can still be allocated on a device; `None` where nobody says.
#[must_use]
pub fn free_bytes(device: &Device) -> Option<u64> {
    match device {
        Device::Cuda(_) => memory(device).map(|memory| memory.free),
        // Apple's processors and devices share one memory.
        Device::Cpu | Device::Metal(_) => memory::free_bytes(),
    }
}

/// A device's own name for itself, and its memory.
#[must_use]
pub fn describe(device: &Device) -> String {
    let name = name(device);
    #[cfg(feature = "cuda")]
    if let Device::Cuda(card) = device
        && let Some(model) = cuda::model(card)
    {
        let memory = memory(device).map_or_else(String::new, |memory| {
            format!(", {:.1} of {:.1} GB free", memory.free as f64 / 1e9, memory.total as f64 / 1e9)
        });
        return format!("{name} ({model}{memory})");
    }
    name
}

/// An error of a device; where it says that memory is short, in one sentence that ends with what to do.
#[must_use]
pub fn explained(error: anyhow::Error, device: &Device, advice: &str) -> anyhow::Error {
    if !is_shortage(&format!("{error:#}")) {
        return error;
    }
    let memory = memory(device).map_or_else(String::new, |memory| {
        format!(" ({:.1} of {:.1} GB are taken)", memory.used as f64 / 1e9, memory.total as f64 / 1e9)
    });
    anyhow::anyhow!("{} is out of memory{memory}: {advice}", name(device))
}

/// Whether a driver's message says that memory is short: CUDA's, cuBLAS's, Metal's.
#[must_use]
pub fn is_shortage(message: &str) -> bool {
    let message = message.to_lowercase();
    ["out_of_memory", "out of memory", "cublas_status_alloc_failed", "insufficient memory"]
        .iter()
        .any(|known| message.contains(known))
}
