//! A GGUF header -> what the decoder looks like.

use anyhow::{Context, Result, bail, ensure};

use super::{GgufFile, GgufValue, Header, keys};
use crate::model::architecture::{Architecture, RotaryLayers, Scales, Windows};
use crate::model::config::{ModelConfig, Rope, RopeScaling};
use crate::model::layer::LayerPlan;
use crate::model::scales::{Multipliers, Scaled};
use crate::model::weights::TensorRows;
use dojo_core::domain::name::shown;

/// ggml's type of a control token (`llama_token_type`).
pub(crate) const CONTROL_TOKEN: i64 = 3;

/// Reads the configuration.
///
/// # Errors
/// Where the architecture isn't known, or a key is missing or makes no sense.
pub(crate) fn read(file: &GgufFile) -> Result<ModelConfig> {
    let read = || -> Result<ModelConfig> {
        keys::refuse_other_files(file.header())?;
        let keys = GgufKeys::of(file.header())?;
        let config = keys.config(file)?;
        config.validate()?;
        keys::check(file.header(), keys.prefix, &config)?;
        Ok(config)
    };
    read().with_context(|| format!("read the configuration of {}", file.path().display()))
}

struct GgufKeys<'a> {
    header: &'a Header,
    prefix: &'a str,
    architecture: &'static Architecture,
}

impl<'a> GgufKeys<'a> {
    fn of(header: &'a Header) -> Result<Self> {
        let prefix = header.text("general.architecture").context("general.architecture is missing")?;
        let Some(architecture) = Architecture::of_gguf(prefix) else {
            bail!(
                "its architecture, {}, isn't one that Dojo knows ({})",
                shown(prefix),
                Architecture::known()
            )
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

    fn float(&self, name: &str) -> Result<Option<f32>> {
        self.header.float(&self.key(name))
    }

    fn text(&self, name: &str) -> Result<Option<&str>> {
        let key = self.key(name);
        match self.header.metadata.get(&key) {
            None => Ok(None),
            Some(GgufValue::Text(text)) => Ok(Some(text)),
            Some(_) => bail!("{key} is not a text"),
        }
    }

    fn config(&self, file: &GgufFile) -> Result<ModelConfig> {
        let layers = self.required("block_count")?;
        let hidden = self.required("embedding_length")?;
        let heads = self.required("attention.head_count")?;
        ensure!(heads > 0, "{} is 0", self.key("attention.head_count"));
        ensure!(layers < 1 << 16, "{} is {layers}", self.key("block_count"));
        let head_dim = self.count("attention.key_length")?.unwrap_or(hidden / heads);
        let tensors = &self.header.tensors;
        let embedding = tensors.get("token_embd.weight").context("tensor token_embd.weight is missing")?;
        let (rope, rope_context) = self.rope(file, head_dim)?;
        let scales = self.scales((layers, hidden), heads, head_dim)?;
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
            norm_epsilon: scales.norm_epsilon,
            local_rope: self.architecture.has_local_rope.then_some(Rope {
                theta: self.float("rope.freq_base_swa")?.unwrap_or(10_000.0),
                dimensions: head_dim,
                scaling: RopeScaling::None,
            }),
            rope,
            windows: self.windows(layers)?,
            rotary_layers: (0..layers).map(|layer| self.rotates(layer)).collect(),
            activation: self.architecture.activation,
            layer: LayerPlan::in_gguf(
                self.architecture,
                tensors.contains_key("blk.0.attn_q.bias"),
                tensors.contains_key("blk.0.attn_q_norm.weight"),
            ),
            embedding_scale: scales.embedding,
            attention_scale: scales.attention,
            attention_softcap: self.float("attn_logit_softcapping")?.filter(|cap| *cap != 0.0),
            logit_softcap: self.float("final_logit_softcapping")?.filter(|cap| *cap != 0.0),
            logit_scale: scales.logits,
            tied_embeddings: !tensors.contains_key("output.weight"),
            bos: self.header.token_id("tokenizer.ggml.bos_token_id"),
            eos: self.ends(),
        })
    }

    fn scales(&self, (layers, hidden): (usize, usize), heads: usize, head_dim: usize) -> Result<Scaled> {
        let epsilon = "attention.layer_norm_rms_epsilon";
        let epsilon = self.float(epsilon)?.with_context(|| format!("{} is missing", self.key(epsilon)))?;
        let by_head = 1.0 / (head_dim as f32).sqrt();
        match self.architecture.scales {
            Scales::Usual => Ok(Scaled::usual(epsilon, by_head)),
            // Gemma 3 27B alone, told by its 62 layers as in llama.cpp, scales by its width and not by the head's.
            Scales::Gemma => {
                let attention = if layers == 62 { 1.0 / ((hidden / heads) as f32).sqrt() } else { by_head };
                Ok(Scaled { embedding: (hidden as f32).sqrt(), ..Scaled::usual(epsilon, attention) })
            }
            Scales::Multipliers => {
                let of = |name| Ok::<f32, anyhow::Error>(self.float(name)?.unwrap_or(1.0));
                let given = Multipliers {
                    embedding: of("embedding_scale")?,
                    residual: of("residual_scale")?,
                    attention: self
                        .float("attention.scale")?
                        .filter(|scale| *scale != 0.0)
                        .unwrap_or(by_head),
                    logits: of("logit_scale")?,
                };
                given.scaled(epsilon)
            }
        }
    }

