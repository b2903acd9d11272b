//! Tokens that mark turns and ends of texts, whatever a tokenizer's file says of them: some tools write them as tokens
//! that users added, and a text with their names could forge a turn.

const TURN_TOKENS: [&str; 14] = [
    "<|im_start|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|file_sep|>",
];

/// Whether a token of this text is a control token.
pub(super) fn marks_turns(text: &str) -> bool {
    TURN_TOKENS.contains(&text)
}
