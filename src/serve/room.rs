//! Who is connected: how many there may be, what each is at, how long that may take, and who has to go if there is no
//! room. Knows no HTTP.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::Duration;

use futures::task::AtomicWaker;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use super::stopping::CutSignal;

/// What clients may take: time, connections, memory.
#[derive(Debug, Clone, Copy)]
pub struct Clients {
    /// Connections at most. Another one takes the place of that which has been without a whole request for longest.
    pub connections: usize,
    /// For a request's head, from the connection or from its first byte.
    pub head: Duration,
    /// For a request's body.
    pub body: Duration,
    /// Between an answer and the next request.
    pub idle: Duration,
    /// Without a byte of an answer taken by the client.
    pub write: Duration,
    /// For answers in progress once the server is to end.
    pub stop: Duration,
    /// Bytes of all bodies together that are on their way or wait to be read; the first [`Clients::FREE`] of each aren't counted.
    pub half_sent: usize,
}

impl Clients {
    /// Bytes that every body may have, however full it is: questions of usual length are let in beside big ones.
    pub const FREE: usize = 16 << 10;
}

impl Default for Clients {
    fn default() -> Self {
        Self {
            connections: 512,
            head: Duration::from_secs(15),
            body: Duration::from_secs(60),
            idle: Duration::from_secs(75),
            write: Duration::from_secs(60),
            stop: Duration::from_secs(5),
            half_sent: 64 << 20,
        }
    }
}

/// Bytes of a request's head at most.
const HEAD_BYTES: usize = 64 << 10;

/// What a connection is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing was asked, or everything is answered.
    Idle,
    /// A request's head is awaited or has begun.
    Head,
    /// A request's body is being read.
    Body,
    /// A whole request is being answered.
    Answer,
}

/// All connections.
pub(crate) struct ConnectionRoom {
    pub clients: Clients,
    /// Bytes of one body at most.
    pub body: usize,
    /// A permit for each byte of bodies that are on their way.
    pub memory: Arc<Semaphore>,
    /// Given when what isn't finished is cut off.
    pub cut: CutSignal,
    /// Told when it is to be cut off before its time.
    pub hurry: Notify,
    seats: Mutex<Seats>,
}

#[derive(Default)]
struct Seats {
    taken: BTreeMap<u64, Arc<Seat>>,
    next: u64,
}

/// One connection.
pub(crate) struct Seat {
    number: u64,
    at: Mutex<At>,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

#[derive(Clone, Copy)]
struct At {
    stage: Stage,
    /// Requests whose body is being read, and that are being answered: HTTP/2 has several at once.
    bodies: usize,
    answers: usize,
    since: Instant,
    /// Bytes of a head that were read.
    head_bytes: usize,
    sent_away: bool,
}

impl ConnectionRoom {
    pub(crate) fn new(mut clients: Clients, body: usize) -> Self {
        // Else a body that is allowed could never be taken in.
        clients.half_sent = clients.half_sent.max(body).min(Semaphore::MAX_PERMITS);
        let memory = Arc::new(Semaphore::new(clients.half_sent));
        let (cut, hurry) = (CutSignal::new(), Notify::new());
        Self { clients, body, memory, cut, hurry, seats: Mutex::default() }
    }

    /// A seat for a new connection; where all are taken, that of whoever has been without a whole request for longest.
    /// None where all are being answered.
    pub(crate) fn enter(&self) -> Option<Arc<Seat>> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let staying = seats.taken.values().filter(|seat| !seat.at().sent_away).count();
        if staying >= self.clients.connections && !send_oldest_away(&seats) {
            return None;
        }
        let number = seats.next;
        seats.next += 1;
        let (bodies, answers) = (0, 0);
        let since = Instant::now();
        let at = At { stage: Stage::Head, bodies, answers, since, head_bytes: 0, sent_away: false };
        let seat =
            Seat { number, at: Mutex::new(at), reader: AtomicWaker::new(), writer: AtomicWaker::new() };
        let seat = Arc::new(seat);
        seats.taken.insert(number, Arc::clone(&seat));
        Some(seat)
    }

