//! What the card of adapters' model says of them.

use crate::app::train::described::{of_base, short};
use crate::engine::export::{CombineMethod, ModelFacts, WeightedAdapter};
use crate::engine::model::ModelFiles;

/// Of the base and the adapters.
pub(super) fn of(files: &ModelFiles, adapters: &[WeightedAdapter], method: CombineMethod) -> ModelFacts {
    let weights = adapters.len() > 1 || adapters.iter().any(|adapter| adapter.weight.total_cmp(&1.0).is_ne());
    let line = |adapter: &WeightedAdapter| {
        let weight = if weights { format!(", weight {}", adapter.weight) } else { String::new() };
        format!("{}{weight}", short(&adapter.folder))
    };
    let mut lines: Vec<String> = adapters.iter().map(line).collect();
    if weights {
        lines.push(match method {
            CombineMethod::Linear => "put together by a weighted sum of what they change".to_owned(),
            CombineMethod::Ties { density } => format!("put together by TIES, density {density}"),
        });
    }
    ModelFacts { adapters: lines, ..of_base(files) }
}
