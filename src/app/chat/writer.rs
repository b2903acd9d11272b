//! The thread that holds the models and writes answers: those of one question together, a token of each at a time.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::library::ChatLibrary;
use super::loaded::LoadedModels;
use super::passages::Asked;
use super::{AnswerJob, ChatOrder, Stops, Work, unwritten};
use crate::app::events::Events;
use crate::domain::chat::{AnswerOutcome, ChatSampling, TurnId, Why};
use crate::domain::protocol::chat::{AnswerPace, Phase};
use crate::domain::protocol::{ChatEvent, Event};
use crate::domain::speed;
use crate::engine::generate::{
    Event as Generated, Finish, GenerateRequest, Overflow, RequestId, Sampling, Usage, What,
};

pub(super) struct ChatWriter {
    pub(super) models: LoadedModels,
    pub(super) library: ChatLibrary,
    events: Events,
    pub(super) desk: Sender<ChatOrder>,
    pub(super) stops: Stops,
}

/// How often an answer is kept while it is written.
const KEEP: Duration = Duration::from_secs(1);

/// An answer in the making.
struct AnswerInProgress {
    job: AnswerJob,
    content: String,
    /// When it was kept last, and how many bytes of it.
    kept: (Instant, usize),
    prompt_tokens: usize,
    tokens: usize,
    context: usize,
    begun: Instant,
    first: Option<Instant>,
    /// Tokens that came in the first step that brought any; 0 until it is over.
    in_first_step: usize,
}

/// Answers by the model that writes them and its request.
type Answers = HashMap<(String, RequestId), AnswerInProgress>;

impl ChatWriter {
    pub(super) fn new(
        models: PathBuf,
        library: ChatLibrary,
        events: Events,
        desk: Sender<ChatOrder>,
        stops: Stops,
    ) -> Self {
        Self { models: LoadedModels::new(models), library, events, desk, stops }
    }

    pub(super) fn work(mut self, work: &Receiver<Work>) {
        while let Ok(work) = work.recv() {
            match work {
                Work::Load(answerers) => {
                    for answerer in answerers {
                        // A question that needs it says what is wrong.
                        if let Err(error) = self.stops.loading(|| self.models.prepare(&answerer)) {
                            tracing::info!("{} can't be loaded ahead: {error:#}", answerer.name);
                        }
                    }
                }
                Work::Write(jobs) => self.write(jobs),
            }
        }
    }

    pub(super) fn tell(&self, event: ChatEvent) {
        // The studio is gone: nobody needs to know.
        self.events.send(Event::Chat(event)).ok();
    }

    fn write(&mut self, jobs: Vec<AnswerJob>) {
        let mut answers = Answers::new();
        for job in jobs {
            let turn = job.turn;
            let job = match self.with_passages(job) {
                Ok(Asked::Model(job)) => job,
                Ok(Asked::Nobody) => continue,
                Err(error) => {
                    self.fail(turn, &format!("{error:#}"));
                    continue;
                }
            };
            match self.submit(job) {
                Ok((place, answer)) => {
                    self.tell(ChatEvent::Waits { turn, phase: Phase::Reading });
                    answers.insert(place, answer);
                }
                Err(error) => self.fail(turn, &format!("{error:#}")),
            }
        }
        while !answers.is_empty() {
            self.cancel_stopped(&mut answers);
            if let Err(error) = self.step(&mut answers) {
                let message = format!("{error:#}");
                for (_, answer) in answers.drain() {
                    self.fail(answer.job.turn, &message);
                }
            }
        }
    }

    fn submit(&mut self, job: AnswerJob) -> Result<((String, RequestId), AnswerInProgress)> {
        let (name, adapter) = self.stops.loading(|| self.models.prepare(&job.answerer))?;
        let Some(loaded) = self.models.get(&name) else { anyhow::bail!("{name} is not loaded") };
        let prompt = loaded.prompter.chat(&job.messages)?;
        let prompt_tokens = prompt.len();
        let mut request = GenerateRequest::new(prompt, job.sampling.max_tokens);
        request.sampling = sampling(&job.sampling);
        request.overflow = Overflow::Stop;
        request.adapter = adapter;
        let context = loaded.generator.context();
        anyhow::ensure!(
            prompt_tokens < context,
            "the conversation has {prompt_tokens} tokens and {name} holds {context}: begin a new chat, or branch earlier"
        );
        let id = loaded.generator.submit(request)?;
        let answer = AnswerInProgress {
            job,
            content: String::new(),
            kept: (Instant::now(), 0),
            prompt_tokens,
            tokens: 0,
            context,
            begun: Instant::now(),
            first: None,
            in_first_step: 0,
        };
        Ok(((name, id), answer))
    }

