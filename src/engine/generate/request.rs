//! What can be asked of a generator, and what it answers.

use super::compile::Compiled;
use super::constrain::Constraint;

/// How the next token is chosen. Names and defaults are those of Hugging Face's `GenerationConfig` and OpenAI's API.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    /// 0 is greedy.
    pub temperature: f32,
    /// Only this many likeliest tokens; 0 is all.
    pub top_k: usize,
    /// Only the likeliest tokens that make up this probability; 1 is all, 0 the likeliest only.
    pub top_p: f32,
    /// Only tokens at least this fraction as likely as the likeliest; 0 is all.
    pub min_p: f32,
    /// Divides (or multiplies, below zero) the logits of tokens that were there before; 1 is none.
    pub repetition_penalty: f32,
    /// Taken off a generated token's logit each time it comes; 0 is none.
    pub frequency_penalty: f32,
    /// Taken off a generated token's logit once; 0 is none.
    pub presence_penalty: f32,
    pub seed: u64,
    /// Added to the logits of tokens.
    pub logit_bias: Vec<(u32, f32)>,
    /// Log-probabilities of the chosen token and of this many likeliest ones.
    pub log_probabilities: Option<usize>,
    pub log_probabilities_of: LogProbabilityOf,
}

/// Of which distribution log-probabilities are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogProbabilityOf {
    /// What the model gives, before any sampling setting.
    #[default]
    Model,
    /// The same at the temperature, before filters and penalties.
    Tempered,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            frequency_penalty: 0.0,
            presence_penalty: 0.0,
            seed: 0,
            logit_bias: Vec::new(),
            log_probabilities: None,
            log_probabilities_of: LogProbabilityOf::default(),
        }
    }
}

impl Sampling {
    /// Checks every value's range.
    ///
    /// # Errors
    /// One sentence that names the value.
    pub fn check(&self) -> anyhow::Result<()> {
        let within = |name: &str, value: f32, least: f32, most: f32| {
            anyhow::ensure!(
                (least..=most).contains(&value),
                "{name} is {value}, and must be from {least} to {most}"
            );
            Ok(())
        };
        within("temperature", self.temperature, 0.0, 100.0)?;
        within("top_p", self.top_p, 0.0, 1.0)?;
        within("min_p", self.min_p, 0.0, 1.0)?;
        within("repetition_penalty", self.repetition_penalty, 0.01, 100.0)?;
        within("frequency_penalty", self.frequency_penalty, -2.0, 2.0)?;
        within("presence_penalty", self.presence_penalty, -2.0, 2.0)
    }
}

/// What happens when a sequence fills the model's context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overflow {
    /// It ends there.
    #[default]
    Stop,
    /// The older half is forgotten, but for this many tokens at the beginning, and it goes on.
    Slide { keep: usize },
}

/// One prompt, to be continued.
#[derive(Debug, Clone)]
pub struct GenerateRequest {
    /// Token ids, not empty.
    pub prompt: Vec<u32>,
    /// Continuations of it; the prompt is computed once for all. Choice `i` is seeded with `seed + i`.
    pub choices: usize,
    /// None are generated if it is 0: for what is asked of the prompt alone.
    pub max_tokens: usize,
    /// Log-probabilities of the prompt's tokens after the first, and of this many likeliest ones in each place.
    pub prompt_log_probabilities: Option<usize>,
    pub sampling: Sampling,
    /// Texts that end a continuation; they are not part of it.
    pub stop: Vec<String>,
    /// Control tokens whose names are a part of the text; others write nothing.
    pub shown: Vec<u32>,
    /// Whether the model's end tokens end it.
    pub end: EndTokens,
    pub overflow: Overflow,
    pub adapter: Option<AdapterId>,
    pub constraint: Option<Constraint>,
    /// The constraint, where it is ready already.
    pub compiled: Option<Compiled>,
}

/// What the model's end tokens do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EndTokens {
    #[default]
    AtEndToken,
    /// Go on until another limit (for measurements).
    Ignored,
}

impl GenerateRequest {
    /// One greedy continuation.
    pub fn new(prompt: Vec<u32>, max_tokens: usize) -> Self {
        Self {
            prompt,
            choices: 1,
            max_tokens,
            prompt_log_probabilities: None,
            sampling: Sampling::default(),
            stop: Vec::new(),
            shown: Vec::new(),
            end: EndTokens::default(),
            overflow: Overflow::default(),
            adapter: None,
            constraint: None,
            compiled: None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

impl RequestId {
    /// Counted from 0, per generator.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// An adapter that a generator holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AdapterId(pub(crate) u64);

/// A past fact about one choice of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub request: RequestId,
    pub choice: usize,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// The prompt's next tokens were scored, the first of all without a number; told of the first choice only, before
    /// anything else.
    Prompt { tokens: Vec<ChosenToken> },
    /// A token was chosen. The text is what has become certain: empty while a character or a stop text may be
    /// incomplete.
    Token { text: String, token: ChosenToken },
    /// It ended; the text is what was held back until then.
    Finished { text: String, why: Finish, usage: Usage },
}

impl What {
    /// Whether it is a token that the model chose.
    #[must_use]
    pub const fn is_choice(&self) -> bool {
        matches!(self, Self::Token { token, .. } if !token.forced)
    }

    /// The text that it brings.
    pub fn text(&self) -> &str {
        match self {
            Self::Prompt { .. } => "",
            Self::Token { text, .. } | Self::Finished { text, .. } => text,
        }
    }
}

/// A token and, where they were asked for, its log-probabilities (natural logarithms, as [`LogProbabilityOf`] says).
#[derive(Debug, Clone, PartialEq)]
pub struct ChosenToken {
    pub id: u32,
    pub log_probability: Option<f32>,
    /// The likeliest tokens, likeliest first.
    pub likeliest: Vec<(u32, f32)>,
    /// A constraint left no other, so that it was not computed: it is none that the model chose.
    pub forced: bool,
}

impl ChosenToken {
    /// One that nothing else could stand in for.
    pub(crate) const fn certain(id: u32) -> Self {
        Self { id, log_probability: None, likeliest: Vec::new(), forced: false }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model ended it.
    EndToken,
    /// One of the stop texts came.
    StopText,
    /// `max_tokens` were generated.
    Length,
    /// The context is full.
    Context,
    Cancelled,
    /// What came of it until then is no whole answer.
    Failed(Fault),
}

/// Whose fault it is that an answer has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its constraint takes more work than a token may, or leaves nothing to write.
    Constraint,
    Computation,
    /// The model gives NaN: so do weights that are damaged.
    Numbers,
}

impl Fault {
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Constraint => {
                "the answer could not be finished: its constraint takes more work for a token than is allowed, or \
                 leaves nothing to write; ask for a simpler one"
            }
            Self::Computation => "the answer could not be finished: the computation failed",
            Self::Numbers => {
                "the answer could not be finished: the model gives numbers that are none (NaN): its weights, or the \
                 adapter's, are damaged or too large"
            }
        }
    }
}

/// Tokens of one choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    pub prompt_tokens: usize,
    /// Of those, taken from the cache.
    pub cached_tokens: usize,
    pub completion_tokens: usize,
}
