//! A job of the review loop as a person asks for it: `mistral limit:50 dollars:0.50 split:train`.

use crate::domain::filter::{self, Filter};

/// Which job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    Think,
    Reflect,
    Judge,
}

impl JobKind {
    pub const ALL: [Self; 3] = [Self::Think, Self::Reflect, Self::Judge];

    /// As the subcommand is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Think => "think",
            Self::Reflect => "reflect",
            Self::Judge => "judge",
        }
    }

    /// What the one who is asked is called.
    #[must_use]
    pub const fn who(self) -> &'static str {
        match self {
            Self::Think => "student",
            Self::Reflect => "teacher",
            Self::Judge => "judge",
        }
    }
}

/// Whether a teacher sees the flawed thought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Guidance {
    #[default]
    Guided,
    Plain,
}

/// What is asked of whom, and what it may take.
#[derive(Debug, Clone, PartialEq)]
pub struct JobOrder {
    pub kind: JobKind,
    /// A teacher of the settings, or `local:MODEL`.
    pub who: String,
    /// Records that it is about; all otherwise.
    pub filter: Filter,
    pub limit: Option<usize>,
    pub dollars: Option<f64>,
    /// Prompts and answers together.
    pub tokens: Option<u64>,
    pub guidance: Guidance,
    /// Improvements at most, and the score below which there are any.
    pub rounds: u32,
    pub threshold: u8,
    /// Who improves, in turn; the judge itself where none is named.
    pub improvers: Vec<String>,
    /// A model of this machine that has to find each text's label the likeliest; what it doesn't is asked for again.
    pub gauge: Option<String>,
}

/// What can be written behind the name.
#[must_use]
pub const fn hint(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Think => {
            "NAME or local:MODEL, then as you like: limit:50  dollars:0.50  leads:MODEL  split:train"
        }
        JobKind::Reflect => {
            "NAME or local:MODEL, then as you like: plain  limit:50  dollars:0.50  leads:MODEL  split:train"
        }
        JobKind::Judge => {
            "NAME or local:MODEL, then as you like: rounds:1  threshold:4  improve:NAME  dollars:0.50"
        }
    }
}

impl JobOrder {
    /// Reads what a person typed: the name first, then options, and what is none of them is a filter over records.
    ///
    /// # Errors
    /// One sentence that says what would be right.
    pub fn parse(kind: JobKind, text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let who = words
            .next()
            .ok_or_else(|| format!("write who is the {} first: local:MODEL or a teacher's name", kind.who()))?
            .to_owned();
        let mut order = Self {
            kind,
            who,
            filter: Filter::Everything,
            limit: None,
            dollars: None,
            tokens: None,
            guidance: Guidance::Guided,
            rounds: 0,
            threshold: 4,
            improvers: Vec::new(),
            gauge: None,
        };
        let mut rest = Vec::new();
        for word in words {
            if !order.option(word)? {
                rest.push(word);
            }
        }
        order.filter = filter::parse(&rest.join(" ")).map_err(|error| error.message)?;
        Ok(order)
    }

    /// Takes a word that is an option; says whether it was one.
    fn option(&mut self, word: &str) -> Result<bool, String> {
        if word == "plain" && self.kind == JobKind::Reflect {
            self.guidance = Guidance::Plain;
            return Ok(true);
        }
        let Some((name, value)) = word.split_once(':') else { return Ok(false) };
        match name {
            "limit" => self.limit = Some(number(word, value)?),
            "dollars" => {
                let dollars: f64 = number(word, value.trim_start_matches('$'))?;
                if !dollars.is_finite() || dollars < 0.0 {
                    return Err(format!("{word}: write dollars as a number, 0 or more"));
                }
                self.dollars = Some(dollars);
            }
            "leads" if self.kind != JobKind::Judge => self.gauge = Some(value.to_owned()),
            "budget" => self.tokens = Some(number(word, value)?),
            "rounds" if self.kind == JobKind::Judge => self.rounds = number(word, value)?,
            "threshold" if self.kind == JobKind::Judge => {
                self.threshold = number(word, value)?;
                if !(1..=5).contains(&self.threshold) {
                    return Err(format!("{word}: a score is 1 to 5"));
                }
            }
            "improve" if self.kind == JobKind::Judge => {
                // A local model's name has a colon of its own.
                self.improvers.push(value.to_owned());
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn number<T: std::str::FromStr>(word: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{word}: '{value}' is not a number"))
}
