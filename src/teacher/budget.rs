//! What a job may spend, and what it has spent. Pure: whoever asks reserves first and settles afterwards, so that
//! requests under way together can't pass the limit.

use crate::domain::teacher::Money;

/// Limits; missing ones don't bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Budget {
    pub money: Option<Money>,
    pub tokens: Option<u64>,
}

/// Money and tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spending {
    pub money: Money,
    pub prompt_tokens: u64,
    pub answer_tokens: u64,
}

impl Spending {
    #[must_use]
    pub const fn tokens(&self) -> u64 {
        self.prompt_tokens.saturating_add(self.answer_tokens)
    }

    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            money: self.money.plus(other.money),
            prompt_tokens: self.prompt_tokens.saturating_add(other.prompt_tokens),
            answer_tokens: self.answer_tokens.saturating_add(other.answer_tokens),
        }
    }

    const fn minus(self, other: Self) -> Self {
        Self {
            money: self.money.minus(other.money),
            prompt_tokens: self.prompt_tokens.saturating_sub(other.prompt_tokens),
            answer_tokens: self.answer_tokens.saturating_sub(other.answer_tokens),
        }
    }
}

/// The meter of one job.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    budget: Budget,
    /// What the job spent when it was run before.
    before: Spending,
    spent: Spending,
    reserved: Spending,
    /// Answers paid for in this job.
    pub answers: u64,
    /// Answers that were there already.
    pub from_cache: u64,
}

/// Whether a request fits the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It is reserved.
    Reserved,
    /// It may fit when requests under way have cost less than was reserved for them.
    Later,
    Never,
}

impl Meter {
    #[must_use]
    pub fn new(budget: Budget) -> Self {
        Self { budget, ..Self::default() }
    }

    /// The job goes on, and has spent this: its budget is for all of it.
    pub const fn carry_on(&mut self, before: Spending) {
        self.before = before;
    }

    /// What counts against the budget: what this run has spent, and the runs that it goes on with.
    #[must_use]
    pub const fn counted(&self) -> Spending {
        self.before.plus(self.spent)
    }

    /// What is to be known of it when it goes on; nothing if it has no limit.
    #[must_use]
    pub fn to_carry_on(&self) -> Option<Spending> {
        (self.budget != Budget::default()).then(|| self.counted())
    }

    /// Reserves the most that a request can cost.
    pub fn reserve(&mut self, most: Spending) -> Fit {
        if !self.fits(self.counted().plus(most)) {
            return Fit::Never;
        }
        if !self.fits(self.counted().plus(self.reserved).plus(most)) {
            return Fit::Later;
        }
        self.reserved = self.reserved.plus(most);
        Fit::Reserved
    }

    fn fits(&self, sum: Spending) -> bool {
        self.budget.money.is_none_or(|money| sum.money <= money)
            && self.budget.tokens.is_none_or(|tokens| sum.tokens() <= tokens)
    }

    /// Puts what a request did cost in the place of what was reserved for it.
    pub fn settle(&mut self, reserved: Spending, cost: Spending) {
        self.reserved = self.reserved.minus(reserved);
        self.spent = self.spent.plus(cost);
    }

    #[must_use]
    pub const fn spent(&self) -> Spending {
        self.spent
    }
}
