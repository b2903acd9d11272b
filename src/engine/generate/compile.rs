//! Making a constraint ready: off the thread that generates, within limits, once for all who ask for the same.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use llguidance::Matcher;
use sha2::{Digest, Sha256};
use tokenizers::Tokenizer;

use super::constrain::{Constraint, Guide};
use super::{keywords, multiples};
use crate::priority::{Behind, Later};

/// Bytes of a constraint at most, as JSON.
const BYTES: usize = 128 << 10;
/// Choices of a list at most.
const CHOICES: usize = 10_000;
/// Values within values of a schema, and brackets within brackets of a grammar, at most.
const DEPTH: usize = 100;
/// How long one may take, waiting for a turn among others included.
const PATIENCE: Duration = Duration::from_secs(10);
/// Compiled at the same time at most.
const TURNS: usize = 2;
/// One that is not ready after so long gives its turn to others, and is made ready beside them.
const QUICK: Duration = Duration::from_secs(2);
/// So many at the same time give their turn to others; more keep it. Those that run over their time can't be ended.
const ASIDE: usize = 4;
/// Memory of a compiling thread's calls; the system gives what is used.
const STACK: usize = 1 << 30;
/// Compiled constraints that are kept.
const KEPT: usize = 32;

type Hash = [u8; 32];

/// A constraint that is ready to be used, any number of times.
#[derive(Clone)]
pub struct Compiled(Arc<Mutex<Matcher>>);

impl Compiled {
    /// One at its beginning.
    pub(crate) fn start(&self) -> Matcher {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).deep_clone()
    }
}

impl fmt::Debug for Compiled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Compiled")
    }
}

/// Nobody is to blame: it can be asked for again.
#[derive(Debug, thiserror::Error)]
#[error("the {0} can't be compiled now: others are being compiled; try again later")]
pub struct CompilersBusy(&'static str);

/// Compiles constraints for one model.
pub struct Compiler {
    shared: Arc<CompilerState>,
    patience: Duration,
    quick: Duration,
}

struct CompilerState {
    tokenizer: Arc<Tokenizer>,
    vocabulary: usize,
    eos: Vec<u32>,
    guide: Mutex<Option<Arc<Guide>>>,
    /// Newest last.
    kept: Mutex<VecDeque<(Hash, Compiled)>>,
    lanes: Mutex<Lanes>,
    /// Told when a turn is free, and when a constraint is ready.
    moved: Condvar,
}

/// Who is compiling.
struct Lanes {
    /// Turns that are free.
    turns: usize,
    running: HashMap<Hash, Standing>,
    /// Those that ran over their time, and run on.
    late: HashSet<Hash>,
}

/// How a constraint is being compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    InTurn,
    /// It gave its turn to others.
    Aside,
}

/// What came of the wait for a turn.
enum Turn {
    Begin,
    /// Another one has made it ready.
    Ready(Compiled),
    /// It took too long for somebody before.
    TooSlow,
    /// None was free in time.
    Busy,
}

impl Compiler {
    /// For a model with these tokens, some of which end an answer.
    #[must_use]
    pub fn new(tokenizer: Arc<Tokenizer>, vocabulary: usize, eos: Vec<u32>) -> Self {
        let shared = CompilerState {
            tokenizer,
            vocabulary,
            eos,
            guide: Mutex::new(None),
            kept: Mutex::new(VecDeque::new()),
            lanes: Mutex::new(Lanes { turns: TURNS, running: HashMap::new(), late: HashSet::new() }),
            moved: Condvar::new(),
        };
        Self { shared: Arc::new(shared), patience: PATIENCE, quick: QUICK }
    }

    /// Waits for so long instead of ten seconds; after a fifth of it others go by.
    #[must_use]
    pub fn waiting(mut self, patience: Duration) -> Self {
        (self.patience, self.quick) = (patience, patience / 5);
        self
    }

    /// Waits until a constraint is ready; the work is done on another thread. One that takes long lets others go by.
    ///
    /// # Errors
    /// Where it is wrong, too large, too deep or takes too long, in one sentence.
    pub fn compile(&self, constraint: &Constraint) -> Result<Compiled> {
        let kind = constraint.kind();
        let hash = check(constraint)?;
        if let Some(compiled) = self.shared.find(&hash) {
            return Ok(compiled);
        }
        let too_slow = || {
            anyhow!("the {kind} takes more than {} seconds to compile: simplify it", self.patience.as_secs())
        };
        if self.shared.lanes().late.contains(&hash) {
            return Err(too_slow());
        }
        // Made once for the model, in seconds for a large vocabulary: nothing that this constraint is to blame for.
        let guide = self.shared.guide()?;
        let deadline = Instant::now() + self.patience;
        match self.shared.turn(hash, deadline) {
            Turn::Begin => {}
            Turn::Ready(compiled) => return Ok(compiled),
            Turn::TooSlow => return Err(too_slow()),
            Turn::Busy => return Err(CompilersBusy(kind).into()),
        }
        let running = Running { shared: Arc::clone(&self.shared), hash };
        let (send, receive) = mpsc::sync_channel(1);
        let own = constraint.clone();
        let (begin, begun) = mpsc::sync_channel(1);
        std::thread::Builder::new()
            .name("dojo-constraint".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                begin.send(Later::this(Behind::Somewhat)).ok();
                let outcome = running.shared.make(&guide, &own, hash);
                drop(own);
                drop(running);
                send.send(outcome).ok();
            })
            .context("start a thread for a constraint")?;
        let left = || deadline.saturating_duration_since(Instant::now());
        let mut outcome = receive.recv_timeout(left().min(self.quick));
        if matches!(outcome, Err(mpsc::RecvTimeoutError::Timeout)) {
            self.shared.stand_aside(hash);
            outcome = receive.recv_timeout(left());
        }
        match outcome {
            Ok(outcome) => outcome,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                self.shared.give_up(hash);
                begun.try_recv().into_iter().for_each(|thread: Later| thread.go(Behind::All));
                Err(too_slow())
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => bail!("the {kind} can't be compiled: simplify it"),
        }
    }
}

