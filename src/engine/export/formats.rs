//! The table of what can be exported, by the names that people write.

use anyhow::{Result, bail};
use candle_core::quantized::GgmlDType;

use super::folder::FolderType;
use super::gguf::GgufType;
use super::parity::FormatBounds;

/// What an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandOverFormat {
    /// A merged Hugging Face folder.
    Folder(FolderType),
    Gguf(GgufType),
    /// The adapter alone, for llama.cpp.
    AdapterGguf,
    /// The adapter alone, for mlx-lm.
    AdapterMlx,
}

/// All kinds, each with what it is in a few words.
const KNOWN: [&str; 4] = [
    "hf (a merged Hugging Face folder: hf:f32, hf:f16 or hf:bf16 (hf alone))",
    "gguf (one file for llama.cpp and Ollama: gguf:f32, f16, bf16, q8_0, q6_k, q5_k_m, q4_k_m (gguf alone) or q4_0)",
    "gguf-adapter (the adapter alone, for llama.cpp's --lora)",
    "mlx-adapter (the adapter alone, for mlx-lm's --adapter-path)",
];

impl HandOverFormat {
    /// Reads `hf:bf16`, `gguf:q4_k_m`, ...
    ///
    /// # Errors
    /// If there is none of that name; the message says which there are.
    pub fn parse(text: &str) -> Result<Self> {
        let lower = text.trim().to_lowercase();
        let (kind, number) =
            lower.split_once(':').map_or((lower.as_str(), None), |(kind, of)| (kind, Some(of)));
        let number = number.filter(|number| !number.is_empty());
        match kind {
            "hf" | "folder" | "safetensors" => {
                let number = number.unwrap_or(FolderType::Bf16.name());
                let found = FolderType::ALL.into_iter().find(|of| of.name() == number);
                if let Some(found) = found {
                    return Ok(Self::Folder(found));
                }
            }
            "gguf" => {
                let number = number.unwrap_or(GgufType::Q4KM.name());
                let found = GgufType::ALL.into_iter().find(|of| of.name() == number);
                if let Some(found) = found {
                    return Ok(Self::Gguf(found));
                }
            }
            "gguf-adapter" if number.is_none() => return Ok(Self::AdapterGguf),
            "mlx-adapter" if number.is_none() => return Ok(Self::AdapterMlx),
            "onnx" => bail!(
                "ONNX isn't written yet: export hf:f32, and make the ONNX of that folder with optimum or onnxruntime-genai"
            ),
            "torchscript" | "pt" => bail!(
                "TorchScript is deprecated by PyTorch itself since 2.9: export hf:f32, whose folder torch.export takes \
                 (`torch.export.export(AutoModelForCausalLM.from_pretrained(FOLDER), (tokens,))`)"
            ),
            _ => {}
        }
        bail!("there is no export {text:?}; known are {}", KNOWN.join("; "))
    }

    /// As [`HandOverFormat::parse`] reads it.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Folder(kind) => format!("hf:{}", kind.name()),
            Self::Gguf(kind) => format!("gguf:{}", kind.name()),
            Self::AdapterGguf => "gguf-adapter".to_owned(),
            Self::AdapterMlx => "mlx-adapter".to_owned(),
        }
    }

    /// Whether it is the adapter alone.
    #[must_use]
    pub const fn is_adapter(self) -> bool {
        matches!(self, Self::AdapterGguf | Self::AdapterMlx)
    }
}

/// How far numbers of a format may move the answers. Formats of blocks have no bound: how much they lose is the model's
/// matter, and told.
pub(super) const fn bounds(format: GgmlDType) -> FormatBounds {
    let divergence = match format {
        GgmlDType::F32 => Some(1e-3),
        GgmlDType::F16 => Some(2e-2),
        GgmlDType::BF16 => Some(1e-1),
        GgmlDType::Q4_0
        | GgmlDType::Q4_1
        | GgmlDType::Q5_0
        | GgmlDType::Q5_1
        | GgmlDType::Q8_0
        | GgmlDType::Q8_1
        | GgmlDType::Q2K
        | GgmlDType::Q3K
        | GgmlDType::Q4K
        | GgmlDType::Q5K
        | GgmlDType::Q6K
        | GgmlDType::Q8K => None,
    };
    FormatBounds { divergence }
}
