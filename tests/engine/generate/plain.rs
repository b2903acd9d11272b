//! A decoder in plain loops, to compare with: one token after the other, nothing cached, nothing fused.

use dojo_studio::engine::adapter::{Adapter, Projection};
use dojo_studio::engine::model::config::Activation;
use dojo_studio::engine::model::{ModelConfig, Weights};

pub(crate) struct Plain<'a> {
    pub(crate) config: &'a ModelConfig,
    pub(crate) weights: &'a dyn Weights,
    pub(crate) adapter: Option<&'a Adapter>,
}

fn times(matrix: &[f32], x: &[f32]) -> Vec<f32> {
    matrix.chunks(x.len()).map(|row| row.iter().zip(x).map(|(w, x)| w * x).sum()).collect()
}

impl Plain<'_> {
    fn norm(&self, x: &[f32], name: &str) -> Vec<f32> {
        let weight = self.weights.f32(name, &[x.len()]).unwrap();
        let offset = self.config.layer.norm_shift_in_file;
        let mean = x.iter().map(|x| x * x).sum::<f32>() / x.len() as f32;
        let scale = 1.0 / (mean + self.config.norm_epsilon).sqrt();
        x.iter().zip(weight).map(|(x, weight)| x * scale * (weight + offset)).collect()
    }

    fn project(&self, layer: usize, projection: Projection, outputs: usize, x: &[f32]) -> Vec<f32> {
        let name = format!("model.layers.{layer}.{}.{}", projection.block(), projection.name());
        let mut y = times(&self.weights.f32(&format!("{name}.weight"), &[outputs, x.len()]).unwrap(), x);
        let with_bias = self.config.layer.qkv_bias
            && matches!(projection, Projection::QProj | Projection::KProj | Projection::VProj);
        if with_bias {
            let bias = self.weights.f32(&format!("{name}.bias"), &[outputs]).unwrap();
            y.iter_mut().zip(bias).for_each(|(y, bias)| *y += bias);
        }
        let slot = self.adapter.and_then(|adapter| Some((adapter, adapter.slot(layer, projection)?)));
        if let Some((adapter, slot)) = slot {
            let rank = adapter.config.r;
            let low = times(&adapter.values[slot.a..slot.a + rank * slot.inputs], x);
            let delta = times(&adapter.values[slot.b..slot.b + slot.outputs * rank], &low);
            y.iter_mut().zip(delta).for_each(|(y, delta)| *y += adapter.config.scale() * delta);
        }
        y
    }

    fn heads(&self, layer: usize, x: &mut [f32], norm: &str, position: usize) {
        for head in x.chunks_mut(self.config.head_dim) {
            if self.config.layer.head_norms.is_some() {
                let normed = self.norm(head, &format!("model.layers.{layer}.self_attn.{norm}.weight"));
                head.copy_from_slice(&normed);
            }
            let Some(rope) = self.config.layer_rope(layer) else { continue };
            let (frequencies, factor) = rope.frequencies();
            for (i, frequency) in frequencies.iter().enumerate() {
                let (sin, cos) = (position as f32 * frequency).sin_cos();
                let (a, b) = (head[i], head[i + frequencies.len()]);
                head[i] = (a * cos - b * sin) * factor;
                head[i + frequencies.len()] = (b * cos + a * sin) * factor;
            }
        }
    }

    /// Logits behind the last token.
    pub(crate) fn last_logits(&self, tokens: &[u32]) -> Vec<f32> {
        let config = self.config;
        let (hidden, query, kv) = (config.hidden, config.query_width(), config.kv_width());
        let shape = [config.vocabulary, hidden];
        let embedding = self.weights.f32("model.embed_tokens.weight", &shape).unwrap();
        let mut stream: Vec<Vec<f32>> = tokens
            .iter()
            .map(|&token| embedding[token as usize * hidden..][..hidden].to_vec())
            .map(|row| row.iter().map(|x| x * config.embedding_scale).collect())
            .collect();
        for layer in 0..config.layers {
            let name = |part: &str| format!("model.layers.{layer}.{part}.weight");
            let mut keys: Vec<Vec<f32>> = Vec::new();
            let mut values: Vec<Vec<f32>> = Vec::new();
            for (position, row) in stream.iter_mut().enumerate() {
                let x = self.norm(row, &name("input_layernorm"));
                let mut q = self.project(layer, Projection::QProj, query, &x);
                let mut k = self.project(layer, Projection::KProj, kv, &x);
                values.push(self.project(layer, Projection::VProj, kv, &x));
                self.heads(layer, &mut q, "q_norm", position);
                self.heads(layer, &mut k, "k_norm", position);
                keys.push(k);
                let attended = self.attend(layer, &q, &keys, &values);
                let mut added = self.project(layer, Projection::OProj, hidden, &attended);
                if config.layer.feed_forward.after.is_some() {
                    added = self.norm(&added, &name("post_attention_layernorm"));
                }
                row.iter_mut().zip(added).for_each(|(x, added)| *x += added);
                let before = if config.layer.feed_forward.after.is_some() {
                    "pre_feedforward_layernorm"
                } else {
                    "post_attention_layernorm"
                };
                let x = self.norm(row, &name(before));
                let gate = self.project(layer, Projection::GateProj, config.intermediate, &x);
                let up = self.project(layer, Projection::UpProj, config.intermediate, &x);
                let inner: Vec<f32> =
                    gate.iter().zip(up).map(|(&gate, up)| self.activate(gate) * up).collect();
                let mut added = self.project(layer, Projection::DownProj, hidden, &inner);
                if config.layer.feed_forward.after.is_some() {
                    added = self.norm(&added, &name("post_feedforward_layernorm"));
                }
                row.iter_mut().zip(added).for_each(|(x, added)| *x += added);
            }
        }
        let mut last = self.norm(stream.last().unwrap(), "model.norm.weight");
        last.iter_mut().for_each(|value| *value *= config.logit_scale);
        if config.tied_embeddings {
            return times(&embedding, &last);
        }
        times(&self.weights.f32("lm_head.weight", &shape).unwrap(), &last)
    }

    fn activate(&self, x: f32) -> f32 {
        match self.config.activation {
            Activation::SwiGlu => x / (1.0 + (-x).exp()),
            Activation::GeGlu => 0.5 * x * (1.0 + (0.797_884_6 * (x + 0.044_715 * x * x * x)).tanh()),
        }
    }

    fn attend(&self, layer: usize, q: &[f32], keys: &[Vec<f32>], values: &[Vec<f32>]) -> Vec<f32> {
        let width = self.config.head_dim;
        let group = self.config.heads / self.config.kv_heads;
        let seen = self.config.windows[layer].unwrap_or(usize::MAX).min(keys.len());
        let first = keys.len() - seen;
        let mut out = Vec::new();
        for (head, q) in q.chunks(width).enumerate() {
            let at = head / group * width;
            let scores: Vec<f32> = keys[first..]
                .iter()
                .map(|k| {
                    q.iter().zip(&k[at..]).map(|(q, k)| q * k).sum::<f32>() * self.config.attention_scale
                })
                .collect();
            let largest = scores.iter().copied().fold(f32::MIN, f32::max);
            let weights: Vec<f32> = scores.iter().map(|score| (score - largest).exp()).collect();
            let total: f32 = weights.iter().sum();
            out.extend((0..width).map(|i| {
                let each = weights.iter().zip(&values[first..]).map(|(weight, value)| weight * value[at + i]);
                each.sum::<f32>() / total
            }));
        }
        out
    }
}
