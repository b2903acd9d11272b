//! A judge's grade for an answer, from 1 to 5, as 0 to 1: G-Eval's way of asking for reasons first (Liu et al. 2023).

use std::sync::Arc;

use super::helpers::{AnswerJudge, Grading};
use super::settings::{SettingKey, SettingKind};
use super::similarity::one_of;
use super::{Built, Making, Reward, RewardKind};
use crate::domain::message::Role;
use crate::domain::reward::{Attempt, RewardComponent, RewardOutcome, RewardScore, ScoreDetail};
use crate::task::Task;

pub(super) const KIND: RewardKind = RewardKind {
    name: "judge",
    about: "A teacher's grade from 1 to 5, as 0 to 1",
    keys: &[
        SettingKey {
            name: "criteria",
            kind: SettingKind::Text,
            default: Some("\"The answer is correct, complete, and as short as it can be.\""),
            help: "What counts, in words",
        },
        SettingKey {
            name: "reference",
            kind: SettingKind::Flag,
            default: Some("true"),
            help: "Show the judge the record's own answer, if it has one",
        },
    ],
    build: |making: &Making<'_>| {
        let Some(judge) = making.helpers.judge.clone() else {
            return Ok(Built::Lacks("it needs a judge: name a teacher with --judge".to_owned()));
        };
        Ok(Built::ready(Judged {
            task: Arc::clone(making.task),
            judge,
            criteria: making.settings.text("criteria").unwrap_or_default(),
            with_reference: making.settings.flag("reference"),
        }))
    },
};

struct Judged {
    task: Arc<Task>,
    judge: Arc<dyn AnswerJudge>,
    criteria: String,
    with_reference: bool,
}

impl Reward for Judged {
    fn score(&self, attempt: &Attempt<'_>, detail: ScoreDetail) -> RewardOutcome {
        one_of(self.score_batch(std::slice::from_ref(attempt), detail))
    }

    fn score_batch(&self, attempts: &[Attempt<'_>], detail: ScoreDetail) -> Vec<RewardOutcome> {
        let asked: Vec<Result<Grading, RewardOutcome>> =
            attempts.iter().map(|attempt| self.grading(attempt)).collect();
        let questions: Vec<Grading> = asked.iter().filter_map(|asked| asked.as_ref().ok().cloned()).collect();
        let mut grades = self.judge.grade(&questions).into_iter();
        let outcome = |asked| match asked {
            Err(outcome) => outcome,
            Ok(_) => match grades.next() {
                Some(Ok(grade)) => {
                    let value = (f64::from(grade.score) - 1.0) / 4.0;
                    let components = vec![RewardComponent::number("grade", f64::from(grade.score))];
                    let mut score = RewardScore { value, components, deductions: Vec::new() };
                    let why = (detail == ScoreDetail::Reasons && grade.score < 5).then_some(grade.why);
                    score.lost("grade", f64::from(grade.score) - 5.0, why);
                    RewardOutcome::Scored(score)
                }
                Some(Err(error)) => RewardOutcome::does_not_apply(format!(
                    "the judge {} gave no grade: {error:#}",
                    self.judge.name()
                )),
                None => RewardOutcome::does_not_apply("the judge gave no grade"),
            },
        };
        asked.into_iter().map(outcome).collect()
    }
}

impl Judged {
    fn grading(&self, attempt: &Attempt<'_>) -> Result<Grading, RewardOutcome> {
        if attempt.completion.trim().is_empty() {
            let mut score = RewardScore::default();
            score.lost("grade", -4.0, Some("it says nothing".to_owned()));
            return Err(RewardOutcome::Scored(score));
        }
        let turns = self
            .task
            .prompt(attempt.record)
            .map_err(|error| RewardOutcome::does_not_apply(format!("{error:#}")))?;
        let question = turns.iter().rfind(|turn| turn.role == Role::User);
        let reference = || self.task.answer_to_learn(attempt.record).ok().flatten();
        Ok(Grading {
            question: question.map(|turn| turn.content.clone()).unwrap_or_default(),
            answer: attempt.completion.to_owned(),
            reference: self.with_reference.then(reference).flatten(),
            criteria: self.criteria.clone(),
        })
    }
}
