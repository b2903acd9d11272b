//! Which page of keys and values holds what, and who uses it: 32 positions a page, shared between sequences that begin
//! alike. The numbers themselves are the [`Backend`](super::backend::Backend)'s.

use std::collections::HashMap;

pub(crate) use crate::kernels::attention::paged::PAGE;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PageId(u32);

impl PageId {
    /// Pages are numbered from 0 on, none left out.
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a full page holds: the page before it (by serial number), the adapter that computed it, its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Content {
    parent: u64,
    adapter: u64,
    tokens: [u32; PAGE],
}

struct Page {
    users: usize,
    serial: u64,
    content: Option<Content>,
    last_used: u64,
}

/// All pages.
pub(crate) struct Cache {
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

impl Cache {
    /// At most `limit` pages, made when they are needed. A quarter of them may be idle, so that a server that hears
    /// something else each time does not grow to the limit.
    pub(crate) fn new(limit: usize) -> Self {
        let idle_limit = (limit / 4).max(FEWEST_IDLE);
        let (pages, free, known) = (Vec::new(), Vec::new(), HashMap::new());
        Self { pages, free, known, limit, idle: 0, idle_limit, clock: 0 }
    }

    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    /// Pages that can be taken.
    pub(crate) fn available(&self) -> usize {
        self.limit + self.free.len() + self.idle - self.pages.len()
    }

    /// An unshared page; the least recently used one that nobody uses, where no more may be made.
    pub(crate) fn take(&mut self) -> Option<PageId> {
        let id = if let Some(id) = self.free.pop() {
            id
        } else if self.pages.len() < self.limit && self.idle < self.idle_limit {
            self.pages.push(Page { users: 0, serial: 0, content: None, last_used: 0 });
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

    fn serial(&self, id: Option<PageId>) -> u64 {
        id.and_then(|id| self.pages.get(id.0 as usize)).map_or(0, |page| page.serial)
    }

    fn page_mut(&mut self, id: PageId) -> &mut Page {
        &mut self.pages[id.0 as usize]
    }
}
