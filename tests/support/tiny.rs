//! Tiny random models of each architecture, written as a Hugging Face folder or as a GGUF.
//!
//! The GGUF is written as llama.cpp's converter does it (its names, Llama's interleaved q and k rows, Gemma's norms
//! with one added), independently of how Dojo reads it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use dojo_studio::engine::model::{self, ModelFiles, OpenModel};
use serde_json::json;
use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::{AddedToken, Tokenizer};

/// The control tokens, from id 0 on.
pub(crate) const SPECIAL: [&str; 3] = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

const MERGES: [(&str, &str); 6] = [("t", "h"), ("th", "e"), ("Ġ", "the"), ("i", "n"), ("Ġ", "a"), ("e", "r")];

/// A model to be written. Fields may be changed before that.
#[derive(Debug, Clone)]
pub(crate) struct Tiny {
    /// `model_type` in `config.json`: `llama`, `mistral`, `qwen2`, `qwen3`, `gemma3_text`, `phi3`, `smollm3`.
    pub(crate) kind: &'static str,
    pub(crate) hidden: usize,
    pub(crate) intermediate: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_dim: usize,
    pub(crate) context: usize,
    pub(crate) tied: bool,
    pub(crate) sliding_window: Option<usize>,
    pub(crate) seed: u64,
    /// Whether it has a token that ends a turn: without one it writes until it is stopped.
    pub(crate) ends: bool,
    /// Its chat template.
    pub(crate) template: &'static str,
    /// Further keys of `config.json`.
    pub(crate) more: serde_json::Map<String, serde_json::Value>,
    /// Further tensors of its file.
    pub(crate) beside: Vec<Named>,
}

/// A tensor by its Hugging Face name: shape and numbers.
pub(crate) type Named = (String, Vec<usize>, Vec<f32>);

impl Tiny {
    /// Two layers, 32 wide, four query heads on two key/value heads.
    pub(crate) fn new(kind: &'static str) -> Self {
        Self {
            kind,
            hidden: 32,
            intermediate: 64,
            layers: 2,
            heads: 4,
            kv_heads: 2,
            head_dim: 8,
            context: 256,
            tied: matches!(kind, "llama" | "gemma3_text" | "smollm3"),
            sliding_window: None,
            seed: 0,
            ends: true,
            template: chat_template(),
            more: if kind == "granite" { multipliers() } else { serde_json::Map::new() },
            beside: Vec::new(),
        }
    }

    /// Tokens: control tokens, bytes, merges.
    pub(crate) const VOCABULARY: usize = SPECIAL.len() + 256 + MERGES.len();

    /// Writes the folder, and opens the model in it.
    pub(crate) fn open_folder(&self, folder: &Path) -> OpenModel {
        self.write_folder(folder);
        model::open(&ModelFiles::at(folder).unwrap()).unwrap()
    }

    /// `config.json`, `model.safetensors`, `tokenizer.json`, `tokenizer_config.json`.
    pub(crate) fn write_folder(&self, folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        let write = |name: &str, value: serde_json::Value| {
            std::fs::write(folder.join(name), serde_json::to_vec_pretty(&value).unwrap()).unwrap();
        };
        write("config.json", self.config());
        write(
            "tokenizer_config.json",
            json!({"bos_token": SPECIAL[1], "eos_token": self.ends.then_some(SPECIAL[2]), "chat_template": self.template}),
        );
        tokenizer().save(folder.join("tokenizer.json"), false).unwrap();
        write_safetensors(&folder.join("model.safetensors"), &self.stored_tensors());
    }

    pub(crate) fn config(&self) -> serde_json::Value {
        let mut config = json!({
            "model_type": self.kind,
            "vocab_size": Self::VOCABULARY,
            "hidden_size": self.hidden,
            "intermediate_size": self.intermediate,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_dim,
            "max_position_embeddings": self.context,
            "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0,
            "sliding_window": self.sliding_window,
            "query_pre_attn_scalar": (self.kind == "gemma3_text").then_some(self.head_dim),
            "hidden_act": if self.kind == "gemma3_text" { "gelu_pytorch_tanh" } else { "silu" },
            "tie_word_embeddings": self.tied,
            "bos_token_id": 1,
            "eos_token_id": self.ends.then_some(2),
        });
        for (key, value) in &self.more {
            config[key] = value.clone();
        }
        config
    }

