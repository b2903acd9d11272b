//! A model's card: what it is, what it was made of and how, in the form that the hub reads.

use std::fmt::Write as _;

/// What a card says beside what the files say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelFacts {
    /// What people will call it.
    pub name: String,
    /// The base by the hub's name, or as people gave it.
    pub base: String,
    /// Of the base, as the hub has it (`apache-2.0`), if it is known.
    pub licence: Option<String>,
    /// How the adapters were put together, a line each; none if there is no adapter.
    pub adapters: Vec<String>,
    /// What it was trained on, a line each.
    pub data: Vec<String>,
    /// The recipe as TOML.
    pub recipe: Option<String>,
    /// What the run measured, by names.
    pub metrics: Vec<(String, String)>,
}

/// What a card is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardOf {
    Model,
    Adapter,
}

/// The card as Markdown, with the hub's keys before it.
#[must_use]
pub fn card(facts: &ModelFacts, of: CardOf, form: &str, sections: &[(&str, String)]) -> String {
    let mut text = head(facts, of);
    let what = match of {
        CardOf::Model => "a model",
        CardOf::Adapter => "an adapter",
    };
    let _ = write!(text, "# {}\n\nThis is {what} made of `{}` with Dojo, {form}.\n", facts.name, facts.base);
    if facts.licence.is_none() {
        text += "\nThe licence of the base isn't known here: look at its page before you pass this on.\n";
    }
    list(&mut text, "Adapters", &facts.adapters);
    list(&mut text, "Data", &facts.data);
    if !facts.metrics.is_empty() {
        text += "\n## Metrics\n\n| | |\n| --- | --- |\n";
        for (name, value) in &facts.metrics {
            let _ = writeln!(text, "| {name} | {value} |");
        }
    }
    for (title, section) in sections {
        let _ = write!(text, "\n## {title}\n\n{}\n", section.trim_end());
    }
    if let Some(recipe) = &facts.recipe {
        let _ = write!(text, "\n## Recipe\n\n```toml\n{}\n```\n", recipe.trim_end());
    }
    text
}

/// The keys that the hub reads.
fn head(facts: &ModelFacts, of: CardOf) -> String {
    let mut text = String::from("---\n");
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    if facts.base.split('/').count() == 2 && !facts.base.starts_with('.') {
        let _ = writeln!(text, "base_model: {}", quoted(&facts.base));
        let relation = if of == CardOf::Adapter { "adapter" } else { "finetune" };
        let _ = writeln!(text, "base_model_relation: {relation}");
    }
    if let Some(licence) = &facts.licence {
        let _ = writeln!(text, "license: {}", quoted(licence));
    }
    let library = if of == CardOf::Adapter { "peft" } else { "transformers" };
    let _ = write!(
        text,
        "library_name: {library}\npipeline_tag: text-generation\ntags:\n- dojo\n- lora\n---\n\n"
    );
    text
}

fn list(text: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = write!(text, "\n## {title}\n\n");
    for line in lines {
        let _ = writeln!(text, "- {line}");
    }
}
