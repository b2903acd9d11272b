mod adapter;
mod damage;
mod gguf;
mod hf;
mod hub;
mod tokenizer;
