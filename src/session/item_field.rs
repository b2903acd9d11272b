//! Numbers of `change_items.field`: what of a record an item of a change is about.

pub(super) const STATUS: i64 = 1;
pub(super) const SPLIT: i64 = 2;
pub(super) const LABEL: i64 = 3;
pub(super) const TAG: i64 = 4;
pub(super) const CONTENT: i64 = 5;
pub(super) const EXISTS: i64 = 6;
