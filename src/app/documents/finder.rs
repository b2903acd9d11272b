//! Passages while a person types: by words at once, by meaning when they pause. Only the newest question is answered.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::Result;

use super::DocumentsLane;
use crate::app::library::open::{OpenLibrary, QuestionVectors};
use crate::domain::protocol::LibraryEvent;
use crate::domain::protocol::library::{LibrarySearchId, SearchedPassages};
use crate::domain::retrieval::{FoundPassages, PassageQuery, SearchMode};
use crate::rag::database;

/// A person who types no letter for this long has said what they look for.
const PAUSE: Duration = Duration::from_millis(250);
/// How often it is looked whether another process wants the index, which stays open between questions.
const LOOK: Duration = Duration::from_millis(50);
/// Passages of a search.
const TOP: usize = 50;

/// Asked of this lane.
pub(super) enum FindAsk {
    /// Open the library and its model: a question follows.
    Prepare,
    Words(LibrarySearchId, String),
}

pub(super) fn work(lane: &DocumentsLane, asks: &Receiver<FindAsk>) {
    let mut finder =
        PassageFinder { lane, open: OpenLibrary::new(lane.folders.clone(), lane.folder.clone()) };
    // What was found by words, and waits for the pause.
    let mut waiting: Option<(LibrarySearchId, String)> = None;
    loop {
        let ask = match waiting {
            Some(_) => asks.recv_timeout(PAUSE),
            None if finder.open.let_go_if_wanted() => asks.recv_timeout(LOOK),
            None => asks.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match ask {
            Ok(first) => {
                let newest = std::iter::once(first).chain(std::iter::from_fn(|| asks.try_recv().ok()));
                let (mut prepares, mut words) = (false, None);
                for ask in newest {
                    match ask {
                        FindAsk::Prepare => prepares = true,
                        FindAsk::Words(search, text) => words = Some((search, text)),
                    }
                }
                if let Some((search, text)) = words {
                    finder.by_words(search, &text);
                    waiting = Some((search, text)).filter(|(_, text)| !text.trim().is_empty());
                } else if prepares {
                    finder.prepare();
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Some((search, text)) = waiting.take() {
                    finder.by_meaning(search, &text);
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

struct PassageFinder<'l> {
    lane: &'l DocumentsLane,
    open: OpenLibrary,
}

impl PassageFinder<'_> {
    fn prepare(&mut self) {
        if !self.lane.folder.join(database::FILE).is_file() {
            return;
        }
        let opened = self.open.ask_and_keep(QuestionVectors::Wanted, |library, _| library.index().map(drop));
        if let Err(error) = opened {
            // The search itself says what is wrong.
            tracing::info!("the library can't be opened ahead: {error:#}");
        }
    }

    fn by_words(&mut self, search: LibrarySearchId, words: &str) {
        let mut found = self.find(words, SearchMode::Bm25);
        // The last word may not be whole yet.
        let without_last = words.trim_end().rsplit_once(char::is_whitespace);
        if let (Ok(nothing), Some((before, _))) = (&found, without_last)
            && nothing.passages.is_empty()
        {
            found = self.find(before, SearchMode::Bm25);
        }
        self.tell(search, words, SearchMode::Bm25, found);
    }

    fn by_meaning(&mut self, search: LibrarySearchId, words: &str) {
        let model = self.open.library().and_then(|library| library.database().model());
        match model {
            // By words is all that there is, and the list of documents says so.
            Ok(None) | Err(_) => {}
            Ok(Some(_)) => {
                let found = self.find(words, SearchMode::Hybrid);
                self.tell(search, words, SearchMode::Hybrid, found);
            }
        }
    }

    fn find(&mut self, words: &str, mode: SearchMode) -> Result<FoundPassages> {
        let vectors =
            if mode.asks_embeddings() { QuestionVectors::Wanted } else { QuestionVectors::NotNeeded };
        self.open.ask_and_keep(vectors, |library, embedder| {
            let query = PassageQuery { words: words.to_owned(), mode, top: TOP, ..PassageQuery::default() };
            library.search(&query, embedder)
        })
    }

    fn tell(&self, search: LibrarySearchId, words: &str, mode: SearchMode, found: Result<FoundPassages>) {
        let words = words.to_owned();
        let searched = match found {
            Ok(found) => SearchedPassages {
                search,
                words,
                mode,
                milliseconds: found.trace.times.total_ms,
                passages: found.passages,
                failed: None,
            },
            Err(error) => SearchedPassages {
                search,
                words,
                mode,
                passages: Vec::new(),
                milliseconds: 0.0,
                failed: Some(format!("{error:#}")),
            },
        };
        self.lane.tell(LibraryEvent::Searched(Box::new(searched)));
    }
}
