//! An adapter's low-rank matrices by linear layers, as other programs have them.

use anyhow::{Result, bail, ensure};

use super::fused::modules;
use super::{Adapter, Projection};
use crate::model::ModelConfig;

/// One adapted linear layer: A is (rank, inputs), B (outputs, rank), both row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct AdaptedLinear {
    pub layer: usize,
    /// Inside the layer: `self_attn.q_proj`, or Phi-3's `self_attn.qkv_proj`.
    pub path: String,
    /// The projections that it is, one below the other.
    pub parts: &'static [Projection],
    pub rank: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub a: Vec<f32>,
    pub b: Vec<f32>,
    /// (outputs), of a DoRA.
    pub magnitudes: Option<Vec<f32>>,
}

impl Adapter {
    /// All of them, by layers.
    ///
    /// # Errors
    /// If the adapter doesn't fit the model.
    pub fn linears(&self, model: &ModelConfig) -> Result<Vec<AdaptedLinear>> {
        let modules = modules(model);
        let mut found = Vec::new();
        for layer in 0..model.layers {
            for module in &modules {
                let Some(pair) = self.pair(layer, module, model)? else { continue };
                found.push(AdaptedLinear {
                    layer,
                    path: module.path.clone(),
                    parts: module.parts,
                    rank: pair.rank,
                    inputs: pair.inputs,
                    outputs: pair.outputs,
                    a: pair.a,
                    b: pair.b,
                    magnitudes: pair.magnitudes,
                });
            }
        }
        Ok(found)
    }

    /// # Errors
    /// If it has magnitudes, whole modules or tokens' rows, for which `form` has no place.
    pub fn refuse_all_but_low_rank(&self, form: &str) -> Result<()> {
        ensure!(
            !self.config.use_dora,
            "{form} has no place for the magnitudes of DoRA: merge the adapter into its base instead"
        );
        self.refuse_whole_modules(form)
    }

    /// # Errors
    /// If it has whole modules or tokens' rows, for which `form` has no place.
    pub fn refuse_whole_modules(&self, form: &str) -> Result<()> {
        if let Some(first) = self.modules.first() {
            bail!(
                "{form} has no place for modules that are trained whole ({}): merge the adapter into its base instead",
                first.module.path()
            );
        }
        ensure!(
            self.rows.is_empty(),
            "{form} has no place for tokens of the adapter's own: merge the adapter into its base instead"
        );
        Ok(())
    }
}
