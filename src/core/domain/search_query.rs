//! What a search's lists are asked by, and how they become one. Plain data.

use serde::{Deserialize, Serialize};

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineKind {
    /// Words, for BM25.
    Lex,
    /// A question, for the embeddings.
    Vec,
    /// A passage that looks like the answer, for the embeddings (Gao et al. 2022).
    Hyde,
}

impl LineKind {
    /// The kind of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "lex" => Some(Self::Lex),
            "vec" => Some(Self::Vec),
            "hyde" => Some(Self::Hyde),
            _ => None,
        }
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lex => "lex",
            Self::Vec => "vec",
            Self::Hyde => "hyde",
        }
    }

    /// Whether a search of this mode asks such lines.
    #[must_use]
    pub const fn is_asked_in(self, mode: SearchMode) -> bool {
        match self {
            Self::Lex => mode.asks_words(),
            Self::Vec | Self::Hyde => mode.asks_embeddings(),
        }
    }
}

/// One line of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryLine {
    pub kind: LineKind,
    pub text: String,
}

/// Which lists are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchMode {
    /// Words, stemmed.
    Bm25,
    /// Embeddings.
    Dense,
    /// Both, fused.
    #[default]
    Hybrid,
}

impl SearchMode {
    /// All of them, in the order of a table.
    pub const ALL: [Self; 3] = [Self::Bm25, Self::Dense, Self::Hybrid];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bm25 => "bm25",
            Self::Dense => "dense",
            Self::Hybrid => "hybrid",
        }
    }

    #[must_use]
    pub const fn asks_words(self) -> bool {
        matches!(self, Self::Bm25 | Self::Hybrid)
    }

    #[must_use]
    pub const fn asks_embeddings(self) -> bool {
        matches!(self, Self::Dense | Self::Hybrid)
    }
}

/// How two lists become one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Fusion {
    /// Reciprocal rank fusion (Cormack et al. 2009): the sum of `weight / (k + rank)`.
    Ranks { k: f64, bm25: f64, dense: f64 },
    /// The weighted sum of the scores, each list's scaled to its best candidate (BM25) or left as cosines (dense).
    Scores { bm25: f64, dense: f64 },
}

impl Fusion {
    /// As it was published.
    pub const RANKS: Self = Self::Ranks { k: 60.0, bm25: 1.0, dense: 1.0 };
    /// The best that was found on `SciFact`'s training queries: nDCG@10 0.744 there, where ranks give 0.717.
    pub const SCORES: Self = Self::Scores { bm25: 1.0, dense: 2.25 };

    /// "by ranks (k 60, bm25 1, dense 1)".
    #[must_use]
    pub fn in_words(self) -> String {
        match self {
            Self::Ranks { k, bm25, dense } => format!("by ranks (k {k}, bm25 {bm25}, dense {dense})"),
            Self::Scores { bm25, dense } => format!("by scores (bm25 {bm25}, dense {dense})"),
        }
    }
}

impl Default for Fusion {
    fn default() -> Self {
        Self::SCORES
    }
}
