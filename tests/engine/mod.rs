mod gguf;
mod hf;
mod tokenizer;
