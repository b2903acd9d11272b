//! What a training step reads: tokens laid end to end, with the borders of the examples and what to predict.

/// One tokenised example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenExample {
    /// Where it came from, for messages to people: `file:line` or a record's id.
    pub source: String,
    /// Token ids, (time).
    pub tokens: Vec<u32>,
    /// Whether a token is trained on, as a target: (time). The first token never is.
    pub trained: Vec<bool>,
}

impl TokenExample {
    /// A completion with its prompt in front, of which the completion is trained on.
    #[must_use]
    pub fn of_completion(tokens: Vec<u32>, prompt: usize) -> Self {
        let trained = (0..tokens.len()).map(|at| at >= prompt).collect();
        Self { source: String::new(), tokens, trained }
    }

    /// Tokens that are trained on.
    #[must_use]
    pub fn targets(&self) -> usize {
        self.trained.iter().skip(1).filter(|&&trained| trained).count()
    }
}

/// A prompt with two answers, each encoded with the prompt in front of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPair {
    pub chosen: TokenExample,
    pub rejected: TokenExample,
}

impl TokenPair {
    /// Tokens of both.
    #[must_use]
    pub const fn tokens(&self) -> usize {
        self.chosen.tokens.len() + self.rejected.tokens.len()
    }
}

/// Marks a position whose next token is not trained on.
pub const IGNORED: u32 = u32::MAX;

/// Several examples laid end to end, without padding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackedBatch {
    /// Token ids, (tokens).
    pub tokens: Vec<u32>,
    /// The token to predict *after* each position, or [`IGNORED`]: (tokens). Never crosses a border.
    pub targets: Vec<u32>,
    /// Where each example starts, and at the end the number of tokens: (examples + 1), rising, first 0.
    /// Attention and positions stop at each border.
    pub borders: Vec<usize>,
}

impl PackedBatch {
    /// Lays examples end to end.
    pub fn pack<'a>(examples: impl IntoIterator<Item = &'a TokenExample>) -> Self {
        let mut batch = Self { borders: vec![0], ..Self::default() };
        for example in examples {
            batch.push(example);
        }
        batch
    }

    /// Adds one example behind the others.
    pub fn push(&mut self, example: &TokenExample) {
        if self.borders.is_empty() {
            self.borders.push(0);
        }
        self.tokens.extend_from_slice(&example.tokens);
        let next = example.tokens.iter().zip(&example.trained).skip(1);
        self.targets.extend(next.map(|(&token, &trained)| if trained { token } else { IGNORED }));
        if !example.tokens.is_empty() {
            self.targets.push(IGNORED);
        }
        self.borders.push(self.tokens.len());
    }

    /// Positions that are trained on.
    #[must_use]
    pub fn trained_tokens(&self) -> usize {
        self.targets.iter().filter(|&&target| target != IGNORED).count()
    }
}
