//! `dojo tour`: all of the studio on the shipped samples, a step after the other.

mod chart;
mod host;

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;

use self::host::{Answer, TourScreen, Waits, width};
use super::data::{Align, table};
use super::print;
use super::progress::{Pull, duration};
use crate::app::tour::{STEPS, StepOutcome, TakenStep, Tour, TourBegin, TourOrder, TourStep};
use crate::config::Folders;
use crate::domain::recipe::Override;
use crate::ui::widgets::text;

/// Arguments of `dojo tour`.
#[derive(Args)]
pub(super) struct TourArguments {
    /// Ask nothing and wait for nothing: take every step, then show what came of each.
    #[arg(long)]
    yes: bool,
    /// Begin anew: the session `tour` of an earlier one is deleted.
    #[arg(long)]
    again: bool,
    /// The model that is toured with.
    #[arg(long, default_value = "smollm2-135m")]
    model: String,
    /// Override a key of the tour's recipes, such as `train.max_steps=10`. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<Override>,
}

pub(super) fn run(arguments: &TourArguments) -> Result<ExitCode> {
    let waits = if arguments.yes { Waits::Never } else { Waits::ForEnter };
    ensure!(
        arguments.yes || std::io::stdin().is_terminal(),
        "a tour waits for Enter, and nobody can press it here: `dojo tour --yes` takes every step without asking"
    );
    let begin = if arguments.again { TourBegin::Anew } else { TourBegin::WhereItStopped };
    let order = TourOrder {
        folders: Folders::from_environment()?,
        model: arguments.model.clone(),
        overrides: arguments.overrides.clone(),
        begin,
    };
    let mut tour = Tour::open(order, &mut Pull::new())?;
    let place = tour.session().path.display().to_string();
    print::say(&format!(
        "The tour works in the session 'tour' ({place}). Its trainings are short; the commands shown run the whole ones."
    ))?;
    let mut screen = TourScreen::new(waits);
    for (number, step) in (1..).zip(&STEPS) {
        if let Some(before) = tour.taken(step).filter(|before| before.outcome != StepOutcome::Failed) {
            print::say(&format!(
                "{number}. {}: {} before, {}",
                step.name,
                before.outcome.name(),
                before.told
            ))?;
            continue;
        }
        introduce(number, step)?;
        match screen.ask_to_go_on()? {
            Answer::Yes => tell(&tour.take(step, &mut screen)?)?,
            Answer::Skip => tell(&tour.skip(step)?)?,
            Answer::Quit => {
                print::say("The next `dojo tour` goes on here.")?;
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
    finish(&tour)
}

fn introduce(number: usize, step: &TourStep) -> Result<()> {
    let about = text::wrap(step.about, width().min(100)).join("\n");
    print::say(&format!("\n━━ {number} of {}: {} ━━\n{about}\n", STEPS.len(), step.name))?;
    step.commands.iter().try_for_each(|command| print::say(&format!("  in a shell    {command}")))?;
    print::say(&format!("  in the studio {}\n", step.keys))
}

fn tell(taken: &TakenStep) -> Result<()> {
    print::say(&format!("{} in {}: {}", taken.outcome.name(), duration(taken.seconds), taken.told))
}

/// What came of every step; a failed one makes the tour a failure.
fn finish(tour: &Tour) -> Result<ExitCode> {
    let taken: Vec<&TakenStep> = STEPS.iter().filter_map(|step| tour.taken(step)).collect();
    let row = |one: &&TakenStep| {
        vec![one.step.clone(), one.outcome.name().to_owned(), duration(one.seconds), one.told.clone()]
    };
    let rows: Vec<Vec<String>> = taken.iter().map(row).collect();
    let columns = [("step", Align::Left), ("", Align::Left), ("time", Align::Right), ("result", Align::Left)];
    print::say(&format!("\n{}", table(&columns, &rows).trim_end()))?;
    let seconds: f64 = taken.iter().map(|one| one.seconds).sum();
    print::say(&format!("{} in all. `dojo open tour` shows it in the studio.", duration(seconds)))?;
    let failed = taken.iter().any(|one| one.outcome == StepOutcome::Failed);
    Ok(if failed { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
