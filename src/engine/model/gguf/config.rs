//! A GGUF header -> what the decoder looks like.

use anyhow::{Context, Result, bail, ensure};

use super::{GgufFile, Header};
use crate::domain::name::shown;
use crate::engine::model::config::{Activation, Architecture, ModelConfig, Rope, RopeScaling};
use crate::engine::model::layer::LayerPlan;
use crate::engine::model::weights::Rows;

/// ggml's type of a control token (`llama_token_type`).
pub(crate) const CONTROL_TOKEN: i64 = 3;

/// Reads the configuration.
///
/// # Errors
/// Where the architecture isn't known, or a key is missing or makes no sense.
pub(crate) fn read(file: &GgufFile) -> Result<ModelConfig> {
    let read = || -> Result<ModelConfig> {
        let keys = Keys::of(file.header())?;
        let config = keys.config(file)?;
        config.validate()?;
        Ok(config)
    };
    read().with_context(|| format!("read the configuration of {}", file.path().display()))
}

struct Keys<'a> {
    header: &'a Header,
    prefix: &'a str,
    architecture: Architecture,
}

impl<'a> Keys<'a> {
    fn of(header: &'a Header) -> Result<Self> {
        let prefix = header.text("general.architecture").context("general.architecture is missing")?;
        let architecture = match prefix {
            "llama" => Architecture::Llama,
            "qwen2" => Architecture::Qwen2,
            "qwen3" => Architecture::Qwen3,
            "gemma3" => Architecture::Gemma3,
            "phi3" => Architecture::Phi3,
            "smollm3" => Architecture::SmolLm3,
            other => {
                bail!("its architecture, {}, isn't one that Dojo knows ({})", other, Architecture::KNOWN)
            }
        };
        let keys = Self { header, prefix, architecture };
        if keys.count("expert_count")?.is_some_and(|experts| experts > 0) {
            bail!("it is a mixture of experts, which Dojo doesn't support");
        }
        Ok(keys)
    }

    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }

    fn count(&self, name: &str) -> Result<Option<usize>> {
        self.header.count(&self.key(name))
    }

    fn required(&self, name: &str) -> Result<usize> {
        self.header.required_count(&self.key(name))
    }

    fn float(&self, name: &str) -> Option<f32> {
        self.header.float(&self.key(name))
    }

    fn config(&self, file: &GgufFile) -> Result<ModelConfig> {
        let gemma = self.architecture == Architecture::Gemma3;
        let layers = self.required("block_count")?;
        let hidden = self.required("embedding_length")?;
        let heads = self.required("attention.head_count")?;
        ensure!(heads > 0, "{} is 0", self.key("attention.head_count"));
        ensure!(layers < 1 << 16, "{} is {layers}", self.key("block_count"));
        let head_dim = self.count("attention.key_length")?.unwrap_or(hidden / heads);
        let tensors = &self.header.tensors;
        let embedding = tensors.get("token_embd.weight").context("tensor token_embd.weight is missing")?;
        let (rope, rope_context) = self.rope(file, head_dim)?;
        Ok(ModelConfig {
            architecture: self.architecture,
            vocabulary: embedding.shape.first().copied().unwrap_or(0),
            hidden,
            intermediate: self.required("feed_forward_length")?,
            layers,
            heads,
            kv_heads: self.count("attention.head_count_kv")?.unwrap_or(heads),
            head_dim,
            context: rope_context.map_or_else(|| self.required("context_length"), Ok)?,
            norm_epsilon: self
                .float("attention.layer_norm_rms_epsilon")
                .with_context(|| format!("{} is missing", self.key("attention.layer_norm_rms_epsilon")))?,
            local_rope: gemma.then(|| Rope {
                theta: self.float("rope.freq_base_swa").unwrap_or(10_000.0),
                dimensions: head_dim,
                scaling: RopeScaling::None,
            }),
            rope,
            windows: self.windows(layers)?,
            rotary_layers: (0..layers)
                .map(|layer| self.architecture != Architecture::SmolLm3 || !(layer + 1).is_multiple_of(4))
                .collect(),
            activation: if gemma { Activation::GeGlu } else { Activation::SwiGlu },
            layer: LayerPlan::in_gguf(
                self.architecture,
                tensors.contains_key("blk.0.attn_q.bias"),
                tensors.contains_key("blk.0.attn_q_norm.weight"),
            ),
            embedding_scale: if gemma { (hidden as f32).sqrt() } else { 1.0 },
            attention_scale: self.attention_scale(layers, hidden, heads, head_dim),
            attention_softcap: self.float("attn_logit_softcapping"),
            logit_softcap: self.float("final_logit_softcapping"),
            tied_embeddings: !tensors.contains_key("output.weight"),
            bos: self.header.token_id("tokenizer.ggml.bos_token_id"),
            eos: self.ends(),
        })
    }

    /// Gemma 3 27B alone, told by its 62 layers as in llama.cpp, scales by its width and not by the head's.
    fn attention_scale(&self, layers: usize, hidden: usize, heads: usize, head_dim: usize) -> f32 {
        let widest_gemma = self.architecture == Architecture::Gemma3 && layers == 62;
        let scaled_by = if widest_gemma { hidden / heads } else { head_dim };
        1.0 / (scaled_by as f32).sqrt()
    }

    fn windows(&self, layers: usize) -> Result<Vec<Option<usize>>> {
        let window = self.count("attention.sliding_window")?.filter(|&window| window > 0);
        let flags = self.header.booleans(&self.key("attention.sliding_window_pattern"));
        let local = |layer: usize| match (self.architecture, flags) {
            (_, Some(flags)) => flags.get(layer).copied().unwrap_or(false),
            // Five local layers, then a global one.
            (Architecture::Gemma3, None) => !(layer + 1).is_multiple_of(6),
            _ => true,
        };
        Ok((0..layers).map(|layer| window.filter(|_| local(layer))).collect())
    }

    /// The rotary embedding, and the context where its scaling limits that.
    fn rope(&self, file: &GgufFile, head_dim: usize) -> Result<(Rope, Option<usize>)> {
        let theta = self.float("rope.freq_base").unwrap_or(10_000.0);
        let dimensions = self.count("rope.dimension_count")?.unwrap_or(head_dim);
        let rope = |scaling| Rope { theta, dimensions, scaling };
        if let Some(divisors) = frequencies(file, "rope_freqs.weight", dimensions)? {
            return Ok((rope(RopeScaling::PerFrequency { divisors, attention_factor: 1.0 }), None));
        }
        if let Some(divisors) = frequencies(file, "rope_factors_short.weight", dimensions)? {
            let attention_factor = self.float("rope.scaling.attn_factor").unwrap_or(1.0);
            let original = self.count("rope.scaling.original_context_length")?;
            return Ok((rope(RopeScaling::PerFrequency { divisors, attention_factor }), original));
        }
        let factor = self.float("rope.scaling.factor").filter(|&factor| factor > 0.0);
        let scaling = match (self.header.text(&self.key("rope.scaling.type")), factor) {
            (None | Some("linear"), Some(factor)) => RopeScaling::Linear(factor),
            (None | Some("none" | "linear"), _) => RopeScaling::None,
            (Some(other), _) => bail!("its rope scaling, {}, isn't supported", shown(other)),
        };
        Ok((rope(scaling), None))
    }

    /// The tokens that the file names as ends.
    fn ends(&self) -> Vec<u32> {
        let mut ends: Vec<u32> = Vec::new();
        for name in ["eos", "eot", "eom"] {
            let id = self.header.token_id(&format!("tokenizer.ggml.{name}_token_id"));
            ends.extend(id.filter(|id| !ends.contains(id)));
        }
        ends
    }
}

/// A tensor of divisors of the rotary frequencies, if the file has it.
fn frequencies(file: &GgufFile, name: &str, dimensions: usize) -> Result<Option<Vec<f32>>> {
    let Some(entry) = file.header().tensors.get(name) else {
        return Ok(None);
    };
    let divisors = file.mapped(entry).expand(&Rows::All, &[dimensions / 2]);
    let divisors = divisors
        .with_context(|| format!("tensor {name}, which holds a divisor for each pair that rotates"))?;
    ensure!(
        divisors.iter().all(|divisor| *divisor > 0.0),
        "tensor {name} holds a divisor that isn't positive"
    );
    Ok(Some(divisors))
}
