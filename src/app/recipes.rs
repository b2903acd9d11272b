//! The recipe that a session gets when it has none, with values that suit its records; and what a recipe still misses.
//!
//! What it was made for stands in its first lines. As long as nobody has changed the file, it is made anew when the
//! session's records are others.

mod outlook;

pub use self::outlook::Outlook;

use anyhow::Result;

use crate::app::review::sets;
use crate::config::Folders;
use crate::domain::counted::{counted, noun};
use crate::domain::filter::{Bounds, Edge, Filter, NumberField, Property, Term};
use crate::domain::recipe::SetOrder;
use crate::domain::record::Status;
use crate::domain::session::SessionInfo;
use crate::domain::view::SortOrder;
use crate::ground::files;
use crate::session::{Access, Session};

/// Of a session that names no model.
const MODEL: &str = "smollm2-135m";
/// The length that a recipe has while nobody knows how long the records are.
const UNKNOWN: u32 = 1024;
/// Longer examples are cut: their attention takes more memory than most machines have for it.
const LONGEST: u32 = 2048;
/// What stands before the number of pairs in a made recipe's second line.
const PAIRS: &str = " preference pairs ";
/// Tokens that one optimizer step may read, about, and examples that it reads at best.
const STEP: (u32, u32) = (4096, 8);
/// Examples held out at most: more only make an evaluation slow.
const HELD_OUT: f64 = 200.0;
/// Steps of a run over records that are too many to go through.
const MOST_STEPS: u64 = 2000;

/// What a recipe is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suited {
    pub model: String,
    /// `session:`, or a set of the review.
    pub source: String,
    pub examples: u64,
    /// Tokens that 99 of 100 examples have at most, and those of the longest; nothing when they aren't counted.
    pub tokens: Option<u32>,
    pub longest: Option<u32>,
    /// Preference pairs beside them, which supervised training passes over.
    pub pairs: u64,
}

impl Suited {
    /// The recipe's text.
    #[must_use]
    pub fn recipe(&self) -> String {
        let length = self.length();
        let batch =
            (STEP.0 / self.tokens.map_or(UNKNOWN, in_steps)).clamp(1, STEP.1).min(self.batch_of_few());
        let gather = (STEP.1 / batch).min(self.batch_of_few().div_ceil(batch)).max(1);
        let split = (HELD_OUT / self.examples.max(1) as f64).min(0.1);
        let trained = (self.examples as f64 * (1.0 - split)).ceil() as u64;
        let epoch = trained.div_ceil(u64::from(batch * gather)).max(1);
        let epochs = match self.examples {
            0..=300 => 3,
            301..=3_000 => 2,
            _ => 1,
        };
        let steps = (epoch * epochs).min(MOST_STEPS);
        let limit = if epoch * epochs > MOST_STEPS {
            format!("max_steps = {MOST_STEPS}")
        } else {
            format!("num_train_epochs = {epochs}")
        };
        let known = |tokens: Option<u32>| tokens.map_or_else(|| "?".to_owned(), |tokens| tokens.to_string());
        let (tokens, longest) = (known(self.tokens), known(self.longest));
        format!(
            "# Made by Dojo for the session's records, and made anew when they change, until you change it.\n\
             # examples {} tokens {tokens} longest {longest} model {:?} source {}{}\n\
             # As it was made: {}.\n\
             method = \"sft\"\n\n\
             [model]\nbase = {:?}\n\n\
             [data]\ntrain = {:?}\nsplit = {split:.4}\nmax_length = {length}\n\n\
             [lora]\nr = 16\nlora_alpha = 32\ntarget_modules = \"all-linear\"\n\n\
             [train]\n{limit}\nper_device_train_batch_size = {batch}\n\
             gradient_accumulation_steps = {gather}\nlearning_rate = 3e-4\n\
             lr_scheduler_type = \"cosine\"\nwarmup_steps = {}\nmax_grad_norm = 1.0\n\n\
             [eval]\neval_steps = {}\n\n[save]\nsave_steps = {}\n\n\
             [sample]\nsample_steps = {}\n",
            self.examples,
            self.model,
            self.source,
            if self.pairs > 0 { format!("{PAIRS}{}", self.pairs) } else { String::new() },
            self.as_made(length, epochs, epoch * epochs),
            self.model,
            self.source,
            (steps / 20).clamp(1, 50),
            (steps / 10).max(1),
            (steps / 5).max(1),
            (steps / 5).max(1),
        )
    }

    /// What its values came from. It stands above them all and speaks of the making, so that it stays true whatever is
    /// changed below it.
    fn as_made(&self, length: u32, epochs: u64, all: u64) -> String {
        let times = if epochs == 1 { "once".to_owned() } else { format!("{epochs} times") };
        let steps = if all > MOST_STEPS {
            format!("{times} through all would be {all} steps, and max_steps ends sooner")
        } else {
            format!("{times} through all is {all} {}", noun(all, "step"))
        };
        let tokens = match self.longest {
            Some(longest) if longest > length => format!(
                "longer examples than max_length are cut; the longest has {longest} {}",
                noun(longest.into(), "token")
            ),
            Some(longest) => format!("the longest example has {longest} {}", noun(longest.into(), "token")),
            None => "the examples' tokens were not counted yet".to_owned(),
        };
        let pairs = match self.pairs {
            0 => String::new(),
            1 => "; 1 preference pair is left out".to_owned(),
            pairs => format!("; {pairs} preference pairs are left out"),
        };
        format!("{steps}; {tokens}{pairs}")
    }

