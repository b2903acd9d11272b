//! What a person sees: keys in, screen out.

pub(crate) mod harness;
pub(crate) mod world;

mod any_keys;
mod chart;
mod chat;
mod data;
mod data_daily;
mod data_turns;
mod floats;
mod from_hub;
mod help;
mod keymap;
mod killed;
mod line_feed;
mod models;
mod notices;
mod ongoing;
mod outside;
mod own_data;
mod pasted;
mod promised;
mod review;
mod review_by_hand;
mod review_sizes;
mod screens;
mod shell;
mod silent;
mod small;
mod text;
mod theme;
mod train;
mod train_recipes;
mod train_words;
mod verbs;
mod visible;
mod whole;
