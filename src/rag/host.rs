//! What whoever starts work on a library is told while it goes on, and asked.

/// What an adder says, and is told.
pub trait AddHost {
    /// Called often: whether to go on.
    fn goes_on(&mut self, progress: &AddProgress) -> bool;
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct AddProgress {
    /// Documents that are in now.
    pub documents: u64,
    pub chunks: u64,
    /// Chunks that were embedded, and those whose embedding was kept from before.
    pub embedded: u64,
    pub kept: u64,
    /// Chunks that documents were cut into, those that still wait among them.
    pub cut: u64,
    /// Bytes of the files that were looked at.
    pub bytes: u64,
}