    /// All tensors by Hugging Face names, unfused.
    pub(crate) fn tensors(&self) -> Vec<Named> {
        let mut random = Random(self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15));
        let (query, kv) = (self.heads * self.head_dim, self.kv_heads * self.head_dim);
        let mut named = Vec::new();
        let mut add = |name: String, shape: Vec<usize>, centre: f32, spread: f32| {
            let numbers = (0..shape.iter().product()).map(|_| centre + spread * random.next()).collect();
            named.push((name, shape, numbers));
        };
        let norm_centre = if self.kind == "gemma3_text" { 0.0 } else { 1.0 };
        add("model.embed_tokens.weight".into(), vec![Self::VOCABULARY, self.hidden], 0.0, 1.0);
        for layer in 0..self.layers {
            let mut linear = |part: &str, outputs: usize, inputs: usize| {
                let name = format!("model.layers.{layer}.{part}");
                add(format!("{name}.weight"), vec![outputs, inputs], 0.0, 1.5 / (inputs as f32).sqrt());
                if self.kind == "qwen2"
                    && ["q_proj", "k_proj", "v_proj"].iter().any(|end| part.ends_with(end))
                {
                    add(format!("{name}.bias"), vec![outputs], 0.0, 0.2);
                }
            };
            linear("self_attn.q_proj", query, self.hidden);
            linear("self_attn.k_proj", kv, self.hidden);
            linear("self_attn.v_proj", kv, self.hidden);
            linear("self_attn.o_proj", self.hidden, query);
            linear("mlp.gate_proj", self.intermediate, self.hidden);
            linear("mlp.up_proj", self.intermediate, self.hidden);
            linear("mlp.down_proj", self.hidden, self.intermediate);
            for norm in self.norms() {
                let width = if norm.starts_with("self_attn") { self.head_dim } else { self.hidden };
                add(format!("model.layers.{layer}.{norm}.weight"), vec![width], norm_centre, 0.3);
            }
        }
        add("model.norm.weight".into(), vec![self.hidden], norm_centre, 0.3);
        if !self.tied {
            let shape = vec![Self::VOCABULARY, self.hidden];
            add("lm_head.weight".into(), shape, 0.0, 1.5 / (self.hidden as f32).sqrt());
        }
        named
    }

    fn norms(&self) -> Vec<&'static str> {
        let mut norms = vec!["input_layernorm", "post_attention_layernorm"];
        if self.kind == "gemma3_text" {
            norms.extend(["pre_feedforward_layernorm", "post_feedforward_layernorm"]);
        }
        if matches!(self.kind, "gemma3_text" | "qwen3") {
            norms.extend(["self_attn.q_norm", "self_attn.k_norm"]);
        }
        norms
    }

    /// As the files hold them: Phi-3's q, k, v and gate, up in one tensor each.
    fn stored_tensors(&self) -> Vec<Named> {
        let mut tensors = self.tensors();
        if self.kind == "phi3" {
            for layer in 0..self.layers {
                for (fused, parts) in [
                    ("self_attn.qkv_proj", &["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"][..]),
                    ("mlp.gate_up_proj", &["mlp.gate_proj", "mlp.up_proj"]),
                ] {
                    let name = |part: &str| format!("model.layers.{layer}.{part}.weight");
                    let taken: Vec<Named> = parts
                        .iter()
                        .map(|part| {
                            let at = tensors.iter().position(|tensor| tensor.0 == name(part)).unwrap();
                            tensors.remove(at)
                        })
                        .collect();
                    let rows = taken.iter().map(|tensor| tensor.1[0]).sum();
                    let numbers = taken.iter().flat_map(|tensor| tensor.2.clone()).collect();
                    tensors.push((name(fused), vec![rows, taken[0].1[1]], numbers));
                }
            }
        }
        tensors.extend(self.beside.iter().cloned());
        tensors
    }

    /// Writes a GGUF with matrices in a format (norms and biases in f32), and opens the model in it.
    pub(crate) fn open_gguf(&self, path: &Path, format: GgmlDType) -> OpenModel {
        self.write_gguf(path, format);
        model::open(&ModelFiles::at(path).unwrap()).unwrap()
    }

    pub(crate) fn write_gguf(&self, path: &Path, format: GgmlDType) {
        self.write_gguf_with(path, format, &[]);
    }

    /// As [`Tiny::write_gguf`], with some keys of the header set otherwise.
    pub(crate) fn write_gguf_with(&self, path: &Path, format: GgmlDType, keys: &[(&str, Value)]) {
        let tensors: Vec<(String, QTensor)> = self
            .stored_tensors()
            .into_iter()
            .map(|(name, shape, mut numbers)| {
                if self.interleaves(&name) {
                    numbers = interleave(&numbers, self.head_dim, shape.get(1).copied().unwrap_or(1));
                }
                if self.kind == "gemma3_text" && name.ends_with("norm.weight") {
                    for number in &mut numbers {
                        *number += 1.0;
                    }
                }
                let format = if shape.len() == 1 { GgmlDType::F32 } else { format };
                let tensor = Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap();
                (self.gguf_name(&name), QTensor::quantize(&tensor, format).unwrap())
            })
            .collect();
        let mut metadata = self.gguf_metadata();
        metadata.extend(keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        let metadata: Vec<(&str, &Value)> =
            metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
        let tensors: Vec<(&str, &QTensor)> =
            tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        let mut file = BufWriter::new(File::create(path).unwrap());
        gguf_file::write(&mut file, &metadata, &tensors).unwrap();
    }

    fn interleaves(&self, name: &str) -> bool {
        matches!(self.kind, "llama" | "mistral" | "smollm3" | "granite")
            && (name.contains(".q_proj.") || name.contains(".k_proj."))
    }

    fn gguf_name(&self, name: &str) -> String {
        let before_feed_forward = if self.kind == "gemma3_text" { "post_attention_norm" } else { "ffn_norm" };
        [
            ("model.embed_tokens", "token_embd"),
            ("model.norm", "output_norm"),
            ("lm_head", "output"),
            ("model.layers", "blk"),
            ("self_attn.q_norm", "attn_q_norm"),
            ("self_attn.k_norm", "attn_k_norm"),
            ("self_attn.qkv_proj", "attn_qkv"),
            ("self_attn.q_proj", "attn_q"),
            ("self_attn.k_proj", "attn_k"),
            ("self_attn.v_proj", "attn_v"),
            ("self_attn.o_proj", "attn_output"),
            ("mlp.gate_up_proj", "ffn_up"),
            ("mlp.gate_proj", "ffn_gate"),
            ("mlp.up_proj", "ffn_up"),
            ("mlp.down_proj", "ffn_down"),
            ("input_layernorm", "attn_norm"),
            ("post_attention_layernorm", before_feed_forward),
            ("pre_feedforward_layernorm", "ffn_norm"),
            ("post_feedforward_layernorm", "post_ffw_norm"),
        ]
        .into_iter()
        .fold(name.to_owned(), |name, (from, to)| name.replace(from, to))
    }

    fn gguf_metadata(&self) -> BTreeMap<String, Value> {
        let architecture = match self.kind {
            "mistral" => "llama",
            "gemma3_text" => "gemma3",
            kind => kind,
        };
        let tokenizer = tokenizer();
        let count = |value: usize| Value::U32(u32::try_from(value).unwrap());
        let text = |value: &str| Value::String(value.to_owned());
        let tokens = (0..Self::VOCABULARY as u32).map(|id| text(&tokenizer.id_to_token(id).unwrap()));
        let kinds = (0..Self::VOCABULARY).map(|id| Value::I32(if id < SPECIAL.len() { 3 } else { 1 }));
        let merges = MERGES.iter().map(|(left, right)| text(&format!("{left} {right}")));
        let mut metadata: BTreeMap<String, Value> = [
            ("block_count", count(self.layers)),
            ("context_length", count(self.context)),
            ("embedding_length", count(self.hidden)),
            ("feed_forward_length", count(self.intermediate)),
            ("attention.head_count", count(self.heads)),
            ("attention.head_count_kv", count(self.kv_heads)),
            ("attention.key_length", count(self.head_dim)),
            ("attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
            ("rope.freq_base", Value::F32(10_000.0)),
        ]
        .into_iter()
        .map(|(key, value)| (format!("{architecture}.{key}"), value))
        .collect();
        if self.kind == "granite" {
            for (key, name) in [
                ("embedding_multiplier", "embedding_scale"),
                ("residual_multiplier", "residual_scale"),
                ("attention_multiplier", "attention.scale"),
                ("logits_scaling", "logit_scale"),
            ] {
                let factor = self.more[key].as_f64().unwrap() as f32;
                metadata.insert(format!("granite.{name}"), Value::F32(factor));
            }
        }
        if let Some(window) = self.sliding_window {
            metadata.insert(format!("{architecture}.attention.sliding_window"), count(window));
        }
        metadata.extend(
            [
                ("general.architecture", text(architecture)),
                ("tokenizer.ggml.model", text("gpt2")),
                ("tokenizer.ggml.pre", text("smollm")),
                ("tokenizer.ggml.tokens", Value::Array(tokens.collect())),
                ("tokenizer.ggml.token_type", Value::Array(kinds.collect())),
                ("tokenizer.ggml.merges", Value::Array(merges.collect())),
                ("tokenizer.ggml.bos_token_id", Value::U32(1)),
                ("tokenizer.ggml.eos_token_id", Value::U32(2)),
                ("tokenizer.ggml.add_bos_token", Value::Bool(false)),
                ("tokenizer.chat_template", text(chat_template())),
            ]
            .map(|(key, value)| (key.to_owned(), value)),
        );
        metadata
    }
}

/// What Granite's models multiply by, of about the size of theirs.
fn multipliers() -> serde_json::Map<String, serde_json::Value> {
    let factors = json!({"embedding_multiplier": 12.0, "residual_multiplier": 0.22, "attention_multiplier": 0.125,
        "logits_scaling": 8.0});
    factors.as_object().unwrap().clone()
}

/// Writes f32 tensors.
pub(crate) fn write_safetensors(path: &Path, tensors: &[Named]) {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, _, numbers)| numbers.iter().flat_map(|x| x.to_le_bytes()).collect())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), bytes);
        (name.as_str(), view.unwrap())
    });
    safetensors::serialize_to_file(views, None, path).unwrap();
}

