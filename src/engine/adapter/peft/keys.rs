//! Every key of an `adapter_config.json` that is known, and which of its values Dojo computes. What isn't on the list is
//! refused by name: a key that is passed over may change what the adapter computes.

use anyhow::{Result, bail, ensure};
use serde_json::{Map, Value};

use super::pattern::short;

/// What becomes of a key.
enum Rule {
    /// Read elsewhere, any value of the right type.
    Read,
    /// Doesn't change what an adapter computes: where it came from, how it is made or kept in memory.
    Note,
    /// Changes what is computed, in a way that Dojo has no part of: it must be off (null, false or empty).
    Off,
}

const KEYS: [(&str, Rule); 47] = [
    ("peft_type", Rule::Read),
    ("base_model_name_or_path", Rule::Read),
    ("r", Rule::Read),
    ("lora_alpha", Rule::Read),
    ("lora_dropout", Rule::Read),
    ("use_rslora", Rule::Read),
    ("use_dora", Rule::Read),
    ("bias", Rule::Read),
    ("task_type", Rule::Read),
    ("init_lora_weights", Rule::Read),
    ("target_modules", Rule::Read),
    ("exclude_modules", Rule::Read),
    ("layers_to_transform", Rule::Read),
    ("layers_pattern", Rule::Read),
    ("rank_pattern", Rule::Read),
    ("alpha_pattern", Rule::Read),
    ("modules_to_save", Rule::Read),
    ("trainable_token_indices", Rule::Read),
    ("ensure_weight_tying", Rule::Read),
    ("auto_mapping", Rule::Note),
    ("inference_mode", Rule::Note),
    ("megatron_core", Rule::Note),
    ("merge_weights", Rule::Note),
    ("peft_version", Rule::Note),
    ("revision", Rule::Note),
    ("runtime_config", Rule::Note),
    // How an adapter begins; what PEFT does with it when it loads one, `init_lora_weights` says.
    ("corda_config", Rule::Note),
    ("eva_config", Rule::Note),
    ("loftq_config", Rule::Note),
    ("lora_ga_config", Rule::Note),
    // Read with `use_qalora` alone.
    ("qalora_group_size", Rule::Note),
    // Learning rates and number formats that other trainers write.
    ("lora_dtype", Rule::Note),
    ("lorap_emb_lr", Rule::Note),
    ("lorap_lr_ratio", Rule::Note),
    ("alora_invocation_tokens", Rule::Off),
    ("arrow_config", Rule::Off),
    ("enable_lora", Rule::Off),
    ("fan_in_fan_out", Rule::Off),
    ("kasa_config", Rule::Off),
    ("layer_replication", Rule::Off),
    ("lora_bias", Rule::Off),
    ("megatron_config", Rule::Off),
    ("monteclora_config", Rule::Off),
    ("target_parameters", Rule::Off),
    ("use_bdlora", Rule::Off),
    ("use_qalora", Rule::Off),
    ("velora_config", Rule::Off),
];

/// Refuses what Dojo would compute otherwise than PEFT.
///
/// # Errors
/// Where a key or its value is such; the message names both.
pub(super) fn check(config: &Map<String, Value>) -> Result<()> {
    if let Some(kind) = config.get("peft_type").and_then(Value::as_str).filter(|kind| *kind != "LORA") {
        bail!("its peft_type is {:?}; Dojo reads LORA", short(kind));
    }
    for (key, value) in config {
        let rule = KEYS.iter().find(|(known, _)| known == key).map(|(_, rule)| rule);
        match rule {
            Some(Rule::Read | Rule::Note) => {}
            Some(Rule::Off) => {
                ensure!(is_off(value), "it uses {key} ({}), which Dojo doesn't support", shown(value));
            }
            None => ensure!(
                is_off(value),
                "it has a key that Dojo doesn't know, {:?} = {}, which may change what the adapter computes: if it \
                 doesn't, take it out of the file",
                short(key),
                shown(value)
            ),
        }
    }
    match config.get("bias") {
        None | Some(Value::Null) => {}
        Some(bias) => {
            ensure!(bias == "none", "it trains biases (bias = {}), which Dojo doesn't", shown(bias));
        }
    }
    match config.get("task_type") {
        None | Some(Value::Null) => {}
        Some(task) => ensure!(
            task == "CAUSAL_LM",
            "its task_type is {}; Dojo reads adapters of language models (CAUSAL_LM)",
            shown(task)
        ),
    }
    initialisation(config.get("init_lora_weights"))
}

/// How an adapter began doesn't matter once it is trained, unless its first `B A` was taken out of the base's weights,
/// which PEFT then does again whenever it loads the adapter.
fn initialisation(given: Option<&Value>) -> Result<()> {
    let name = match given {
        None | Some(Value::Null | Value::Bool(_)) => return Ok(()),
        Some(Value::String(name)) => name.as_str(),
        Some(other) => bail!("its init_lora_weights is {}, which Dojo doesn't know", shown(other)),
    };
    let lower = name.to_lowercase();
    match lower.as_str() {
        "gaussian" | "eva" | "orthogonal" => Ok(()),
        other if ["pissa", "olora", "corda", "lora_ga"].iter().any(|it| other.starts_with(it)) => {
            bail!(changed_base(name))
        }
        "loftq" => bail!(
            "its init_lora_weights is {name:?}: PEFT quantises the base's weights whenever it loads such an adapter, \
             and Dojo doesn't; merge it into its base with PEFT (merge_and_unload) and open the merged model"
        ),
        "mica" => bail!(
            "its init_lora_weights is {name:?}, whose B is never trained, and Dojo would train it; merge it into its \
             base with PEFT (merge_and_unload) and open the merged model"
        ),
        _ => bail!(
            "its init_lora_weights is {:?}, which Dojo doesn't know: it may change the base's weights; merge the \
             adapter into its base with PEFT (merge_and_unload) and open the merged model",
            short(name)
        ),
    }
}

fn changed_base(name: &str) -> String {
    format!(
        "its init_lora_weights is {:?}: PEFT takes the first B A of such an adapter out of the base's weights whenever \
         it loads one, and Dojo doesn't; save it with PEFT as a plain LoRA adapter (save_pretrained with \
         path_initial_model_for_weight_conversion, the folder of the adapter before training), or merge it into its \
         base (merge_and_unload) and open the merged model",
        short(name)
    )
}

fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

fn shown(value: &Value) -> String {
    short(&value.to_string())
}
