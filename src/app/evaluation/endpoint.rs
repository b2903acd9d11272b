//! An endpoint answers: the teachers' client asks, keeps every answer before it is used, and says what it waits for.

use std::cell::RefCell;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};

use super::EvaluationHost;
use super::engine::of_kept;
use super::plan::PlannedPart;
use super::run::{Counter, StoppedByPerson};
use crate::domain::evaluation::EvaluationOrder;
use crate::eval::MetricNeed;
use crate::eval::scoring::ItemAnswers;
use crate::teacher::Speaker;
use crate::teacher::course::{JobFact, JobPatience, JobWatch, TeacherJobEnd, run};
use crate::teacher::request::{Request, TeacherAnswer};

/// What an endpoint can't be asked.
const NO_LIKELIHOODS: &str = "an endpoint says no likelihoods of texts: only a model of this machine does";

/// Answers a part, and gives the seconds and the number of answers that were asked for now.
///
/// # Errors
/// [`StoppedByPerson`] when a person wants it; else if nothing more can be asked, in the client's words.
pub(super) fn answer(
    speaker: &dyn Speaker,
    (part, order): (&PlannedPart, &EvaluationOrder),
    items: &mut [ItemAnswers],
    (host, counter): (&mut EvaluationHost<'_>, &mut Counter),
) -> Result<(f64, u64)> {
    for need in [MetricNeed::Choices, MetricNeed::Reference] {
        for item in items.iter_mut().take(part.questions_of(need)) {
            item.no_likelihoods = Some(NO_LIKELIHOODS);
            counter.one(host);
        }
    }
    if part.questions_of(MetricNeed::Answers) == 0 {
        return Ok((0.0, 0));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (begun, before) = (Instant::now(), speaker.account().answers);
    let request = |at: &usize| {
        let question = part.questions.get(*at)?;
        Some(Request {
            messages: question.messages.clone(),
            max_tokens: order.max_new_tokens,
            temperature: f64::from(order.temperature),
            schema: None,
            draw: 0,
        })
    };
    let work = async |at: usize| match request(&at) {
        None => Ok(Err("there is no such question".to_owned())),
        Some(request) => match speaker.ask(&request).await {
            Ok(answer) => Ok(Ok(answer)),
            Err(error) if error.stops_job() => Err(error),
            Err(error) => Ok(Err(error.to_string())),
        },
    };
    let stop: &AtomicBool = host.stop;
    let speakers = [speaker];
    let watch =
        JobWatch { at_once: speaker.at_once(), stop, speakers: &speakers, patience: JobPatience::default() };
    let told = RefCell::new((items, host, counter));
    let tell = |fact: JobFact<usize, Result<TeacherAnswer, String>>| {
        let (items, host, counter) = &mut *told.borrow_mut();
        let Some((at, outcome)) = fact.result(|silence| counter.waits(host, silence)) else {
            return Ok(());
        };
        let item = items.get_mut(at).context("an answer to no item")?;
        match outcome {
            Ok(answer) => item.answer = Some(of_kept(answer)),
            Err(why) => item.failed = Some(why),
        }
        counter.one(host);
        Ok(())
    };
    let ended = runtime.block_on(run(0..part.questions.len(), watch, work, tell))?;
    let asked = speaker.account().answers - before;
    match ended {
        TeacherJobEnd::Finished => Ok((begun.elapsed().as_secs_f64(), asked)),
        TeacherJobEnd::Stopped => bail!(StoppedByPerson),
        TeacherJobEnd::Cut(error) => Err(anyhow!("{error}")),
    }
}
