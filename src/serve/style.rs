//! What answers of chats and of plain completions are called. Knows nothing of what is in them.

/// Which endpoint answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Chat,
    Plain,
}

impl Style {
    pub(super) const fn whole(self) -> &'static str {
        match self {
            Self::Chat => "chat.completion",
            Self::Plain => "text_completion",
        }
    }

    pub(super) const fn chunk(self) -> &'static str {
        match self {
            Self::Chat => "chat.completion.chunk",
            Self::Plain => "text_completion",
        }
    }

    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Chat => "chatcmpl",
            Self::Plain => "cmpl",
        }
    }
}