impl CompilerState {
    fn find(&self, hash: &Hash) -> Option<Compiled> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(other, _)| other == hash).map(|(_, compiled)| compiled.clone())
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A turn for one that nobody else is compiling.
    fn turn(&self, hash: Hash, deadline: Instant) -> Turn {
        let mut lanes = self.lanes();
        loop {
            if let Some(compiled) = self.find(&hash) {
                return Turn::Ready(compiled);
            }
            if lanes.late.contains(&hash) {
                return Turn::TooSlow;
            }
            if lanes.turns > 0 && !lanes.running.contains_key(&hash) {
                lanes.turns -= 1;
                lanes.running.insert(hash, Standing::InTurn);
                return Turn::Begin;
            }
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return Turn::Busy };
            lanes = self.moved.wait_timeout(lanes, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Gives the turn of one that takes long to others, if few have done so before it.
    fn stand_aside(&self, hash: Hash) {
        let mut lanes = self.lanes();
        let aside = lanes.running.values().filter(|standing| **standing == Standing::Aside).count();
        let own = lanes.running.get_mut(&hash).filter(|standing| **standing == Standing::InTurn);
        if let Some(standing) = own.filter(|_| aside < ASIDE) {
            *standing = Standing::Aside;
            lanes.turns += 1;
            self.moved.notify_all();
        }
    }

    /// Nobody waits for it any more, though it runs on.
    fn give_up(&self, hash: Hash) {
        let mut lanes = self.lanes();
        let aside = lanes.running.get(&hash) == Some(&Standing::Aside);
        // One that keeps its turn is there for whoever asks again.
        if aside {
            lanes.late.insert(hash);
            self.moved.notify_all();
        }
    }

    /// The tokenizer, prepared for constraints. Others who ask meanwhile wait for it.
    fn guide(&self) -> Result<Arc<Guide>> {
        let mut guide = self.guide.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(guide) = &*guide {
            return Ok(Arc::clone(guide));
        }
        let made = Arc::new(Guide::new(&self.tokenizer, self.vocabulary, &self.eos)?);
        *guide = Some(Arc::clone(&made));
        Ok(made)
    }

    fn make(&self, guide: &Guide, constraint: &Constraint, hash: Hash) -> Result<Compiled> {
        let compiled = Compiled(Arc::new(Mutex::new(guide.start(constraint)?)));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back((hash, compiled.clone()));
        Ok(compiled)
    }
}

/// A constraint that is being compiled.
struct Running {
    shared: Arc<CompilerState>,
    hash: Hash,
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut lanes = self.shared.lanes();
        lanes.late.remove(&self.hash);
        if lanes.running.remove(&self.hash) == Some(Standing::InTurn) {
            lanes.turns += 1;
        }
        self.shared.moved.notify_all();
    }
}

/// Keeps to the limits, and tells constraints apart.
fn check(constraint: &Constraint) -> Result<Hash> {
    let kind = constraint.kind();
    let text = match constraint {
        Constraint::JsonObject => String::new(),
        Constraint::JsonSchema(schema) => {
            ensure!(
                is_within(schema, DEPTH),
                "the {kind} is nested too deeply: at most {DEPTH} values within values"
            );
            multiples::check(kind, multiples::of_schema(schema))?;
            keywords::check_schema(kind, schema)?;
            schema.to_string()
        }
        Constraint::Regex(text) => text.clone(),
        Constraint::Grammar(text) => {
            ensure!(
                brackets(text) <= DEPTH,
                "the {kind} is nested too deeply: at most {DEPTH} brackets within brackets"
            );
            multiples::check(kind, multiples::of_text(text))?;
            keywords::check_grammar(kind, text)?;
            text.clone()
        }
        Constraint::Choice(choices) => {
            ensure!(
                choices.len() <= CHOICES,
                "the {kind} holds {} texts, and may hold {CHOICES}",
                choices.len()
            );
            serde_json::to_string(choices)?
        }
    };
    ensure!(text.len() <= BYTES, "the {kind} has {} bytes, and may have {BYTES}", text.len());
    let which = match constraint {
        Constraint::JsonObject => 0_u8,
        Constraint::JsonSchema(_) => 1,
        Constraint::Regex(_) => 2,
        Constraint::Grammar(_) => 3,
        Constraint::Choice(_) => 4,
    };
    Ok(Sha256::new().chain_update([which]).chain_update(text).finalize().into())
}

/// How many brackets stand within each other. Those of its texts count too: few grammars write many that they never
/// close.
fn brackets(text: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for character in text.chars() {
        match character {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

fn is_within(value: &serde_json::Value, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match value {
        serde_json::Value::Array(values) => values.iter().all(|value| is_within(value, depth)),
        serde_json::Value::Object(values) => values.values().all(|value| is_within(value, depth)),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => true,
    }
}
