//! A run's records become prompts to draw completions of: their turns up to the last answer.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::data::SourcedRecord;
use crate::domain::message::{Conversation, Message, Role};
use crate::domain::recipe::{GrpoPart, Recipe};
use crate::domain::record::Record;
use crate::domain::rollout::TokenPrompt;
use crate::engine::generate::Prompter;
use crate::engine::model::OpenModel;
use crate::task::{self, Task};

/// Prompts that are encoded between two looks at whether to go on.
const BLOCK: usize = 256;

/// What a run on rewards says if it has nothing to start from.
pub(super) const NO_START: &str = "the run begins with an adapter that changes nothing yet: rewards teach a model that \
                                   already answers well now and then; name the adapter of a supervised run in model.adapter";

/// The recipe's task.
///
/// # Errors
/// Where there is none of that name.
pub(super) fn task(recipe: &Recipe, grpo: &GrpoPart) -> Result<Arc<Task>> {
    let session = recipe.data.session.as_deref().map(Path::new);
    task::find(&grpo.task, session).map(Arc::new).context("read grpo.task")
}

/// The rows that can be asked, with their prompts; the others are named among the malformed.
///
/// # Errors
/// When `go_on` says no, or the task can't be read.
pub(super) fn encode(
    rows: Vec<SourcedRecord>,
    model: &OpenModel,
    (recipe, grpo): (&Recipe, &GrpoPart),
    malformed: &mut Vec<String>,
    go_on: &dyn Fn(usize) -> bool,
) -> Result<(Vec<SourcedRecord>, Vec<TokenPrompt>)> {
    let (prompter, task) = (Prompter::new(model)?, task(recipe, grpo)?);
    let longest = recipe.data.max_length.min(model.config.context);
    let (mut kept, mut prompts) = (Vec::new(), Vec::new());
    for (at, row) in rows.into_iter().enumerate() {
        ensure!(!at.is_multiple_of(BLOCK) || go_on(at), "stopped while the prompts were read");
        let tokens = tokens(&row.record, &prompter, &task).and_then(|tokens| {
            fits(&row.record, tokens.len(), grpo.max_completion_length, longest, model.config.context)?;
            Ok(tokens)
        });
        match tokens {
            Ok(tokens) => {
                prompts.push(TokenPrompt { tokens, record: row.record.clone() });
                kept.push(row);
            }
            Err(error) => malformed.push(format!("{error:#}")),
        }
    }
    Ok((kept, prompts))
}

fn tokens(record: &Record, prompter: &Prompter, task: &Task) -> Result<Vec<u32>> {
    let turns = turns(record, task)?;
    if !prompter.has_template() {
        let text = turns.last().map(|turn| turn.content.clone()).unwrap_or_default();
        ensure!(!text.is_empty(), "{}: its prompt is empty", record.place());
        return prompter.raw(&text).with_context(|| record.place());
    }
    let settings = (!record.settings.is_empty()).then_some(&record.settings);
    let conversation = Conversation { messages: &turns, tools: &record.tools, settings };
    prompter.conversation(conversation).with_context(|| record.place())
}

/// What is asked: the turns before the last answer; what the task asks, if the record has none.
fn turns(record: &Record, task: &Task) -> Result<Vec<Message>> {
    let answered = record.messages.iter().rposition(|turn| turn.role == Role::Assistant);
    let asked = match answered.filter(|_| record.preference.is_none()) {
        Some(answer) => record.messages.get(..answer).unwrap_or_default(),
        None => record.messages.as_slice(),
    };
    match (asked, &record.text) {
        ([], None) => task.prompt(record),
        ([], Some(text)) => Ok(vec![Message::new(Role::User, text.as_str())]),
        (asked, _) => Ok(asked.to_vec()),
    }
}

fn fits(record: &Record, prompt: usize, completion: usize, longest: usize, context: usize) -> Result<()> {
    let raise = if longest < context {
        "raise data.max_length or leave it out"
    } else {
        "that is all the model reads"
    };
    ensure!(
        prompt + completion <= longest,
        "{}: its prompt of {prompt} tokens leaves no room for a completion of {completion} within {longest}: {raise}",
        record.place()
    );
    Ok(())
}
