//! What is said of decisions once they are on the disk, where the screen alone doesn't tell.

use super::Blind;
use crate::app::store::Store;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::reflection::{ReflectionId, Verdict};
use crate::ui::pane::Effect;
use crate::ui::widgets::text;

/// `rejected 12; u takes it back`. One approval after another goes without: the next one comes. Blind, whose text was
/// preferred stays unsaid.
pub(super) fn decided(ids: &[ReflectionId], verdict: Verdict, blind: Blind) -> Option<Effect> {
    let done = match verdict {
        Verdict::Approved | Verdict::Edited => "approved",
        Verdict::Rejected => "rejected",
        Verdict::SentBack => "sent back",
        Verdict::Pending => return None,
    };
    let words = match ids {
        [] => return None,
        [one] if blind == Blind::Yes => format!("decided on reflection {one}; u takes it back"),
        [_] if matches!(verdict, Verdict::Approved | Verdict::Edited) => return None,
        [one] => format!("{done} reflection {one}; u takes it back"),
        many => format!("{done} {} reflections; u takes all of it back", text::count(many.len() as u64)),
    };
    Some(Effect::Notify(Notice::new(Level::Good, words)))
}

/// `taken back: reflection 12 is pending again`.
pub(super) fn undone(ids: &[ReflectionId], blind: Blind, store: &Store) -> Option<Effect> {
    let now = |id: ReflectionId| {
        let row = store.review.place(id).and_then(|place| store.review.rows().get(place))?;
        (blind == Blind::No).then(|| row.verdict.name())
    };
    let words = match ids {
        [] => return None,
        [one] => match now(*one) {
            Some(verdict) => format!("taken back: reflection {one} is {verdict} again"),
            None => format!("taken back: what was said of reflection {one}"),
        },
        many => format!("taken back: what was said of {} reflections", text::count(many.len() as u64)),
    };
    Some(Effect::Notify(Notice::new(Level::Info, words)))
}
