//! Loads models when they are asked for and unloads those that nobody uses: one at a time, in the order of the
//! questions, within the memory that all may take. A model that is in use is never unloaded.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until};

use super::hosted::Hosted;
use super::metrics::Metrics;
use super::shelf::{Inner, KeepLoaded, ModelWaiter, ShelfChange, Why};
use super::worker::Queue;
use crate::domain::name::one_line;

pub(crate) struct Keeper {
    pub shared: Arc<Inner>,
    pub orders: UnboundedReceiver<ModelWaiter>,
    pub keep: KeepLoaded,
    pub queue: Queue,
    pub metrics: Arc<Metrics>,
}

/// What the next turn is about.
enum Next {
    Asked(ModelWaiter),
    /// A model may have been idle for long enough.
    Look,
    /// The server is gone.
    End,
}

impl Keeper {
    /// Runs until nobody can order any more.
    pub(crate) async fn run(mut self) {
        let mut waiting = VecDeque::new();
        loop {
            let mut order = match waiting.pop_front() {
                Some(order) => order,
                None => match self.next().await {
                    Next::Asked(order) => order,
                    Next::Look => {
                        self.unload_idle().await;
                        continue;
                    }
                    Next::End => return,
                },
            };
            let index = order.index;
            let Some(outcome) = self.bring(&mut order).await else { continue };
            while let Ok(another) = self.orders.try_recv() {
                waiting.push_back(another);
            }
            // All who wait for it have it now, before another may need its room.
            let (served, others) = waiting.into_iter().partition(|other: &ModelWaiter| other.index == index);
            waiting = others;
            for order in std::iter::once(order).chain(served) {
                let lease = match &outcome {
                    Ok(()) => self.shared.lease(index).ok_or_else(|| "it was unloaded".to_owned()),
                    Err(error) => Err(error.clone()),
                };
                order.reply.send(lease).ok();
            }
        }
    }

    async fn next(&mut self) -> Next {
        let ends = self.keep.idle.and_then(|idle| self.first_end(idle));
        let idle = async {
            match ends {
                Some(ends) => sleep_until(ends).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            order = self.orders.recv() => order.map_or(Next::End, Next::Asked),
            () = idle => Next::Look,
            // It ends at another time then.
            () = self.shared.freed.notified() => Next::Look,
        }
    }

    /// When the first model that nobody uses has been idle for long enough.
    fn first_end(&self, idle: Duration) -> Option<Instant> {
        let state = self.shared.state();
        let unused = state.slots.iter().filter(|slot| slot.held.is_some() && slot.users == 0);
        unused.map(|slot| slot.last_used + idle).min()
    }

    async fn unload_idle(&mut self) {
        let Some(idle) = self.keep.idle else { return };
        while let Some(index) = self.least_recently_used()
            && self.is_idle(index, idle)
        {
            self.unload(index, Why::Idle).await;
        }
    }

    fn is_idle(&self, index: usize, idle: Duration) -> bool {
        self.shared.state().slots.get(index).is_some_and(|slot| slot.last_used.elapsed() >= idle)
    }

    /// Loads a model, after there is room for it. None if whoever asked for it has gone.
    async fn bring(&mut self, order: &mut ModelWaiter) -> Option<Result<(), String>> {
        let index = order.index;
        if self.shared.state().slots.get(index).is_some_and(|slot| slot.held.is_some()) {
            return Some(Ok(()));
        }
        if order.reply.is_closed() {
            return None;
        }
        self.shared.state().room_wanted = true;
        let has_room = self.make_room(order).await;
        self.shared.state().room_wanted = false;
        if has_room { Some(self.load(index).await) } else { None }
    }

    /// Unloads models that nobody uses, the least recently used first, until one more fits; waits for those in use.
    /// False if nobody waits for it any more.
    async fn make_room(&mut self, order: &mut ModelWaiter) -> bool {
        let Some(memory) = self.keep.memory else { return true };
        let needed = self.shared.offers.get(order.index).map_or(0, |offer| offer.bytes);
        while self.held() + needed > memory {
            if let Some(index) = self.least_recently_used() {
                self.unload(index, Why::Room).await;
                continue;
            }
            // A stream that nobody reads ends within its time, so the first does too.
            tokio::select! {
                () = self.shared.freed.notified() => {}
                () = order.reply.closed() => return false,
            }
        }
        true
    }

    /// Bytes of all that are loaded.
    fn held(&self) -> u64 {
        let state = self.shared.state();
        let slots = self.shared.offers.iter().zip(&state.slots);
        slots.filter(|(_, slot)| slot.held.is_some()).map(|(offer, _)| offer.bytes).sum()
    }

    /// Of the loaded models that nobody uses.
    fn least_recently_used(&self) -> Option<usize> {
        let state = self.shared.state();
        let slots = state.slots.iter().enumerate();
        let unused = slots.filter(|(_, slot)| slot.held.is_some() && slot.users == 0);
        unused.min_by_key(|(_, slot)| slot.last_used).map(|(index, _)| index)
    }

    async fn unload(&mut self, index: usize, why: Why) {
        let held = {
            let mut state = self.shared.state();
            let slot = state.slots.get_mut(index).filter(|slot| slot.users == 0);
            slot.and_then(|slot| slot.held.take())
        };
        let Some(held) = held else { return };
        // Its memory is to be free before another is loaded.
        tokio::task::spawn_blocking(move || held.end()).await.ok();
        self.count(|metrics| &metrics.unloads);
        self.tell(|name| ShelfChange::Unloaded { name, why }, index);
    }

    async fn load(&mut self, index: usize) -> Result<(), String> {
        let Some(offer) = self.shared.offers.get(index) else { return Err("nobody offers it".to_owned()) };
        let (name, load) = (offer.name.clone(), Arc::clone(&offer.load));
        let (queue, metrics) = (self.queue.clone(), Arc::clone(&self.metrics));
        let started = Instant::now();
        let loading =
            tokio::task::spawn_blocking(move || Hosted::start(&name, load()?, queue, metrics)).await;
        let outcome = match loading {
            Ok(Ok(hosted)) => Ok(hosted),
            Ok(Err(error)) => Err(one_line(&format!("{error:#}"))),
            Err(_) => Err("loading it ended by a fault of the program".to_owned()),
        };
        match outcome {
            Ok(hosted) => {
                if let Some(slot) = self.shared.state().slots.get_mut(index) {
                    (slot.held, slot.last_used) = (Some(hosted), Instant::now());
                }
                self.count(|metrics| &metrics.loads);
                let seconds = started.elapsed().as_secs_f64();
                self.tell(|name| ShelfChange::Loaded { name, seconds }, index);
                Ok(())
            }
            Err(error) => {
                self.count(|metrics| &metrics.failed_loads);
                self.tell(|name| ShelfChange::Failed { name, error: error.clone() }, index);
                Err(error)
            }
        }
    }

    fn count(&self, counter: impl Fn(&Metrics) -> &AtomicU64) {
        Metrics::add(counter(&self.metrics), 1);
    }

    fn tell(&self, change: impl FnOnce(String) -> ShelfChange, index: usize) {
        if let (Some(tell), Some(offer)) = (self.keep.tell, self.shared.offers.get(index)) {
            tell(&change(offer.name.clone()));
        }
    }
}
