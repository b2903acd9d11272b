//! A reflection: a wrong thought, a teacher's error analysis and corrected thought, and a person's verdict on it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::record::RecordId;
use crate::domain::review_leads::{LabelMeanings, Leads, Odds, hypothesis};
use crate::domain::thought::{ThoughtId, estimated_tokens};

/// A reflection's number within its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReflectionId(pub i64);

impl fmt::Display for ReflectionId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// One correction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reflection {
    pub record: RecordId,
    /// The wrong thought that it corrects.
    pub thought: ThoughtId,
    pub error_analysis: String,
    pub corrected: String,
    /// The label that the corrected thought leads to; not always the true one.
    pub label: String,
    /// Who wrote it.
    pub teacher: String,
    /// Name and version of the prompt; [`BY_HAND`] for what a person wrote; empty for an imported one.
    pub prompt: String,
    pub verdict: Verdict,
    /// What a person made of the corrected thought, where they edited it.
    pub edited: Option<String>,
    /// The judge's score, 1 to 5, where one has judged.
    pub score: Option<u8>,
    /// The judge's reasons.
    pub reasons: String,
    /// Who judged, and with which version of the prompt; empty where nobody has.
    #[serde(default)]
    pub judge: String,
    /// Who wrote the text anew after the judge's first word; empty where it is the teacher's own.
    #[serde(default)]
    pub improved_by: String,
    /// Who decided; empty while it is pending.
    pub reviewer: String,
    /// Why it was rejected, or what was said when it was sent back.
    pub comment: String,
}

/// What a reflection has in the place of a prompt when a person wrote it.
pub const BY_HAND: &str = "by hand";
/// What is said of a rejection that a blind comparison made.
pub const PREFERRED_BLIND: &str = "blind: the student's thought was preferred";

impl Reflection {
    /// Whether a person wrote it, and no teacher.
    #[must_use]
    pub fn is_by_hand(&self) -> bool {
        self.prompt == BY_HAND
    }

    /// Whether both are in the same state for a person who decides: the texts and the word on them.
    #[must_use]
    pub fn stands_as(&self, other: &Self) -> bool {
        let state = |of: &Self| (of.verdict, of.edited.clone(), of.reviewer.clone(), of.comment.clone());
        let texts = |of: &Self| (of.corrected.clone(), of.error_analysis.clone());
        state(self) == state(other) && texts(self) == texts(other)
    }

    /// The corrected thought as it would be trained on.
    #[must_use]
    pub fn text(&self) -> &str {
        self.edited.as_deref().unwrap_or(&self.corrected)
    }
}

/// A person's word on a reflection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    #[default]
    Pending,
    Approved,
    /// Approved after the person changed the text.
    Edited,
    Rejected,
    /// Its teacher is to write it again, with what the person said of it.
    #[serde(rename = "sent-back")]
    SentBack,
}

impl Verdict {
    pub const ALL: [Self; 5] = [Self::Pending, Self::Approved, Self::Edited, Self::Rejected, Self::SentBack];

    /// The name that filters and files use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Edited => "edited",
            Self::Rejected => "rejected",
            Self::SentBack => "sent-back",
        }
    }

    /// Beside the name, so that it is told without colour.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Pending => "◌",
            Self::Approved => "✓",
            Self::Edited => "✎",
            Self::Rejected => "✗",
            Self::SentBack => "↺",
        }
    }

    /// The verdict of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }

    /// Whether a person has said yes or no.
    #[must_use]
    pub const fn is_decided(self) -> bool {
        matches!(self, Self::Approved | Self::Edited | Self::Rejected)
    }

    /// Whether the correction may be trained on.
    #[must_use]
    pub const fn is_accepted(self) -> bool {
        matches!(self, Self::Approved | Self::Edited)
    }
}

/// A person's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub verdict: Verdict,
    /// The text as the person left it; only with [`Verdict::Edited`].
    pub edited: Option<String>,
    /// Why it went wrong, when the person wrote that anew.
    pub analysis: Option<String>,
    /// Why it was rejected, or what the teacher is told.
    pub comment: String,
}

impl Decision {
    /// A verdict without words.
    #[must_use]
    pub const fn of(verdict: Verdict) -> Self {
        Self { verdict, edited: None, analysis: None, comment: String::new() }
    }
}

/// What can be seen of a corrected thought without understanding it.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "independent marks, shown side by side")]
pub struct Checks {
    pub reaches_label: bool,
    /// `step 1` to `step 3` in order, and no fourth.
    pub three_steps: bool,
    pub tokens: u32,
    /// 150 to 350 tokens taught best in the NLI project; half and double of that are the bounds here.
    pub length_fits: bool,
    /// The conclusion is given away before the last step.
    pub leaks_label: bool,
    /// A run of at least twelve words is copied from the record.
    pub copies_record: bool,
    /// Most of it stands in the flawed thought already.
    pub repeats_flawed: bool,
    /// What its conclusion says, held against its label.
    pub leads: Leads,
    /// Which label the error analysis argues for, held against the true one.
    pub analysis: Leads,
    /// How likely a model finds each label after it; the last that was measured.
    pub odds: Option<Odds>,
}

