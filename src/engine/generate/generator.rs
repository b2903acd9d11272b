//! The scheduler: any number of requests over one model, joining and leaving between two steps.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokenizers::Tokenizer;

use super::backend::Backend;
use super::cache::{Cache, PAGE, PageId};
use super::choose::Ready;
use super::compile::Compiler;
use super::device::{DeviceDecoder, OnDevice};
use super::host::{Decoder, Host};
use super::lora::Lora;
use super::pace::StepPace;
use super::plan::SequenceStep;
use super::request::{AdapterId, Event, Finish, Overflow, RequestId};
use super::sequence::{Sequence, slide};
use super::share::Cost;
use super::team::Team;
use crate::adapter::Adapter;

/// How much a generator may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Threads, the caller's own among them; 0 is one per core.
    pub threads: usize,
    /// Sequences computed together at most.
    pub sequences: usize,
    /// Tokens of prompts computed in one step at most.
    pub prompt_chunk: usize,
    /// Bytes of keys and values at most; at least one whole context is always granted.
    pub cache_bytes: usize,
    /// Longest sequence, in tokens; 0 is the model's own context.
    pub context: usize,
    /// Whether tokens are guessed ahead; it changes nothing but the time.
    pub guesses: Guesses,
}

/// Whether a generator guesses tokens from what a sequence holds already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Guesses {
    /// If few sequences are computed together, and for those in which guesses are right.
    #[default]
    Few,
    None,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            threads: 0,
            sequences: 64,
            prompt_chunk: 512,
            cache_bytes: 2 << 30,
            context: 0,
            guesses: Guesses::Few,
        }
    }
}

/// A model that answers requests. Belongs to one thread; every call of [`Generator::step`] computes one token of
/// each sequence (or a chunk of its prompt).
pub struct Generator {
    pub(super) backend: Box<dyn Backend>,
    pub(super) tokenizer: Arc<Tokenizer>,
    pub(super) compiler: Arc<Compiler>,
    pub(super) team: Team,
    pub(super) cache: Cache,
    pub(super) adapters: BTreeMap<AdapterId, Arc<Lora>>,
    /// Tokens that only adapters with rows for them may write.
    pub(super) hidden: Vec<u32>,
    pub(super) waiting: VecDeque<Sequence>,
    pub(super) active: Vec<Sequence>,
    pub(super) limits: Limits,
    pub(super) pace: StepPace,
    pub(super) cost: Cost,
    /// About how long a step that reads prompts may take.
    pub(super) step_time: Option<Duration>,
    pub(super) context: usize,
    pub(super) next: u64,
}

impl Generator {
    /// A generator over a loaded model, on the processor.
    pub fn new(decoder: Arc<Decoder>, tokenizer: Arc<Tokenizer>, limits: Limits) -> Self {
        let team = Team::new(threads(&limits));
        Self::over(Box::new(Host::new(decoder, team.threads())), tokenizer, team, limits)
    }

    /// A generator over a model on a device.
    ///
    /// # Errors
    /// Where the device's kernels can't be compiled, or its memory is short.
    pub fn on(decoder: Arc<DeviceDecoder>, tokenizer: Arc<Tokenizer>, limits: Limits) -> Result<Self> {
        let team = Team::new(threads(&limits));
        Ok(Self::over(Box::new(OnDevice::new(decoder)?), tokenizer, team, limits))
    }

    fn over(mut backend: Box<dyn Backend>, tokenizer: Arc<Tokenizer>, team: Team, limits: Limits) -> Self {
        let longest = backend.config().context;
        let context = limits.context_of(longest);
        let pages = limits.pages(longest, backend.page_bytes());
        backend.expect_pages(pages);
        let config = backend.config();
        let cost = Cost::of(config);
        let compiler = Compiler::new(Arc::clone(&tokenizer), config.vocabulary, config.eos.clone());
        Self {
            backend,
            team,
            cache: Cache::new(pages),
            compiler: Arc::new(compiler),
            adapters: BTreeMap::new(),
            hidden: Vec::new(),
            waiting: VecDeque::new(),
            active: Vec::new(),
            limits,
            pace: StepPace::default(),
            cost,
            step_time: None,
            context,
            next: 0,
            tokenizer,
        }
    }

    /// Guesses tokens from now on, or doesn't.
    pub const fn set_guesses(&mut self, guesses: Guesses) {
        self.limits.guesses = guesses;
    }

    /// Lets a step take about this long, for there may be others or somebody may come: it reads less of long prompts
    /// then, so that a short one is soon answered. All of them together take a little longer.
    pub const fn keep_steps_within(&mut self, time: Duration) {
        self.step_time = Some(time);
    }

    /// Longest sequence, in tokens.
    pub const fn context(&self) -> usize {
        self.context
    }

    /// Positions that the cache holds for all sequences together.
    pub const fn positions(&self) -> usize {
        self.cache.limit() * PAGE
    }

    /// Tokens that there are.
    pub fn vocabulary(&self) -> usize {
        self.backend.config().vocabulary
    }

    pub const fn tokenizer(&self) -> &Arc<Tokenizer> {
        &self.tokenizer
    }

    /// What makes constraints ready for it, on threads of its own.
    pub const fn compiler(&self) -> &Arc<Compiler> {
        &self.compiler
    }

