//! What a method makes before a step, and how it looks at what is held out: the trainer's side of it.

use anyhow::Result;

use super::host::{Host, HostRequest, TrainEvent};
use super::objective::{Examination, Making};
use super::trainer::{Flow, Trainer, loss_line};

impl Trainer<'_> {
    /// The step's own micro-batches; a checkpoint that is asked for meanwhile is saved afterwards.
    pub(super) fn make(
        &mut self,
        batches: Vec<Vec<usize>>,
        host: &mut dyn Host,
    ) -> Result<Option<Vec<Vec<usize>>>> {
        self.making(host, |making, objective| objective.make(batches, making))
    }

    /// Looks at the held-out items, if the method does so in its own way.
    pub(super) fn examine(&mut self, host: &mut dyn Host) -> Result<Option<Flow>> {
        let found = self.making(host, |making, objective| objective.examine(making))?;
        let figures = match found {
            Examination::ByLoss => return Ok(None),
            Examination::Stopped => return Ok(Some(Flow::Stop)),
            Examination::Done(figures) => figures,
        };
        let mut line =
            loss_line("", self.state.step, self.state.epoch, &super::objective::MetricSums::default());
        line.extend(figures);
        self.log(&line)?;
        self.state.evaluated = Some(self.state.step);
        host.report(&TrainEvent::Evaluated { line: &line, best: false });
        Ok(Some(Flow::GoOn))
    }

    fn making<T>(
        &mut self,
        host: &mut dyn Host,
        make: impl FnOnce(&mut Making<'_>, &mut dyn super::objective::Objective) -> Result<T>,
    ) -> Result<T> {
        let brake = host.brake();
        // A checkpoint that is asked for meanwhile is owed.
        let mut is_owed = false;
        let mut tick = || {
            let request = host.tick()?;
            is_owed |= request == HostRequest::Checkpoint;
            Ok(request != HostRequest::Stop)
        };
        let mut making = Making {
            step: self.state.step,
            adapter: &self.task.adapter,
            student: &mut *self.task.student,
            tick: &mut tick,
            brake: &*brake,
        };
        let made = make(&mut making, &mut *self.task.objective)?;
        if is_owed {
            self.save(host)?;
        }
        Ok(made)
    }
}