/// A corrected thought among what it is judged by.
#[derive(Debug, Clone, Copy)]
pub struct JudgedThought<'a> {
    pub thought: &'a str,
    /// What it leads to.
    pub label: &'a str,
    pub truth: &'a str,
    /// The text that was asked about.
    pub record: &'a str,
    /// The thought that it corrects.
    pub flawed: &'a str,
}

impl Checks {
    /// Looks at a corrected thought.
    #[must_use]
    pub fn of(JudgedThought { thought, label, truth, record, flawed }: JudgedThought<'_>) -> Self {
        let tokens = estimated_tokens(thought);
        Self {
            reaches_label: label == truth,
            three_steps: has_three_steps(thought),
            tokens,
            length_fits: (SHORTEST..=LONGEST).contains(&tokens),
            leaks_label: leaks_label(thought),
            copies_record: shared_runs(thought, record, COPIED) > 0.0,
            repeats_flawed: repeats(thought, flawed),
            leads: Leads::Undecided,
            analysis: Leads::Undecided,
            odds: None,
        }
    }

    /// The same with what the words of its conclusion and of the error analysis lead to.
    #[must_use]
    pub fn led(self, labels: &LabelMeanings, looked: JudgedThought<'_>, analysis: &str) -> Self {
        let JudgedThought { thought, label, truth, record, .. } = looked;
        Self {
            leads: labels.of_thought(thought, hypothesis(record), label),
            analysis: labels.of_analysis(analysis, truth),
            ..self
        }
    }

    /// Whether its conclusion, or a model that has read it, speaks for another label than its own.
    #[must_use]
    pub fn leads_elsewhere(&self, label: &str) -> bool {
        self.leads.is_elsewhere() || self.odds.as_ref().is_some_and(|odds| odds.leads(label).is_elsewhere())
    }

    /// Whether nothing is to be complained of.
    #[must_use]
    pub const fn all_good(&self) -> bool {
        self.reaches_label
            && self.three_steps
            && self.length_fits
            && !self.leaks_label
            && !self.copies_record
            && !self.repeats_flawed
            && !self.leads.is_elsewhere()
            && !self.analysis.is_elsewhere()
    }
}

const SHORTEST: u32 = 30;
const LONGEST: u32 = 350;
/// Words of a run that nobody writes twice by chance.
const COPIED: usize = 12;
/// Words of a run that a thought and its correction share where they say the same. The NLI project's corrections share
/// up to 0.44 of them with the thoughts they correct; a teacher that only repeats shares nearly all.
const REPEATED: usize = 4;
const MOST: f64 = 0.6;

/// Exactly the steps 1, 2, 3, in order, each once at least.
#[must_use]
pub fn has_three_steps(thought: &str) -> bool {
    let thought = thought.to_lowercase();
    let places: Vec<Option<usize>> = (1..=3).map(|step| thought.find(&format!("step {step}"))).collect();
    places.iter().all(Option::is_some) && places.is_sorted() && !thought.contains("step 4")
}

/// Whether a conclusion stands before the last step.
fn leaks_label(thought: &str) -> bool {
    const CONCLUSIONS: [&str; 5] =
        ["label is", "label: ", "can be inferred", "cannot be inferred", "the answer is"];
    let thought = thought.to_lowercase();
    let Some(before) = thought.rfind("step 3").and_then(|at| thought.get(..at)) else { return false };
    // A question in step 2 asks, it doesn't conclude.
    let sentences = before.split_inclusive(['.', '?', '!']).filter(|sentence| !sentence.ends_with('?'));
    sentences.into_iter().any(|sentence| CONCLUSIONS.iter().any(|words| sentence.contains(words)))
}

/// Whether a corrected thought is the flawed one again: it contains it, or most of it stands there already.
#[must_use]
pub fn repeats(thought: &str, flawed: &str) -> bool {
    let bare = |text: &str| -> String {
        text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let flawed_bare = bare(flawed);
    let contains = !flawed_bare.is_empty() && bare(thought).contains(&flawed_bare);
    contains || shared_runs(thought, flawed, REPEATED) > MOST
}

/// The share of the runs of `length` words of a text that stand in another: 0 to 1, and 0 where it has none.
fn shared_runs(text: &str, other: &str, length: usize) -> f64 {
    let words = |text: &str| -> Vec<String> {
        let bare = |word: &str| word.trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase();
        text.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect()
    };
    let (text, other) = (words(text), words(other));
    let known: std::collections::HashSet<&[String]> = other.windows(length).collect();
    let runs = text.windows(length);
    let all = runs.len().max(1);
    runs.filter(|run| known.contains(run)).count() as f64 / all as f64
}
