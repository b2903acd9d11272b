//! Which documents a search looks in.

use anyhow::{Context, Result};
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
    /// Where a pattern can't be read.
    pub fn new(filter: &'a LibraryFilter) -> Result<Self> {
        let mut paths = GlobSetBuilder::new();
        for pattern in &filter.paths {
            // Sources are whole paths, and nobody types those.
            let anywhere = if pattern.starts_with('/') { pattern.clone() } else { format!("**/{pattern}") };
            let glob = GlobBuilder::new(&anywhere).literal_separator(true).build();
            paths.add(glob.with_context(|| format!("read the pattern {pattern}"))?);
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