    fn cancel_stopped(&mut self, answers: &mut Answers) {
        let stopped: Vec<(String, RequestId)> = answers
            .iter()
            .filter(|(_, answer)| self.stops.stopped(answer.job.epoch))
            .map(|(place, _)| place.clone())
            .collect();
        for (name, id) in stopped {
            let events = self.models.get(&name).map(|loaded| loaded.generator.cancel(id)).unwrap_or_default();
            for event in events {
                self.take(&name, event, answers);
            }
        }
    }

    /// One token of each answer.
    fn step(&mut self, answers: &mut Answers) -> Result<()> {
        let mut all = Vec::new();
        for loaded in self.models.all().filter(|loaded| loaded.generator.unfinished() > 0) {
            for event in loaded.generator.step()? {
                all.push((loaded.name.clone(), event));
            }
        }
        for (name, event) in all {
            self.take(&name, event, answers);
        }
        for answer in answers.values_mut().filter(|answer| answer.in_first_step == 0) {
            answer.in_first_step = answer.tokens;
        }
        self.keep(answers);
        Ok(())
    }

    /// So that a program that ends in the middle loses a second of an answer at most.
    fn keep(&self, answers: &mut Answers) {
        for answer in answers.values_mut() {
            let (at, length) = answer.kept;
            if answer.content.len() > length && at.elapsed() >= KEEP {
                answer.kept = (Instant::now(), answer.content.len());
                let order = ChatOrder::SoFar { turn: answer.job.turn, content: answer.content.clone() };
                // The desk outlives this thread.
                self.desk.send(order).ok();
            }
        }
    }

    fn take(&self, name: &str, event: Generated, answers: &mut Answers) {
        let place = (name.to_owned(), event.request);
        let Some(answer) = answers.get_mut(&place) else { return };
        match event.what {
            What::Prompt { .. } => {}
            What::Token { text, .. } => {
                answer.tokens += 1;
                answer.first.get_or_insert_with(Instant::now);
                answer.content.push_str(&text);
                let turn = answer.job.turn;
                self.tell(ChatEvent::Wrote { turn, text, pace: answer.pace() });
            }
            What::Finished { text, why, usage } => {
                answer.content.push_str(&text);
                let turn = answer.job.turn;
                if !text.is_empty() {
                    self.tell(ChatEvent::Wrote { turn, text, pace: answer.pace() });
                }
                if let Some(answer) = answers.remove(&place) {
                    self.end(turn, answer.outcome(why, usage), answer.content);
                }
            }
        }
    }

    pub(super) fn end(&self, turn: TurnId, outcome: AnswerOutcome, content: String) {
        // The desk outlives this thread.
        self.desk.send(ChatOrder::Ended { turn, content, outcome }).ok();
    }

    fn fail(&self, turn: TurnId, why: &str) {
        self.end(turn, unwritten(Why::Failed(why.to_owned())), String::new());
    }
}

impl AnswerInProgress {
    fn pace(&self) -> AnswerPace {
        AnswerPace {
            prompt_tokens: self.prompt_tokens,
            tokens: self.tokens,
            context: self.context,
            tokens_per_second: self.tokens_per_second(),
        }
    }

    /// Of the tokens after the first step: reading the prompt is another matter. 0 where they are too few to tell.
    fn tokens_per_second(&self) -> f64 {
        let seconds = self.first.map_or(0.0, |first| first.elapsed().as_secs_f64());
        let after_first =
            if self.in_first_step == 0 { 0 } else { self.tokens.saturating_sub(self.in_first_step) };
        speed::tokens_per_second(after_first, seconds).unwrap_or_default()
    }

    fn outcome(&self, why: Finish, usage: Usage) -> AnswerOutcome {
        AnswerOutcome {
            why: match why {
                Finish::EndToken | Finish::StopText => Why::End,
                Finish::Length => Why::Length,
                Finish::Context => Why::Context,
                Finish::Cancelled => Why::Stopped,
                Finish::Failed(fault) => Why::Failed(fault.sentence().to_owned()),
            },
            prompt_tokens: usage.prompt_tokens,
            cached_tokens: usage.cached_tokens,
            tokens: usage.completion_tokens,
            tokens_per_second: self.tokens_per_second(),
            first_token_seconds: self
                .first
                .map_or(0.0, |first| first.duration_since(self.begun).as_secs_f64()),
            context: self.context,
        }
    }
}

pub(super) fn sampling(chat: &ChatSampling) -> Sampling {
    Sampling {
        temperature: chat.temperature,
        top_p: chat.top_p,
        top_k: chat.top_k,
        min_p: chat.min_p,
        repetition_penalty: chat.repetition_penalty,
        seed: chat.seed,
        ..Sampling::default()
    }
}
