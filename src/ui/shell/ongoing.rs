//! What goes on: training runs that live, and jobs. The header says it in a few words, the drawer whole.

use crate::app::store::{JobRow, Store, Wish};
use crate::domain::protocol::system::JobId;
use crate::domain::protocol::{Command, SystemCommand};
use crate::domain::run::Standing;
use crate::domain::run_info::{RunId, RunInfo};
use crate::ui::pane::Effect;
use crate::ui::stopping;
use crate::ui::widgets::text;

/// A thing that goes on, or a job that has ended.
#[derive(Clone, Copy)]
pub(crate) enum Ongoing<'s> {
    /// With its session's name, if that is another than the open one.
    Run(&'s RunInfo, Option<&'s str>),
    Job(&'s JobRow),
}

/// Names one of them as long as it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    Run(RunId),
    Job(JobId),
}

/// Runs that live, those of other sessions after this one's, then all jobs, the newest first.
pub(crate) fn all(store: &Store) -> Vec<Ongoing<'_>> {
    let own = store.runs.all().into_iter().filter(|run| run.standing().is_live());
    let own = own.map(|run| Ongoing::Run(run, None));
    let others = store.runs.elsewhere().iter().map(|one| Ongoing::Run(&one.run, Some(&one.session)));
    own.chain(others).chain(store.jobs.rows().iter().rev().map(Ongoing::Job)).collect()
}

/// Those that move now: what the header is about.
fn moving(store: &Store) -> Vec<Ongoing<'_>> {
    let moves = |one: &Ongoing<'_>| match one {
        Ongoing::Run(run, _) => matches!(run.standing(), Standing::Starting | Standing::Running),
        Ongoing::Job(row) => row.end.is_none(),
    };
    all(store).into_iter().filter(moves).collect()
}

/// The sign for the header, from the longest words to the shortest: `● sft-0412 38% 6m`, `● 38% 6m`, `● 38%`, `●`. Empty
/// while nothing goes on.
pub(crate) fn signs(store: &Store) -> Vec<String> {
    let moving = moving(store);
    let Some(first) = moving.first() else { return Vec::new() };
    let others = moving.len() - 1;
    let more = if others > 0 { format!(" +{others}") } else { String::new() };
    let (what, figures) = (first.what(), first.figures(store.now));
    let word = what.split(' ').next().unwrap_or_default().to_owned();
    let long = [what.as_str(), figures.as_str()].map(str::trim).join(" ");
    let short = if figures.is_empty() { word } else { figures };
    let shortest = short.split(' ').next().unwrap_or_default();
    let mut signs: Vec<String> =
        [long.trim(), &short, shortest].map(|words| format!("● {words}{more}")).into();
    signs.push(format!("●{more}"));
    signs.dedup();
    signs
}

impl Ongoing<'_> {
    pub(crate) fn name(&self) -> Named {
        match self {
            Self::Run(run, _) => Named::Run(run.id.clone()),
            Self::Job(row) => Named::Job(row.job.id),
        }
    }

    /// What it is, with its object.
    pub(crate) fn what(&self) -> String {
        match self {
            Self::Run(run, None) => run.id.name(),
            Self::Run(run, Some(session)) => format!("{} in {session}", run.id.name()),
            Self::Job(row) => row.job.what.clone(),
        }
    }

    /// 0 to 1.
    pub(crate) fn share(&self) -> Option<f64> {
        match self {
            Self::Run(run, _) => {
                let state = run.state.as_ref()?;
                if run.standing() == Standing::Starting && state.start_share.is_some() {
                    return state.start_share.map(|share| share.clamp(0.0, 1.0));
                }
                let state = Some(state).filter(|state| state.total_steps > 0 && state.step > 0)?;
                Some(state.step as f64 / state.total_steps as f64)
            }
            Self::Job(row) => row.share(),
        }
    }

    pub(crate) fn seconds_left(&self, now: f64) -> Option<f64> {
        match self {
            Self::Run(run, _) => run.seconds_left(),
            Self::Job(row) => row.seconds_left(now),
        }
    }

    /// `38% 6m`, as far as it is known.
    fn figures(&self, now: f64) -> String {
        let share = self.share().map(|share| format!("{}%", (share * 100.0) as u32));
        let left = self.seconds_left(now).map(text::coarse);
        let doing = match self {
            Self::Run(run, _) if run.is_stopping() => Some("stopping".to_owned()),
            Self::Run(run, _) if run.is_pausing() => Some("pausing".to_owned()),
            Self::Run(run, _) if run.standing() == Standing::Starting => Some("starting".to_owned()),
            Self::Run(..) | Self::Job(_) => None,
        };
        [doing, share, left].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// What stops it, for a run after a question; `None` for what has ended, was asked already, or can't be stopped.
    pub(crate) fn stop(&self) -> Option<Effect> {
        match self {
            Self::Run(run, _) => Some(Effect::Ask(stopping::question(run, &self.what()))),
            Self::Job(row) => {
                let can = row.wish == Wish::GoOn && row.end.is_none();
                can.then(|| Effect::Send(Command::System(SystemCommand::StopJob(row.job.id))))
            }
        }
    }
}
