//! The thread that owns the generator: takes requests, computes for all of them together, sends events.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::http::StatusCode;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::error::ApiError;
use super::metrics::Metrics;
use super::parts::{Feed, PartPermit, RequestPart};
use crate::engine::generate::{
    Compiler, CompilersBusy, Event, Fault, Finish, GenerateRequest, Generator, RequestId, What,
};

/// Memory of the generating thread's calls; the system gives what is used.
const STACK: usize = 64 << 20;

/// A step: a new short request waits about so long for it, and its own steps after.
const STEP: Duration = Duration::from_millis(250);

/// The handlers' side.
pub(crate) struct ServeWorker {
    orders: mpsc::Sender<WorkerOrder>,
    compiler: Arc<Compiler>,
    thread: JoinHandle<()>,
    queue: Queue,
    metrics: Arc<Metrics>,
}

/// The requests of all models that are in progress or waiting.
#[derive(Clone)]
pub(crate) struct Queue {
    open: Arc<AtomicUsize>,
    most: usize,
}

impl Queue {
    pub(crate) fn new(most: usize) -> Self {
        Self { open: Arc::default(), most }
    }

    /// A place for one more.
    pub(crate) fn enter(&self) -> Result<QueuePlace, ApiError> {
        let place = QueuePlace(Arc::clone(&self.open));
        if self.open.fetch_add(1, Ordering::AcqRel) >= self.most {
            let message = "the queue is full: try again later";
            return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, message).code("queue_full"));
        }
        Ok(place)
    }
}

/// A part of a client's request.
pub(crate) struct WorkerOrder {
    pub request: GenerateRequest,
    pub taken: oneshot::Sender<Result<(), String>>,
    /// Holds at most the request's own tokens, so it needs no other bound.
    pub events: UnboundedSender<Event>,
    /// The number of its first choice among those of all that the client asked for together.
    pub first: usize,
    pub held: PartPermit,
}

/// A place in the queue, given back when it is dropped.
pub(crate) struct QueuePlace(Arc<AtomicUsize>);

impl Drop for QueuePlace {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A request in progress.
struct OpenRequest {
    events: UnboundedSender<Event>,
    first: usize,
    left: usize,
    started: Instant,
    begun: bool,
    held: PartPermit,
}

impl ServeWorker {
    pub(crate) fn start(mut generator: Generator, queue: Queue, metrics: Arc<Metrics>) -> Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "bounded by the queue, which refuses what is too much")]
        let (orders, received) = mpsc::channel();
        let own = Arc::clone(&metrics);
        let compiler = Arc::clone(generator.compiler());
        generator.keep_steps_within(STEP);
        let thread = std::thread::Builder::new()
            .name("dojo-serve-generate".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                Loop { generator, open: HashMap::new(), metrics: own, told: [0; 2] }.run(&received);
            })
            .context("start the generating thread")?;
        Ok(Self { orders, compiler, thread, queue, metrics })
    }

    /// Ends it, and waits until its memory is free. Nobody uses it any more.
    pub(crate) fn end(self) {
        let Self { orders, compiler, thread, .. } = self;
        drop((orders, compiler));
        thread.join().ok();
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Hands a client's request over, in parts that share a constraint; their events come until the last choice is
    /// finished. Dropping their receiver cancels them. An error names the field of the prompt, or the one of the
    /// constraint.
    pub(crate) async fn submit(
        &self,
        mut parts: Vec<RequestPart>,
        events: UnboundedSender<Event>,
        (prompt, constraint): (&'static str, &'static str),
    ) -> Result<(), ApiError> {
        let place = self.queue.enter().inspect_err(|_| Metrics::add(&self.metrics.refused, 1))?;
        self.compile(&mut parts, constraint).await?;
        let feed = Feed::new(events, place);
        let mut parts = parts.into_iter();
        let Some(first) = parts.next() else { return Ok(()) };
        let (taken, answer) = oneshot::channel();
        let gone = || ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "the generating thread has ended");
        let order = feed.order(first, taken).await.ok_or_else(gone)?;
        self.orders.send(order).map_err(|_| gone())?;
        match answer.await {
            Ok(Ok(())) => {}
            Ok(Err(message)) => return Err(ApiError::bad(message).parameter(prompt)),
            Err(_) => return Err(gone()),
        }
        Metrics::add(&self.metrics.requests, 1);
        if parts.len() > 0 {
            let orders = self.orders.clone();
            tokio::spawn(async move {
                for part in parts {
                    let (taken, _) = oneshot::channel();
                    let Some(order) = feed.order(part, taken).await else { return };
                    if orders.send(order).is_err() {
                        return;
                    }
                }
            });
        }
        Ok(())
    }

    /// Makes the constraint of all parts ready, once.
    async fn compile(&self, parts: &mut [RequestPart], field: &'static str) -> Result<(), ApiError> {
        let Some(wanted) = parts.first_mut().and_then(|part| part.request.constraint.take()) else {
            return Ok(());
        };
        let compiler = Arc::clone(&self.compiler);
        let compiled = tokio::task::spawn_blocking(move || compiler.compile(&wanted)).await;
        let refuse = |error: ApiError| {
            Metrics::add(&self.metrics.refused, 1);
            error.parameter(field)
        };
        let failed = "the constraint can't be compiled".to_owned();
        let compiled = compiled.map_err(|_| refuse(ApiError::bad(failed)))?;
        let compiled = compiled.map_err(|error| {
            // Clients ask again by themselves then.
            let is_busy = error.is::<CompilersBusy>();
            let status = if is_busy { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::BAD_REQUEST };
            refuse(ApiError::new(status, format!("{error:#}")))
        })?;
        for part in parts {
            (part.request.constraint, part.request.compiled) = (None, Some(compiled.clone()));
        }
        Ok(())
    }
}

