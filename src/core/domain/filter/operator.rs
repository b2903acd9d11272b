//! The signs between a field and its value.

use super::{Bounds, Edge, NumberField, WORD_FIELDS};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    AtLeast,
    AtMost,
    Above,
    Below,
    Is,
    IsNot,
}

impl Operator {
    /// The longer ones first, so that `>=` is not read as `>`.
    const SIGNS: [(&'static str, Self); 8] = [
        (">=", Self::AtLeast),
        ("<=", Self::AtMost),
        ("!=", Self::IsNot),
        ("==", Self::Is),
        (">", Self::Above),
        ("<", Self::Below),
        (":", Self::Is),
        // What people type who come from programming.
        ("=", Self::Is),
    ];

    /// The operator that a text begins with, and how many bytes it takes.
    pub(super) fn at(rest: &str) -> Option<(Self, usize)> {
        let found = Self::SIGNS.into_iter().find(|(sign, _)| rest.starts_with(sign));
        found.map(|(sign, operator)| (operator, sign.len()))
    }

    /// The operator after a field's name, and how many bytes it takes. Spaces around it count where the name is a field's:
    /// `tokens > 45` is meant as `tokens>45`, and not as three words.
    pub(super) fn after(name: &str, rest: &str) -> Option<(Self, usize)> {
        let space = |text: &str| text.len() - text.trim_start().len();
        let name = name.to_lowercase();
        let is_number = NumberField::ALL.into_iter().any(|field| field.name() == name);
        let before = if is_number || WORD_FIELDS.contains(&name.as_str()) { space(rest) } else { 0 };
        let (operator, long) = Self::at(&rest[before..])?;
        let end = before + long;
        let is_apart = is_number || before > 0;
        Some((operator, if is_apart { end + space(&rest[end..]) } else { end }))
    }

    pub(super) const fn bounds(self, number: f64) -> Bounds {
        let (low, high) = match self {
            Self::AtLeast => (Some(Edge::Included(number)), None),
            Self::AtMost => (None, Some(Edge::Included(number))),
            Self::Above => (Some(Edge::Excluded(number)), None),
            Self::Below => (None, Some(Edge::Excluded(number))),
            // The opposite is made of the whole term.
            Self::Is | Self::IsNot => (Some(Edge::Included(number)), Some(Edge::Included(number))),
        };
        Bounds { low, high }
    }
}
