//! One continuation in the making.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use llguidance::Matcher;
use llguidance::api::StopReason;

use super::cache::PageId;
use super::compile::Compiled;
use super::constrain::pick_allowed;
use super::guess::Guesser;
use super::lora::Lora;
use super::request::{
    ChosenToken, EndTokens, Event, Fault, Finish, GenerateRequest, Overflow, RequestId, Usage, What,
};
use super::sampler::Sampler;
use super::text::TextStream;
use dojo_core::ground::clock;

pub(crate) struct Sequence {
    pub request: RequestId,
    pub choice: usize,
    pub options: Arc<GenerateRequest>,
    pub lora: Option<Arc<Lora>>,
    /// Prompt and what was generated.
    pub tokens: Vec<u32>,
    /// Of these, how many have their keys and values in the cache.
    pub computed: usize,
    pub pages: Vec<PageId>,
    /// Full pages that the cache knows by their content.
    pub remembered: usize,
    pub generated: usize,
    /// Of these, what it had when it began or last went on.
    pub generated_before: usize,
    pub cached: usize,
    pub sampler: Sampler,
    pub text: TextStream,
    pub matcher: Option<Matcher>,
    /// What its constraint has taken of a processor.
    pub guided: Duration,
    /// Other choices of the same prompt, waiting until it is computed.
    pub siblings: Vec<Sequence>,
    /// How often others that came later have begun before it.
    pub overtaken: usize,
    /// Steps that it has waited to begin.
    pub waited: usize,
    pub finished: Option<Finish>,
    pub guesser: Guesser,
    /// Tokens that are computed after the last one in this step, in case they are right.
    pub guessed: Vec<u32>,
    /// The logits of its next token, if its choice was put off: others would wait too long for its constraint.
    pub put_off: Option<Vec<f32>>,
}

/// What a sequence goes on with.
pub(crate) struct ChosenTokens {
    pub token: ChosenToken,
    /// What must follow: the constraint leaves no other text.
    pub forced: Vec<u32>,
}

/// What the constraint of one answer may take of a processor: in all at first, and for each of its tokens. Most take a
/// twentieth of it; a grammar that can be read in many ways takes more with every token, and all others wait for it.
const GUIDED: Duration = Duration::from_secs(1);
const GUIDED_EACH: Duration = Duration::from_millis(20);

impl Sequence {
    /// Whether it is held to a constraint, which may be begun or not.
    pub(crate) fn is_constrained(&self) -> bool {
        self.options.compiled.is_some()
    }

    /// Which adapter computed its keys and values; 0 is none.
    pub(crate) fn adapter(&self) -> u64 {
        self.lora.as_ref().map_or(0, |lora| lora.serial)
    }

    /// Whether the log-probabilities of its prompt are asked for.
    pub(crate) fn is_scored(&self) -> bool {
        self.choice == 0 && self.options.prompt_log_probabilities.is_some()
    }

    /// Tokens that wait to be computed.
    pub(crate) fn pending(&self) -> usize {
        self.tokens.len() - self.computed
    }

    /// Guesses the tokens after the last one: `most` at most, and as many as there is room for.
    pub(crate) fn guess(&mut self, most: usize, cost: f64, context: usize) {
        let left = self.options.max_tokens.saturating_sub(self.generated + 1);
        let room = context.saturating_sub(self.tokens.len() + 1);
        let most = if self.generated > 0 { most.min(left).min(room) } else { 0 };
        self.guessed = if most > 0 { self.guesser.guess(&self.tokens, most, cost) } else { Vec::new() };
    }

    /// Takes tokens by the logits of the last one and of each guess that turns out to be right: (rows, `stride`).
    ///
    /// # Errors
    /// As [`Sequence::choose`].
    pub(crate) fn go_on(
        &mut self,
        logits: &mut [f32],
        (stride, vocabulary): (usize, usize),
        (eos, context): (&[u32], usize),
        events: &mut Vec<Event>,
    ) -> Result<()> {
        let guessed = std::mem::take(&mut self.guessed);
        let mut right = 0;
        for row in logits.chunks_mut(stride) {
            let chosen = self.choose(row.get_mut(..vocabulary).unwrap_or_default())?;
            let is_right = chosen.forced.is_empty() && guessed.get(right) == Some(&chosen.token.id);
            self.accept(chosen, eos, context, events);
            if !is_right || self.finished.is_some() {
                break;
            }
            // What was computed of the guess is what would be computed now.
            self.computed += 1;
            right += 1;
        }
        if !guessed.is_empty() {
            self.guesser.learn(guessed.len(), right);
        }
        Ok(())
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage {
            prompt_tokens: self.options.prompt.len(),
            cached_tokens: self.cached,
            completion_tokens: self.generated,
        }
    }

