//! The moment at which a server that is to end cuts off what isn't finished, as those who answer hear of it.

use tokio::sync::watch;

/// Whoever gives the word.
pub(crate) struct CutSignal(watch::Sender<bool>);

/// Whoever is told.
#[derive(Clone)]
pub(crate) struct Cut(watch::Receiver<bool>);

impl CutSignal {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(crate) fn listen(&self) -> Cut {
        Cut(self.0.subscribe())
    }

    pub(crate) fn give(&self) {
        self.0.send_replace(true);
    }
}

impl Cut {
    /// Waits for the word.
    pub(crate) async fn given(&mut self) {
        if self.0.wait_for(|cut| *cut).await.is_err() {
            // Nobody is left who could give it.
            std::future::pending::<()>().await;
        }
    }
}