struct Loop {
    generator: Generator,
    open: HashMap<RequestId, OpenRequest>,
    metrics: Arc<Metrics>,
    /// Its own part of those that are running and waiting, as it told them last.
    told: [usize; 2],
}

impl Loop {
    /// Runs until every handler is gone and every request is finished.
    fn run(mut self, orders: &mpsc::Receiver<WorkerOrder>) {
        loop {
            if self.open.is_empty() {
                match orders.recv() {
                    Ok(order) => self.take(order),
                    Err(mpsc::RecvError) => return self.tell([0; 2]),
                }
            }
            while let Ok(order) = orders.try_recv() {
                self.take(order);
            }
            self.forget_the_gone();
            let outcome = self.generator.step();
            // Before a client can know of its answer's end.
            self.tell_load();
            match outcome {
                Ok(events) => events.into_iter().for_each(|event| self.send(event)),
                Err(error) => {
                    tracing::error!("generation failed: {error:#}");
                    let all: Vec<RequestId> = self.open.keys().copied().collect();
                    all.into_iter().for_each(|id| self.end(id, Finish::Failed(Fault::Computation)));
                }
            }
        }
    }

    fn tell_load(&mut self) {
        let waiting = self.generator.waiting();
        self.tell([self.generator.unfinished() - waiting, waiting]);
    }

    fn tell(&mut self, now: [usize; 2]) {
        let before = std::mem::replace(&mut self.told, now);
        let gauges = [&self.metrics.running, &self.metrics.waiting];
        for ((gauge, before), now) in gauges.into_iter().zip(before).zip(now) {
            Metrics::change(gauge, before, now);
        }
    }

    fn take(&mut self, order: WorkerOrder) {
        let choices = order.request.choices;
        match self.generator.submit(order.request) {
            Ok(id) => {
                let open = OpenRequest {
                    events: order.events,
                    first: order.first,
                    left: choices,
                    started: Instant::now(),
                    begun: false,
                    held: order.held,
                };
                self.open.insert(id, open);
                order.taken.send(Ok(())).ok();
            }
            Err(error) => {
                Metrics::add(&self.metrics.refused, 1);
                drop(order.held);
                order.taken.send(Err(format!("{error:#}"))).ok();
            }
        }
    }

    fn send(&mut self, mut event: Event) {
        let Some(open) = self.open.get_mut(&event.request) else { return };
        event.choice += open.first;
        match &event.what {
            What::Prompt { .. } => {}
            What::Token { .. } => {
                Metrics::add(&self.metrics.generated_tokens, 1);
                if !open.begun {
                    open.begun = true;
                    Metrics::add(&self.metrics.first_tokens, 1);
                    let waited = open.started.elapsed().as_micros() as usize;
                    Metrics::add(&self.metrics.first_token_microseconds, waited);
                }
            }
            What::Finished { usage, why, .. } => {
                open.left -= 1;
                if *why != Finish::Cancelled {
                    Metrics::add(&self.metrics.prompt_tokens, usage.prompt_tokens);
                    Metrics::add(&self.metrics.cached_tokens, usage.cached_tokens);
                }
            }
        }
        if open.left > 0 {
            open.events.send(event).ok();
        } else if let Some(OpenRequest { events, held, .. }) = self.open.remove(&event.request) {
            // Before the client can know: its next request may come at once, and has the place to itself.
            drop(held);
            events.send(event).ok();
        }
    }

    /// Cancels requests whose client went away.
    fn forget_the_gone(&mut self) {
        let gone: Vec<RequestId> =
            self.open.iter().filter(|(_, open)| open.events.is_closed()).map(|(&id, _)| id).collect();
        for id in gone {
            Metrics::add(&self.metrics.cancelled, 1);
            self.end(id, Finish::Cancelled);
        }
    }

    fn end(&mut self, id: RequestId, why: Finish) {
        let events = self.generator.end(id, why);
        self.tell_load();
        for event in events {
            self.send(event);
        }
        self.open.remove(&id);
    }
}
