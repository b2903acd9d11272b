//! The session store: what is kept, what can be undone, what a search finds, who may write.

mod chat_marks;
mod chats;
mod drafts;
mod faults;
mod filter;
mod history;
mod import;
mod leads;
mod processes;
mod review;
mod review_by_hand;
mod review_marks;
mod search;
mod tokens;
mod training;
mod vectors;
mod world;