    /// Makes room where the system has none.
    pub(crate) fn send_one_away(&self) {
        send_oldest_away(&self.seats.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn leave(&self, seat: &Seat) {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner).taken.remove(&seat.number);
    }

    /// Requests that are being answered.
    pub(crate) fn answering(&self) -> usize {
        let seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        seats.taken.values().filter(|seat| is_answered(seat)).map(|seat| seat.at().answers).sum()
    }

    /// Closes the connections without a whole request.
    pub(crate) fn send_waiting_away(&self) {
        self.send_away(|seat| !is_answered(seat));
    }

    /// Closes all connections.
    pub(crate) fn send_all_away(&self) {
        self.send_away(|_| true);
    }

    fn send_away(&self, which: impl Fn(&Seat) -> bool) {
        let seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        seats.taken.values().filter(|seat| which(seat)).for_each(|seat| seat.send_away());
    }
}

fn is_answered(seat: &Seat) -> bool {
    let at = seat.at();
    at.stage == Stage::Answer && !at.sent_away
}

fn send_oldest_away(seats: &Seats) -> bool {
    let waiting = seats.taken.values().map(|seat| (seat, seat.at()));
    let waiting = waiting.filter(|(_, at)| at.stage != Stage::Answer && !at.sent_away);
    let oldest = waiting.min_by_key(|(_, at)| at.since);
    oldest.is_some_and(|(seat, _)| {
        seat.send_away();
        true
    })
}

impl Seat {
    fn at(&self) -> At {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut At)) {
        change(&mut self.at.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A request goes from one stage to another.
    pub(crate) fn pass(&self, from: Stage, to: Stage) {
        self.change(|at| {
            match from {
                Stage::Body => at.bodies = at.bodies.saturating_sub(1),
                Stage::Answer => at.answers = at.answers.saturating_sub(1),
                Stage::Idle | Stage::Head => {}
            }
            match to {
                Stage::Body => at.bodies += 1,
                Stage::Answer => at.answers += 1,
                Stage::Idle | Stage::Head => {}
            }
            at.stage = match (at.answers, at.bodies) {
                (0, 0) => to,
                (0, _) => Stage::Body,
                _ => Stage::Answer,
            };
            (at.since, at.head_bytes) = (Instant::now(), 0);
        });
        // Whoever waits for bytes has another deadline now.
        self.reader.wake();
    }

    /// Bytes came from the client.
    pub(crate) fn heard(&self, bytes: usize) {
        self.change(|at| match at.stage {
            Stage::Idle => (at.stage, at.since, at.head_bytes) = (Stage::Head, Instant::now(), bytes),
            Stage::Head => at.head_bytes += bytes,
            Stage::Body | Stage::Answer => {}
        });
    }

    /// The client took bytes. Where nobody said that a request came, it was refused by its head.
    pub(crate) fn wrote(&self) {
        self.change(|at| match at.stage {
            Stage::Idle | Stage::Head => {
                (at.stage, at.since, at.head_bytes) = (Stage::Idle, Instant::now(), 0);
            }
            Stage::Body | Stage::Answer => {}
        });
    }

    /// Until when the client may be silent; none while it is the server's turn. A body's time is kept by its reader.
    pub(crate) fn deadline(&self, clients: &Clients) -> Option<Instant> {
        let at = self.at();
        match at.stage {
            Stage::Idle => Some(at.since + clients.idle),
            Stage::Head => Some(at.since + clients.head),
            Stage::Body | Stage::Answer => None,
        }
    }

    /// Wakes `reader` when the seat is taken away or changes its stage.
    ///
    /// # Errors
    /// Where the connection has to end: its seat is another's, or its request's head has no end.
    pub(crate) fn may_read(&self, reader: &Waker) -> io::Result<()> {
        self.reader.register(reader);
        let at = self.at();
        if at.head_bytes > HEAD_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the request's head is too long"));
        }
        stays(at)
    }

    /// Wakes `writer` when the seat is taken away.
    ///
    /// # Errors
    /// Where the seat is another's.
    pub(crate) fn may_write(&self, writer: &Waker) -> io::Result<()> {
        self.writer.register(writer);
        stays(self.at())
    }

    /// Takes the seat away, which ends the connection.
    pub(crate) fn send_away(&self) {
        self.change(|at| at.sent_away = true);
        self.reader.wake();
        self.writer.wake();
    }
}

fn stays(at: At) -> io::Result<()> {
    if at.sent_away {
        return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the connection has to end"));
    }
    Ok(())
}
