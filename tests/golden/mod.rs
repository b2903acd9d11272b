//! Figures of the reference programs (PyTorch, PEFT), from the folder of golden files.

mod chat;
mod dpo;
mod embeddings;
mod logits;
mod sft;
