//! Regular expressions as PEFT applies them (Python's `re`) to the paths of modules.

use anyhow::{Context, Result, anyhow, ensure};
use fancy_regex::{Regex, RegexBuilder};

/// Longer ones are no adapter's.
const LONGEST: usize = 1 << 16;

/// What Rust's syntax reads as a set of characters of another kind, where Python's reads plain characters.
const READ_OTHERWISE: [&str; 4] = ["[[", "&&", "--", "~~"];

/// Bytes that one of them takes once it is compiled: of a few thousand, all fit.
const MOST_COMPILED: usize = 1 << 18;

/// A regular expression over a module's path.
#[derive(Debug)]
pub(super) struct ModulePattern(Regex);

impl ModulePattern {
    /// Matches a path whose end, from its start or a point on, is the expression:
    /// `re.match(r"(.*\.)?(KEY)$", path)`.
    ///
    /// # Errors
    /// Where it is no expression that both languages read alike.
    pub(super) fn at_end(key: &str) -> Result<Self> {
        Self::within(key, r"\A(?:.*\.)?(?:", r")\z")
    }

    /// Matches a path that is the expression from end to end: `re.fullmatch(KEY, path)`.
    ///
    /// # Errors
    /// As [`ModulePattern::at_end`].
    pub(super) fn whole(key: &str) -> Result<Self> {
        Self::within(key, r"\A(?:", r")\z")
    }

    /// Matches a path that has a number behind the expression, with points around them, and captures the first such
    /// number: `re.match(r".*?\.KEY\.(\d+)\.", path)`.
    ///
    /// # Errors
    /// As [`ModulePattern::at_end`].
    pub(super) fn before_number(key: &str) -> Result<Self> {
        Self::within(key, r"\A.*?\.(?:", r")\.(?<number>\d+)\.")
    }

    fn within(key: &str, before: &str, after: &str) -> Result<Self> {
        let read = || -> Result<Self> {
            ensure!(key.len() <= LONGEST, "it has {} characters, more than any adapter's", key.len());
            if let Some(other) = READ_OTHERWISE.iter().find(|other| key.contains(**other)) {
                return Err(anyhow!("Python and Dojo read its {other:?} differently"));
            }
            // Alone first: its brackets must close by themselves.
            let compile =
                |pattern: &str| RegexBuilder::new(pattern).delegate_size_limit(MOST_COMPILED).build();
            compile(key)?;
            Ok(Self(compile(&format!("{before}{key}{after}"))?))
        };
        read().with_context(|| format!("read the regular expression {:?}", short(key)))
    }

    /// Whether it matches a module's path.
    ///
    /// # Errors
    /// Where that takes too long to find out.
    pub(super) fn matches(&self, path: &str) -> Result<bool> {
        self.0.is_match(path).with_context(|| self.unfinished(path))
    }

    /// The number that [`ModulePattern::before_number`] captures.
    ///
    /// # Errors
    /// As [`ModulePattern::matches`].
    pub(super) fn number(&self, path: &str) -> Result<Option<usize>> {
        let found = self.0.captures(path).with_context(|| self.unfinished(path))?;
        Ok(found.and_then(|found| found.name("number")?.as_str().parse().ok()))
    }

    fn unfinished(&self, path: &str) -> String {
        format!("match the regular expression {:?} with {path}", short(self.0.as_str()))
    }
}

/// So much of a text as an error shows.
pub(super) fn short(text: &str) -> String {
    const SHOWN: usize = 80;
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}
