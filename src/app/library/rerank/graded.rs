//! A teacher that gives each passage a grade: several are asked for at once, and what isn't back in time is dropped.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures::StreamExt;
use futures::stream;
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::time::timeout_at;

use super::RerankJob;
use crate::rag::answer::plain;
use crate::teacher::Speaker;
use crate::teacher::prompt::Prompt;
use crate::teacher::request::Request;

/// Tokens of a grade.
const TOKENS: u32 = 16;
/// The best grade.
const BEST: f64 = 10.0;

/// Why a passage has no grade, and whether asking for others makes no sense either.
struct Ungraded {
    why: String,
    ends: bool,
}

pub(super) struct GradingTeacher {
    speaker: Arc<dyn Speaker>,
    prompt: Prompt,
    runtime: Runtime,
}

impl GradingTeacher {
    pub(super) fn new(speaker: Arc<dyn Speaker>, prompt: Prompt) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self { speaker, prompt, runtime: runtime.context("start asking the teacher")? })
    }

    /// Asks for the grades of passages until the time is over.
    pub(super) fn work(&self, job: &RerankJob) {
        self.runtime.block_on(async {
            let one = |(place, passage): (usize, &String)| {
                let passage = passage.clone();
                async move { (place, self.graded(&job.question, &passage).await) }
            };
            let asked: Vec<_> = job.passages.iter().enumerate().map(one).collect();
            let mut grades = stream::iter(asked).buffer_unordered(self.speaker.at_once().max(1));
            while let Ok(Some((place, graded))) = timeout_at(job.deadline.into(), grades.next()).await {
                let ends = matches!(graded, Err(Ungraded { ends: true, .. }));
                let told = graded.map_err(|ungraded| ungraded.why);
                if job.tell.send((place, told)).is_err() || ends || job.is_over() {
                    break;
                }
            }
        });
    }

    async fn graded(&self, question: &str, passage: &str) -> Result<f64, Ungraded> {
        let request = self.request(question, passage);
        let request = request.map_err(|error| Ungraded { why: format!("{error:#}"), ends: true })?;
        let answer = self.speaker.ask(&request).await;
        let answer = answer.map_err(|error| Ungraded { ends: error.stops_job(), why: error.to_string() })?;
        let said = answer.text.trim();
        let no_grade = || format!("it said {said:?}, which is no grade from 0 to 10");
        grade(said).ok_or_else(|| Ungraded { why: no_grade(), ends: false })
    }

    fn request(&self, question: &str, passage: &str) -> Result<Request> {
        let values = json!({ "question": plain(question), "passage": plain(passage) });
        let messages = self.prompt.turns(values)?;
        Ok(Request { messages, max_tokens: TOKENS, temperature: 0.0, schema: None, draw: 0 })
    }
}

/// The first number of an answer, if it is a grade.
fn grade(said: &str) -> Option<f64> {
    let start = said.find(|c: char| c.is_ascii_digit())?;
    let number: String = said.get(start..)?.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let grade: f64 = number.trim_end_matches('.').parse().ok()?;
    (0.0..=BEST).contains(&grade).then_some(grade)
}
