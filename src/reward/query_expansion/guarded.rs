//! The published score of a query's expansion, guarded for training. The published one pays for form: an answer to another
//! query gets most of it, an empty one nearly half, and length costs nothing. Here it is multiplied by three factors from 0
//! to 1, so that nothing can be gained without all of them: the lines are about the query, there are not too many words,
//! and they don't say the same again.

use std::collections::HashSet;
use std::sync::Arc;

use super::query_of;
use super::score::score;
use super::text::cleaned;
use super::text::{ExpansionKind, contents, mode};
use super::words::{KEY_TERM_STOPWORDS, STOPWORDS};
use crate::domain::reward::{Attempt, RewardComponent, RewardOutcome, RewardScore, ScoreDetail};
use crate::reward::settings::{SettingKey, SettingKind};
use crate::reward::text::porter::stem;
use crate::reward::{Built, Making, Reward, RewardKind};
use crate::task::Task;

pub(in crate::reward) const KIND: RewardKind = RewardKind {
    name: "query-expansion-guarded",
    about: "The score of query-expansion, times how much of the query is in the lines, their length, and no repetition",
    keys: &[
        SettingKey {
            name: "most_words",
            kind: SettingKind::Whole(1, 100_000),
            default: Some("120"),
            help: "Words of a completion that cost nothing; twice as many are worth nothing",
        },
        SettingKey {
            name: "keep_least",
            kind: SettingKind::Number(0.0, 0.9),
            default: Some("0.25"),
            help: "The share of the query's words, by their stems, up to which a completion is worth nothing",
        },
        SettingKey {
            name: "keep_enough",
            kind: SettingKind::Number(0.1, 1.0),
            default: Some("0.75"),
            help: "The share from which nothing is lost",
        },
    ],
    build: |making: &Making<'_>| {
        let settings = &making.settings;
        let (least, enough) = (settings.need_number("keep_least")?, settings.need_number("keep_enough")?);
        anyhow::ensure!(
            least < enough,
            "rewards.{}.keep_least is {least}; it must be less than keep_enough, which is {enough}",
            settings.name()
        );
        Ok(Built::ready(GuardedExpansion {
            task: Arc::clone(making.task),
            most_words: settings.whole("most_words").unwrap_or(1),
            keep: (least, enough),
        }))
    },
};

struct GuardedExpansion {
    task: Arc<Task>,
    most_words: usize,
    /// Shares of the query's words: nothing up to the first, all from the second on.
    keep: (f64, f64),
}

/// The share of repeated runs of three words that costs nothing, and the one at which nothing is left.
const REPEATED: (f64, f64) = (0.25, 0.6);
/// Words in a run.
const RUN: usize = 3;
/// The published program halves the rating, and not the score, of a completion with a keyword line that echoes the query.
const ECHO: f64 = 0.5;

impl Reward for GuardedExpansion {
    fn score(&self, attempt: &Attempt<'_>, detail: ScoreDetail) -> RewardOutcome {
        let Some(query) = query_of(&self.task, attempt.record) else {
            return RewardOutcome::does_not_apply("the record has no query");
        };
        let found = score(&query, attempt.completion, ScoreDetail::Numbers);
        let echoes = found.score > ECHO && found.percentage <= 100.0 * ECHO;
        let published = if echoes { ECHO } else { found.score };
        let (text, _) = cleaned(attempt.completion);
        let kept = KeptTerms::of(&query, &text);
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let repeated = repeated(&words);
        let relevance = ramp(kept.share(), self.keep.0, self.keep.1).min(kept.of_keyword_lines());
        let length = 1.0 - ramp(words.len() as f64, self.most_words as f64, 2.0 * self.most_words as f64);
        let variety = 1.0 - ramp(repeated, REPEATED.0, REPEATED.1);
        let components = vec![
            RewardComponent::number("published", found.score),
            RewardComponent::number("relevance", relevance),
            RewardComponent::number("length", length),
            RewardComponent::number("variety", variety),
        ];
        let value = published * relevance * length * variety;
        let mut score = RewardScore { value, components, deductions: Vec::new() };
        if detail == ScoreDetail::Reasons {
            let lost = |factor: f64, why: String| (factor < 1.0).then_some(why);
            score.lost(
                "published",
                published - found.score,
                echoes.then(|| "a lex line echoes the query".to_owned()),
            );
            score.lost("relevance", relevance - 1.0, lost(relevance, kept.told()));
            let (count, most) = (words.len(), self.most_words);
            score.lost("length", length - 1.0, lost(length, format!("{count} words; {most} are enough")));
            let percent = (100.0 * repeated).round();
            let why = format!("{percent}% of the runs of {RUN} words were there before");
            score.lost("variety", variety - 1.0, lost(variety, why));
        }
        RewardOutcome::Scored(score)
    }
}

/// 0 up to `from`, 1 from `to` on, even between.
fn ramp(value: f64, from: f64, to: f64) -> f64 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}

/// How much of the query is in a completion.
struct KeptTerms {
    terms: usize,
    found: usize,
    keyword_lines: usize,
    /// Keyword lines with a word of the query.
    about: usize,
}

impl KeptTerms {
    fn of(query: &str, text: &str) -> Self {
        let terms = terms(mode(query).0);
        let contents = contents(text);
        let lines: Vec<(ExpansionKind, HashSet<String>)> =
            contents.iter().map(|(kind, text, _)| (*kind, self::terms(text))).collect();
        let found = terms.iter().filter(|term| lines.iter().any(|(_, line)| line.contains(*term))).count();
        let keywords = || lines.iter().filter(|(kind, _)| *kind == ExpansionKind::Lex);
        let about = keywords().filter(|(_, line)| terms.is_empty() || !line.is_disjoint(&terms)).count();
        // Where the query has nothing to keep, there is only whether something was said.
        let says_something = usize::from(terms.is_empty() && lines.iter().any(|(_, line)| !line.is_empty()));
        Self {
            terms: terms.len().max(1),
            found: found + says_something,
            keyword_lines: keywords().count(),
            about,
        }
    }

    fn share(&self) -> f64 {
        self.found as f64 / self.terms as f64
    }

    fn of_keyword_lines(&self) -> f64 {
        if self.keyword_lines == 0 { 1.0 } else { self.about as f64 / self.keyword_lines as f64 }
    }

    fn told(&self) -> String {
        let Self { terms, found, keyword_lines, about } = self;
        format!(
            "{found} of {terms} words of the query are in it, and in {about} of {keyword_lines} lex lines"
        )
    }
}

/// The stems of a text's words, without stopwords. Scripts that put no spaces between words give pairs of signs instead.
fn terms(text: &str) -> HashSet<String> {
    let lower = text.to_lowercase();
    let mut terms = HashSet::new();
    for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if word.chars().any(is_unspaced) {
            let signs: Vec<char> = word.chars().collect();
            terms.extend(signs.windows(2.min(signs.len())).map(|pair| pair.iter().collect::<String>()));
        } else if !KEY_TERM_STOPWORDS.contains(word) && !STOPWORDS.contains(word) {
            terms.insert(stem(word));
        }
    }
    terms
}

/// Chinese, Japanese, Thai, Lao, Khmer, Burmese.
fn is_unspaced(sign: char) -> bool {
    matches!(sign, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{2ffff}')
}

/// The share of runs of words that were there before.
fn repeated(words: &[String]) -> f64 {
    let all = words.windows(RUN).len();
    let distinct = words.windows(RUN).collect::<HashSet<_>>().len();
    if all == 0 { 0.0 } else { 1.0 - distinct as f64 / all as f64 }
}
