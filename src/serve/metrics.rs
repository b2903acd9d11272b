//! Counters for Prometheus.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::SharedService;

/// All counters since the start.
#[derive(Default)]
pub(crate) struct Metrics {
    pub requests: AtomicU64,
    pub refused: AtomicU64,
    pub cancelled: AtomicU64,
    pub prompt_tokens: AtomicU64,
    pub cached_tokens: AtomicU64,
    pub generated_tokens: AtomicU64,
    pub running: AtomicU64,
    pub waiting: AtomicU64,
    pub first_tokens: AtomicU64,
    pub first_token_microseconds: AtomicU64,
    pub loads: AtomicU64,
    pub failed_loads: AtomicU64,
    pub unloads: AtomicU64,
}

impl Metrics {
    pub(crate) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// One part of a sum is another number now.
    pub(crate) fn change(gauge: &AtomicU64, before: usize, now: usize) {
        gauge.fetch_add((now as u64).wrapping_sub(before as u64), Ordering::Relaxed);
    }

    fn text(&self) -> String {
        let counters = [
            ("dojo_requests_total", "Requests taken", &self.requests),
            ("dojo_requests_refused_total", "Requests refused by the generator or the queue", &self.refused),
            ("dojo_requests_cancelled_total", "Requests whose client went away", &self.cancelled),
            ("dojo_prompt_tokens_total", "Tokens of prompts", &self.prompt_tokens),
            ("dojo_cached_tokens_total", "Tokens of prompts taken from the cache", &self.cached_tokens),
            ("dojo_generated_tokens_total", "Tokens generated", &self.generated_tokens),
            ("dojo_first_tokens_total", "Answers that have begun", &self.first_tokens),
            ("dojo_model_loads_total", "Models loaded", &self.loads),
            ("dojo_model_load_failures_total", "Models that could not be loaded", &self.failed_loads),
            ("dojo_model_unloads_total", "Models unloaded", &self.unloads),
        ];
        let gauges = [
            ("dojo_running", "Choices in progress", &self.running),
            ("dojo_waiting", "Choices that wait for room", &self.waiting),
        ];
        let mut text = String::new();
        let read = |value: &AtomicU64| value.load(Ordering::Relaxed);
        for (kind, list) in [("counter", &counters[..]), ("gauge", &gauges[..])] {
            for (name, help, value) in list {
                let value = read(value);
                writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}").ok();
            }
        }
        let name = "dojo_first_token_seconds_total";
        let seconds = read(&self.first_token_microseconds) as f64 / 1e6;
        writeln!(text, "# HELP {name} Time to first tokens, summed\n# TYPE {name} counter\n{name} {seconds}")
            .ok();
        text
    }
}

/// Which models are loaded.
fn loaded<'a>(models: impl Iterator<Item = (&'a str, bool)>) -> String {
    let name = "dojo_model_loaded";
    let mut text = format!("# HELP {name} Whether a model is loaded\n# TYPE {name} gauge\n");
    for (model, is_loaded) in models {
        let model = model.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        writeln!(text, "{name}{{model=\"{model}\"}} {}", u8::from(is_loaded)).ok();
    }
    text
}

pub(crate) async fn show(State(service): State<SharedService>) -> impl IntoResponse {
    let text = service.metrics.text() + &loaded(service.shelf.loaded().into_iter());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
