//! PEFT's folders: `adapter_config.json` and `adapter_model.safetensors`, with PEFT's names.

mod keys;
mod pattern;
mod read;
mod targets;
mod vocabulary;
mod whole;
mod write;

use super::Module;
pub(crate) use vocabulary::{Vocabulary, trains_tokens};

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

/// So ends the weight that trained rows belong to, where PEFT saves the embedding besides.
const ROWS_BASE: &str = ".token_adapter.base_layer.weight";

/// So ends a second copy of a module that is trained whole, where PEFT saves the embedding besides.
const COPY: &str = ".modules_to_save.weight";

/// So ends what such a module was before.
const ORIGINAL: &str = ".original_module.weight";

/// The tensor of a module that is trained whole, or that was there before.
pub(crate) fn whole_tensor(module: Module) -> String {
    tensor(module, ".weight")
}

/// The tensor of a module's trained rows.
pub(crate) fn rows_tensor(module: Module) -> String {
    tensor(module, ROWS)
}

fn tensor(module: Module, end: &str) -> String {
    format!("{ROOT}{}{end}", module.path())
}
