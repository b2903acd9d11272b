//! How much of what a model answers from a library is in the passages that it saw: each claim of each answer, by a
//! judge. Both are asked as teachers are, so that what was answered once is never paid for twice.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use serde::Serialize;

use super::answer::{LibraryPrompts, NOT_THERE, asked_as, near};
use crate::app::review::{JobProgress, OnProgress, prompt};
use crate::config::Folders;
use crate::domain::cited::SentenceGround;
use crate::domain::retrieval::{FoundPassage, SearchMode};
use crate::domain::thought::estimated_tokens;
use crate::rag::answer::check;
use crate::rag::embedding::TextEmbedder;
use crate::rag::library::Library;
use crate::rag::terms::TermReader;
use crate::teacher::claim::{Claim, ClaimJudge, ClaimVerdict, JudgedClaim};
use crate::teacher::course::{JobFact, JobPatience, JobWatch, TeacherJobEnd, run};
use crate::teacher::job::Drawing;
use crate::teacher::request::Request;
use crate::teacher::{AskError, Left, Speaker};

/// The two parts of the job, as what they have spent is kept.
const ANSWERS: &str = "rag answers";
const CLAIMS: &str = "rag claims";
/// A turn's frame in tokens, where no tokenizer is at hand.
const FRAME: usize = 4;

/// Passages of a question at most, and tokens of a prompt with them; as `dojo rag ask` has them.
const TOP: usize = 5;
const PROMPT_TOKENS: usize = 2048;

/// A question with the passages that it is to be answered from.
#[derive(Clone)]
pub struct GroundedQuestion {
    question: String,
    passages: Vec<FoundPassage>,
    /// None if nothing is near it.
    request: Option<Request>,
}

/// Who answers and who judges, and what they are asked with.
pub struct GroundednessJob<'a> {
    pub answerer: &'a dyn Speaker,
    pub judge: &'a dyn Speaker,
    claims: ClaimJudge,
    languages: Vec<String>,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Groundedness {
    pub answered_by: String,
    pub judged_by: String,
    pub questions: u64,
    /// Questions that have an answer.
    pub answered: u64,
    /// Questions that are said not to be answered in the documents: nothing was near, or the model said so.
    pub not_in_documents: u64,
    /// Questions that the model gave no usable answer to, by reason.
    pub unanswered: BTreeMap<String, u64>,
    /// Questions that were not asked, or whose claims were not all asked about.
    pub left: u64,
    pub claims: u64,
    pub supported: u64,
    pub contradicted: u64,
    pub not_stated: u64,
    /// Claims that the judge gave no usable verdict on, by reason. They are in no share.
    pub unjudged: BTreeMap<String, u64>,
    /// Of the claims that were judged, the share that is supported.
    pub groundedness: Option<f64>,
    /// Of the answers all of whose claims were judged, the share that has all of them supported.
    pub wholly_supported: Option<f64>,
    /// Answers that say too little to hold a claim.
    pub without_claims: u64,
    /// Numbers in the answers that point nowhere, and claims whose words are in no passage: found without a judge.
    pub points_nowhere: u64,
    pub words_in_no_passage: u64,
    pub prompt_tokens: u64,
    pub answer_tokens: u64,
    pub dollars: f64,
    /// Answers paid for, and those that were there already.
    pub paid_for: u64,
    pub from_before: u64,
    /// Why it ended before all was asked, in a sentence.
    pub cut: Option<String>,
    pub items: Vec<GroundedAnswer>,
}

/// One answer and what was found of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroundedAnswer {
    pub question: String,
    pub answer: String,
    pub claims: Vec<CheckedClaim>,
    #[serde(skip)]
    points_nowhere: u64,
    #[serde(skip)]
    words_in_no_passage: u64,
}

/// A claim and its verdict; without one, why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckedClaim {
    pub claim: String,
    #[serde(flatten)]
    pub judged: Option<JudgedClaim>,
    pub unjudged: Option<String>,
}

/// What came of one question.
enum QuestionGrounds {
    NotThere,
    Unanswered(String),
    Answered(GroundedAnswer),
}

