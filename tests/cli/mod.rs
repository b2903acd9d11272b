mod batch_input;
#[cfg(unix)]
mod chat;
mod filters;
#[cfg(unix)]
mod held_out;
mod keys;
#[cfg(unix)]
mod output;
mod passed;
mod rag_text;
mod rag;
mod resume;
mod review;
mod runs;
#[cfg(unix)]
mod serve;
mod train;
