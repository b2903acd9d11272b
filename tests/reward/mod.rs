//! `src/reward`, and what the program makes of it.

mod answers;
mod bench;
mod command;
mod forms;
mod meaning;
mod query_expansion;
mod shell;
mod table;
mod text;
mod world;
