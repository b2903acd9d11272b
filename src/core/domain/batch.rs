//! What a training step reads: tokens laid end to end, with the borders of the examples and what to predict.

use std::borrow::Cow;
use std::ops::Range;

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

    /// What it may share with others: its prompt but for the last token, after which something is predicted. Nothing if
    /// the prompt is shorter than two tokens.
    fn stem(&self) -> Option<&[u32]> {
        let prompt = (1..self.tokens.len()).find(|&at| self.trained.get(at).copied().unwrap_or(false))?;
        self.tokens.get(..prompt - 1).filter(|stem| !stem.is_empty())
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

/// Several examples laid end to end, without padding. Those that begin alike may share their beginning: it is laid once,
/// as an example of its own that predicts nothing, and the others go on from it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackedBatch {
    /// Token ids, (tokens).
    pub tokens: Vec<u32>,
    /// The token to predict *after* each position, or [`IGNORED`]: (tokens). Never crosses a border.
    pub targets: Vec<u32>,
    /// Where each example starts, and at the end the number of tokens: (examples + 1), rising, first 0.
    /// Attention and positions stop at each border.
    pub borders: Vec<usize>,
    /// The example that each example goes on from, its stem, or itself: (examples). It sees all of its stem's tokens, and
    /// its positions count on from them. A stem goes on from none, and those that go on from it follow it directly.
    pub stems: Vec<usize>,
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

    /// As [`PackedBatch::pack`]; the prompt of examples that follow each other is laid once. What is trained on stays in
    /// its order.
    #[must_use]
    pub fn pack_sharing(examples: &[&TokenExample]) -> Self {
        let mut batch = Self { borders: vec![0], ..Self::default() };
        for alike in examples.chunk_by(|one, next| one.stem().is_some() && one.stem() == next.stem()) {
            match alike {
                [first, _, ..] => batch.push_family(first.stem().unwrap_or_default(), alike),
                _ => alike.iter().for_each(|example| batch.push(example)),
            }
        }
        batch
    }

    /// Adds one example behind the others.
    pub fn push(&mut self, example: &TokenExample) {
        if self.borders.is_empty() {
            self.borders.push(0);
        }
        self.stems.push(self.stems.len());
        self.lay(&example.tokens, &example.trained);
    }

    /// Adds a beginning, and what is left of each example after it.
    fn push_family(&mut self, stem: &[u32], examples: &[&TokenExample]) {
        let root = self.stems.len();
        self.stems.push(root);
        self.lay(stem, &[]);
        for example in examples {
            self.stems.push(root);
            let after = |part: usize| (example.tokens.get(part..), example.trained.get(part..));
            if let (Some(tokens), Some(trained)) = after(stem.len()) {
                self.lay(tokens, trained);
            }
        }
    }

    fn lay(&mut self, tokens: &[u32], trained: &[bool]) {
        self.tokens.extend_from_slice(tokens);
        let is_trained = |at: usize| trained.get(at).copied().unwrap_or(false);
        let next = tokens.iter().enumerate().skip(1);
        self.targets.extend(next.map(|(at, &token)| if is_trained(at) { token } else { IGNORED }));
        if !tokens.is_empty() {
            self.targets.push(IGNORED);
        }
        self.borders.push(self.tokens.len());
    }

    /// Positions that are trained on.
    #[must_use]
    pub fn trained_tokens(&self) -> usize {
        self.targets.iter().filter(|&&target| target != IGNORED).count()
    }

    /// Each token's position in its example, what the example goes on from included.
    #[must_use]
    pub fn positions(&self) -> Vec<u32> {
        self.segments().flat_map(|(own, stem)| stem.len() as u32..(stem.len() + own.len()) as u32).collect()
    }

    /// Tokens of the longest example, what it goes on from included.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.segments().map(|(own, stem)| stem.len() + own.len()).max().unwrap_or(0)
    }

    /// Tokens of all examples as if none shared its beginning.
    #[must_use]
    pub fn unshared_tokens(&self) -> usize {
        self.unshared_segments().map(|(own, stem)| stem.len() + own.len()).sum()
    }

    /// The same examples, each with its own beginning. What is trained on stays in its order.
    #[must_use]
    pub fn unshared(&self) -> Cow<'_, Self> {
        if self.stems.iter().enumerate().all(|(at, &stem)| at == stem) {
            return Cow::Borrowed(self);
        }
        let mut batch = Self { borders: vec![0], ..Self::default() };
        for (own, stem) in self.unshared_segments() {
            batch.stems.push(batch.stems.len());
            for part in [stem, own] {
                batch.tokens.extend_from_slice(self.tokens.get(part.clone()).unwrap_or_default());
                batch.targets.extend_from_slice(self.targets.get(part).unwrap_or_default());
            }
            batch.borders.push(batch.tokens.len());
        }
        Cow::Owned(batch)
    }

    /// Each example's own tokens, and those of its stem, which are none without one.
    fn segments(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        let tokens = |example: usize| Some(*self.borders.get(example)?..*self.borders.get(example + 1)?);
        (0..self.borders.len().saturating_sub(1)).filter_map(move |example| {
            let stem = self.stems.get(example).filter(|&&stem| stem != example);
            Some((tokens(example)?, stem.and_then(|&stem| tokens(stem)).unwrap_or_default()))
        })
    }

    /// [`PackedBatch::segments`] without those that others go on from.
    fn unshared_segments(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        let is_stem = |example: usize| {
            let next = self.stems.get(example + 1);
            next.is_some_and(|&next| next == example)
        };
        self.segments().enumerate().filter(move |(example, _)| !is_stem(*example)).map(|(_, segment)| segment)
    }
}
