//! Figures of the reference programs (PyTorch, PEFT), from the folder of golden files.

mod chat;
mod logits;
mod sft;
