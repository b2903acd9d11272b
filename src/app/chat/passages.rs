//! A question that is answered from the library: made to stand alone, its passages found, and put into the prompt.

use anyhow::{Context, Result, bail};

use super::writer::{ChatWriter, sampling};
use super::{AnswerJob, ChatOrder, unwritten};
use crate::app::library::answer::{LibraryPrompts, NOT_THERE, standing_alone};
use crate::domain::chat::{ChatSampling, Why};
use crate::domain::cited::AnswerSources;
use crate::domain::message::Message;
use crate::domain::protocol::ChatEvent;
use crate::domain::protocol::chat::Phase;
use crate::engine::generate::{AdapterId, Finish, GenerateRequest, Overflow, What};
use crate::rag::answer::{AskedConversation, QUESTION_TOKENS, prompt_budget};

/// Tokens of a prompt with passages at most: more of them make a small model lose the question.
const PROMPT: usize = 3072;

/// Who is to answer.
pub(super) enum Asked {
    Model(AnswerJob),
    /// Nothing in the library is near the question, which was said.
    Nobody,
}

impl ChatWriter {
    /// Puts the library's passages into a question's prompt, if the chat is answered from the library.
    pub(super) fn with_passages(&mut self, mut job: AnswerJob) -> Result<Asked> {
        if !job.library.on {
            return Ok(Asked::Model(job));
        }
        let turn = job.turn;
        self.tell(ChatEvent::Waits { turn, phase: Phase::Searching });
        let Some(asked) = AskedConversation::of(&job.messages) else { return Ok(Asked::Model(job)) };
        let prompts = self.library.prompts()?;
        let question = self.standing_alone(&job, &prompts, &asked)?;
        let found = self.library.find(&question, job.library.top, &job.marks)?;
        let mut sources = AnswerSources {
            question: question.clone(),
            milliseconds: found.trace.times.total_ms,
            languages: self.library.languages()?,
            ..AnswerSources::default()
        };
        let passages = found.passages;
        if passages.is_empty() {
            self.send_sources(&job, sources);
            self.end(turn, unwritten(Why::End), NOT_THERE.to_owned());
            return Ok(Asked::Nobody);
        }
        let (name, _) = self.stops.loading(|| self.models.prepare(&job.answerer))?;
        let loaded = self.models.get(&name).with_context(|| format!("{name} is not loaded"))?;
        let context = loaded.generator.context();
        let budget = prompt_budget(context, job.sampling.max_tokens, PROMPT);
        let prompt = prompts.in_conversation(&asked, &question, &passages, budget, |messages| {
            Ok(loaded.prompter.chat(messages)?.len())
        })?;
        if prompt.shown.is_empty() {
            bail!("the best passage doesn't fit {name}'s context beside the conversation: begin a new chat");
        }
        sources.left_out = passages.len() - prompt.shown.len();
        sources.passages = passages.into_iter().take(prompt.shown.len()).collect();
        job.messages = prompt.messages;
        sources.asked.clone_from(&job.messages);
        self.send_sources(&job, sources);
        Ok(Asked::Model(job))
    }

    fn send_sources(&self, job: &AnswerJob, sources: AnswerSources) {
        // The desk outlives this thread.
        self.desk.send(ChatOrder::Sourced { turn: job.turn, sources: Box::new(sources) }).ok();
    }

    /// The question as it can be understood alone. No model is loaded for one that follows none.
    fn standing_alone(
        &mut self,
        job: &AnswerJob,
        prompts: &LibraryPrompts,
        asked: &AskedConversation,
    ) -> Result<String> {
        if asked.history.is_empty() {
            return Ok(asked.question.clone());
        }
        let (name, adapter) = self.stops.loading(|| self.models.prepare(&job.answerer))?;
        let loaded = self.models.get(&name).with_context(|| format!("{name} is not loaded"))?;
        let room = loaded.generator.context().saturating_sub(QUESTION_TOKENS);
        let messages = prompts.follow_up(asked, room, |turns| Ok(loaded.prompter.chat(turns)?.len()))?;
        let Some(messages) = messages else { return Ok(asked.question.clone()) };
        let written = self.write_alone(&name, adapter, &messages, job)?;
        Ok(standing_alone(&written, &asked.question).to_owned())
    }

    /// What a model writes while nothing else is written.
    fn write_alone(
        &mut self,
        name: &str,
        adapter: Option<AdapterId>,
        messages: &[Message],
        job: &AnswerJob,
    ) -> Result<String> {
        let stops = self.stops.clone();
        let loaded = self.models.get(name).with_context(|| format!("{name} is not loaded"))?;
        let mut request = GenerateRequest::new(loaded.prompter.chat(messages)?, QUESTION_TOKENS);
        request.sampling = sampling(&ChatSampling { temperature: 0.0, ..job.sampling.clone() });
        request.overflow = Overflow::Stop;
        request.adapter = adapter;
        let id = loaded.generator.submit(request)?;
        let mut text = String::new();
        loop {
            let stopped = stops.stopped(job.epoch);
            let events = if stopped { loaded.generator.cancel(id) } else { loaded.generator.step()? };
            for event in events.into_iter().filter(|event| event.request == id) {
                text.push_str(event.what.text());
                match event.what {
                    What::Finished { why: Finish::Failed(fault), .. } => bail!(fault.sentence().to_owned()),
                    What::Finished { .. } => return Ok(text),
                    What::Prompt { .. } | What::Token { .. } => {}
                }
            }
        }
    }
}