    /// Requests' choices that are not finished.
    pub fn unfinished(&self) -> usize {
        self.waiting.iter().chain(&self.active).map(|sequence| 1 + sequence.siblings.len()).sum()
    }

    /// Choices that wait for room.
    pub fn waiting(&self) -> usize {
        self.waiting.iter().map(|sequence| 1 + sequence.siblings.len()).sum()
    }

    /// Holds an adapter's present numbers.
    ///
    /// # Errors
    /// Where it doesn't fit the model.
    pub fn add_adapter(&mut self, adapter: &Adapter) -> Result<AdapterId> {
        let lora = Lora::new(adapter, &*self.backend)?;
        let id = AdapterId(lora.serial);
        self.adapters.insert(id, Arc::new(lora));
        Ok(id)
    }

    /// Keeps tokens from all but the adapters that have rows for them: to others they mean nothing.
    pub fn hide(&mut self, tokens: &[u32]) {
        self.hidden.extend_from_slice(tokens);
    }

    /// Lets go of an adapter; requests that use it finish with it.
    pub fn remove_adapter(&mut self, id: AdapterId) {
        self.adapters.remove(&id);
    }

    /// Ends a request at once; what was held back is given out.
    pub fn cancel(&mut self, request: RequestId) -> Vec<Event> {
        self.end(request, Finish::Cancelled)
    }

    /// As [`Generator::cancel`], for another reason.
    pub fn end(&mut self, request: RequestId, why: Finish) -> Vec<Event> {
        let mut events = Vec::new();
        for sequence in self.waiting.iter_mut().chain(&mut self.active).filter(|of| of.request == request) {
            sequence.finish(why, &mut events);
            for sibling in &mut sequence.siblings {
                sibling.finish(why, &mut events);
            }
        }
        self.waiting.retain(|sequence| sequence.finished.is_none());
        self.retire();
        events
    }

    /// Computes one step and says what came of it; nothing where nothing is unfinished.
    ///
    /// # Errors
    /// Where there is no room for even one sequence, or a device fails.
    pub fn step(&mut self) -> Result<Vec<Event>> {
        self.admit();
        let mut events = Vec::new();
        let (step, parts) = self.plan()?;
        if !step.tokens.is_empty() {
            let began = Instant::now();
            self.backend.forward(&mut self.team, &step)?;
            let reads = parts.iter().any(|part| part.count > 1).then(|| self.cost_of(&step));
            self.pace.note(step.tokens.len(), reads, began.elapsed());
            self.score_prompts(&parts, &mut events);
        } else if !self.active.iter().any(|sequence| sequence.put_off.is_some()) {
            ensure!(self.unfinished() == 0, "the cache has no room for a sequence of this length");
            return Ok(events);
        }
        let ready = self.advance(&parts);
        self.choose(&ready, &mut events)?;
        self.make_room();
        self.retire();
        Ok(events)
    }

    /// Notes what was computed; returns the sequences that are ready for their next token, in their order.
    fn advance(&mut self, parts: &[SequenceStep]) -> Vec<Ready> {
        let mut ready = Vec::new();
        for &SequenceStep { index, count, ref wanted } in parts {
            let Some(sequence) = self.active.get_mut(index) else { continue };
            sequence.computed += count;
            let guessed = sequence.guessed.len();
            let adapter = sequence.adapter();
            while (sequence.remembered + 1) * PAGE <= sequence.computed {
                let number = sequence.remembered;
                let before = number.checked_sub(1).and_then(|before| sequence.pages.get(before).copied());
                let tokens = sequence.tokens.get(number * PAGE..(number + 1) * PAGE).unwrap_or_default();
                if let Some(&page) = sequence.pages.get(number) {
                    self.cache.remember(page, before, adapter, tokens);
                }
                sequence.remembered += 1;
            }
            if sequence.pending() == 0 {
                ready.push(Ready {
                    index,
                    rows: wanted.start.max(wanted.end.saturating_sub(1 + guessed))..wanted.end,
                });
            }
        }
        ready
    }

    /// Lets sequences whose context is full slide.
    fn make_room(&mut self) {
        for sequence in &mut self.active {
            let Overflow::Slide { keep } = sequence.options.overflow else { continue };
            if sequence.tokens.len() < self.context || sequence.finished.is_some() {
                continue;
            }
            sequence.tokens = slide(&sequence.tokens, keep, self.context);
            release(&mut self.cache, &mut sequence.pages);
            sequence.computed = 0;
            sequence.remembered = 0;
        }
    }

    /// Lets go of finished sequences.
    fn retire(&mut self) {
        for sequence in self.active.iter_mut().filter(|sequence| sequence.finished.is_some()) {
            release(&mut self.cache, &mut sequence.pages);
        }
        self.active.retain(|sequence| sequence.finished.is_none());
    }
}

fn threads(limits: &Limits) -> usize {
    match limits.threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        asked => asked,
    }
}

pub(super) fn release(cache: &mut Cache, pages: &mut Vec<PageId>) {
    // Last pages first, so that beginnings, which others may share, stay longest.
    for page in pages.drain(..).rev() {
        cache.release(page);
    }
}
