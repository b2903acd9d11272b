//! A model of this machine answers: many items at once, greedy or drawn, and how likely it finds given texts. What it said
//! before to the same tokens, under the same version, is taken from what is kept.

use std::cell::RefCell;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::EvaluationHost;
use super::candidates::LocalCandidate;
use super::plan::{PlannedPart, version};
use super::run::{Counter, StoppedByPerson};
use crate::app::local_model::PromptedModel;
use crate::app::train::base_difference;
use crate::config::Folders;
use crate::domain::evaluation::EvaluationOrder;
use crate::domain::teacher::Money;
use crate::engine::generate::{Completion, Finish, GenerateRequest, complete_each};
use crate::engine::hub::{self, Silent};
use crate::engine::model::{self, ModelIdentity, OpenModel};
use crate::eval::MetricNeed;
use crate::eval::scoring::{ChoiceLikelihood, ItemAnswers, ModelAnswer};
use crate::ground::{clock, hash, random};
use crate::teacher::cache::AnswerCache;
use crate::teacher::request::{RequestHash, TeacherAnswer};

/// A model that is loaded.
pub(super) struct LocalAnswerer {
    model: PromptedModel,
    pub(super) version: String,
    pub(super) notes: Vec<String>,
}

/// What a model is asked with.
pub(super) struct Asking<'a> {
    pub(super) part: &'a PlannedPart,
    pub(super) order: &'a EvaluationOrder,
    pub(super) cache: &'a AnswerCache,
}

/// What an adapter's numbers and form are in.
const ADAPTER_FILES: [&str; 4] =
    ["adapter_config.json", "adapter_model.safetensors", "adapter_model.bin", "tokenizer.json"];

impl LocalAnswerer {
    /// Finds and loads a model.
    ///
    /// # Errors
    /// If it or its adapter can't be found or read.
    pub(super) fn open(
        folders: &Folders,
        candidate: &LocalCandidate,
        host: &EvaluationHost<'_>,
    ) -> Result<Self> {
        let files = hub::resolve(&folders.models(), &candidate.base, host.network, &mut Silent)?;
        let open = model::open(&files)?;
        let mut notes: Vec<String> = open.notices.all().map(str::to_owned).collect();
        let difference = candidate.run.as_ref().map(|run| base_difference(run, &open)).transpose()?.flatten();
        notes.extend(
            difference.map(|difference| {
                format!("the base isn't the one that the run was trained on: {difference}")
            }),
        );
        let adapter = candidate.adapter.as_deref();
        let version = version_of(&open, adapter)?;
        let model = PromptedModel::of(open, adapter)?;
        if !model.prompter.has_template() {
            notes.push("it has no chat template: it is asked with the plain text of the turns".to_owned());
        } else if model.prompter.reads_setting("enable_thinking") {
            notes.push(
                "its template can let it think first: it is told not to (enable_thinking = false)".to_owned(),
            );
        }
        Ok(Self { model, version, notes })
    }

