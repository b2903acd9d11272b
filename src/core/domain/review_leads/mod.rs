//! Which label the conclusion of a text leads to, read from its words alone. A text that can't be read so leads
//! nowhere: better no word than a wrong one. Knows the names of labels and English, no model.

mod bare;
mod cues;
mod names;
mod phrases;
mod restated;
mod words;

use serde::{Deserialize, Serialize};

use self::words::{Relations, TextConclusion};

/// Where a text leads, held against the label that it is given with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Leads {
    /// The conclusion says what the label says.
    ToLabel,
    /// The conclusion says what only another label says: its name, or the names of those that it may be.
    Elsewhere(String),
    /// The conclusion doesn't say it in words that are known here.
    #[default]
    Undecided,
}

impl Leads {
    /// Whether the text contradicts its label.
    #[must_use]
    pub const fn is_elsewhere(&self) -> bool {
        matches!(self, Self::Elsewhere(_))
    }
}

/// What is said of so many accepted corrections that conclude another label than their own; nothing of none.
#[must_use]
pub fn told_of_elsewhere(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some(
            "1 of them concludes another label than its own and would teach it: check:leads finds it"
                .to_owned(),
        ),
        many => Some(format!(
            "{many} of them conclude another label than their own and would teach it: check:leads finds them"
        )),
    }
}

/// The labels of a session and what each means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelMeanings {
    names: Vec<String>,
    /// For each name what it says of a hypothesis; empty where the labels are of another kind.
    relations: Vec<Relations>,
}

impl LabelMeanings {
    /// Of these names. `pairs`: the records are pairs of a premise and a hypothesis, so that `1` means that it follows.
    #[must_use]
    pub fn of(names: &[String], pairs: PremisePairs) -> Self {
        let meant: Option<Vec<Relations>> = names.iter().map(|name| meaning(name, pairs)).collect();
        let mut relations = meant.unwrap_or_default();
        // One label for both that follows and that doesn't tells nothing apart.
        if relations.iter().any(|one| relations.iter().filter(|other| *other == one).count() > 1) {
            relations.clear();
        }
        if let [one, other] = relations.as_mut_slice()
            && names.iter().all(|name| YES_OR_NO.contains(&plain(name).as_str()))
        {
            // Without a third label, what is not true needn't be false.
            let affirms = *one == Relations::ENTAILMENT;
            *(if affirms { other } else { one }) = Relations::ENTAILMENT.others();
        }
        Self { names: names.to_vec(), relations }
    }

    /// Where a thought leads that is given with this label. `hypothesis`: what is asked about, where there is one; a
    /// conclusion that says it again holds it for true.
    #[must_use]
    pub fn of_thought(&self, thought: &str, hypothesis: Option<&str>, label: &str) -> Leads {
        let conclusion = words::conclusion(thought);
        // Both a label and what is said before it have to lead there.
        match bare::bare_label(conclusion, &self.names) {
            Some((name, before)) if name == label => {
                match self.of_words(thought, before, hypothesis, label) {
                    elsewhere @ Leads::Elsewhere(_) => elsewhere,
                    Leads::ToLabel | Leads::Undecided => Leads::ToLabel,
                }
            }
            Some((other, _)) if self.names.iter().any(|name| name == label) => {
                Leads::Elsewhere(other.to_owned())
            }
            Some(_) | None => self.of_words(thought, conclusion, hypothesis, label),
        }
    }

    fn of_words(&self, thought: &str, conclusion: &str, hypothesis: Option<&str>, label: &str) -> Leads {
        if !words::is_english(thought) {
            return Leads::Undecided;
        }
        if self.relations.is_empty() {
            return self.by_names(&names::names_said(conclusion, &self.names), label);
        }
        let said = words::said(conclusion, &self.numbered(), words::TextReading::Conclusion)
            .or_else(|| hypothesis.and_then(|hypothesis| restated::restated(conclusion, hypothesis)));
        self.by_relations(said.as_ref(), label)
    }

    /// Which label an error analysis argues for, held against the true one. What it says of the one who went wrong is
    /// not its own word.
    #[must_use]
    pub fn of_analysis(&self, analysis: &str, truth: &str) -> Leads {
        if self.relations.is_empty() || !words::is_english(analysis) {
            return Leads::Undecided;
        }
        let said = words::said(analysis, &self.numbered(), words::TextReading::Analysis);
        self.by_relations(said.as_ref(), truth)
    }

    /// Names with what they mean, as a text may name them outright: `the label is 1`.
    fn numbered(&self) -> Vec<(String, Relations)> {
        self.names.iter().map(|name| plain(name)).zip(self.relations.iter().copied()).collect()
    }

    fn by_relations(&self, said: Option<&TextConclusion>, label: &str) -> Leads {
        let own = self.names.iter().position(|name| name == label).and_then(|at| self.relations.get(at));
        let (Some(own), Some(TextConclusion(said))) = (own, said) else { return Leads::Undecided };
        if own.meets(*said) {
            return if own.holds(*said) { Leads::ToLabel } else { Leads::Undecided };
        }
        let others = self.names.iter().zip(&self.relations).filter(|(_, meant)| meant.meets(*said));
        let names: Vec<&str> = others.map(|(name, _)| name.as_str()).collect();
        if !names.is_empty() {
            return Leads::Elsewhere(names.join(" or "));
        }
        // No label of the session says that. `Follows` and its opposite divide everything, so it is wrong all the same;
        // what `contradiction` means where there is no `neutral` is the session's own affair.
        let divides = *own == Relations::ENTAILMENT || *own == Relations::ENTAILMENT.others();
        if divides { Leads::Elsewhere(said.words()) } else { Leads::Undecided }
    }

