//! Output that is valid by construction: tokens that would break the grammar are never chosen (`llguidance`).

use std::sync::Arc;

use anyhow::{Result, bail};
use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::{InferenceCapabilities, TokEnv, TokRxInfo, TokTrie, TokenizerEnv};
use llguidance::{Matcher, ParserFactory};
use tokenizers::Tokenizer;

use super::complaint::plain;
use super::sampler::{Sampler, forbid};
use super::token_bytes::TokenBytes;

/// What the output must be.
#[derive(Debug, Clone, PartialEq)]
pub enum Constraint {
    /// Any JSON object.
    JsonObject,
    /// JSON that fits a schema.
    JsonSchema(serde_json::Value),
    /// Text that a regular expression (Rust's syntax) matches from end to end.
    Regex(String),
    /// Text of a grammar in llguidance's form of Lark.
    Grammar(String),
    /// One of these texts.
    Choice(Vec<String>),
}

impl Constraint {
    fn grammar(&self) -> Result<TopLevelGrammar> {
        Ok(match self {
            Self::JsonObject => {
                TopLevelGrammar::from_json_schema(on_one_line(&serde_json::json!({ "type": "object" })))
            }
            Self::JsonSchema(schema) => TopLevelGrammar::from_json_schema(on_one_line(schema)),
            Self::Regex(pattern) => TopLevelGrammar::from_regex(pattern),
            Self::Grammar(text) => TopLevelGrammar::from_lark(text.clone()),
            Self::Choice(choices) => {
                if choices.iter().all(String::is_empty) {
                    bail!("a choice needs at least one text that isn't empty");
                }
                // As one expression: as rules, the parser would give up on some thousands of them.
                let texts = choices.iter().filter(|choice| !choice.is_empty());
                let texts: Vec<String> = texts.map(|text| regex::escape(text)).collect();
                TopLevelGrammar::from_regex(&texts.join("|"))
            }
        })
    }

    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::JsonObject | Self::JsonSchema(_) => "JSON schema",
            Self::Regex(_) => "regular expression",
            Self::Grammar(_) => "grammar",
            Self::Choice(_) => "list of choices",
        }
    }
}

/// A schema whose JSON stands on one line with single spaces, as Python writes it: where any white space is allowed,
/// a small model may write nothing else. A schema that says so itself (`x-guidance`) is left as it is.
pub(super) fn on_one_line(schema: &serde_json::Value) -> serde_json::Value {
    let mut schema = schema.clone();
    if let Some(object) = schema.as_object_mut() {
        let options = serde_json::json!({
            "whitespace_flexible": false,
            "item_separator": ", ",
            "key_separator": ": ",
        });
        object.entry("x-guidance").or_insert(options);
    }
    schema
}

/// Cuts text that a grammar forces, as the model's own tokenizer does.
struct GrammarTokenizer {
    trie: TokTrie,
    tokenizer: Tokenizer,
    /// Whether pieces of text come back from the tokenizer as they were. Where it adds a space before every text, say,
    /// nothing may be forced: the model chooses each token among those that are allowed.
    exact: bool,
}

/// What JSON is made of.
const PIECES: [&str; 5] = ["{\"label\": \"", " why", "\", \"score\": ", "}, {\n", "é"];

impl GrammarTokenizer {
    fn new(tokenizer: &Tokenizer, trie: TokTrie) -> Self {
        let mut tokenizer = tokenizer.clone();
        // A name of a special token in forced text is text.
        tokenizer.set_encode_special_tokens(true);
        let mut own = Self { trie, tokenizer, exact: false };
        own.exact = PIECES.iter().all(|piece| {
            let tokens = own.tokenize(piece);
            !tokens.is_empty() && own.trie.decode_raw(&tokens) == piece.as_bytes()
        });
        own
    }

    /// No tokens where the tokenizer fails.
    fn tokenize(&self, text: &str) -> Vec<u32> {
        self.tokenizer.encode(text, false).map(|encoding| encoding.get_ids().to_vec()).unwrap_or_default()
    }
}

