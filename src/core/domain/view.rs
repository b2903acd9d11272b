//! In which order records are shown.

/// By what, and which way. Records that are equal in it stand in the order of their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SortOrder {
    pub field: SortField,
    pub direction: SortDirection,
}

/// Smallest or greatest first; records without a value are last either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortDirection {
    #[default]
    Rising,
    Falling,
}

/// What records can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortField {
    #[default]
    Id,
    Status,
    Split,
    Label,
    Tokens,
    Score,
    Characters,
    Turns,
    Source,
    /// Brings equal prompts together, in no order that means anything else.
    Prompt,
}

impl SortField {
    pub const ALL: [Self; 10] = [
        Self::Id,
        Self::Status,
        Self::Split,
        Self::Label,
        Self::Tokens,
        Self::Score,
        Self::Characters,
        Self::Turns,
        Self::Source,
        Self::Prompt,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Status => "status",
            Self::Split => "split",
            Self::Label => "label",
            Self::Tokens => "tokens",
            Self::Score => "score",
            Self::Characters => "chars",
            Self::Turns => "turns",
            Self::Source => "source",
            Self::Prompt => "prompt",
        }
    }
}
