//! Thoughts that stand in what is said, between marks.

use super::unseen::is_unseen;

/// What begins such a thought, and what ends it.
pub const MARKS: [(&str, &str); 12] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<thoughts>", "</thoughts>"),
    ("<reasoning>", "</reasoning>"),
    ("<reason>", "</reason>"),
    ("<scratchpad>", "</scratchpad>"),
    ("<seed:think>", "</seed:think>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("[THINK]", "[/THINK]"),
    ("\u{25c1}think\u{25b7}", "\u{25c1}/think\u{25b7}"),
];

/// What a text says behind the thoughts that it begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inline {
    /// Something, or there is no thought.
    Answered,
    /// There is a thought, and nothing behind it.
    Alone,
    /// Neither a thought nor anything behind it: marks alone.
    Nothing,
    /// This mark begins a thought that nothing ends.
    Open { mark: &'static str, end: &'static str },
}

impl Inline {
    #[must_use]
    pub fn of(text: &str) -> Self {
        if !text.contains(['<', '[', '\u{25c1}']) {
            return Self::Answered;
        }
        let (mut rest, mut thought, mut marked) = (text.trim_start(), false, false);
        // Where the template begins the thought, the answer has its end alone.
        let first = MARKS.iter().filter_map(|(mark, end)| Some((text.find(end)?, *mark, *end))).min();
        let is_begun = MARKS.iter().any(|(mark, _)| rest.starts_with(mark));
        if let Some((at, mark, end)) = first
            && !is_begun
            && !text.get(..at).is_some_and(|before| before.contains(mark))
        {
            thought = !is_unseen(text.get(..at).unwrap_or_default());
            marked = true;
            rest = text.get(at + end.len()..).unwrap_or_default().trim_start();
        }
        while let Some((mark, end)) = MARKS.into_iter().find(|(mark, _)| rest.starts_with(mark)) {
            let inside = rest.get(mark.len()..).unwrap_or_default();
            let Some((inside, behind)) = inside.split_once(end) else { return Self::Open { mark, end } };
            (thought, marked) = (thought || !is_unseen(inside), true);
            rest = behind.trim_start();
        }
        if let Some((mark, end)) = begun_on_a_line(rest) {
            return Self::Open { mark, end };
        }
        match (marked && is_unseen(rest), thought) {
            (true, true) => Self::Alone,
            (true, false) => Self::Nothing,
            (false, _) => Self::Answered,
        }
    }
}

/// The mark that begins a line, where nothing behind it ends the thought.
fn begun_on_a_line(text: &str) -> Option<(&'static str, &'static str)> {
    MARKS.into_iter().find(|(mark, end)| {
        let begins = text
            .match_indices(mark)
            .filter(|(at, _)| text.get(..*at).is_some_and(|before| before.ends_with('\n')));
        begins.last().is_some_and(|(at, _)| text.get(at..).is_some_and(|behind| !behind.contains(end)))
    })
}

/// A thought without the marks that are around all of it; `None` where they are around several.
#[must_use]
pub fn unmarked(thought: &str) -> Option<&str> {
    let whole = thought.trim();
    let around = |(mark, end): &(&str, &str)| whole.starts_with(mark) || whole.ends_with(end);
    let Some((mark, end)) = MARKS.into_iter().find(around) else { return Some(thought) };
    let inside = whole.strip_prefix(mark).unwrap_or(whole);
    let inside = inside.strip_suffix(end).unwrap_or(inside);
    (!inside.contains(mark) && !inside.contains(end)).then_some(inside.trim())
}

/// What of a text are thoughts between marks: at its beginning, or at that of a line.
#[must_use]
pub fn leading(text: &str) -> Option<&str> {
    let whole = text.trim_start();
    let begins =
        |at: usize| whole.get(..at).is_some_and(|before| before.is_empty() || before.ends_with('\n'));
    let pair = |(mark, end): (&str, &str)| {
        let (from, _) = whole.match_indices(mark).find(|(at, _)| begins(*at))?;
        let to = whole.rfind(end).filter(|to| *to > from)?;
        whole.get(from..to)
    };
    // Where the template begins the thought, the answer has its end alone, at that of a line.
    let end_alone = |(mark, end): (&str, &str)| {
        let (before, behind) = whole.split_once(end)?;
        let is_line = behind.is_empty() || behind.starts_with(['\n', '\r']) || before.ends_with('\n');
        (is_line && !before.contains(mark)).then_some(before)
    };
    MARKS.into_iter().find_map(|marks| pair(marks).or_else(|| end_alone(marks)))
}

/// A text without the thoughts between marks that it begins with.
#[must_use]
pub fn behind(text: &str) -> &str {
    let mut rest = text.trim();
    while let Some((_, end)) = MARKS.into_iter().find(|(mark, _)| rest.starts_with(mark)) {
        let Some((_, after)) = rest.split_once(end) else { break };
        rest = after.trim_start();
    }
    rest
}
