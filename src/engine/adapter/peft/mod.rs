//! PEFT's folders: `adapter_config.json` and `adapter_model.safetensors`, with PEFT's names.

mod read;
mod write;

use super::Module;

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";

/// Every tensor's name begins with this.
const ROOT: &str = "base_model.model.";

/// So begins a layer's.
const LAYERS: &str = "base_model.model.model.layers.";

/// So ends a vector of magnitudes.
const MAGNITUDES: &str = ".lora_magnitude_vector";

/// So end trained rows.
const ROWS: &str = ".token_adapter.trainable_tokens_delta";

/// The tensor of a module that is trained whole.
pub(crate) fn whole_tensor(module: Module) -> String {
    format!("{ROOT}{}.weight", module.path())
}

/// The tensor of a module's trained rows.
pub(crate) fn rows_tensor(module: Module) -> String {
    format!("{ROOT}{}{ROWS}", module.path())
}
