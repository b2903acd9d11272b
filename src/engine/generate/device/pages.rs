//! Keys and values on a device: for each layer one table of keys and one of values, a row for each position of each page.

use candle_core::{DType, Device, Result, Tensor};

use crate::generate::backend::Step;
use crate::generate::cache::{PAGE, PageId};
use crate::model::ModelConfig;

/// Pages that there is room for from the beginning: two thousand positions.
const FEWEST: usize = 64;

/// Grows by doubling, as pages come into use.
pub(super) struct Pages {
    layers: Vec<PageTensors>,
    /// Pages that there is room for, and that there will be at most.
    room: usize,
    most: usize,
    width: usize,
    dtype: DType,
    device: Device,
}

/// (pages * [`PAGE`], kv width) each.
struct PageTensors {
    keys: Tensor,
    values: Tensor,
}

/// Row of a position in a layer's table.
pub(super) fn slot(pages: &[PageId], position: usize) -> u32 {
    pages.get(position / PAGE).map_or(0, |page| (page.index() * PAGE + position % PAGE) as u32)
}

impl Pages {
    pub(super) fn new(config: &ModelConfig, dtype: DType, device: &Device) -> Result<Self> {
        let mut pages = Self {
            layers: Vec::new(),
            room: FEWEST,
            most: usize::MAX,
            width: config.kv_width(),
            dtype,
            device: device.clone(),
        };
        for _ in 0..config.layers {
            pages.layers.push(PageTensors { keys: pages.table(FEWEST)?, values: pages.table(FEWEST)? });
        }
        Ok(pages)
    }

    fn table(&self, pages: usize) -> Result<Tensor> {
        Tensor::zeros((pages * PAGE, self.width), self.dtype, &self.device)
    }

    pub(super) fn page_bytes(config: &ModelConfig, dtype: DType) -> usize {
        config.layers * 2 * config.kv_width() * PAGE * dtype.size_in_bytes()
    }

    pub(super) fn expect(&mut self, most: usize) {
        self.most = most;
    }

    /// Makes room for a step's pages.
    pub(super) fn reserve(&mut self, step: &Step) -> Result<()> {
        let pages = step.spans.iter().flat_map(|span| &span.pages);
        pages.map(|page| page.index() + 1).max().map_or(Ok(()), |needed| self.grow(needed))
    }

    fn grow(&mut self, needed: usize) -> Result<()> {
        if needed <= self.room {
            return Ok(());
        }
        let room = needed.max((2 * self.room).min(self.most));
        for layer in 0..self.layers.len() {
            let (keys, values) = (self.table(room)?, self.table(room)?);
            let Some(table) = self.layers.get_mut(layer) else { continue };
            keys.slice_set(&table.keys, 0, 0)?;
            values.slice_set(&table.values, 0, 0)?;
            *table = PageTensors { keys, values };
        }
        self.room = room;
        Ok(())
    }

    /// Puts a layer's new keys and values, (rows, kv width), where `slots` says: each row's own repeated along its width.
    pub(super) fn put(&self, layer: usize, slots: &Tensor, keys: &Tensor, values: &Tensor) -> Result<()> {
        let Some(table) = self.layers.get(layer) else { return Ok(()) };
        table.keys.scatter_set(slots, &keys.to_dtype(self.dtype)?.contiguous()?, 0)?;
        table.values.scatter_set(slots, &values.to_dtype(self.dtype)?.contiguous()?, 0)
    }

    /// Keys and values of a layer at some slots: (slots, kv width) each, f32.
    pub(super) fn get(&self, layer: usize, slots: &Tensor) -> Result<(Tensor, Tensor)> {
        let Some(table) = self.layers.get(layer) else { candle_core::bail!("there is no layer {layer}") };
        let at = |part: &Tensor| part.index_select(slots, 0)?.to_dtype(DType::F32);
        Ok((at(&table.keys)?, at(&table.values)?))
    }

    pub(super) fn copy(&mut self, from: PageId, to: PageId) -> Result<()> {
        self.grow(from.index().max(to.index()) + 1)?;
        for table in &self.layers {
            for part in [&table.keys, &table.values] {
                let page = part.narrow(0, from.index() * PAGE, PAGE)?.copy()?;
                part.slice_set(&page, 0, to.index() * PAGE)?;
            }
        }
        Ok(())
    }
}
