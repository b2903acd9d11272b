//! Log-probabilities of preference pairs under the policy and the reference, as TRL's DPO reads them.

use dojo_studio::data::chat::{ChatTemplate, RenderEnding};
use dojo_studio::domain::batch::{PackedBatch, TokenExample};
use dojo_studio::domain::message::Message;
use dojo_studio::domain::recipe::PreferenceLoss;
use dojo_studio::engine::adapter::Adapter;
use dojo_studio::engine::model::{self, OpenModel};
use dojo_studio::engine::train::objective::{PairScores, pair_loss};
use dojo_studio::engine::train::step::{DecoderStudent, StepOptions};
use dojo_studio::engine::train::student::Student;
use serde::Deserialize;

use crate::support::models::{golden, smollm2};

/// The bound on a log-probability summed over a whole answer, in nats.
const TOLERANCE: f64 = 0.02;
const LOSS_TOLERANCE: f64 = 1e-3;

#[derive(Deserialize)]
struct Golden {
    beta: f64,
    max_length: usize,
    pairs: Vec<Pair>,
}

#[derive(Deserialize)]
struct Pair {
    messages_chosen: Vec<Message>,
    messages_rejected: Vec<Message>,
    policy_logp_chosen: f64,
    policy_logp_rejected: f64,
    reference_logp_chosen: f64,
    reference_logp_rejected: f64,
    #[serde(rename = "sigmoid_loss_beta_0.1")]
    sigmoid_loss: f64,
}

struct World {
    model: OpenModel,
    template: ChatTemplate,
    student: DecoderStudent,
    max_length: usize,
}

impl World {
    fn open(model: OpenModel, max_length: usize) -> Self {
        let template = model.template.compile().expect("compile").expect("a chat template");
        let student = DecoderStudent::open(&model, StepOptions::default()).expect("read the weights");
        Self { model, template, student, max_length }
    }

    fn ids(&self, messages: &[Message], ending: RenderEnding) -> Vec<u32> {
        let text = self.template.render(messages, ending).expect("render");
        self.model.tokenizer.encode(text, false).expect("encode").get_ids().to_vec()
    }

    /// The reference counts everything after the generation prompt, the line break after the turn too.
    fn example(&self, messages: &[Message]) -> TokenExample {
        let prompt = self.ids(&messages[..messages.len() - 1], RenderEnding::GenerationPrompt);
        let mut tokens = self.ids(messages, RenderEnding::Complete);
        assert_eq!(tokens[..prompt.len()], prompt);
        tokens.truncate(self.max_length);
        let trained = (0..tokens.len()).map(|at| at >= prompt.len()).collect();
        TokenExample { source: "golden".to_owned(), tokens, trained }
    }

    fn log_probability(&mut self, adapter: &Adapter, messages: &[Message]) -> f64 {
        let batch = PackedBatch::pack(&[self.example(messages)]);
        -self.student.evaluate(adapter, &batch).expect("evaluate").nll
    }
}

fn near(what: &str, ours: f64, theirs: f64, tolerance: f64) {
    assert!((ours - theirs).abs() <= tolerance, "{what}: {ours}, the reference says {theirs}");
}

#[test]
fn the_log_probabilities_of_preference_pairs_are_the_references() {
    let (Some(folder), Some(files)) = (golden(), smollm2()) else { return };
    let text = std::fs::read_to_string(folder.join("dpo.json")).expect("read dpo.json");
    let golden: Golden = serde_json::from_str(&text).expect("parse dpo.json");
    let mut world = World::open(model::open(&files).expect("open SmolLM2"), golden.max_length);
    let policy = Adapter::load(&folder.join("final_adapter"), &world.model.config).expect("load the adapter");
    let mut base =
        Adapter::load(&folder.join("final_adapter"), &world.model.config).expect("load the adapter");
    base.values.fill(0.0);
    for pair in &golden.pairs {
        let policy_chosen = world.log_probability(&policy, &pair.messages_chosen);
        let policy_rejected = world.log_probability(&policy, &pair.messages_rejected);
        let base_chosen = world.log_probability(&base, &pair.messages_chosen);
        let base_rejected = world.log_probability(&base, &pair.messages_rejected);
        near("policy, chosen", policy_chosen, pair.policy_logp_chosen, TOLERANCE);
        near("policy, rejected", policy_rejected, pair.policy_logp_rejected, TOLERANCE);
        near("base, chosen", base_chosen, pair.reference_logp_chosen, TOLERANCE);
        near("base, rejected", base_rejected, pair.reference_logp_rejected, TOLERANCE);
        let scores = PairScores {
            policy: [policy_chosen, policy_rejected],
            reference: [base_chosen, base_rejected],
            tokens: [1, 1],
        };
        let loss = pair_loss(PreferenceLoss::Sigmoid, &scores, golden.beta, 0.0).loss;
        near("loss", loss, pair.sigmoid_loss, LOSS_TOLERANCE);
    }
}
