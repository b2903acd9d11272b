//! Keys and values in pages of 32 positions, shared between sequences that begin alike.
//!
//! A page holds all layers. Within a layer and key/value head, keys lie dimension by dimension (32 positions
//! together, so that a vector holds the scores of sixteen positions), values position by position.

use std::collections::HashMap;

use super::super::model::ModelConfig;

/// Positions of a page.
pub(crate) const PAGE: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PageId(u32);

/// What a full page holds: the page before it (by serial number), the adapter that computed it, its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Content {
    parent: u64,
    adapter: u64,
    tokens: [u32; PAGE],
}

struct Page {
    /// As f32 words; half floats lie two in a word.
    words: Vec<u32>,
    users: usize,
    serial: u64,
    content: Option<Content>,
    last_used: u64,
}

/// All pages.
pub(crate) struct Cache {
    shape: CacheShape,
    pages: Vec<Page>,
    free: Vec<PageId>,
    known: HashMap<Content, PageId>,
    limit: usize,
    /// Pages that nobody uses and whose content is known, and how many of them are kept for whoever begins alike.
    idle: usize,
    idle_limit: usize,
    clock: u64,
}

/// At least so many idle pages are kept: two thousand positions.
const FEWEST_IDLE: usize = 64;

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

impl Cache {
    /// At most `limit` pages, made when they are needed. A quarter of them may be idle, so that a server that hears
    /// something else each time does not grow to the limit.
    pub(crate) fn new(shape: CacheShape, limit: usize) -> Self {
        let idle_limit = (limit / 4).max(FEWEST_IDLE);
        let (pages, free, known) = (Vec::new(), Vec::new(), HashMap::new());
        Self { shape, pages, free, known, limit, idle: 0, idle_limit, clock: 0 }
    }

    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) const fn shape(&self) -> CacheShape {
        self.shape
    }

    /// An unshared page; the least recently used one that nobody uses, where no more may be made.
    pub(crate) fn take(&mut self) -> Option<PageId> {
        let id = if let Some(id) = self.free.pop() {
            id
        } else if self.pages.len() < self.limit && self.idle < self.idle_limit {
            self.pages.push(Page {
                words: vec![0; self.shape.words()],
                users: 0,
                serial: 0,
                content: None,
                last_used: 0,
            });
            PageId(self.pages.len() as u32 - 1)
        } else {
            self.evict()?
        };
        self.clock += 1;
        let clock = self.clock;
        let page = self.page_mut(id);
        page.users = 1;
        page.serial = clock;
        page.content = None;
        Some(id)
    }

    fn evict(&mut self) -> Option<PageId> {
        let unused = self.pages.iter().enumerate().filter(|(_, page)| page.users == 0);
        let oldest = unused.min_by_key(|(_, page)| page.last_used)?.0;
        let id = PageId(oldest as u32);
        if let Some(content) = self.page_mut(id).content.take() {
            self.known.remove(&content);
            self.idle -= 1;
        }
        Some(id)
    }

    /// One more user of a page.
    pub(crate) fn share(&mut self, id: PageId) {
        self.clock += 1;
        let clock = self.clock;
        let page = self.page_mut(id);
        page.users += 1;
        page.last_used = clock;
        if page.users == 1 {
            self.idle -= 1;
        }
    }

    /// One user less. A page whose content is known stays until room is needed.
    pub(crate) fn release(&mut self, id: PageId) {
        self.clock += 1;
        let clock = self.clock;
        let page = self.page_mut(id);
        page.users = page.users.saturating_sub(1);
        page.last_used = clock;
        match (page.users, page.content) {
            (0, None) => self.free.push(id),
            (0, Some(_)) => self.idle += 1,
            _ => {}
        }
    }

    /// An unshared copy of a page.
    pub(crate) fn copy(&mut self, id: PageId) -> Option<PageId> {
        let copy = self.take()?;
        let (from, to) = (id.0 as usize, copy.0 as usize);
        if let Ok([from, to]) = self.pages.get_disjoint_mut([from, to]) {
            to.words.copy_from_slice(&from.words);
        }
        Some(copy)
    }

    /// Makes a full page findable by what it holds.
    pub(crate) fn remember(&mut self, id: PageId, before: Option<PageId>, adapter: u64, tokens: &[u32]) {
        let Ok(tokens) = <[u32; PAGE]>::try_from(tokens) else { return };
        let content = Content { parent: self.serial(before), adapter, tokens };
        if self.page_mut(id).content.is_none() && !self.known.contains_key(&content) {
            self.known.insert(content, id);
            self.page_mut(id).content = Some(content);
        }
    }

    /// The longest run of known pages that `tokens` begin with; each is shared with the caller.
    pub(crate) fn find(&mut self, adapter: u64, tokens: &[u32]) -> Vec<PageId> {
        let mut found: Vec<PageId> = Vec::new();
        for chunk in tokens.as_chunks::<PAGE>().0 {
            let parent = self.serial(found.last().copied());
            match self.known.get(&Content { parent, adapter, tokens: *chunk }) {
                Some(&id) => found.push(id),
                None => break,
            }
        }
        for &id in &found {
            self.share(id);
        }
        found
    }

    /// A page's elements.
    pub(crate) fn address(&mut self, id: PageId) -> *mut u32 {
        self.page_mut(id).words.as_mut_ptr()
    }

    fn serial(&self, id: Option<PageId>) -> u64 {
        id.and_then(|id| self.pages.get(id.0 as usize)).map_or(0, |page| page.serial)
    }

    fn page_mut(&mut self, id: PageId) -> &mut Page {
        &mut self.pages[id.0 as usize]
    }
}
