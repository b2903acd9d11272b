//! Hugging Face tensor names -> where their rows lie in a GGUF.

use crate::model::config::ModelConfig;
use crate::model::layer::LayerNorm;
use crate::model::weights::{TensorRows, TensorSource};

/// Where a Hugging Face tensor lies, or `None` where the name is none of a decoder's.
pub(crate) fn source(config: &ModelConfig, name: &str) -> Option<TensorSource> {
    let top = match name {
        "model.embed_tokens.weight" => Some("token_embd.weight"),
        "model.norm.weight" => Some("output_norm.weight"),
        "lm_head.weight" => Some("output.weight"),
        _ => None,
    };
    if let Some(top) = top {
        return Some(TensorSource::whole(top));
    }
    let (layer, rest) = name.strip_prefix("model.layers.")?.split_once('.')?;
    let layer: usize = layer.parse().ok()?;
    let (part, kind) = rest.rsplit_once('.')?;
    let at = |part: &str| format!("blk.{layer}.{part}.{kind}");
    let plain = |part: &str| Some(TensorSource::whole(at(part)));
    let fused = config.layer.fused_projections;
    let (query, kv, wide) = (config.query_width(), config.kv_width(), config.intermediate);
    match part {
        "self_attn.q_proj" if fused => Some(TensorSource::rows(at("attn_qkv"), 0, query)),
        "self_attn.k_proj" if fused => Some(TensorSource::rows(at("attn_qkv"), query, kv)),
        "self_attn.v_proj" if fused => Some(TensorSource::rows(at("attn_qkv"), query + kv, kv)),
        "mlp.gate_proj" if fused => Some(TensorSource::rows(at("ffn_up"), 0, wide)),
        "mlp.up_proj" if fused => Some(TensorSource::rows(at("ffn_up"), wide, wide)),
        "self_attn.q_proj" => Some(rotated(config, at("attn_q"), config.heads)),
        "self_attn.k_proj" => Some(rotated(config, at("attn_k"), config.kv_heads)),
        "self_attn.v_proj" => plain("attn_v"),
        "self_attn.o_proj" => plain("attn_output"),
        "mlp.gate_proj" => plain("ffn_gate"),
        "mlp.up_proj" => plain("ffn_up"),
        "mlp.down_proj" => plain("ffn_down"),
        part => plain(config.layer.gguf_name(LayerNorm::of_path(part)?)?),
    }
}

/// ggml rotates neighbours in Llama's files, so its converter interleaves each head's two halves there; here they
/// are put back. Other architectures keep Hugging Face's order.
fn rotated(config: &ModelConfig, tensor: String, heads: usize) -> TensorSource {
    let interleaved = config.layer.interleaved_in_gguf;
    TensorSource {
        tensor,
        rows: if interleaved { TensorRows::Interleaved { heads } } else { TensorRows::All },
    }
}
