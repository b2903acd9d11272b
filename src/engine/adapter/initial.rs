//! A fresh adapter's numbers, as PEFT draws them.

use anyhow::Result;

use super::{Adapter, LoraConfig};
use crate::engine::model::ModelConfig;

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
        let mut random = SplitMix64(seed);
        for slot in &adapter.slots {
            let bound = 1.0 / (slot.inputs as f32).sqrt();
            for number in adapter.values.get_mut(slot.a..slot.b).unwrap_or_default() {
                *number = bound * random.next_signed();
            }
        }
        Ok(adapter)
    }
}

/// Steele, Lea and Flood 2014: small, and equal on every machine.
struct SplitMix64(u64);

impl SplitMix64 {
    /// From -1 (included) to 1 (excluded).
    fn next_signed(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }
}
