//! Figures of the reference programs (PyTorch, PEFT), from the folder of golden files.

mod logits;
mod sft;
