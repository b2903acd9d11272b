mod adapter;
mod damage;
mod generate;
mod gguf;
mod hf;
mod hub;
mod tokenizer;
mod train;
