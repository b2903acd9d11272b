//! CUDA's own kernels: the sources beside this file, compiled for the card by NVRTC when a model is opened. All work is
//! on the one stream that candle keeps for a card, so that kernels run in the order in which they are launched.

mod attention;
mod pointwise;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use anyhow::{Context, Result};
use candle_core::cuda_backend::cudarc::driver::{
    CudaSlice, DevicePtr, LaunchConfig, PushKernelArg, SyncOnDrop,
};
use candle_core::cuda_backend::cudarc::nvrtc::{CompileOptions, compile_ptx_with_opts};
use candle_core::cuda_backend::{CudaDevice, CudaStorage, CudaStorageSlice};
use candle_core::{DType, Device, Shape, Storage, Tensor};

use super::composed::Composed;
use attention::Tiles;

/// Threads of a block, as the sources have it.
const THREADS: u32 = 256;

/// The sources, in their order.
const SOURCES: [&str; 4] = [
    include_str!("common.cu"),
    include_str!("pointwise.cu"),
    include_str!("attention.cu"),
    include_str!("entries.cu"),
];

/// The kernels of one number format, on one card.
pub(crate) struct Cuda {
    card: CudaDevice,
    device: Device,
    format: &'static str,
    ptx: Arc<str>,
    tiles: RefCell<Option<Tiles>>,
    /// For what has no kernel here.
    composed: Composed,
}

/// What a kernel is given.
pub(super) enum Arg<'a> {
    Tensor(&'a Tensor),
    Int(i32),
    Word(u32),
    Long(u64),
    Float(f32),
}

/// A tensor's elements in the sources: its type's name there, and ours.
const fn names(dtype: DType) -> Option<(&'static str, &'static str)> {
    match dtype {
        DType::F32 => Some(("float", "f32")),
        DType::BF16 => Some(("bf16", "bf16")),
        DType::F16 => Some(("f16", "f16")),
        _ => None,
    }
}

/// Compiles the kernels of a number format for cards of a compute capability (9.0 as 90), without any card.
///
/// # Errors
/// Where NVRTC isn't there or refuses.
pub(crate) fn compile(dtype: DType, capability: i32) -> Result<String> {
    let (theirs, ours) = names(dtype).with_context(|| format!("there are no kernels for {dtype:?}"))?;
    let source = format!("{}\nENTRIES({theirs}, {ours})\n", SOURCES.concat());
    let options = CompileOptions {
        options: vec![format!("--gpu-architecture=compute_{capability}")],
        name: Some("dojo.cu".to_owned()),
        ..CompileOptions::default()
    };
    let ptx = compile_ptx_with_opts(source, options).with_context(|| {
        format!("compile the kernels for compute capability {capability} (NVRTC is part of CUDA's runtime)")
    })?;
    Ok(ptx.to_src())
}

