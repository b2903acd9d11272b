//! Whether a completion is as long as it should be: 1 within the window, less the further it is outside.

use std::sync::Arc;

use anyhow::{Result, ensure};

use super::helpers::TokenCounter;
use super::settings::{SettingKey, SettingKind};
use super::{Built, Making, Reward, RewardKind};
use crate::domain::reward::{Attempt, RewardComponent, RewardOutcome, RewardScore, ScoreDetail};

const LONGEST: u64 = 10_000_000;

pub(super) const KIND: RewardKind = RewardKind {
    name: "length",
    about: "1 within a window of lengths, falling to 0 outside it",
    keys: &[
        SettingKey {
            name: "least",
            kind: SettingKind::Whole(0, LONGEST),
            default: Some("1"),
            help: "The shortest that is long enough",
        },
        SettingKey {
            name: "most",
            kind: SettingKind::Whole(1, LONGEST),
            default: Some("512"),
            help: "The longest that is short enough",
        },
        SettingKey {
            name: "fade",
            kind: SettingKind::Whole(0, LONGEST),
            default: Some("0"),
            help: "Over how much more than that it falls to 0 evenly; 0 falls at once",
        },
        SettingKey {
            name: "unit",
            kind: SettingKind::Choice(&["auto", "tokens", "words", "characters"]),
            default: Some("\"auto\""),
            help: "What is counted; auto counts tokens if a tokenizer is at hand, else words",
        },
    ],
    build: LengthReward::make,
};

struct LengthReward {
    least: usize,
    most: usize,
    fade: usize,
    unit: LengthUnit,
}

enum LengthUnit {
    Tokens(Arc<dyn TokenCounter>),
    Words,
    Characters,
}

impl LengthReward {
    fn make(making: &Making<'_>) -> Result<Built> {
        let settings = &making.settings;
        let whole = |name| settings.whole(name).unwrap_or_default();
        let (least, most) = (whole("least"), whole("most"));
        ensure!(
            least <= most,
            "rewards.{}.least is {least} and more than most, which is {most}",
            settings.name()
        );
        let tokens = making.helpers.tokens.clone();
        let unit = match (settings.text("unit").unwrap_or_default().as_str(), tokens) {
            ("characters", _) => LengthUnit::Characters,
            ("auto" | "tokens", Some(tokens)) => LengthUnit::Tokens(tokens),
            ("tokens", None) => {
                return Ok(Built::Lacks("it counts tokens and has no tokenizer: name a model".to_owned()));
            }
            (_, _) => LengthUnit::Words,
        };
        Ok(Built::ready(Self { least, most, fade: whole("fade"), unit }))
    }

    fn value(&self, length: usize) -> f64 {
        let outside = self.least.saturating_sub(length).max(length.saturating_sub(self.most));
        match outside {
            0 => 1.0,
            // Nothing at all is never nearly long enough.
            _ if length == 0 || self.fade == 0 => 0.0,
            _ => (1.0 - outside as f64 / self.fade as f64).max(0.0),
        }
    }
}

impl Reward for LengthReward {
    fn score(&self, attempt: &Attempt<'_>, detail: ScoreDetail) -> RewardOutcome {
        let text = attempt.completion;
        let (length, unit) = match &self.unit {
            LengthUnit::Words => (text.split_whitespace().count(), "words"),
            LengthUnit::Characters => (text.chars().count(), "characters"),
            LengthUnit::Tokens(tokens) => match tokens.count(text) {
                Ok(count) => (count, "tokens"),
                Err(error) => return RewardOutcome::does_not_apply(format!("{error:#}")),
            },
        };
        let value = self.value(length);
        let components =
            vec![RewardComponent::number("length", length as f64), RewardComponent::word("unit", unit)];
        let mut score = RewardScore { value, components, deductions: Vec::new() };
        if detail == ScoreDetail::Reasons && value < 1.0 {
            let (least, most) = (self.least, self.most);
            score.lost(
                "length",
                value - 1.0,
                Some(format!("{length} {unit}; {least} to {most} are asked for")),
            );
        }
        RewardOutcome::Scored(score)
    }
}