    /// Chooses the next token from its logits, and takes what the constraint leaves no choice about after it.
    ///
    /// # Errors
    /// Where the constraint fails; the sequence can't go on then.
    pub(crate) fn choose(&mut self, logits: &mut [f32]) -> Result<ChosenTokens> {
        let plain = self.sampler.adjust(logits);
        let begun = clock::of_thread();
        // What waits has none yet: some take megabytes, and a moment to be copied.
        if self.matcher.is_none() {
            self.matcher = self.options.compiled.as_ref().map(Compiled::start);
        }
        let Some(matcher) = &mut self.matcher else {
            let id = self.sampler.pick(logits);
            return Ok(ChosenTokens { token: self.sampler.take(id, plain), forced: Vec::new() });
        };
        let id = pick_allowed(&mut self.sampler, matcher, logits)?;
        let token = self.sampler.take(id, plain);
        // Log-probabilities are asked of every token: then every token is computed.
        let free = self.options.sampling.log_probabilities.is_none() && !matcher.is_stopped();
        let forced = if free { matcher.consume_ff_tokens() } else { Vec::new() };
        forced.iter().for_each(|&id| self.sampler.note(id));
        self.guided += clock::of_thread().saturating_sub(begun);
        let allowed = GUIDED + GUIDED_EACH * u32::try_from(self.generated).unwrap_or(u32::MAX);
        ensure!(
            self.guided < allowed,
            "its constraint has taken {:.1} s for {} tokens: it can be read in too many ways at once",
            self.guided.as_secs_f64(),
            self.generated
        );
        Ok(ChosenTokens { token, forced })
    }

    /// Takes the chosen token and the forced ones: what follows from them is told to `events`. The forced ones are
    /// computed together in the next step.
    pub(crate) fn accept(
        &mut self,
        chosen: ChosenTokens,
        eos: &[u32],
        context: usize,
        events: &mut Vec<Event>,
    ) {
        let forced =
            chosen.forced.into_iter().map(|id| ChosenToken { forced: true, ..ChosenToken::certain(id) });
        let mut left = std::iter::once(chosen.token).chain(forced).peekable();
        while let Some(token) = left.next().filter(|_| self.finished.is_none()) {
            let stopped = self.matcher.as_ref().filter(|_| left.peek().is_none()).and_then(stopped);
            self.accept_one(token, stopped, (eos, context), events);
        }
    }

    /// `stopped`: its constraint lets nothing come after it.
    fn accept_one(
        &mut self,
        token: ChosenToken,
        stopped: Option<Finish>,
        (eos, context): (&[u32], usize),
        events: &mut Vec<Event>,
    ) {
        let id = token.id;
        self.tokens.push(id);
        self.generated += 1;
        let ends = eos.contains(&id) && (self.options.end == EndTokens::AtEndToken || self.matcher.is_some());
        let text = if ends { String::new() } else { self.text.push(id) };
        self.tell(What::Token { text, token }, events);
        let full = self.tokens.len() >= context && self.options.overflow == Overflow::Stop;
        let why = if stopped.is_some() {
            stopped
        } else if ends {
            Some(Finish::EndToken)
        } else if self.text.stopped() {
            Some(Finish::StopText)
        } else if self.generated >= self.options.max_tokens {
            Some(Finish::Length)
        } else if full {
            Some(Finish::Context)
        } else {
            None
        };
        if let Some(why) = why {
            self.finish(why, events);
        }
    }

    /// Ends it, giving out what was held back.
    pub(crate) fn finish(&mut self, why: Finish, events: &mut Vec<Event>) {
        if self.finished.is_some() {
            return;
        }
        self.finished = Some(why);
        let text = self.text.finish();
        let why = if self.text.stopped() { Finish::StopText } else { why };
        self.tell(What::Finished { text, why, usage: self.usage() }, events);
    }

    pub(crate) fn tell(&self, what: What, events: &mut Vec<Event>) {
        events.push(Event { request: self.request, choice: self.choice, what });
    }
}

/// Whether a constraint is at its end, or has failed.
fn stopped(matcher: &Matcher) -> Option<Finish> {
    match matcher.stop_reason() {
        StopReason::NotStopped => None,
        StopReason::EndOfSentence | StopReason::NoExtension | StopReason::NoExtensionBias => {
            Some(Finish::EndToken)
        }
        // A limit of the parser, or a fault.
        reason => {
            tracing::warn!("a constrained sequence can't go on: {reason}");
            Some(Finish::Failed(Fault::Constraint))
        }
    }
}

/// The tokens that stay when a context of `context` tokens is full: `keep` from the beginning, and the newer half.
pub(crate) fn slide(tokens: &[u32], keep: usize, context: usize) -> Vec<u32> {
    let keep = keep.min(context / 4).min(tokens.len());
    let newer = (context / 2).min(tokens.len() - keep);
    let (head, tail) = (tokens.get(..keep), tokens.get(tokens.len() - newer..));
    [head.unwrap_or_default(), tail.unwrap_or_default()].concat()
}
