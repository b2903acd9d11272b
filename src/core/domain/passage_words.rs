//! A passage's place and scores as people read them, in the shell and on the screen.

use super::retrieval::{FoundPassage, ListPlace};

impl FoundPassage {
    /// `vpc-design  p. 4  § 2 Subnets`.
    #[must_use]
    pub fn place_in_words(&self) -> String {
        let pages =
            self.pages.map(
                |(first, last)| {
                    if first == last { format!("p. {first}") } else { format!("pp. {first}-{last}") }
                },
            );
        // A document's title is often its first heading.
        let section = self.section.last().filter(|heading| **heading != self.title);
        let section = section.map(|heading| format!("§ {heading}"));
        [Some(self.title.clone()), pages, section].into_iter().flatten().collect::<Vec<_>>().join("  ")
    }

    /// `dense 0.71 (#2)  bm25 8.25 (#1)  fused 0.0325  reranked 4.20 (#7 to #1)`: raw scores, which rank one search's
    /// passages and mean nothing beside another's.
    #[must_use]
    pub fn scores_in_words(&self) -> String {
        let of = |name: &str, place: Option<ListPlace>| {
            place.map_or_else(
                || format!("{name} –"),
                |place| format!("{name} {:.2} (#{})", place.score, place.rank),
            )
        };
        let mut parts =
            vec![of("dense", self.dense), of("bm25", self.bm25), format!("fused {:.4}", self.score)];
        if let Some(place) = self.reranked {
            parts.push(format!("reranked {:.2} (#{} to #{})", place.score, place.before, place.after));
        }
        parts.join("  ")
    }
}
