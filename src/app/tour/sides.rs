//! The step that asks the base and the trained model the same.

use anyhow::{Context, Result, ensure};

use super::training::SFT;
use super::{Tour, TourHost};
use crate::domain::device::DeviceName;
use crate::domain::message::{Message, Role};
use crate::engine::adapter::Adapter;
use crate::engine::device;
use crate::engine::generate::{GenerateRequest, Limits, Precision, Prompter, complete, load};
use crate::engine::hub::{self, Network};
use crate::engine::model;

/// In none of the sample's records.
const QUERY: &str = "Expand this search query: keep houseplants alive in winter";
const TOKENS: usize = 128;

pub(super) fn run(tour: &mut Tour, host: &mut dyn TourHost) -> Result<String> {
    let folder = tour.run(SFT).adapter();
    ensure!(folder.is_dir(), "there is no trained adapter to compare with: take the step sft first");
    let files = hub::resolve(&tour.folders.models(), &tour.model, Network::Allowed, &mut *host.pulls())?;
    let open = model::open(&files)?;
    let prompter = Prompter::new(&open)?;
    let limits = Limits { sequences: 2, ..Limits::default() };
    let mut generator = load(&open, Precision::Stored, &device::choose(DeviceName::Auto)?, limits)?;
    let adapter = generator.add_adapter(&Adapter::load(&folder, &open.config)?)?;
    let prompt = prompter.chat(&[Message::new(Role::User, QUERY)])?;
    let before = GenerateRequest::new(prompt.clone(), TOKENS);
    let mut after = GenerateRequest::new(prompt, TOKENS);
    after.adapter = Some(adapter);
    let answers = complete(&mut generator, vec![before, after], &mut |_| Ok(()))?;
    let mut texts = answers.into_iter().flatten().map(|answer| answer.text);
    let (before, after) = texts.next().zip(texts.next()).context("the model gave no answer")?;
    host.say_beside((&format!("before: {}", tour.model), &before), (&format!("after: {SFT}"), &after))?;
    let form = |text: &str| {
        text.lines()
            .filter(|line| ["lex:", "vec:", "hyde:"].iter().any(|kind| line.starts_with(kind)))
            .count()
    };
    Ok(format!("lines in the form: {} before, {} after", form(&before), form(&after)))
}
