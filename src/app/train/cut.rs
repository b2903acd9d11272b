//! How many of a recipe's examples are longer than a run reads, and what becomes of them.

use crate::domain::counted::noun;

/// What is cut of a recipe's examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    pub examples: usize,
    /// Those that lose their answer among them.
    pub cut: usize,
    /// How many of these were looked at for it.
    pub looked: usize,
    pub lost: usize,
    /// Tokens that a run reads of an example at most, and those that the recipe would let it.
    pub at: usize,
    pub limit: usize,
}

impl Cut {
    /// In a sentence, with what to do.
    #[must_use]
    pub fn words(&self) -> String {
        let Self { examples, cut, looked, lost, at, limit } = *self;
        let are = if cut == 1 { "is" } else { "are" };
        let lose = match lost {
            0 => String::new(),
            lost if looked < cut => format!(", at least {lost} lose their whole answer and drop out"),
            1 => ", 1 loses its whole answer and drops out".to_owned(),
            many => format!(", {many} lose their whole answer and drop out"),
        };
        let then = if at < limit {
            "that is all the model reads: shorten them"
        } else {
            "raise data.max_length, or leave long examples out"
        };
        let noun = noun(examples as u64, "example");
        format!("{cut} of {examples} {noun} {are} cut at {at} tokens{lose}: {then}")
    }

    /// The same where something is cut.
    pub(crate) fn told(&self) -> Option<String> {
        (self.cut > 0).then(|| self.words())
    }
}
