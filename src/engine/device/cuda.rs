//! What CUDA's driver says of a card. Nothing here fails a run: where the driver doesn't answer, nobody knows.

use std::ffi::c_void;

use candle_core::cuda_backend::CudaDevice;
use candle_core::cuda_backend::cudarc::driver::result::{device, mem_pool};
use candle_core::cuda_backend::cudarc::driver::sys::{CUmemPool_attribute, CUmemoryPool};

use super::Memory;

/// The card's model.
pub(super) fn model(card: &CudaDevice) -> Option<String> {
    card.cuda_stream().context().name().ok()
}

/// What this program took at most since it was last asked, and what it can still have: tensors come from a pool, which
/// keeps what they gave back.
pub(super) fn memory(card: &CudaDevice) -> Option<Memory> {
    let stream = card.cuda_stream();
    let context = stream.context();
    let (free, total) = context.mem_get_info().ok()?;
    let (free, total) = (free as u64, total as u64);
    let of_card = Memory { used: total - free, free, total };
    // SAFETY: the device is the one that the context was made for.
    let Ok(pool) = (unsafe { device::get_mem_pool(context.cu_device()) }) else { return Some(of_card) };
    let ask = |which| attribute(pool, which);
    let highest = ask(CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH);
    let held = ask(CUmemPool_attribute::CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT);
    let used = ask(CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_CURRENT);
    match (highest, held, used) {
        // Nothing came from the pool where the card can't have one.
        (Some(highest), Some(held), Some(used)) if highest > 0 => {
            Some(Memory { used: highest, free: free + held.saturating_sub(used), total })
        }
        _ => Some(of_card),
    }
}

/// Lets the pool keep what tensors give back, up to everything: else each wait for the card gives it to the system, and
/// the next step asks for it again.
pub(super) fn keep_memory(card: &CudaDevice) {
    let stream = card.cuda_stream();
    // SAFETY: the device is the one that the context was made for.
    let Ok(pool) = (unsafe { device::get_mem_pool(stream.context().cu_device()) }) else { return };
    let mut most = u64::MAX;
    let threshold = CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
    // SAFETY: the pool is the device's own, and this attribute is a 64-bit number.
    let set = unsafe { mem_pool::set_attribute(pool, threshold, (&raw mut most).cast::<c_void>()) };
    if let Err(error) = set {
        tracing::info!("the card's pool of memory keeps its threshold: {error}");
    }
}

fn attribute(pool: CUmemoryPool, which: CUmemPool_attribute) -> Option<u64> {
    let mut value = 0_u64;
    // SAFETY: the pool is the device's own, and the attributes that are asked for are 64-bit numbers.
    unsafe { mem_pool::get_attribute(pool, which, (&raw mut value).cast::<c_void>()) }.ok()?;
    Some(value)
}