/// As [`compile`], once in a process: it takes seconds.
fn compiled(dtype: DType, capability: i32) -> Result<Arc<str>> {
    /// By number format and capability.
    type KnownKernels = HashMap<(&'static str, i32), Arc<str>>;
    static KNOWN: LazyLock<Mutex<KnownKernels>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(ptx) = known.get(&(dtype.as_str(), capability)) {
        return Ok(Arc::clone(ptx));
    }
    let ptx: Arc<str> = compile(dtype, capability)?.into();
    known.insert((dtype.as_str(), capability), Arc::clone(&ptx));
    Ok(ptx)
}

impl Cuda {
    pub(super) fn new(card: &CudaDevice, dtype: DType) -> Result<Self> {
        let (_, format) = names(dtype).with_context(|| format!("there are no kernels for {dtype:?}"))?;
        let stream = card.cuda_stream();
        let (major, minor) = stream.context().compute_capability().context("ask the card what it is")?;
        Ok(Self {
            card: card.clone(),
            device: Device::Cuda(card.clone()),
            format,
            ptx: compiled(dtype, 10 * major + minor)?,
            tiles: RefCell::new(None),
            composed: Composed,
        })
    }

    /// Room for what a kernel writes whole.
    fn room<S: Into<Shape>>(&self, shape: S, dtype: DType) -> candle_core::Result<Tensor> {
        // SAFETY: each kernel that is given such a tensor writes every number of it before anything reads it.
        unsafe { Tensor::empty(shape, dtype, &self.device) }
    }

    /// Runs a kernel of the step's number format, a thread for each of `count` numbers.
    fn each(&self, name: &str, count: usize, args: &[Arg<'_>]) -> candle_core::Result<()> {
        let blocks = (count as u64).div_ceil(u64::from(THREADS));
        self.blocks(&format!("{name}_{}", self.format), (blocks as u32, 1), 0, args)
    }

    /// Runs a kernel of the step's number format, a block for each row.
    fn rows(&self, name: &str, rows: usize, args: &[Arg<'_>]) -> candle_core::Result<()> {
        self.blocks(&format!("{name}_{}", self.format), (rows as u32, 1), 0, args)
    }

    /// Runs a kernel by its whole name.
    fn blocks(
        &self,
        name: &str,
        grid: (u32, u32),
        shared_bytes: usize,
        args: &[Arg<'_>],
    ) -> candle_core::Result<()> {
        if grid.0 == 0 || grid.1 == 0 {
            return Ok(());
        }
        let module = format!("dojo_{}", self.format);
        let function = self.card.get_or_load_custom_func(name, &module, &self.ptx)?;
        let storages: Vec<_> = args
            .iter()
            .filter_map(|arg| if let Arg::Tensor(tensor) = arg { Some(tensor) } else { None })
            .map(|tensor| tensor.storage_and_layout())
            .collect();
        let mut pointers = Vec::with_capacity(storages.len());
        for (storage, layout) in &storages {
            let Storage::Cuda(storage) = &**storage else {
                candle_core::bail!("{name} is for tensors of a card")
            };
            if !layout.is_contiguous() {
                candle_core::bail!("{name} is for tensors without gaps");
            }
            pointers.push(pointer(storage, layout.start_offset())?);
        }
        let mut builder = function.builder();
        let mut next = pointers.iter();
        for arg in args {
            match arg {
                Arg::Tensor(_) => {
                    let Some((pointer, _)) = next.next() else { candle_core::bail!("{name} lacks a tensor") };
                    builder.arg(pointer);
                }
                Arg::Int(value) => {
                    builder.arg(value);
                }
                Arg::Word(value) => {
                    builder.arg(value);
                }
                Arg::Long(value) => {
                    builder.arg(value);
                }
                Arg::Float(value) => {
                    builder.arg(value);
                }
            }
        }
        let config = LaunchConfig {
            grid_dim: (grid.0, grid.1, 1),
            block_dim: (THREADS, 1, 1),
            shared_mem_bytes: shared_bytes as u32,
        };
        // SAFETY: the arguments are those of the kernel, in its order, and its tensors have the sizes that it reads and
        // writes: each caller here is next to the shapes that it passes.
        let launched = unsafe { builder.launch(config) };
        launched.map(drop).map_err(|error| candle_core::Error::Cuda(Box::new(error)))
    }
}

/// A tensor's address on the card; it counts as used until the second part is dropped.
fn pointer(storage: &CudaStorage, offset: usize) -> candle_core::Result<(u64, SyncOnDrop<'_>)> {
    match &storage.slice {
        CudaStorageSlice::F32(slice) => Ok(address(slice, offset)),
        CudaStorageSlice::BF16(slice) => Ok(address(slice, offset)),
        CudaStorageSlice::F16(slice) => Ok(address(slice, offset)),
        CudaStorageSlice::U32(slice) => Ok(address(slice, offset)),
        _ => candle_core::bail!("no kernel takes tensors of this type"),
    }
}

fn address<T>(slice: &CudaSlice<T>, offset: usize) -> (u64, SyncOnDrop<'_>) {
    let (start, guard) = slice.device_ptr(slice.stream());
    (start + (offset * size_of::<T>()) as u64, guard)
}
