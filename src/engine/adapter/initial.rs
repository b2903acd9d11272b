//! A fresh adapter's numbers, as PEFT draws them.

use anyhow::Result;

use super::{Adapter, LoraConfig};
use crate::model::ModelConfig;
use dojo_core::ground::random::SplitMix64;

impl Adapter {
    /// An adapter that changes nothing yet: A uniform within `1 / sqrt(inputs)` (Kaiming's initialisation with
    /// `a = sqrt(5)`, as PEFT does), B zero. The same seed gives the same numbers.
    ///
    /// # Errors
    /// Where the configuration is out of range.
    pub fn fresh(
        config: LoraConfig,
        base: impl Into<String>,
        model: &ModelConfig,
        seed: u64,
    ) -> Result<Self> {
        let mut adapter = Self::zeros(config, base, model)?;
        let mut random = SplitMix64::new(seed);
        for slot in &adapter.slots {
            let bound = 1.0 / (slot.inputs as f32).sqrt();
            for number in adapter.values.get_mut(slot.a..slot.b).unwrap_or_default() {
                *number = bound * random.signed();
            }
        }
        Ok(adapter)
    }
}
