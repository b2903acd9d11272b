//! Whether a model's file holds the layers that its configuration speaks of: what follows reserves memory by the
//! configuration, so that one of absurd sizes over a small file has to be refused here.

use anyhow::{Context, Result, ensure};

use super::config::ModelConfig;
use super::weights::Weights;

/// # Errors
/// Where a layer's matrix is missing or has another shape; the message names the first.
pub(super) fn check(config: &ModelConfig, weights: &dyn Weights) -> Result<()> {
    let (hidden, inner) = (config.hidden, config.intermediate);
    let (query, kv) = (config.query_width(), config.kv_width());
    let matrices = [
        ("self_attn.q_proj", query, hidden),
        ("self_attn.k_proj", kv, hidden),
        ("self_attn.v_proj", kv, hidden),
        ("self_attn.o_proj", hidden, query),
        ("mlp.gate_proj", inner, hidden),
        ("mlp.up_proj", inner, hidden),
        ("mlp.down_proj", hidden, inner),
    ];
    for layer in 0..config.layers {
        for (part, rows, columns) in matrices {
            let name = format!("model.layers.{layer}.{part}.weight");
            let shape = weights.shape(&name).with_context(|| {
                format!("it lacks tensor {name}, and its configuration says {} layers", config.layers)
            })?;
            let expected = [rows, columns];
            ensure!(
                shape == expected,
                "tensor {name} has the shape {shape:?}, by its configuration {expected:?}"
            );
        }
    }
    Ok(())
}
