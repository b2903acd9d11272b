//! The reward bench: what is open, the row in front, the completion that was tried last, and the scores of all rows.
//! An answer to an earlier question changes nothing.

use crate::domain::protocol::rewards::{
    BenchId, OpenedBench, RewardsEvent, ScoredBench, ShownRow, TriedCompletion,
};

/// What is known.
#[derive(Debug, Default)]
pub struct RewardsStore {
    opened: Option<OpenedBench>,
    shown: Option<ShownRow>,
    tried: Option<TriedCompletion>,
    scored: Option<ScoredBench>,
    failed: Option<(BenchId, String)>,
}

impl RewardsStore {
    pub(super) fn apply(&mut self, event: RewardsEvent) {
        let newest = self.opened.as_ref().map(|opened| opened.bench);
        let is_of = |bench: BenchId| newest == Some(bench);
        match event {
            RewardsEvent::Opened(opened) if newest.is_none_or(|newest| newest <= opened.bench) => {
                *self = Self { opened: Some(*opened), ..Self::default() };
            }
            RewardsEvent::Failed(bench, why) => self.failed = Some((bench, why)),
            RewardsEvent::Shown(shown) if is_of(shown.bench) => self.shown = Some(*shown),
            RewardsEvent::Tried(tried) if is_of(tried.bench) => {
                let is_newer = self.tried.as_ref().is_none_or(|before| before.question <= tried.question);
                if is_newer {
                    self.tried = Some(*tried);
                }
            }
            RewardsEvent::Scored(scored) if is_of(scored.bench) => self.scored = Some(*scored),
            RewardsEvent::Opened(_)
            | RewardsEvent::Shown(_)
            | RewardsEvent::Tried(_)
            | RewardsEvent::Scored(_) => {}
        }
    }

    /// What is open, if it is this.
    #[must_use]
    pub fn opened(&self, bench: BenchId) -> Option<&OpenedBench> {
        self.opened.as_ref().filter(|opened| opened.bench == bench)
    }

    /// The row that was asked for last.
    #[must_use]
    pub fn shown(&self, bench: BenchId, row: usize) -> Option<&ShownRow> {
        self.shown.as_ref().filter(|shown| shown.bench == bench && shown.row == row)
    }

    /// What the completion that was tried last is worth.
    #[must_use]
    pub fn tried(&self, bench: BenchId) -> Option<&TriedCompletion> {
        self.tried.as_ref().filter(|tried| tried.bench == bench)
    }

    /// What all rows are worth.
    #[must_use]
    pub fn scored(&self, bench: BenchId) -> Option<&ScoredBench> {
        self.scored.as_ref().filter(|scored| scored.bench == bench)
    }

    /// Why it could not be done.
    #[must_use]
    pub fn failed(&self, bench: BenchId) -> Option<&str> {
        self.failed.as_ref().filter(|(of, _)| *of == bench).map(|(_, why)| why.as_str())
    }
}
