//! A job's progress on standard error: a bar where a person sees it, else a line now and then while nothing comes.

use std::io::IsTerminal;

use super::print;
use crate::app::review::JobProgress;

/// Progress of something that is only counted.
pub(super) fn counting() -> impl FnMut(u64, u64) {
    let mut bar = of_job();
    move |done, all| bar(JobProgress { done, all, silence: None })
}

/// Progress of a job that others answer.
pub(super) fn of_job() -> impl FnMut(JobProgress) {
    let style = indicatif::ProgressStyle::with_template("{bar:30} {pos}/{len}  {per_sec}  {eta} left  {msg}");
    let bar = indicatif::ProgressBar::new(0);
    if let Ok(style) = style {
        bar.set_style(style);
    }
    let is_seen = std::io::stderr().is_terminal();
    let mut next = 0;
    move |JobProgress { done, all, silence }| {
        bar.set_length(all);
        bar.set_position(done);
        match silence {
            None => {
                next = 0;
                bar.set_message("");
            }
            Some(silence) if is_seen => bar.set_message(silence.words),
            Some(silence) if silence.seconds >= next => {
                print::complain(&silence.words);
                // Rarer the longer it takes.
                next = (silence.seconds * 2).max(1);
            }
            Some(_) => {}
        }
        if done == all {
            bar.finish_and_clear();
        }
    }
}
