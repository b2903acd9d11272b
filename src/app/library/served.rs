//! A library that a server answers from. One thread has it open and finds passages for one question after another; the
//! index is let go when another process wants it, which is looked for between questions and now and then among them.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::oneshot;

use super::answer::{LibraryPrompts, asked_as, near};
use super::open::{OpenLibrary, QuestionVectors, Reranking};
use crate::config::Folders;
use crate::domain::message::Message;
use crate::domain::retrieval::{FoundPassage, LibraryCounts, SearchMode};
use crate::ground::thread;
use crate::rag::answer::{AnswerPrompt, AskedConversation};
use crate::rag::database::FILE;
use crate::serve::{AnswerLibrary, CountTokens, NearPassages};

/// How often it is looked whether another process wants the index, which stays open between questions.
const LOOK: Duration = Duration::from_millis(50);
/// The index is kept for this long at most while questions wait for it.
const TURN: Duration = Duration::from_millis(500);
/// Then it is left to others for this long: they look for it every few milliseconds.
const PAUSE: Duration = Duration::from_millis(25);

/// Told of what went wrong with a library.
pub type Complain = fn(&str);

/// A library and the thread that has it open.
pub struct LibraryDesk {
    folders: Folders,
    /// Whose prompts are used.
    session: PathBuf,
    questions: Sender<FindOrder>,
    complain: Complain,
}

/// A question that passages are to be found for.
struct FindOrder {
    question: String,
    reply: oneshot::Sender<Result<NearPassages>>,
}

impl LibraryDesk {
    /// Opens the library in a folder and its embedding model, brings its index up to its documents, and starts the
    /// thread that asks it, for so many passages at most. Says what it holds.
    ///
    /// # Errors
    /// Where there is no library, its model isn't on this machine, or it can't be read.
    pub fn start(
        folders: Folders,
        folder: PathBuf,
        top: usize,
        complain: Complain,
    ) -> Result<(Self, LibraryCounts)> {
        let session = folder.parent().unwrap_or(Path::new(".")).to_path_buf();
        #[expect(clippy::disallowed_methods, reason = "bounded by the connections: each asks one question")]
        let (questions, orders) = channel();
        let (tell, told) = sync_channel(1);
        let own = folders.clone();
        let work = move || {
            let open = OpenLibrary::new(own, folder.clone());
            let mut asked = AskedLibrary { folder, open, file: None, top };
            let opened = asked.opened();
            let is_open = opened.is_ok();
            // Whoever starts it waits for this.
            tell.send(opened).ok();
            if is_open {
                asked.work(&orders);
            }
        };
        thread::start("dojo-library", work).context("start the thread that asks the library")?;
        let counts = told.recv().context("start the thread that asks the library")??;
        Ok((Self { folders, session, questions, complain }, counts))
    }
}

impl AnswerLibrary for LibraryDesk {
    fn follow_up(
        &self,
        asked: &AskedConversation,
        budget: usize,
        tokens: CountTokens<'_>,
    ) -> Result<Option<Vec<Message>>> {
        LibraryPrompts::load(&self.folders, &self.session)?.follow_up(asked, budget, tokens)
    }

    fn find(&self, question: String) -> BoxFuture<'static, Result<NearPassages>> {
        let (reply, answer) = oneshot::channel();
        let sent = self.questions.send(FindOrder { question, reply });
        async move {
            let ended = || anyhow!("the thread that asks the library has ended: start the server again");
            sent.map_err(|_| ended())?;
            answer.await.map_err(|_| ended())?
        }
        .boxed()
    }

    fn prompt(
        &self,
        asked: &AskedConversation,
        question: &str,
        passages: &[FoundPassage],
        budget: usize,
        tokens: CountTokens<'_>,
    ) -> Result<AnswerPrompt> {
        let prompts = LibraryPrompts::load(&self.folders, &self.session)?;
        prompts.in_conversation(asked, question, passages, budget, tokens)
    }

    fn complain(&self, error: &anyhow::Error) {
        (self.complain)(&format!("{error:#}"));
    }
}

/// The thread's side.
struct AskedLibrary {
    folder: PathBuf,
    open: OpenLibrary,
    /// The database that is open: its device and its number there.
    file: Option<(u64, u64)>,
    top: usize,
}

impl AskedLibrary {
    fn opened(&mut self) -> Result<LibraryCounts> {
        self.file = self.file_now();
        self.open.ask(QuestionVectors::Wanted, |library, _| {
            library.index()?;
            library.counts()
        })
    }

    fn work(&mut self, orders: &Receiver<FindOrder>) {
        loop {
            match orders.recv_timeout(LOOK) {
                Ok(order) => {
                    if self.answer_all(order, orders) {
                        std::thread::park_timeout(PAUSE);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.open.let_go_if_wanted();
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Answers a question and those that wait behind it, as long as it is this process's turn. True if others wait.
    fn answer_all(&mut self, first: FindOrder, orders: &Receiver<FindOrder>) -> bool {
        // Another process may have taken the library away, or put one in its place.
        let now = self.file_now();
        if now != self.file {
            self.open.forget();
            self.file = now;
        }
        let opened = self.open.ask_and_keep(QuestionVectors::Wanted, |library, _| library.index().map(drop));
        if let Err(error) = opened {
            // Those that came meanwhile have waited as long, and aren't let wait once more for each of them.
            for waiting in orders.try_iter() {
                waiting.reply.send(Err(anyhow!("{error:#}"))).ok();
            }
            first.reply.send(Err(error)).ok();
            return false;
        }
        let began = Instant::now();
        let mut next = Some(first);
        while let Some(FindOrder { question, reply }) = next.take() {
            // Whoever asked may have gone meanwhile.
            if !reply.is_closed() {
                reply.send(self.found(&question)).ok();
            }
            if began.elapsed() > TURN {
                return !self.open.let_go_if_wanted();
            }
            next = orders.try_recv().ok();
        }
        false
    }

    fn found(&mut self, question: &str) -> Result<NearPassages> {
        let query = asked_as(question, SearchMode::Hybrid, self.top);
        let found = self.open.search(QuestionVectors::Wanted, query, Reranking::AsSet)?;
        let languages = self.open.library()?.database().languages()?;
        Ok(NearPassages { passages: near(found.passages), languages })
    }

    fn file_now(&self) -> Option<(u64, u64)> {
        let file = std::fs::metadata(self.folder.join(FILE)).ok()?;
        Some((file.dev(), file.ino()))
    }
}
