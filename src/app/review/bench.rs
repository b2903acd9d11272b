//! `dojo bench teacher`: how many questions a second go to an endpoint that takes its time, and what memory does
//! meanwhile. The endpoint is this program's own, on a thread beside it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::domain::message::{Message, Role};
use crate::domain::teacher::TeacherSettings;
use crate::ground::memory;
use crate::teacher::Speaker;
use crate::teacher::budget::Budget;
use crate::teacher::cache::AnswerCache;
use crate::teacher::client::Teacher;
use crate::teacher::clock::MachineClock;
use crate::teacher::course::{JobFact, JobPatience, JobWatch, TeacherJobEnd, run};
use crate::teacher::request::Request;

/// What is asked, and how.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub requests: u64,
    pub at_once: usize,
    /// The endpoint's time for an answer.
    pub delay: Duration,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Throughput {
    pub requests: u64,
    pub seconds: f64,
    pub requests_per_second: f64,
    /// What an endpoint of this delay allows with so many at once.
    pub ceiling: f64,
    /// Resident memory of the whole program, the endpoint included, after a fifth of the questions and at the end.
    pub early_megabytes: f64,
    pub late_megabytes: f64,
}

/// Asks the endpoint, keeps every answer in a cache file in `folder`.
///
/// # Errors
/// Where no port is free, the cache can't be written, or a question isn't answered.
pub fn measure(folder: &Path, load: Load) -> Result<Throughput> {
    let address = endpoint(load.delay, |_| r#"{"predicted_label": 1}"#.to_owned())?;
    let text = format!(
        "base_url = \"http://{address}/v1\"\nmodel = \"bench\"\nconcurrency = {}\njson_schema = false\n",
        load.at_once
    );
    let settings: TeacherSettings = toml::from_str(&text).context("settings of the endpoint")?;
    let cache = Arc::new(AnswerCache::open(folder).context("make a cache")?);
    let clock = Arc::new(MachineClock::default());
    let teacher = Teacher::new("bench", settings, None, cache, Budget::default(), clock)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let begun = Instant::now();
    let (mut done, mut early) = (0, 0.0);
    let stop = AtomicBool::new(false);
    let asked = async |number: u64| teacher.ask(&question(number)).await;
    let speakers: [&dyn Speaker; 1] = [&teacher];
    let patience = JobPatience::default();
    let watch = JobWatch { at_once: load.at_once, stop: &stop, speakers: &speakers, patience };
    let ended = runtime.block_on(run(0..load.requests, watch, asked, |fact| {
        done += u64::from(matches!(fact, JobFact::Done(..)));
        if done == load.requests.div_ceil(5) {
            early = megabytes();
        }
        Ok(())
    }))?;
    ensure!(ended == TeacherJobEnd::Finished, "the endpoint stopped answering: {ended:?}");
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Throughput {
        requests: load.requests,
        seconds,
        requests_per_second: load.requests as f64 / seconds,
        ceiling: load.at_once as f64 / load.delay.as_secs_f64(),
        early_megabytes: early,
        late_megabytes: megabytes(),
    })
}

fn question(number: u64) -> Request {
    let text =
        format!("Premise: island {number} has a ferry in summer.\nHypothesis: it has none in January.");
    Request {
        messages: vec![Message::new(Role::System, "Answer with JSON."), Message::new(Role::User, text)],
        max_tokens: 100,
        temperature: 0.0,
        schema: None,
        draw: 0,
    }
}

pub(in crate::app) fn megabytes() -> f64 {
    memory::resident_gb() * 1e3
}

/// Answers every question after the delay, on a thread of its own, until the program ends. What is answered is made of the
/// request's body.
pub(in crate::app) fn endpoint(
    delay: Duration,
    answer: impl Fn(&Value) -> String + Clone + Send + Sync + 'static,
) -> Result<SocketAddr> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (tell, told) = mpsc::sync_channel(1);
    std::thread::Builder::new().name("bench endpoint".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let answer = async move |Json(body): Json<Value>| {
                if delay > Duration::ZERO {
                    tokio::time::sleep(delay).await;
                }
                Json(json!({
                    "model": "bench",
                    "choices": [{
                        "message": {"role": "assistant", "content": answer(&body)},
                        "finish_reason": "stop",
                    }],
                    "usage": {"prompt_tokens": 40, "completion_tokens": 10},
                }))
            };
            let router = Router::new().route("/v1/chat/completions", post(answer));
            let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
            let bound = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
            match bound {
                Ok((address, listener)) => {
                    tell.send(Ok(address)).ok();
                    if let Err(error) = axum::serve(listener, router).await {
                        tracing::error!("the endpoint of the measurement ended: {error}");
                    }
                }
                Err(error) => drop(tell.send(Err(error))),
            }
        });
    })?;
    told.recv().context("start the endpoint's thread")?.context("find a free port")
}
