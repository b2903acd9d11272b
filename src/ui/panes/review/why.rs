//! Why a key does nothing here and now.

use super::bindings::ReviewAction;
use super::{Blind, ReviewPane, Show};
use crate::app::store::Store;

impl ReviewPane {
    pub(super) fn why(&self, action: ReviewAction, store: &Store) -> Option<&'static str> {
        let decides = matches!(
            action,
            ReviewAction::Approve
                | ReviewAction::MoveOn
                | ReviewAction::Edit
                | ReviewAction::Correct
                | ReviewAction::Reject
                | ReviewAction::SendBack
                | ReviewAction::PreferA
                | ReviewAction::PreferB
        );
        let corrected = self.row(store).is_some_and(|row| row.id.correction().is_some());
        let of_many = matches!(action, ReviewAction::ApproveAll | ReviewAction::RejectAll);
        Some(match action {
            ReviewAction::Train => {
                "nothing is there to train on yet: no correction is approved and no thought is right"
            }
            _ if decides && self.waiting.is_some() => {
                "the decision before is still being written: press again"
            }
            _ if store.review.rows().is_empty() => "the queue is empty: f changes its filter",
            _ if self.blind == Blind::Yes && (decides || of_many) => {
                "while blind, ← and → say which text is better; B shows whose is whose"
            }
            ReviewAction::Chain | ReviewAction::Marks if self.blind == Blind::Yes => {
                "that would tell whose text is whose: B ends blind mode"
            }
            ReviewAction::PreferA | ReviewAction::PreferB => {
                "that is for blind mode: B hides whose text is whose"
            }
            ReviewAction::Reject | ReviewAction::SendBack if !corrected => {
                "there is no correction here yet: e writes one, r asks a teacher for it"
            }
            _ if decides && self.show == Show::Agreement => "esc goes back to the texts first",
            ReviewAction::Approve | ReviewAction::MoveOn if self.show == Show::Queue => {
                "⏎ opens the row first"
            }
            ReviewAction::Marks => "esc goes back to the texts first, c there shows them without marks",
            _ => return None,
        })
    }
}
