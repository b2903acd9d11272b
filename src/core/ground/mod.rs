//! What every other part may use, and what imports none of them: files that appear whole or not at all, processes and
//! their memory, the time, random numbers, hashes, escapes of addresses.
//! Each is written once.

pub mod clock;
pub mod files;
pub mod folders;
pub mod hash;
pub mod memory;
pub mod percent;
pub mod process;
pub mod random;
pub mod thread;
