//! How a record becomes a prompt, how an answer is read back, and which metrics and rewards apply.
//!
//! A task is a TOML file. The shipped ones are in `assets/tasks/`; a session's own are in its `tasks/` folder and work
//! the same. Knows no model, no session database and no terminal.

mod answer;
mod check;
mod file;
mod json;
mod label;
mod other_prompt;
mod prompt;
mod schema;

pub use answer::{TaskAnswer, TypedAnswerLine};
pub use check::{TaskProblem, TaskReport, check_records};
pub use file::{AnswerForm, Compare, Task, find, names};
pub use other_prompt::OtherPrompt;
pub use schema::Schema;
