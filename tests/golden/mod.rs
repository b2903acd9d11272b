//! Figures of the reference programs, from the folder of golden files.

mod logits;
