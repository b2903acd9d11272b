//! `dojo rag ask`: an answer from the library's passages, with citations that are checked.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use clap::Args;
use serde_json::{Value, json};

use super::RagContext;
use super::search::QuestionArguments;
use crate::app::library::answer::{LibraryPrompts, NOT_THERE, near};
use crate::cli::generate::stream;
use crate::cli::sampling::{ModelArguments, SamplingArguments};
use crate::cli::{loading, print};
use crate::domain::cited::CheckedAnswer;
use crate::domain::retrieval::FoundPassages;
use crate::rag::answer::check;
use crate::rag::library::Library;
use crate::rag::terms::TermReader;

/// Arguments of `dojo rag ask`.
#[derive(Args)]
pub(super) struct AskArguments {
    #[command(flatten)]
    question: QuestionArguments,
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    sampling: SamplingArguments,
    /// Tokens of the prompt at most, passages among them: the best that fit are shown to the model.
    #[arg(long, default_value_t = 2048, value_name = "N")]
    prompt_tokens: usize,
    /// Ask the model although nothing in the library is near the question.
    #[arg(long)]
    anyway: bool,
}

/// What came of a question.
struct Answered {
    text: String,
    /// Passages that the model saw.
    shown: usize,
    checked: CheckedAnswer,
}

pub(super) fn run(place: &RagContext, arguments: &AskArguments) -> Result<ExitCode> {
    let question = arguments.question.text();
    ensure!(!question.trim().is_empty(), "ask something: dojo rag ask \"...\"");
    let (mut library, mut found) = arguments.question.search(place)?;
    if !arguments.anyway {
        found.passages = near(found.passages);
    }
    let answered = if arguments.anyway || !found.passages.is_empty() {
        answered(place, arguments, &mut library, &question, &found)?
    } else {
        if !place.json {
            print::say(NOT_THERE)?;
        }
        Answered { text: NOT_THERE.to_owned(), shown: 0, checked: CheckedAnswer::default() }
    };
    if place.json {
        print::say_json(&as_json(&question, &found, &answered).to_string())?;
    } else {
        print::say(sources(&found, &answered).trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn answered(
    place: &RagContext,
    arguments: &AskArguments,
    library: &mut Library,
    question: &str,
    found: &FoundPassages,
) -> Result<Answered> {
    let session = library.folder().parent().unwrap_or(Path::new(".")).to_path_buf();
    let prompts = LibraryPrompts::load(&place.folders, &session)?;
    let mut ready = loading::ready(&arguments.model)?;
    ready.tell();
    let context = ready.generator.context();
    // An answer needs room too.
    let room = context - arguments.sampling.max_new_tokens.min(context / 2);
    let budget = arguments.prompt_tokens.min(room);
    let prompt = prompts.answer(question, &[], &found.passages, budget, |messages| {
        Ok(ready.prompter.chat(messages)?.len())
    })?;
    if prompt.shown.is_empty() && !found.passages.is_empty() {
        let help = if budget < room { "say --prompt-tokens with more" } else { "the model reads no more" };
        bail!("the best passage doesn't fit a prompt of {budget} tokens: {help}");
    }
    let mut request = arguments.sampling.request(ready.prompter.chat(&prompt.messages)?)?;
    request.adapter = ready.adapter;
    let mut parts = print::Parts::default();
    let tell = |text: &str| if place.json { Ok(()) } else { parts.say(text) };
    let outcome = stream(&mut ready.generator, request, tell)?;
    if !place.json {
        parts.end()?;
        if std::io::stderr().is_terminal() {
            print::complain(&outcome.summary());
        }
    }
    let seen = found.passages.get(..prompt.shown.len()).unwrap_or_default();
    let languages = library.database().languages()?;
    let checked = check(&outcome.text, seen, &mut TermReader::default(), &languages)?;
    Ok(Answered { text: outcome.text, shown: prompt.shown.len(), checked })
}

/// The passages with their numbers, and what of the answer is from none of them.
fn sources(found: &FoundPassages, answered: &Answered) -> String {
    let passages = &found.passages;
    let mut out = String::from("\n");
    for (number, passage) in (1_u32..).zip(passages.iter().take(answered.shown)) {
        let mark = if answered.checked.cited.contains(&number) { '▌' } else { ' ' };
        out.push_str(&format!(
            "{mark}[{number}] {}\n     {}\n",
            passage.place_in_words(),
            passage.scores_in_words()
        ));
    }
    let left_out = passages.len() - answered.shown.min(passages.len());
    if left_out > 0 && answered.shown > 0 {
        out.push_str(&format!(" {left_out} more didn't fit the prompt\n"));
    }
    for citation in answered.checked.dangling() {
        out.push_str(&format!("! [{}] points nowhere: there is no such passage\n", citation.number));
    }
    for sentence in answered.checked.ungrounded() {
        let text = answered.text.get(sentence.at.clone()).unwrap_or_default();
        out.push_str(&format!("! in none of the passages: {text}\n"));
    }
    out
}

fn as_json(question: &str, found: &FoundPassages, answered: &Answered) -> Value {
    json!({
        "question": question,
        "answer": answered.text,
        "shown": answered.shown,
        "cited": answered.checked.cited,
        "citations": answered.checked.citations,
        "sentences": answered.checked.sentences,
        "passages": found.passages,
        "trace": found.trace,
    })
}