    /// None is cut, as long as most machines have the memory for it: what is cut may be the whole answer.
    fn length(&self) -> u32 {
        self.longest.map_or(UNKNOWN, in_steps)
    }

    /// Few examples make small batches, so that there are steps to see.
    fn batch_of_few(&self) -> u32 {
        u32::try_from(self.examples / 8).unwrap_or(u32::MAX).max(1)
    }

    /// What a recipe says that it was made for; nothing when it isn't exactly as it was made.
    #[must_use]
    pub fn untouched(text: &str) -> Option<Self> {
        let line = text.lines().nth(1)?.strip_prefix("# examples ")?;
        let (examples, rest) = line.split_once(" tokens ")?;
        let (tokens, rest) = rest.split_once(" longest ")?;
        let (longest, rest) = rest.split_once(" model \"")?;
        let (model, rest) = rest.split_once("\" source ")?;
        let (source, pairs) = rest.split_once(PAIRS).unwrap_or((rest, "0"));
        let suited = Self {
            model: model.to_owned(),
            source: source.to_owned(),
            examples: examples.parse().ok()?,
            tokens: tokens.parse().ok(),
            longest: longest.parse().ok(),
            pairs: pairs.parse().ok()?,
        };
        (suited.recipe() == text).then_some(suited)
    }

    /// What suits a session; nothing while it has no records with a text.
    fn of(folders: &Folders, info: &SessionInfo) -> Result<Option<Self>> {
        let Ok(session) = Session::open(&info.path, Access::Read) else { return Ok(None) };
        let mut statistics = session.statistics(&Filter::And(vec![learnt(), no_pairs()]), None)?;
        let mut pairs =
            session.view(&Filter::And(vec![learnt(), pairs()]), SortOrder::default())?.len() as u64;
        let mut source = "session:";
        if statistics.records == 0 && pairs > 0 {
            // Nothing but pairs: their better answers are what can be learnt.
            (statistics, pairs, source) = (session.statistics(&learnt(), None)?, 0, "session:is:preference");
        }
        let records = statistics.records;
        let model = if info.file.model.is_empty() { MODEL.to_owned() } else { info.file.model.clone() };
        let reviewed = if session.has_thoughts()? { reviewed(folders, &session)? } else { 0 };
        if reviewed > 0 {
            let source = "set:reviewed balance:label".to_owned();
            return Ok(Some(Self {
                model,
                source,
                examples: reviewed,
                tokens: None,
                longest: None,
                pairs: 0,
            }));
        }
        // The bins end at the 99th of 100.
        let bins = statistics.bins.width.saturating_mul(statistics.bins.counts.len() as u32);
        let longest = statistics.longest.filter(|_| statistics.counted * 2 > records);
        let tokens = longest.map(|longest| longest.min(bins));
        let source = source.to_owned();
        Ok((records > 0).then_some(Self { model, source, examples: records, tokens, longest, pairs }))
    }
}

/// A length in steps of 64, with some room.
fn in_steps(tokens: u32) -> u32 {
    tokens.saturating_add(8).div_ceil(64).saturating_mul(64).clamp(64, LONGEST)
}

fn reviewed(folders: &Folders, session: &Session) -> Result<u64> {
    let order = SetOrder::parse("set:reviewed balance:label").map_err(anyhow::Error::msg)?;
    Ok(match order {
        Some(order) => sets::rows(folders, session, &order)?.len() as u64,
        None => 0,
    })
}

/// What [`provide`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Provided {
    Nothing,
    /// The session's first recipe, in a sentence.
    First(String),
    /// The records are others: the recipe that was made is too.
    Anew,
}

/// Sees to it that a session with records has a recipe that suits them; says what it did.
///
/// # Errors
/// When the session can't be read or the recipe can't be written.
pub(crate) fn provide(folders: &Folders, info: &SessionInfo, known: &[&str]) -> Result<Provided> {
    let own = info.recipes().join("sft.toml");
    let before = std::fs::read_to_string(&own).ok();
    let made = before.as_deref().and_then(Suited::untouched);
    if !known.is_empty() && made.is_none() {
        return Ok(Provided::Nothing);
    }
    let Some(suited) = Suited::of(folders, info)? else { return Ok(Provided::Nothing) };
    let text = suited.recipe();
    if before.as_deref() == Some(text.as_str()) {
        return Ok(Provided::Nothing);
    }
    std::fs::create_dir_all(info.recipes())?;
    files::write_atomically(&own, text.as_bytes())?;
    if made.is_some() {
        return Ok(Provided::Anew);
    }
    let examples = counted(suited.examples, "example");
    Ok(Provided::First(format!("made a recipe for {examples}: recipes/sft.toml")))
}

/// Records of columns alone have no text to learn.
fn with_text() -> Filter {
    let some = Bounds { low: Some(Edge::Excluded(0.0)), high: None };
    Filter::Term(Term::Number(NumberField::Characters, some))
}

/// What training takes of a session that it is asked for without a word of verdicts.
fn learnt() -> Filter {
    learnt_of(Filter::Everything)
}

/// What training takes of the records that a filter names: what was rejected only where it speaks of verdicts.
pub(super) fn learnt_of(filter: Filter) -> Filter {
    let kept = (!filter.speaks_of_status()).then(|| Filter::Not(Box::new(rejected())));
    Filter::And([filter, with_text()].into_iter().chain(kept).collect())
}

fn rejected() -> Filter {
    Filter::Term(Term::Status(vec![Status::Rejected]))
}

fn pairs() -> Filter {
    Filter::Term(Term::Is(Property::Preference))
}

pub(super) fn no_pairs() -> Filter {
    Filter::Not(Box::new(pairs()))
}
