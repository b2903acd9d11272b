//! Connections that end when their client is silent or takes nothing for too long.

use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep, sleep_until};

use super::room::{ConnectionRoom, Seat};

/// A listener whose connections have seats in a room.
pub(crate) struct Door {
    pub listener: TcpListener,
    pub room: Arc<ConnectionRoom>,
}

/// What handlers see of a connection.
#[derive(Clone)]
pub(crate) struct Seated(pub Arc<Seat>);

pub(crate) struct Connection {
    stream: TcpStream,
    room: Arc<ConnectionRoom>,
    seat: Arc<Seat>,
    silence: Pin<Box<Sleep>>,
    /// Runs while the client takes nothing.
    stuck: Option<Pin<Box<Sleep>>>,
}

/// Said to a client for whom there is no seat.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n\
connection: close\r\n\r\n\
{\"error\":{\"message\":\"all connections are taken: try again later\",\"type\":\"server_error\",\
\"param\":null,\"code\":\"connections_full\"}}";

/// Wait after the system gave no connection.
const PAUSE: Duration = Duration::from_millis(50);

impl Listener for Door {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    let Some(seat) = self.room.enter() else {
                        stream.try_write(FULL).ok();
                        continue;
                    };
                    // A token's few bytes are to be sent at once.
                    stream.set_nodelay(true).ok();
                    let room = Arc::clone(&self.room);
                    let silence = Box::pin(sleep(room.clients.head));
                    return (Connection { stream, room, seat, silence, stuck: None }, address);
                }
                Err(error) if is_of_one_client(&error) => {}
                Err(error) => {
                    tracing::error!("accept a connection: {error}");
                    self.room.send_one_away();
                    sleep(PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

fn is_of_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}

impl Connected<IncomingStream<'_, Door>> for Seated {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        Self(Arc::clone(&stream.io().seat))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.room.leave(&self.seat);
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        me.seat.may_read(context.waker())?;
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut me.stream).poll_read(context, buffer) {
            me.seat.heard(buffer.filled().len() - before);
            return Poll::Ready(read);
        }
        let waits_for_client = me.stuck.is_none();
        let Some(end) = me.seat.deadline(&me.room.clients).filter(|_| waits_for_client) else {
            return Poll::Pending;
        };
        if me.silence.deadline() != end {
            me.silence.set(sleep_until(end));
        }
        ready!(me.silence.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the client asked nothing for too long")))
    }
}

impl Connection {
    fn poll_written(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        self.seat.may_write(context.waker())?;
        if let Poll::Ready(written) = write(Pin::new(&mut self.stream), context) {
            self.stuck = None;
            self.seat.wrote();
            return Poll::Ready(written);
        }
        let patience = self.room.clients.write;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stuck.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the client took nothing for too long")))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_written(context, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_written(context, |stream, context| stream.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
