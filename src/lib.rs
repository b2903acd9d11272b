//! Dojo: a terminal studio that turns a small language model into a specialist.
//!
//! The map of its modules, lowest layer first. A module may import what stands to its right, and nothing else;
//! `tests/layers.rs` reads the paths and fails on a breach. `ground`, `domain`, `config`, `data`, `task` and `blueprint` are
//! the crate `dojo_core`, `engine` is `dojo_engine`: both are named here as if they were of this crate.
//!
//! | module | owns | may import |
//! | --- | --- | --- |
//! | [`ground`] | files that appear whole, processes, time, random numbers, hashes | nothing of the crate; all others import it |
//! | [`domain`] | plain data, no input or output | `ground` |
//! | [`config`] | the user's settings and folders | `domain` |
//! | [`data`] | import, chat templates, loss mask, packing, splits | `domain` |
//! | [`session`] | records, history, search, imports in SQLite | `domain`, `data` |
//! | [`engine`] | models, training, generation | `domain`, `data` |
//! | [`task`] | prompts from records, answers read back, labels | `domain`, `data` |
//! | [`blueprint`] | how a domain is thought, from a TOML file, and the plan of examples that follows | `domain`, `task` |
//! | [`reward`] | what a completion is worth: numbers with their parts and reasons | `domain`, `data`, `task` |
//! | [`eval`] | figures with intervals, tests of differences, reports | `domain`, `data`, `task`, `reward` |
//! | [`teacher`] | outside models and the jobs on them: think, reflect, judge, examples for blueprints | `domain`, `data`, `task`, `blueprint`, `session` |
//! | [`rag`] | documents read, cut into chunks, embedded, indexed, and found again | `domain`, `data`, `session` |
//! | [`serve`] | OpenAI's HTTP API | `domain`, `engine`, `rag` |
//! | [`app`] | the loop, the worker, following runs | everything |
//! | [`ui`] | panes, keys, themes | `domain`, `app::store` |
//! | [`cli`] | one file per subcommand, no logic of its own | everything |

pub mod app;
pub mod cli;
pub mod eval;
pub mod rag;
pub mod reward;
pub mod serve;
pub mod session;
pub mod teacher;
pub mod ui;

pub use dojo_core::{blueprint, config, data, domain, ground, task};
pub use dojo_engine as engine;
