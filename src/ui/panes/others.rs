//! Drafts of the same thing that another window has, or had: what is said of them.

use crate::app::store::Store;
use crate::domain::draft::{DraftOf, OtherDraft};
use crate::domain::protocol::system::{Level, Notice};
use crate::ui::pane::Effect;
use crate::ui::widgets::text;

/// In a sentence, where there is one.
pub(super) fn words(store: &Store, of: &DraftOf) -> Option<String> {
    let ago = |at: i64| text::ago(at as f64 / 1000.0, store.now);
    Some(match *store.data.other_drafts.get(of)? {
        OtherDraft::Window(at) => {
            format!("Another window has a draft of this too ({}): each keeps its own", ago(at))
        }
        OtherDraft::Left(at) => {
            format!("Another draft of this was left {}: it comes when this one is saved or let go", ago(at))
        }
    })
}

/// As a notice, when it is opened.
pub(super) fn notice(store: &Store, of: &DraftOf) -> Option<Effect> {
    words(store, of).map(|words| Effect::Notify(Notice::new(Level::Info, words)))
}
