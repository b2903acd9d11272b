//! A question that is answered from the library: made to stand alone, its passages found, and put into the prompt.

use anyhow::{Context, Result, bail};

use super::writer::{ChatWriter, sampling};
use super::{AnswerJob, ChatOrder, unwritten};
use crate::app::library::answer::{LibraryPrompts, NOT_THERE, near, standing_alone};
use crate::domain::chat::{ChatSampling, Why};
use crate::domain::cited::AnswerSources;
use crate::domain::message::{Message, Role};
use crate::domain::protocol::ChatEvent;
use crate::domain::protocol::chat::Phase;
use crate::engine::generate::{AdapterId, Finish, GenerateRequest, Overflow, What};

/// Tokens of a prompt with passages at most: more of them make a small model lose the question.
const PROMPT: usize = 3072;
/// Tokens of a question that a model makes to stand alone.
const QUESTION: usize = 64;

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
        let Some((last, before)) = job.messages.split_last().filter(|(last, _)| last.role == Role::User)
        else {
            return Ok(Asked::Model(job));
        };
        let own: Vec<Message> = before.iter().filter(|turn| turn.role == Role::System).cloned().collect();
        let history: Vec<Message> = before.iter().filter(|turn| turn.role != Role::System).cloned().collect();
        let prompts = self.library.prompts()?;
        let question = self.standing_alone(&job, &prompts, &history, &last.content)?;
        let found = self.library.find(&question, job.library.top)?;
        let mut sources = AnswerSources {
            question: question.clone(),
            milliseconds: found.trace.times.total_ms,
            languages: self.library.languages()?,
            ..AnswerSources::default()
        };
        let passages = near(found.passages);
        if passages.is_empty() {
            self.send_sources(&job, sources);
            self.end(turn, unwritten(Why::End), NOT_THERE.to_owned());
            return Ok(Asked::Nobody);
        }
        let (name, _) = self.models.prepare(&job.answerer)?;
        let loaded = self.models.get(&name).with_context(|| format!("{name} is not loaded"))?;
        let context = loaded.generator.context();
        let budget = context.saturating_sub(job.sampling.max_tokens.min(context / 2)).min(PROMPT);
        let prompt = prompts.answer(&question, &history, &passages, budget, |messages| {
            Ok(loaded.prompter.chat(&with_system(&own, messages.to_vec()))?.len())
        })?;
        if prompt.shown.is_empty() {
            bail!("the best passage doesn't fit {name}'s context beside the conversation: begin a new chat");
        }
        sources.left_out = passages.len() - prompt.shown.len();
        sources.passages = passages.into_iter().take(prompt.shown.len()).collect();
        job.messages = with_system(&own, prompt.messages);
        sources.asked.clone_from(&job.messages);
        self.send_sources(&job, sources);
        Ok(Asked::Model(job))
    }

    fn send_sources(&self, job: &AnswerJob, sources: AnswerSources) {
        // The desk outlives this thread.
        self.desk.send(ChatOrder::Sourced { turn: job.turn, sources: Box::new(sources) }).ok();
    }

    /// The question as it can be understood alone.
    fn standing_alone(
        &mut self,
        job: &AnswerJob,
        prompts: &LibraryPrompts,
        history: &[Message],
        question: &str,
    ) -> Result<String> {
        let (name, adapter) = self.stops.loading(|| self.models.prepare(&job.answerer))?;
        let Some(messages) = prompts.follow_up(history, question)? else { return Ok(question.to_owned()) };
        let written = self.write_alone(&name, adapter, &messages, job)?;
        Ok(standing_alone(&written, question).to_owned())
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
        let mut request = GenerateRequest::new(loaded.prompter.chat(messages)?, QUESTION);
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

/// A prompt under the chat's own system prompt.
fn with_system(own: &[Message], mut prompt: Vec<Message>) -> Vec<Message> {
    let Some(own) = own.first() else { return prompt };
    match prompt.first_mut().filter(|first| first.role == Role::System) {
        Some(first) => first.content = format!("{}\n\n{}", own.content, first.content),
        None => prompt.insert(0, own.clone()),
    }
    prompt
}
