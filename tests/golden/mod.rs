//! Figures of the reference programs (PyTorch, PEFT), from the folder of golden files.

mod chat;
mod embeddings;
mod dpo;
mod logits;
mod sft;
