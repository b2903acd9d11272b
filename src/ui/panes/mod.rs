//! The panes: a folder each, and a row here.

pub mod chat;
pub mod data;
pub mod eval;
pub mod models;
pub mod review;
pub mod train;
pub mod welcome;

mod others;

use crate::ui::pane::Pane;

/// Every pane, in the order of [`crate::ui::pane::PaneId::ALL`].
pub(crate) fn all() -> [Box<dyn Pane>; 6] {
    [
        Box::new(data::DataPane::default()),
        Box::new(review::ReviewPane::default()),
        Box::new(train::TrainPane::default()),
        Box::new(chat::ChatPane::default()),
        Box::new(eval::EvalPane::default()),
        Box::new(models::ModelsPane::default()),
    ]
}
