//! What the studio's parts say to each other: commands are asked for, changes are recorded, events have happened.
//!
//! Each area has a file with its own nested enums, so that an area grows without touching the others. All enums are
//! closed: whoever handles them matches every variant.

pub mod chat;
pub mod data;
pub mod eval;
pub mod library;
pub mod models;
pub mod review;
pub mod rewards;
pub mod runs;
pub mod sessions;
pub mod system;

pub use chat::{ChatCommand, ChatEvent};
pub use data::{DataCommand, DataEvent};
pub use eval::{EvalCommand, EvalEvent};
pub use library::{LibraryCommand, LibraryEvent};
pub use models::{ModelsCommand, ModelsEvent};
pub use review::{ReviewCommand, ReviewEvent};
pub use rewards::{RewardsCommand, RewardsEvent};
pub use runs::{RunsCommand, RunsEvent};
pub use sessions::{SessionsCommand, SessionsEvent};
pub use system::{SystemCommand, SystemEvent};

/// Asked of the worker. What comes of it returns as [`Event`]s.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Chat(ChatCommand),
    Data(DataCommand),
    Eval(EvalCommand),
    Library(LibraryCommand),
    Models(ModelsCommand),
    Review(ReviewCommand),
    Rewards(RewardsCommand),
    Runs(RunsCommand),
    Sessions(SessionsCommand),
    System(SystemCommand),
}

/// Something that has happened. Only `Store::apply` turns it into what is shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Chat(ChatEvent),
    Data(DataEvent),
    Eval(EvalEvent),
    Library(LibraryEvent),
    Models(ModelsEvent),
    Review(ReviewEvent),
    Rewards(RewardsEvent),
    Runs(RunsEvent),
    Sessions(SessionsEvent),
    System(SystemEvent),
}
