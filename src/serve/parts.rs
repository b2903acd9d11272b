//! One client's request in parts: however many prompts and choices it has, it takes the room of a few at a time, and
//! others are answered between them.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::worker::{QueuePlace, WorkerOrder};
use crate::engine::generate::{Event, GenerateRequest};

/// Choices of one client's request that are computed together at most.
const TOGETHER: usize = 16;

/// Choices of one prompt.
pub(crate) struct RequestPart {
    pub request: GenerateRequest,
    /// The number of its first choice among those of all.
    pub first: usize,
}

/// What all parts of one request share.
pub(crate) struct Feed {
    events: UnboundedSender<Event>,
    /// A place in the queue for all of them.
    place: Arc<QueuePlace>,
    window: Arc<Semaphore>,
}

/// What a part has until it is finished.
pub(crate) struct PartPermit {
    _place: Arc<QueuePlace>,
    _room: OwnedSemaphorePermit,
}

/// Splits requests so that what is computed together takes half of the cache at most: it holds so many `positions`.
pub(crate) fn split(requests: Vec<GenerateRequest>, positions: usize, context: usize) -> Vec<RequestPart> {
    let mut parts = Vec::new();
    let mut first = 0;
    for request in requests {
        let longest = request.prompt.len().saturating_add(request.max_tokens).min(context).max(1);
        let together = (positions / 2 / longest).clamp(1, TOGETHER);
        for begin in (0..request.choices).step_by(together) {
            let mut part = request.clone();
            part.choices = together.min(request.choices - begin);
            // As if all were computed together.
            part.sampling.seed = request.sampling.seed.wrapping_add(begin as u64);
            part.prompt_log_probabilities = request.prompt_log_probabilities.filter(|_| begin == 0);
            parts.push(RequestPart { request: part, first: first + begin });
        }
        first += request.choices;
    }
    parts
}

impl Feed {
    pub(crate) fn new(events: UnboundedSender<Event>, place: QueuePlace) -> Self {
        Self { events, place: Arc::new(place), window: Arc::new(Semaphore::new(TOGETHER)) }
    }

    /// An order for a part, once there is room for it among those of its own request. None if its client has gone.
    pub(crate) async fn order(
        &self,
        part: RequestPart,
        taken: oneshot::Sender<Result<(), String>>,
    ) -> Option<WorkerOrder> {
        let RequestPart { request, first } = part;
        let room = Arc::clone(&self.window).acquire_many_owned(request.choices as u32).await.ok()?;
        let held = PartPermit { _place: Arc::clone(&self.place), _room: room };
        let events = self.events.clone();
        (!events.is_closed()).then_some(WorkerOrder { request, taken, events, first, held })
    }
}
