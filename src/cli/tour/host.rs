//! Who takes the tour: a person at a terminal, or nobody.

use anyhow::{Context, Result};

use super::chart::LiveChart;
use crate::app::tour::TourHost;
use crate::app::train::host::Listener;
use crate::cli::print;
use crate::cli::progress::Pull;
use crate::domain::run::RunFolder;
use crate::engine::hub::PullProgress;
use crate::ui::widgets::text;

/// Whether a person is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    ForEnter,
    Never,
}

/// What a person wants of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    Skip,
    Quit,
}

/// Prints what comes of a tour, and asks whoever is there.
pub(super) struct TourScreen {
    waits: Waits,
}

impl TourScreen {
    pub(super) const fn new(waits: Waits) -> Self {
        Self { waits }
    }

    /// Waits for Enter.
    pub(super) fn ask_to_go_on(&self) -> Result<Answer> {
        if self.waits == Waits::Never {
            return Ok(Answer::Yes);
        }
        loop {
            let answer = typed("Enter goes on, s skips this, q quits: ")?;
            match answer.as_deref().map(str::trim) {
                Some("") => return Ok(Answer::Yes),
                Some("s") => return Ok(Answer::Skip),
                // Whoever ends the input has left.
                Some("q") | None => return Ok(Answer::Quit),
                Some(_) => {}
            }
        }
    }
}

impl TourHost for TourScreen {
    fn say(&mut self, text: &str) -> Result<()> {
        print::say(text)
    }

    fn say_beside(&mut self, left: (&str, &str), right: (&str, &str)) -> Result<()> {
        print::say(&beside(left, right, width()))
    }

    fn note(&mut self, text: &str) {
        print::complain(text);
    }

    fn agrees(&mut self, question: &str) -> Result<bool> {
        if self.waits == Waits::Never {
            return Ok(true);
        }
        let answer = typed(&format!("{question} Enter is yes, n is no: "))?;
        Ok(answer.is_some_and(|answer| matches!(answer.trim(), "" | "y" | "yes")))
    }

    fn follows(&mut self, run: &RunFolder, figure: &'static str) -> Box<dyn Listener> {
        Box::new(LiveChart::new(&run.name(), figure))
    }

    fn pulls(&mut self) -> Box<dyn PullProgress> {
        Box::new(Pull::new())
    }
}

/// A line that a person types; none once the input has ended.
fn typed(question: &str) -> Result<Option<String>> {
    print::say_keys(question)?;
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line).context("read what was typed")?;
    Ok((read > 0).then_some(line))
}

/// Columns of the terminal; a hundred where there is none.
pub(super) fn width() -> usize {
    crossterm::terminal::size().map_or(100, |(columns, _)| usize::from(columns)).clamp(40, 160)
}

/// Two columns, each as wide as half of what there is.
fn beside(left: (&str, &str), right: (&str, &str), width: usize) -> String {
    let half = width.saturating_sub(3) / 2;
    let column = |(title, words): (&str, &str)| {
        let mut lines = vec![title.to_owned(), "─".repeat(half)];
        lines.extend(text::wrap(words.trim(), half));
        lines
    };
    let (left, right) = (column(left), column(right));
    let mut out = String::new();
    for row in 0..left.len().max(right.len()) {
        let one = left.get(row).map_or("", String::as_str);
        let other = right.get(row).map_or("", String::as_str);
        let space = " ".repeat(half.saturating_sub(text::width(one)));
        out.push_str(format!("{one}{space} │ {other}").trim_end());
        out.push('\n');
    }
    out
}
