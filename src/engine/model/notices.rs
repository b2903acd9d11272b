//! What a model's files ask for and Dojo doesn't do, in sentences for whoever opens it: said once, never passed over.

/// Nothing that would be computed wrongly: that is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelNotices {
    /// What is asked of the weights: it changes training too.
    pub weights: Option<String>,
    /// What of the vocabulary can't be told apart: it changes training too.
    pub tokens: Option<String>,
    /// What is asked of answers.
    pub generation: Option<String>,
    /// What lies beside adapters and isn't taken from there.
    pub adapters: Vec<String>,
}

impl ModelNotices {
    /// All of them, for whoever asks the model.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.of_training().chain(&self.generation).map(String::as_str)
    }

    /// Those that change what is learnt.
    pub fn of_training(&self) -> impl Iterator<Item = &String> {
        self.weights.iter().chain(&self.tokens).chain(&self.adapters)
    }

    /// The sentence for what a file asks of answers, each with its value.
    pub(super) fn of_answers(file: &str, asked: &[String]) -> Option<String> {
        (!asked.is_empty()).then(|| {
            format!(
                "{file} asks for {} when the model answers; Dojo doesn't take that from there: what is asked for with each \
                 answer holds",
                asked.join(", ")
            )
        })
    }
}