impl TokenizerEnv for GrammarTokenizer {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<u32> {
        let tokens =
            self.exact.then(|| self.trie.tokenize_with_greedy_fallback(bytes, |text| self.tokenize(text)));
        let there = |tokens: &Vec<u32>| tokens.iter().all(|&token| (token as usize) < self.trie.vocab_size());
        tokens.filter(there).unwrap_or_else(|| self.trie.greedy_tokenize(bytes))
    }

    fn tokenize_is_canonical(&self) -> bool {
        self.exact
    }
}

/// Kinds of tokens that are allowed or not as one, shortest first: where a string may still be so long, all of a kind
/// are taken without looking at each. The short ones serve strings that come near the length that a schema allows.
const SLICES: [&str; 7] = [
    r"[\x20\x0A\x0D\x09]+",
    r#"[^"\\\x00-\x1F\x7F]{1,3}"#,
    r#"[^"\\\x00-\x1F\x7F]{1,5}"#,
    r#"[^"\\\x00-\x1F\x7F]{1,7}"#,
    r#"[^"\\\x00-\x1F\x7F]{1,10}"#,
    r#"[^"\\\x00-\x1F\x7F]{1,30}"#,
    r#"[^"\\\x00-\x1F\x7F]+"#,
];

/// A tokenizer, prepared for constraints.
pub(crate) struct Guide {
    factory: ParserFactory,
}

impl Guide {
    /// Reads the bytes of every token.
    pub(crate) fn new(tokenizer: &Tokenizer, vocabulary: usize, eos: &[u32]) -> Result<Self> {
        let mut words = TokenBytes::new(tokenizer)?.marked();
        // Tokens without a row can't be chosen.
        words.resize(vocabulary, Vec::new());
        let Some(&first) = eos.first() else {
            bail!("a constraint needs a model with an end token");
        };
        let trie = TokTrie::from(&TokRxInfo::new(words.len() as u32, first), &words).with_eos_tokens(eos);
        let environment: TokEnv = Arc::new(GrammarTokenizer::new(tokenizer, trie));
        let slices = SLICES.map(str::to_owned);
        let mut factory = ParserFactory::new(&environment, InferenceCapabilities::default(), &slices)?;
        factory.quiet();
        let limits = factory.limits_mut();
        limits.verbose_errors = false;
        Ok(Self { factory })
    }

    /// Starts a constraint.
    pub(crate) fn start(&self, constraint: &Constraint) -> Result<Matcher> {
        let parser = self.factory.create_parser(constraint.grammar()?);
        let mut matcher = Matcher::new(parser);
        if let Some(error) = matcher.get_error() {
            bail!("the {} can't be used: {}", constraint.kind(), plain(&error));
        }
        // The first mask shows what a grammar's own checks don't.
        if let Err(error) = matcher.compute_mask_or_eos() {
            bail!("the {} can't be used: {}", constraint.kind(), plain(&error.to_string()));
        }
        Ok(matcher)
    }
}

/// Draws one of the tokens that a constraint allows, and tells it so. `logits` are adjusted ones; they are changed.
///
/// Where no filter looks at the whole distribution, a token is drawn from all of them first: if it is allowed it stays,
/// else the draw is repeated among the allowed ones. That is the very distribution of a draw among those,
/// `p(x) + (1 - p(A)) p(x) / p(A) = p(x) / p(A)`, and mostly spares finding out which they are.
///
/// # Errors
/// Where the constraint fails.
pub(crate) fn pick_allowed(sampler: &mut Sampler, matcher: &mut Matcher, logits: &mut [f32]) -> Result<u32> {
    if !sampler.filters() {
        let id = sampler.pick(logits);
        if matcher.try_consume_tokens(&[id])? == 1 {
            return Ok(id);
        }
    }
    forbid(logits, matcher.compute_mask_or_eos()?.as_slice());
    let id = sampler.pick(logits);
    matcher.consume_token(id)?;
    Ok(id)
}
