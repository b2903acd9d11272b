//! Which number format each tensor of a GGUF has: llama.cpp's mixtures, so that a file is as large and as good as its own
//! (`llama-quant.cpp`: more bits for what errors harm most, and formats of smaller blocks for rows that fill no large ones).

use candle_core::quantized::GgmlDType;

use super::keys::prefix;
use crate::export::tensors::{FileTensor, TensorKind};
use crate::model::ModelConfig;

/// What a GGUF's numbers are, by llama.cpp's name for the mixture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GgufType {
    F32,
    F16,
    Bf16,
    Q8_0,
    Q6K,
    Q5KM,
    Q4KM,
    Q4_0,
}

impl GgufType {
    pub const ALL: [Self; 8] =
        [Self::F32, Self::F16, Self::Bf16, Self::Q8_0, Self::Q6K, Self::Q5KM, Self::Q4KM, Self::Q4_0];

    /// As people write it, and as file names have it in capitals.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::Q8_0 => "q8_0",
            Self::Q6K => "q6_k",
            Self::Q5KM => "q5_k_m",
            Self::Q4KM => "q4_k_m",
            Self::Q4_0 => "q4_0",
        }
    }

    /// `general.file_type` (`llama_ftype` in llama.h).
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q4_0 => 2,
            Self::Q8_0 => 7,
            Self::Q4KM => 15,
            Self::Q5KM => 17,
            Self::Q6K => 18,
            Self::Bf16 => 32,
        }
    }

    /// The format of most matrices.
    #[must_use]
    pub const fn base(self) -> GgmlDType {
        match self {
            Self::F32 => GgmlDType::F32,
            Self::F16 => GgmlDType::F16,
            Self::Bf16 => GgmlDType::BF16,
            Self::Q8_0 => GgmlDType::Q8_0,
            Self::Q6K => GgmlDType::Q6K,
            Self::Q5KM => GgmlDType::Q5K,
            Self::Q4KM => GgmlDType::Q4K,
            Self::Q4_0 => GgmlDType::Q4_0,
        }
    }

    /// Whether every number is rounded by itself, and none by its neighbours.
    #[must_use]
    pub const fn is_plain(self) -> bool {
        matches!(self, Self::F32 | Self::F16 | Self::Bf16)
    }

    /// The format of a tensor by its name in the file.
    pub(super) fn of(self, tensor: &FileTensor, name: &str, config: &ModelConfig) -> GgmlDType {
        if matches!(tensor.kind, TensorKind::Norm | TensorKind::Bias) {
            return GgmlDType::F32;
        }
        let width = tensor.shape().last().copied().unwrap_or(1);
        if self.is_plain() {
            return self.base();
        }
        fitting(self.wanted(tensor, name, width, config), width)
    }

    fn wanted(self, tensor: &FileTensor, name: &str, width: usize, config: &ModelConfig) -> GgmlDType {
        let base = self.base();
        let is_output = match tensor.kind {
            TensorKind::Output => true,
            TensorKind::Embedding => config.tied_embeddings,
            TensorKind::Matrix | TensorKind::Norm | TensorKind::Bias => false,
        };
        if is_output {
            let whole_blocks = width.is_multiple_of(base.block_size());
            return if self == Self::Q8_0 || !whole_blocks { GgmlDType::Q8_0 } else { GgmlDType::Q6K };
        }
        let is_mixed = matches!(self, Self::Q4KM | Self::Q5KM);
        let is_value = name.contains(".attn_v.") || name.contains(".attn_qkv.");
        let layer = tensor.layer.unwrap_or(0);
        if is_mixed && (is_value || name.contains(".ffn_down.")) && has_more_bits(layer, config.layers) {
            return GgmlDType::Q6K;
        }
        // Llama 70B, whose value matrices are an eighth of the query's.
        let is_70b = config.layers == 80 && config.heads != config.kv_heads && prefix(config) == "llama";
        if is_value && is_70b && base == GgmlDType::Q4K {
            return GgmlDType::Q5K;
        }
        base
    }
}

/// The first eighth of the layers, the last, and every third between.
const fn has_more_bits(layer: usize, layers: usize) -> bool {
    let eighth = layers / 8;
    layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2
}

/// The format itself, or the next larger one whose blocks a row of this width fills.
fn fitting(wanted: GgmlDType, width: usize) -> GgmlDType {
    let fits = |format: GgmlDType| width.is_multiple_of(format.block_size());
    if fits(wanted) {
        return wanted;
    }
    let smaller = match wanted {
        GgmlDType::Q4K => GgmlDType::Q5_0,
        GgmlDType::Q5K => GgmlDType::Q5_1,
        GgmlDType::Q6K => GgmlDType::Q8_0,
        other => other,
    };
    if fits(smaller) { smaller } else { GgmlDType::F16 }
}
