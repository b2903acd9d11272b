//! Which documents a search looks in.

use anyhow::{Context, Result, bail};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::database::StoredDocument;
use crate::domain::retrieval::LibraryFilter;

/// A filter that has been read.
pub struct DocumentFilter<'a> {
    filter: &'a LibraryFilter,
    paths: GlobSet,
}

impl<'a> DocumentFilter<'a> {
    /// # Errors
    /// Where a pattern can't be read or a limit is no date.
    pub fn new(filter: &'a LibraryFilter) -> Result<Self> {
        for (name, date) in [("from", &filter.from), ("until", &filter.until)] {
            if let Some(date) = date.as_deref().filter(|date| !is_date(date)) {
                bail!(
                    "{name}:{date} is no date: say a year, a month or a day, such as 2024, 2024-05 or 2024-05-17"
                );
            }
        }
        let mut paths = GlobSetBuilder::new();
        for pattern in &filter.paths {
            let said = pattern.strip_prefix("./").unwrap_or(pattern);
            let said = if said.len() > 1 { said.trim_end_matches('/') } else { said };
            // Sources are whole paths, and nobody types those.
            let anywhere = if said.starts_with('/') { said.to_owned() } else { format!("**/{said}") };
            // A folder means all that is in it.
            for whole in [&anywhere, &format!("{}/**", anywhere.trim_end_matches('/'))] {
                let glob = GlobBuilder::new(whole).literal_separator(true).build();
                paths.add(glob.with_context(|| format!("read the pattern {pattern}"))?);
            }
        }
        Ok(Self { filter, paths: paths.build().context("read the patterns")? })
    }

    /// Whether a document is one of those that are looked in.
    #[must_use]
    pub fn takes(&self, document: &StoredDocument) -> bool {
        let LibraryFilter { documents, tags, paths, from, until, only, without } = self.filter;
        let own = &document.from.source;
        let (source, title) = (document.from.source.to_lowercase(), document.title.to_lowercase());
        let named = |part: &String| {
            let part = part.to_lowercase();
            source.contains(&part) || title.contains(&part)
        };
        let has_tag = |tag: &String| document.facts.tags.iter().any(|own| own.eq_ignore_ascii_case(tag));
        let date = document.facts.date.as_deref();
        // A date is as exact as its source has it, and so is the limit: they are compared as far as both go.
        let as_far_as = |date: &'_ str, limit: &str| date.get(..limit.len()).unwrap_or(date).to_owned();
        let not_before = |from: &String| date.is_some_and(|date| as_far_as(date, from) >= *from);
        let not_after = |until: &String| date.is_some_and(|date| as_far_as(date, until) <= *until);
        (only.is_empty() || only.contains(own))
            && !without.contains(own)
            && documents.iter().all(named)
            && tags.iter().all(has_tag)
            && (paths.is_empty() || self.paths.is_match(&document.from.source))
            && from.iter().all(not_before)
            && until.iter().all(not_after)
    }
}

/// Whether a text is a year, a month or a day, as documents have their dates.
fn is_date(text: &str) -> bool {
    let within = |part: &str, digits: usize, most: u32| {
        let is_number = part.len() == digits && part.bytes().all(|letter| letter.is_ascii_digit());
        is_number && part.parse().is_ok_and(|number: u32| (1..=most).contains(&number))
    };
    let mut parts = text.split('-');
    parts.next().is_some_and(|year| within(year, 4, 9999))
        && parts.next().is_none_or(|month| within(month, 2, 12))
        && parts.next().is_none_or(|day| within(day, 2, 31))
        && parts.next().is_none()
}
