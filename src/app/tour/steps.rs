//! The table of steps: what each is called, what is said of it, how a person does the same, and what it runs.

use anyhow::Result;

use super::{Tour, TourHost, data, export, library, measure, review, sides, training};

type RunStep = fn(&mut Tour, &mut dyn TourHost) -> Result<String>;

/// A step of the tour.
pub struct TourStep {
    pub name: &'static str,
    /// What happens and why, in a few plain sentences.
    pub about: &'static str,
    /// The commands that do the same.
    pub commands: &'static [&'static str],
    /// The keys in the studio that do the same.
    pub keys: &'static str,
    pub(super) run: RunStep,
}

/// In the order in which they are taken: what a later one needs, an earlier one makes.
pub const STEPS: [TourStep; 8] = [
    TourStep {
        name: "data",
        about: "Everything begins with examples. This brings in the sample's search queries, each with its expansion, \
                and looks for what spoils training: duplicates, and held-out prompts that are trained on too.",
        commands: &["dojo data --session tour import data.jsonl", "dojo data --session tour check"],
        keys: "1 goes to Data, x checks",
        run: data::run,
    },
    TourStep {
        name: "review",
        about: "A small model thought about a pair of sentences and went wrong; a larger one said where, and corrected \
                it. Nothing is learnt from that before you have read it and agreed: a wrong correction teaches mistakes.",
        commands: &["dojo review --session tour show", "dojo review --session tour approve 1"],
        keys: "2 goes to Review, Enter approves, Backspace rejects",
        run: review::run,
    },
    TourStep {
        name: "sft",
        about: "Supervised fine-tuning: the model sees query and expansion, and a small adapter (LoRA) beside its \
                weights is moved until the expansion is likelier. The loss is how surprised it still is; eval_loss is \
                the same on queries that it doesn't learn from.",
        commands: &["dojo train recipes/sft.toml"],
        keys: "3 goes to Train, e shows the recipes, t starts",
        run: training::sft,
    },
    TourStep {
        name: "before and after",
        about: "The same question to the model as it was and with the adapter. The query is in none of the examples: \
                what you see is the form that it learnt, and not an answer that it remembers.",
        commands: &["dojo chat --model smollm2-135m --adapter runs/tour-sft/adapter"],
        keys: "3 goes to Train, B chats with both side by side",
        run: sides::run,
    },
    TourStep {
        name: "grpo",
        about: "Examples teach the form; a reward teaches judgement. The model writes four expansions of each query, \
                a rule scores them, and it moves towards those that are better than their group. This is a taste of a \
                few steps: the reward goes up and down, and a real run takes hundreds.",
        commands: &["dojo train recipes/grpo.toml", "dojo reward audit query-expansion"],
        keys: "3 goes to Train, e shows the recipes, t starts; 5 then b scores a text as you type",
        run: training::grpo,
    },
    TourStep {
        name: "library",
        about: "What a model should know belongs into documents. These are cut into chunks and searched, the best \
                are shown to the model, and each sentence of its answer is held against them: a number in brackets \
                is a citation, and what is in no passage is said. So small a model often cites badly.",
        commands: &["dojo rag add documents --library tour", "dojo rag ask --library tour \"...\""],
        keys: "4 goes to Chat, l answers from the library, v reads the passages",
        run: library::run,
    },
    TourStep {
        name: "evaluation",
        about: "Did it get better, or does it only look so? All models get the same held-out queries and the reward \
                scores them. The brackets are a 95% interval: with six items it is wide, and where two overlap much, \
                nothing is shown yet.",
        commands: &[
            "dojo eval --session tour --model smollm2-135m --model tour-sft --task query-expansion --data data.jsonl",
        ],
        keys: "5 goes to Eval, n begins one, Enter opens the items",
        run: measure::run,
    },
    TourStep {
        name: "export",
        about: "To use the model elsewhere (llama.cpp, Ollama, LM Studio), the adapter is put into the weights and \
                written as a GGUF. What was written is loaded again and compared with what was trained: tokens, ends, \
                chat template, numbers.",
        commands: &["dojo export tour-grpo --to gguf:q8_0"],
        keys: "this has no key: it is done in a shell",
        run: export::run,
    },
];