/// Finds the passages of questions and puts them into prompts. Without an embedder the library is searched by its words.
///
/// # Errors
/// Where the library can't be read, or a prompt not be filled in.
pub fn questions<'q>(
    folders: &Folders,
    library: &mut Library,
    embedder: Option<&dyn TextEmbedder>,
    asked: impl Iterator<Item = &'q str>,
    drawing: Drawing,
) -> Result<Vec<GroundedQuestion>> {
    let prompts = LibraryPrompts::load(folders, library.folder().parent().unwrap_or(Path::new(".")))?;
    let mode = if embedder.is_some() { SearchMode::Hybrid } else { SearchMode::Bm25 };
    asked
        .map(|question| {
            let found = near(library.search(&asked_as(question, mode, TOP), embedder)?.passages);
            let tokens = |turns: &[crate::domain::message::Message]| {
                Ok(turns.iter().map(|turn| estimated_tokens(&turn.content) as usize + FRAME).sum())
            };
            let prompt = prompts.answer(question, &[], &found, PROMPT_TOKENS, tokens)?;
            let passages: Vec<FoundPassage> = found.into_iter().take(prompt.shown.len()).collect();
            let request = (!passages.is_empty()).then(|| Request {
                messages: prompt.messages,
                max_tokens: drawing.max_tokens,
                temperature: drawing.temperature,
                schema: None,
                draw: 0,
            });
            Ok(GroundedQuestion { question: question.to_owned(), passages, request })
        })
        .collect()
}

impl<'a> GroundednessJob<'a> {
    /// # Errors
    /// Where a prompt of the user can't be read.
    pub fn new(
        folders: &Folders,
        library: &Library,
        (answerer, judge): (&'a dyn Speaker, &'a dyn Speaker),
        drawing: Drawing,
    ) -> Result<Self> {
        let session = library.folder().parent().unwrap_or(Path::new("."));
        let claims = ClaimJudge {
            prompt: prompt(folders, session, "claim")?,
            again: prompt(folders, session, "again")?,
            drawing,
        };
        Ok(Self { answerer, judge, claims, languages: library.database().languages()? })
    }

    /// Has every question answered and every claim judged. What ends the asking is in the result.
    ///
    /// # Errors
    /// Where what was spent can't be kept.
    pub async fn measure(
        &self,
        questions: Vec<GroundedQuestion>,
        stop: &AtomicBool,
        progress: OnProgress<'_>,
    ) -> Result<Groundedness> {
        let all = questions.len() as u64;
        let mut found = Groundedness {
            answered_by: self.answerer.name(),
            judged_by: self.judge.name(),
            questions: all,
            ..Groundedness::default()
        };
        self.answerer.carry_on(ANSWERS)?;
        if !self.is_one() {
            self.judge.carry_on(CLAIMS)?;
        }
        let speakers = [self.answerer, self.judge];
        let at_once = self.answerer.at_once().min(self.judge.at_once());
        let watch = JobWatch { at_once, stop, speakers: &speakers, patience: JobPatience::default() };
        let mut done = 0;
        let work = async |item: GroundedQuestion| self.grounds(&item).await;
        let ended = run(questions, watch, work, |fact: JobFact<GroundedQuestion, QuestionGrounds>| {
            let silent = |silence| progress(JobProgress { done, all, silence: Some(silence) });
            let Some((_, grounds)) = fact.result(silent) else { return Ok(()) };
            found.take(grounds);
            done += 1;
            progress(JobProgress { done, all, silence: None });
            Ok(())
        })
        .await?;
        found.left = all - done;
        self.finish(&mut found, &ended)?;
        Ok(found)
    }

    /// Whether one speaker does both: what it spends is counted once.
    fn is_one(&self) -> bool {
        std::ptr::addr_eq(self.answerer, self.judge)
    }