    fn rotates(&self, layer: usize) -> bool {
        match self.architecture.rotary_layers {
            RotaryLayers::All => true,
            RotaryLayers::AllBut { every } => !(layer + 1).is_multiple_of(every),
        }
    }

    fn windows(&self, layers: usize) -> Result<Vec<Option<usize>>> {
        let window = self.count("attention.sliding_window")?.filter(|&window| window > 0);
        let key = self.key("attention.sliding_window_pattern");
        let (flags, by_number) = match self.header.metadata.get(&key) {
            None => (None, None),
            Some(GgufValue::Bools(flags)) => {
                let count = flags.len();
                ensure!(count >= layers, "{key} has {count} flags for {layers} layers");
                (Some(flags), None)
            }
            // Every so many-th layer looks at everything; 0 is for none of them.
            Some(GgufValue::Integer(every)) => (None, usize::try_from(*every).ok()),
            Some(_) => bail!("{key} is neither a list of flags nor a number"),
        };
        let all_but = |layer: usize, every: usize| every == 0 || !(layer + 1).is_multiple_of(every);
        let local = |layer: usize| match (flags, by_number, self.architecture.windows) {
            (Some(flags), _, _) => flags.get(layer).copied().unwrap_or(false),
            (None, Some(every), _) | (None, None, Windows::AllBut { every }) => all_but(layer, every),
            (None, None, Windows::None | Windows::All | Windows::From(_) | Windows::WithoutRotation) => true,
        };
        Ok((0..layers).map(|layer| window.filter(|_| local(layer))).collect())
    }

    /// The rotary embedding, and the context where its scaling limits that.
    fn rope(&self, file: &GgufFile, head_dim: usize) -> Result<(Rope, Option<usize>)> {
        let theta = self.float("rope.freq_base")?.unwrap_or(10_000.0);
        let dimensions = self.count("rope.dimension_count")?.unwrap_or(head_dim);
        let rope = |scaling| Rope { theta, dimensions, scaling };
        let kind = self.text("rope.scaling.type")?;
        // The older name counts where the newer one is missing, as in llama.cpp.
        let factor = self
            .float("rope.scaling.factor")?
            .map_or_else(|| self.float("rope.scale_linear"), |it| Ok(Some(it)));
        let factor = factor?.filter(|&factor| factor > 0.0);
        if let Some((divisors, long)) = per_frequency(file, dimensions)? {
            let known = matches!(kind, None | Some("none" | "linear" | "longrope"));
            ensure!(
                known && (kind == Some("none") || factor.is_none_or(|factor| factor.total_cmp(&1.0).is_eq())),
                "it scales its rotation by a tensor and by {} at once, which Dojo doesn't support",
                kind.map_or_else(|| "rope.scaling.factor".to_owned(), shown)
            );
            let (attention_factor, original) = match long {
                LongTexts::Same => (1.0, None),
                LongTexts::Otherwise => (
                    self.float("rope.scaling.attn_factor")?.unwrap_or(1.0),
                    self.count("rope.scaling.original_context_length")?,
                ),
            };
            return Ok((rope(RopeScaling::PerFrequency { divisors, attention_factor }), original));
        }
        let scaling = match (kind, factor) {
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

/// Whether texts beyond the context that a model was first trained on rotate in the same way.
#[derive(Clone, Copy)]
enum LongTexts {
    Same,
    Otherwise,
}

/// The divisors of the rotary frequencies that a tensor of the file holds.
fn per_frequency(file: &GgufFile, dimensions: usize) -> Result<Option<(Vec<f32>, LongTexts)>> {
    for (name, long) in
        [("rope_freqs.weight", LongTexts::Same), ("rope_factors_short.weight", LongTexts::Otherwise)]
    {
        if let Some(divisors) = frequencies(file, name, dimensions)? {
            return Ok(Some((divisors, long)));
        }
    }
    Ok(None)
}

/// A tensor of divisors of the rotary frequencies, if the file has it.
fn frequencies(file: &GgufFile, name: &str, dimensions: usize) -> Result<Option<Vec<f32>>> {
    let Some(entry) = file.header().tensors.get(name) else {
        return Ok(None);
    };
    let divisors = file.mapped(entry).expand(&TensorRows::All, &[dimensions / 2]);
    let divisors = divisors
        .with_context(|| format!("tensor {name}, which holds a divisor for each pair that rotates"))?;
    ensure!(
        divisors.iter().all(|divisor| *divisor > 0.0),
        "tensor {name} holds a divisor that isn't positive"
    );
    Ok(Some(divisors))
}
