//! Finds the final answer in a solution. After `####` as GSM8K writes it (Cobbe et al. 2021, openai/grade-school-math), in
//! the last `\boxed{}` as MATH does (Hendrycks et al. 2021), after "the answer is", or the last number.

use std::sync::LazyLock;

use regex::Regex;

/// Where an answer was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Hashes,
    Boxed,
    Said,
    LastNumber,
}

impl Place {
    const ALL: [Self; 4] = [Self::Hashes, Self::Boxed, Self::Said, Self::LastNumber];

    /// The place of that name; none for `any`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "hashes" => Some(Self::Hashes),
            "boxed" => Some(Self::Boxed),
            "said" => Some(Self::Said),
            "last-number" => Some(Self::LastNumber),
            _ => None,
        }
    }

    fn find(self, text: &str) -> Option<&str> {
        match self {
            Self::Hashes => {
                text.rsplit_once("####").map(|(_, rest)| rest.trim_start().lines().next().unwrap_or(""))
            }
            Self::Boxed => boxed(text),
            Self::Said => last(&SAID, text),
            Self::LastNumber => last(&NUMBER, text),
        }
    }
}

/// The final answer of a solution, from one place or from the first that has one.
#[must_use]
pub fn extract(text: &str, from: Option<Place>) -> Option<String> {
    let found = match from {
        Some(place) => place.find(text),
        None => Place::ALL.into_iter().find_map(|place| place.find(text).filter(|found| says(found))),
    };
    found.map(|found| found.trim().to_owned()).filter(|found| says(found))
}

fn says(found: &str) -> bool {
    found.chars().any(char::is_alphanumeric)
}

static SAID: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\banswer\s*(?:is|:|=)\s*:?\s*(?:\*\*)?\s*([^\n]{1,80}?)\s*(?:\*\*)?\s*(?:[.!](?:\s|$)|\n|$)",
    )
    .ok()
});
static NUMBER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:/\d+)?)").ok());

fn last<'t>(pattern: &LazyLock<Option<Regex>>, text: &'t str) -> Option<&'t str> {
    let found = pattern.iter().flat_map(|pattern| pattern.captures_iter(text)).last()?;
    found.get(1).map(|group| group.as_str())
}

/// What the last `\boxed{…}` or `\fbox{…}` holds, braces within it counted.
fn boxed(text: &str) -> Option<&str> {
    let start =
        ["\\boxed{", "\\fbox{"].into_iter().filter_map(|mark| Some(text.rfind(mark)? + mark.len())).max()?;
    let rest = text.get(start..)?;
    let mut depth = 1_u32;
    for (index, character) in rest.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return rest.get(..index);
        }
    }
    None
}