    /// `said`: for each name whether the conclusion gives it, refuses it, or leaves it out.
    fn by_names(&self, said: &[Option<bool>], label: &str) -> Leads {
        let mut open: Vec<&str> = Vec::new();
        let mut given: Vec<&str> = Vec::new();
        for (name, said) in self.names.iter().zip(said) {
            match said {
                Some(true) => given.push(name),
                Some(false) => {}
                None => open.push(name),
            }
        }
        if given.is_empty() && open.len() == 1 && self.names.len() > 1 {
            given = open;
        }
        match given.as_slice() {
            [name] if *name == label => Leads::ToLabel,
            [name] if self.names.iter().any(|name| name == label) => Leads::Elsewhere((*name).to_owned()),
            _ => Leads::Undecided,
        }
    }
}

/// Whether records are pairs of a premise and a hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PremisePairs {
    Yes,
    No,
}

/// The hypothesis of a question, as records of pairs are asked about.
#[must_use]
pub fn hypothesis(question: &str) -> Option<&str> {
    question.rsplit_once("\nHypothesis: ").map(|(_, hypothesis)| hypothesis.trim())
}

const YES_OR_NO: [&str; 4] = ["true", "false", "yes", "no"];

fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace(['_', '-'], " ")
}

/// What a label's name says of a hypothesis, where it is one of natural language inference.
fn meaning(name: &str, pairs: PremisePairs) -> Option<Relations> {
    let name = plain(name);
    let found = match name.as_str() {
        "entailment" | "entailed" | "entails" | "entail" | "supports" | "supported" | "implied"
        | "follows" | "true" => Relations::ENTAILMENT,
        "neutral"
        | "unknown"
        | "uncertain"
        | "undetermined"
        | "not enough info"
        | "not enough information"
        | "nei" => Relations::NEUTRAL,
        "contradiction" | "contradicted" | "contradicts" | "contradictory" | "refutes" | "refuted"
        | "false" => Relations::CONTRADICTION,
        "not entailment" | "not entailed" | "non entailment" | "no entailment" | "does not follow"
        | "not supported" => Relations::ENTAILMENT.others(),
        // These mean something else where nothing is to follow from anything.
        "1" | "yes" if pairs == PremisePairs::Yes => Relations::ENTAILMENT,
        "0" if pairs == PremisePairs::Yes => Relations::ENTAILMENT.others(),
        "no" if pairs == PremisePairs::Yes => Relations::CONTRADICTION,
        "maybe" if pairs == PremisePairs::Yes => Relations::NEUTRAL,
        _ => return None,
    };
    Some(found)
}

/// How likely a model finds each label after a question and a thought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Odds {
    /// The model that was asked.
    pub model: String,
    /// For each label the natural logarithm of its probability among the labels.
    pub labels: Vec<(String, f64)>,
}

/// Above these log-odds of its own label a thought leads to it, and below their negation elsewhere. As a model of 1.5
/// billion parameters found them with an example of each label, thoughts that lead to their label lay above -1.2, and
/// eight of ten that contradict it below -2.4.
pub const SURE: f64 = 2.0;

impl Odds {
    /// From the log-likelihood of each label, whatever else could have come.
    #[must_use]
    pub fn of(model: String, likelihoods: Vec<(String, f64)>) -> Self {
        let largest = likelihoods.iter().map(|(_, value)| *value).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = likelihoods.iter().map(|(_, value)| (value - largest).exp()).sum();
        let labels =
            likelihoods.into_iter().map(|(label, value)| (label, value - largest - sum.ln())).collect();
        Self { model, labels }
    }

    /// ln(p / (1 - p)) of a label: above 0 where it is likelier than all others together.
    #[must_use]
    pub fn log_odds(&self, label: &str) -> Option<f64> {
        let own = self.labels.iter().find(|(name, _)| name == label).map(|(_, value)| value.exp())?;
        let others: f64 =
            self.labels.iter().filter(|(name, _)| name != label).map(|(_, value)| value.exp()).sum();
        // Finite where the others underflow, so that it can be kept and compared.
        Some((own.max(f64::MIN_POSITIVE).ln() - others.max(f64::MIN_POSITIVE).ln()).clamp(-99.0, 99.0))
    }

    /// Where the thought leads by these odds, held against its label.
    #[must_use]
    pub fn leads(&self, label: &str) -> Leads {
        match self.log_odds(label) {
            Some(odds) if odds >= SURE => Leads::ToLabel,
            Some(odds) if odds <= -SURE => {
                let likeliest = self.labels.iter().max_by(|(_, one), (_, other)| one.total_cmp(other));
                likeliest.map_or(Leads::Undecided, |(name, _)| Leads::Elsewhere(name.clone()))
            }
            Some(_) | None => Leads::Undecided,
        }
    }
}