    async fn grounds(&self, item: &GroundedQuestion) -> Result<QuestionGrounds, AskError> {
        let Some(request) = &item.request else { return Ok(QuestionGrounds::NotThere) };
        let answer = match self.answerer.ask(request).await {
            Ok(answer) => answer.text.trim().to_owned(),
            Err(error) if error.stops_job() => return Err(error),
            Err(error) => return Ok(QuestionGrounds::Unanswered(error.name().to_owned())),
        };
        if answer.starts_with(NOT_THERE) {
            return Ok(QuestionGrounds::NotThere);
        }
        let checked = check(&answer, &item.passages, &mut TermReader::default(), &self.languages);
        let checked = checked.map_err(|error| AskError::Local(format!("{error:#}")))?;
        let mut claims = Vec::new();
        for sentence in checked.sentences.iter().filter(|one| one.ground != SentenceGround::TooShort) {
            let text = answer.get(sentence.at.clone()).unwrap_or_default();
            let (question, passages) = (item.question.as_str(), item.passages.as_slice());
            let claim = Claim { question, answer: &answer, text, passages };
            let judged = self.claims.judge(self.judge, claim).await?;
            let unjudged = judged.as_ref().err().map(|aside| aside.reason.clone());
            claims.push(CheckedClaim { claim: text.to_owned(), judged: judged.ok(), unjudged });
        }
        Ok(QuestionGrounds::Answered(GroundedAnswer {
            question: item.question.clone(),
            claims,
            points_nowhere: checked.dangling().count() as u64,
            words_in_no_passage: checked.ungrounded().count() as u64,
            answer,
        }))
    }

    fn finish(&self, found: &mut Groundedness, ended: &TeacherJobEnd) -> Result<()> {
        let left = if *ended == TeacherJobEnd::Finished { Left::Finished } else { Left::Unfinished };
        self.answerer.leave(ANSWERS, left)?;
        let mut accounts = vec![self.answerer.account()];
        if !self.is_one() {
            self.judge.leave(CLAIMS, left)?;
            accounts.push(self.judge.account());
        }
        for account in accounts {
            found.prompt_tokens += account.spent.prompt_tokens;
            found.answer_tokens += account.spent.answer_tokens;
            found.dollars += account.spent.money.0 as f64 / 1e6;
            found.paid_for += account.answers;
            found.from_before += account.from_cache;
        }
        found.cut = match ended {
            TeacherJobEnd::Finished => None,
            TeacherJobEnd::Stopped => Some("stopped; run this again to continue".to_owned()),
            TeacherJobEnd::Cut(error) => Some(error.to_string()),
        };
        found.sum_up();
        Ok(())
    }
}

impl Groundedness {
    fn take(&mut self, grounds: QuestionGrounds) {
        match grounds {
            QuestionGrounds::NotThere => self.not_in_documents += 1,
            QuestionGrounds::Unanswered(why) => *self.unanswered.entry(why).or_default() += 1,
            QuestionGrounds::Answered(answer) => {
                self.answered += 1;
                self.without_claims += u64::from(answer.claims.is_empty());
                self.points_nowhere += answer.points_nowhere;
                self.words_in_no_passage += answer.words_in_no_passage;
                for claim in &answer.claims {
                    self.claims += 1;
                    match claim.judged.as_ref().map(|judged| judged.verdict) {
                        Some(ClaimVerdict::Supported) => self.supported += 1,
                        Some(ClaimVerdict::Contradicted) => self.contradicted += 1,
                        Some(ClaimVerdict::NotStated) => self.not_stated += 1,
                        None => {
                            let why = claim.unjudged.clone().unwrap_or_default();
                            *self.unjudged.entry(why).or_default() += 1;
                        }
                    }
                }
                self.items.push(answer);
            }
        }
    }

    fn sum_up(&mut self) {
        let share = |part: u64, all: u64| (all > 0).then(|| part as f64 / all as f64);
        self.groundedness = share(self.supported, self.supported + self.contradicted + self.not_stated);
        let judged = |answer: &&GroundedAnswer| {
            !answer.claims.is_empty() && answer.claims.iter().all(|claim| claim.judged.is_some())
        };
        let is_supported = |claim: &CheckedClaim| {
            claim.judged.as_ref().is_some_and(|judged| judged.verdict == ClaimVerdict::Supported)
        };
        let whole = self.items.iter().filter(judged);
        let supported = whole.clone().filter(|answer| answer.claims.iter().all(is_supported)).count();
        self.wholly_supported = share(supported as u64, whole.count() as u64);
        // Whichever came first.
        self.items.sort_by(|a, b| a.question.cmp(&b.question));
    }
}