/// Bytes, a few merges, and three control tokens.
pub(crate) fn tokenizer() -> Tokenizer {
    let mut alphabet: Vec<char> = ByteLevel::alphabet().into_iter().collect();
    alphabet.sort_unstable();
    let tokens = SPECIAL
        .iter()
        .map(|token| (*token).to_owned())
        .chain(alphabet.into_iter().map(String::from))
        .chain(MERGES.iter().map(|(left, right)| format!("{left}{right}")));
    let vocabulary: Vocab = tokens.zip(0..).collect();
    let merges: Merges = MERGES.iter().map(|&(left, right)| (left.to_owned(), right.to_owned())).collect();
    let model = BPE::builder().vocab_and_merges(vocabulary, merges).build().unwrap();
    let mut tokenizer = Tokenizer::new(model);
    let split = vec![Digits::new(true).into(), ByteLevel::new(false, true, true).into()];
    tokenizer.with_pre_tokenizer(Some(Sequence::new(split)));
    tokenizer.with_decoder(Some(ByteLevel::new(true, true, true)));
    tokenizer
        .add_special_tokens(SPECIAL.map(|token| AddedToken::from(token, true).normalized(false)))
        .unwrap();
    tokenizer
}

/// `ChatML`.
pub(crate) fn chat_template() -> &'static str {
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + \
     '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
}

/// `ChatML` with tools, whose calls are written as many models write them.
pub(crate) fn tools_template() -> &'static str {
    "{% if tools %}<|im_start|>system\nTools:{% for tool in tools %}\n{{ tool | tojson }}{% endfor %}<|im_end|>\n\
     {% endif %}{% for turn in messages %}<|im_start|>{{ turn.role }}\n{{ turn.content or '' }}\
     {% for call in turn.tool_calls or [] %}{% if turn.content or not loop.first %}{{ '\n' }}{% endif %}<tool_call>\n\
     {{ {'name': call.function.name, 'arguments': call.function.arguments} | tojson }}\n</tool_call>{% endfor %}\
     <|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
}

/// Each head's first half and second half, row by row in turns: what ggml's rotation of neighbours wants.
fn interleave(numbers: &[f32], head_dim: usize, width: usize) -> Vec<f32> {
    let half = head_dim / 2;
    numbers
        .chunks(head_dim * width)
        .flat_map(|head| {
            (0..half).flat_map(move |i| [i, i + half]).map(move |row| &head[row * width..][..width])
        })
        .flatten()
        .copied()
        .collect()
}

/// Reproducible numbers from -1 to 1 (xorshift, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }
}