    /// Answers a part, and gives the seconds and the number of answers that were computed.
    ///
    /// # Errors
    /// [`StoppedByPerson`] when a person wants it; else if the model fails or answers can't be kept.
    pub(super) fn answer(
        &mut self,
        asking: &Asking<'_>,
        items: &mut [ItemAnswers],
        (host, counter): (&mut EvaluationHost<'_>, &mut Counter),
    ) -> Result<(f64, u64)> {
        let prompts: Vec<Result<Vec<u32>>> =
            asking.part.questions.iter().map(|one| self.model.prompt(&one.messages, "\n\n")).collect();
        let mut spent = (0.0, 0);
        for need in [MetricNeed::Answers, MetricNeed::Choices, MetricNeed::Reference] {
            if asking.part.questions_of(need) == 0 {
                continue;
            }
            let begun = Instant::now();
            let computed = match need {
                MetricNeed::Answers => {
                    self.write_answers(asking, &prompts, items, (&mut *host, &mut *counter))?
                }
                MetricNeed::Choices | MetricNeed::Reference => {
                    self.likelihoods(need, asking, &prompts, items, (&mut *host, &mut *counter))?;
                    0
                }
            };
            if computed > 0 {
                spent = (spent.0 + begun.elapsed().as_secs_f64(), spent.1 + computed);
            }
        }
        Ok(spent)
    }

    fn write_answers(
        &mut self,
        asking: &Asking<'_>,
        prompts: &[Result<Vec<u32>>],
        items: &mut [ItemAnswers],
        (host, counter): (&mut EvaluationHost<'_>, &mut Counter),
    ) -> Result<u64> {
        let (mut requests, mut places) = (Vec::new(), Vec::new());
        for (at, (prompt, item)) in prompts.iter().zip(items.iter_mut()).enumerate() {
            let request = match prompt {
                Ok(tokens) => self.request(tokens, asking.order),
                Err(error) => Err(anyhow::anyhow!("{error:#}")),
            };
            match request {
                Err(error) => {
                    item.failed = Some(format!("{error:#}"));
                    counter.one(host);
                }
                Ok(request) => {
                    let key = self.key(&answer_key(&request, asking.order));
                    if let Some(kept) = asking.cache.get(&key).context("read a kept answer")? {
                        item.answer = Some(of_kept(kept));
                        counter.one(host);
                    } else {
                        requests.push(request);
                        places.push((at, key));
                    }
                }
            }
        }
        let computed = requests.len() as u64;
        let version = self.version.clone();
        let found = RefCell::new((items, counter, host, None));
        let mut done = |request: usize, completions: &[Completion]| {
            let (items, counter, host, failed) = &mut *found.borrow_mut();
            let (Some((at, key)), Some(completion)) = (places.get(request), completions.first()) else {
                return;
            };
            let Some(item) = items.get_mut(*at) else { return };
            if let Finish::Failed(fault) = completion.why {
                item.failed = Some(fault.sentence().to_owned());
            } else {
                let answer = kept_answer(completion, &version);
                *failed = asking.cache.put(key, &answer, clock::milliseconds()).err();
                item.answer = Some(of_kept(answer));
            }
            counter.one(host);
        };
        let mut tick = |_| {
            let (_, _, host, failed) = &mut *found.borrow_mut();
            if host.stop.load(Ordering::Relaxed) {
                bail!(StoppedByPerson);
            }
            match failed.take() {
                Some(error) => Err(anyhow::Error::new(error).context("keep an answer")),
                None => Ok(()),
            }
        };
        complete_each(&mut self.model.generator, requests, &mut done, &mut tick)?;
        Ok(computed)
    }

    fn request(&self, tokens: &[u32], order: &EvaluationOrder) -> Result<GenerateRequest> {
        let context = self.model.generator.context();
        ensure!(
            tokens.len() < context,
            "the prompt has {} tokens, and the model reads {context}",
            tokens.len()
        );
        let mut request = GenerateRequest::new(tokens.to_vec(), order.max_new_tokens as usize);
        request.adapter = self.model.adapter;
        request.sampling.temperature = order.temperature;
        // By what is asked, so that an item's answer doesn't depend on the items beside it.
        let words = tokens.iter().map(|&token| u64::from(token));
        request.sampling.seed = random::combine(&[order.seed, hash::Fnv::of(words)]);
        request.sampling.check()?;
        Ok(request)
    }

    /// Names what is asked of this model.
    fn key(&self, asked: &Value) -> RequestHash {
        let whole = json!(["evaluation", self.version, asked]);
        RequestHash(Sha256::digest(whole.to_string().as_bytes()).into())
    }

    fn likelihoods(
        &mut self,
        need: MetricNeed,
        asking: &Asking<'_>,
        prompts: &[Result<Vec<u32>>],
        items: &mut [ItemAnswers],
        (host, counter): (&mut EvaluationHost<'_>, &mut Counter),
    ) -> Result<()> {
        let part = asking.part;
        for ((prompt, question), item) in prompts.iter().zip(&part.questions).zip(items) {
            if host.stop.load(Ordering::Relaxed) {
                bail!(StoppedByPerson);
            }
            counter.one(host);
            let texts: Vec<&str> = match need {
                MetricNeed::Reference => question.reference.iter().map(String::as_str).collect(),
                MetricNeed::Choices | MetricNeed::Answers => {
                    part.choices.iter().map(|(_, text)| text.as_str()).collect()
                }
            };
            if texts.is_empty() {
                continue;
            }
            let found = match prompt {
                Ok(tokens) => self.likelihood_of(tokens, &texts, asking.cache),
                Err(error) => Err(anyhow::anyhow!("{error:#}")),
            };
            match (found, need) {
                (Err(error), _) => item.failed = Some(format!("{error:#}")),
                (Ok(found), MetricNeed::Reference) => {
                    item.reference = found.first().map(|(likelihood, tokens)| (-likelihood, *tokens));
                }
                (Ok(found), MetricNeed::Choices | MetricNeed::Answers) => {
                    let choice = |((label, text), (likelihood, _)): (&(String, String), (f64, u64))| {
                        ChoiceLikelihood {
                            label: label.clone(),
                            log_likelihood: likelihood,
                            bytes: text.len() as u64,
                        }
                    };
                    item.choices = Some(part.choices.iter().zip(found).map(choice).collect());
                }
            }
        }
        Ok(())
    }

    /// The log-likelihood, in nats, and the tokens of each text after a prompt.
    fn likelihood_of(
        &mut self,
        prompt: &[u32],
        texts: &[&str],
        cache: &AnswerCache,
    ) -> Result<Vec<(f64, u64)>> {
        let key = self.key(&json!(["likelihood", prompt, texts]));
        if let Some(kept) = cache.get(&key).context("read a kept answer")? {
            return serde_json::from_str(&kept.text).context("read a kept likelihood");
        }
        let prompter = &self.model.prompter;
        let tokens: Vec<Vec<u32>> =
            texts.iter().map(|text| prompter.continuation(text)).collect::<Result<_>>()?;
        let sums = self.model.generator.log_likelihoods_of(prompt, &tokens, self.model.adapter)?;
        ensure!(
            sums.iter().all(|sum| !sum.is_nan()),
            "the model gives numbers that are none (NaN): its weights, or the adapter's, are damaged or too large"
        );
        let found: Vec<(f64, u64)> =
            sums.into_iter().zip(&tokens).map(|(sum, tokens)| (sum, tokens.len() as u64)).collect();
        let answer = TeacherAnswer {
            text: serde_json::to_string(&found)?,
            model: self.version.clone(),
            finish: "likelihood".to_owned(),
            prompt_tokens: prompt.len() as u64,
            answer_tokens: 0,
            cost: Money::default(),
        };
        cache.put(&key, &answer, clock::milliseconds()).context("keep a likelihood")?;
        Ok(found)
    }
}

fn answer_key(request: &GenerateRequest, order: &EvaluationOrder) -> Value {
    // Greedy answers are the same whatever the seed.
    let seed = (order.temperature > 0.0).then_some(request.sampling.seed);
    json!(["answer", request.prompt, request.max_tokens, order.temperature, seed])
}

fn kept_answer(completion: &Completion, version: &str) -> TeacherAnswer {
    let finish = match completion.why {
        Finish::EndToken | Finish::StopText => "stop",
        Finish::Length => "length",
        Finish::Context => "context",
        Finish::Cancelled | Finish::Failed(_) => "cancelled",
    };
    TeacherAnswer {
        text: completion.text.clone(),
        model: version.to_owned(),
        finish: finish.to_owned(),
        prompt_tokens: completion.usage.prompt_tokens as u64,
        answer_tokens: completion.usage.completion_tokens as u64,
        cost: Money::default(),
    }
}

pub(super) fn of_kept(kept: TeacherAnswer) -> ModelAnswer {
    ModelAnswer { text: kept.text, tokens: kept.answer_tokens, finish: kept.finish }
}

/// What tells this model from all others: weights, tokenizer, template, and the adapter's files to the byte.
fn version_of(open: &OpenModel, adapter: Option<&Path>) -> Result<String> {
    let identity = ModelIdentity::of(&open.config, open.weights.as_ref())?;
    let tokenizer = open.tokenizer.to_string(false).map_err(|error| anyhow::anyhow!("{error}"))?;
    let template = &open.template.text;
    let mut files = Vec::new();
    for name in ADAPTER_FILES {
        let Some(path) = adapter.map(|folder| folder.join(name)).filter(|path| path.is_file()) else {
            continue;
        };
        let bytes = std::fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        let hash: Vec<u8> = Sha256::digest(&bytes).to_vec();
        files.push(json!([name, hash]));
    }
    let tokenizer = hash::of_bytes(tokenizer.as_bytes());
    Ok(version(&json!([identity, tokenizer, template, open.config.eos, open.config.bos, files])))
}
