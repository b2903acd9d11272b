//! Which control tokens swallow the white space around them. A tokenizer.json says so for each token; a GGUF doesn't, and
//! the families that do it are told by what else stands in its header. llama.cpp tells Phi-3 by its name alone, which a
//! fine-tune needn't have. (Its other such rules are for masks of encoders, which Dojo has no part of.)

use super::Header;

/// A family whose control tokens swallow white space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spaces {
    Kept,
    /// Phi-3 and Phi-3.5: what follows all but the beginnings of a text.
    Phi3,
    /// Phi-4: what stands on both sides.
    Phi4,
    /// Phi-4-mini: what follows the names of roles and the end of a turn.
    Phi4Mini,
}

/// Phi-3's tokens that leave white space alone.
const PHI_3_KEEPS: [&str; 3] = ["<unk>", "<s>", "<|endoftext|>"];

/// Phi-4-mini's tokens that don't.
const PHI_4_MINI_SWALLOWS: [&str; 4] = ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>"];

impl Spaces {
    pub(super) fn of(header: &Header, tokens: &[String]) -> Self {
        let has = |text: &str| tokens.iter().any(|token| token == text);
        let is_phi = header.text("general.architecture") == Some("phi3");
        let name = header.text("general.name").unwrap_or_default().to_lowercase();
        let kind = (header.text("tokenizer.ggml.model"), header.text("tokenizer.ggml.pre"));
        match kind {
            (Some("llama"), _) => {
                let named = name.contains("phi-3") || name.contains("phi3");
                // Converted to Llama's layout, it keeps its vocabulary.
                let own = has("<|assistant|>") && has("<|end|>") && has("<|placeholder1|>");
                if is_phi || named || own { Self::Phi3 } else { Self::Kept }
            }
            (_, Some("dbrx")) if has("<|im_sep|>") => Self::Phi4,
            (_, Some("gpt-4o")) if is_phi => Self::Phi4Mini,
            _ => Self::Kept,
        }
    }

    /// Whether a token swallows white space before it, and behind it.
    pub(super) fn swallowed_by(self, token: &str) -> (bool, bool) {
        match self {
            Self::Kept => (false, false),
            Self::Phi3 => (false, !PHI_3_KEEPS.contains(&token)),
            Self::Phi4 => (true, true),
            Self::Phi4Mini => (false, PHI_4_MINI_SWALLOWS.contains(&token)),
        }
    }
}
