//! Keys and values in the machine's memory.
//!
//! A page holds all layers. Within a layer and key/value head, keys lie dimension by dimension (32 positions
//! together, so that a vector holds the scores of sixteen positions), values position by position.

use crate::generate::backend::Step;
use crate::generate::cache::{PAGE, PageId};
use crate::model::ModelConfig;

/// Where things lie in a page, in elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CacheShape {
    /// Elements are f32 (else half floats).
    pub full: bool,
    pub layers: usize,
    pub kv_heads: usize,
    /// `head_dim`, rounded up to whole vectors.
    pub width: usize,
}

impl CacheShape {
    pub(crate) fn new(config: &ModelConfig, full: bool) -> Self {
        let width = config.head_dim.next_multiple_of(16);
        Self { full, layers: config.layers, kv_heads: config.kv_heads, width }
    }

    /// Where the keys of a layer's head begin.
    pub(crate) const fn keys(&self, layer: usize, head: usize) -> usize {
        (layer * self.kv_heads + head) * 2 * self.width * PAGE
    }

    /// Where the values of a layer's head begin.
    pub(crate) const fn values(&self, layer: usize, head: usize) -> usize {
        self.keys(layer, head) + self.width * PAGE
    }

    const fn words(&self) -> usize {
        let elements = self.layers * self.kv_heads * 2 * self.width * PAGE;
        if self.full { elements } else { elements / 2 }
    }

    /// Bytes of a page.
    pub(crate) const fn bytes(&self) -> usize {
        4 * self.words()
    }
}

/// The pages' numbers, made when they are first needed.
pub(super) struct Pages {
    shape: CacheShape,
    /// As f32 words; half floats lie two in a word.
    words: Vec<Vec<u32>>,
}

/// The pages of each of a step's spans, where they lie.
pub(super) struct PageAddresses(pub(super) Vec<Vec<*mut u32>>);

// SAFETY: addresses into pages that a step has to itself; `forward` settles who writes where.
unsafe impl Sync for PageAddresses {}

impl Pages {
    pub(super) const fn new(shape: CacheShape) -> Self {
        Self { shape, words: Vec::new() }
    }

    pub(super) const fn shape(&self) -> CacheShape {
        self.shape
    }

    pub(super) fn addresses(&mut self, step: &Step) -> PageAddresses {
        let mut of_span = |pages: &[PageId]| pages.iter().map(|&page| self.page(page).as_mut_ptr()).collect();
        PageAddresses(step.spans.iter().map(|span| of_span(&span.pages)).collect())
    }

    pub(super) fn copy(&mut self, from: PageId, to: PageId) {
        self.page(from);
        self.page(to);
        if let Ok([from, to]) = self.words.get_disjoint_mut([from.index(), to.index()]) {
            to.copy_from_slice(from);
        }
    }

    fn page(&mut self, id: PageId) -> &mut Vec<u32> {
        if self.words.len() <= id.index() {
            self.words.resize_with(id.index() + 1, Vec::new);
        }
        let page = &mut self.words[id.index()];
        if page.is_empty() {
            *page = vec![0; self.shape.words()];
        }
        page
    }
}
