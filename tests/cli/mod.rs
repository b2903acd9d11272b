#[cfg(unix)]
mod alerts;
mod batch_input;
#[cfg(unix)]
mod chat;
mod eval;
mod expand;
mod export;
mod filters;
#[cfg(unix)]
mod held_out;
mod keys;
mod mcp;
#[cfg(unix)]
mod output;
mod passed;
mod preferences;
mod rag;
mod rag_judge;
mod rag_server;
mod rag_sources;
mod rag_text;
mod resume;
mod review;
mod rewards;
mod runs;
#[cfg(unix)]
mod serve;
mod sweep;
mod tour;
mod train;
