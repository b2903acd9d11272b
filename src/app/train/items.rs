//! What a run reads, as its method reads it: answers, pairs of them, or prompts alone.

use crate::domain::batch::{PackedBatch, TokenExample, TokenPair};
use crate::domain::rollout::TokenPrompt;

/// Items of one part of the data.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenItems {
    Answers(Vec<TokenExample>),
    Pairs(Vec<TokenPair>),
    /// The model itself answers these.
    Prompts(Vec<TokenPrompt>),
}

impl Default for TokenItems {
    fn default() -> Self {
        Self::Answers(Vec::new())
    }
}

impl TokenItems {
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Answers(answers) => answers.len(),
            Self::Pairs(pairs) => pairs.len(),
            Self::Prompts(prompts) => prompts.len(),
        }
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tokens of each.
    #[must_use]
    pub fn lengths(&self) -> Vec<usize> {
        match self {
            Self::Answers(answers) => answers.iter().map(|answer| answer.tokens.len()).collect(),
            Self::Pairs(pairs) => pairs.iter().map(TokenPair::tokens).collect(),
            Self::Prompts(prompts) => prompts.iter().map(|prompt| prompt.tokens.len()).collect(),
        }
    }

    /// Tokens that one may have, for a recipe's `max_length`, which is that of an answer.
    #[must_use]
    pub const fn longest(&self, max_length: usize) -> usize {
        match self {
            Self::Answers(_) | Self::Prompts(_) => max_length,
            Self::Pairs(_) => 2 * max_length,
        }
    }

    /// All answers that are encoded; of a pair, first the chosen one.
    pub fn examples(&self) -> Box<dyn Iterator<Item = &TokenExample> + '_> {
        match self {
            Self::Answers(answers) => Box::new(answers.iter()),
            Self::Pairs(pairs) => Box::new(pairs.iter().flat_map(|pair| [&pair.chosen, &pair.rejected])),
            Self::Prompts(_) => Box::new(std::iter::empty()),
        }
    }

    /// Some of them, laid end to end; prompts have nothing to train on yet.
    #[must_use]
    pub fn batch(&self, items: &[usize]) -> PackedBatch {
        match self {
            Self::Answers(answers) => PackedBatch::pack(items.iter().filter_map(|&item| answers.get(item))),
            Self::Pairs(pairs) => {
                let pairs = items.iter().filter_map(|&item| pairs.get(item));
                PackedBatch::pack(pairs.flat_map(|pair| [&pair.chosen, &pair.rejected]))
            }
            Self::Prompts(_) => PackedBatch::default(),
        }
    }
}
