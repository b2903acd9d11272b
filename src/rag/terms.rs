//! Words as BM25 sees them: cut, stemmed, without stop words, by language. The token ids are those of Qdrant's own BM25,
//! so that a server finds with the same vectors.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use qdrant_edge::bm25_embed::{EdgeBm25, EdgeBm25Config};
use qdrant_edge::external::ordered_float::NotNan;

/// A sparse vector: ids of terms, ascending, and a weight for each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TermVector {
    pub ids: Vec<u32>,
    pub weights: Vec<f32>,
}

/// How often each term is in a text.
pub type TermCounts = BTreeMap<u32, f32>;

/// BM25's two parameters (Robertson and Zaragoza 2009), and what a title's words count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bm25Settings {
    /// How soon more of the same word adds no more.
    pub k1: f64,
    /// How much a long text is held against it, 0 to 1.
    pub b: f64,
    /// So often a word of the title counts as if it were in the text.
    pub title: f32,
}

impl Default for Bm25Settings {
    /// Found on `SciFact`'s training queries.
    fn default() -> Self {
        Self { k1: 1.5, b: 0.75, title: 2.0 }
    }
}

/// ISO 639-1 of the languages that have a stemmer, and what it is called there.
const LANGUAGES: [(&str, &str); 17] = [
    ("en", "english"),
    ("ar", "arabic"),
    ("da", "danish"),
    ("de", "german"),
    ("el", "greek"),
    ("es", "spanish"),
    ("fi", "finnish"),
    ("fr", "french"),
    ("hu", "hungarian"),
    ("it", "italian"),
    ("nl", "dutch"),
    ("no", "norwegian"),
    ("pt", "portuguese"),
    ("ro", "romanian"),
    ("ru", "russian"),
    ("sv", "swedish"),
    ("tr", "turkish"),
];

/// The language that a text is read in when nothing better is known.
const DEFAULT: &str = "en";

/// Cuts texts of any of the languages into terms.
#[derive(Default)]
pub struct TermReader {
    readers: BTreeMap<&'static str, EdgeBm25>,
}

impl TermReader {
    /// Adds what a text holds to some counts, each word `times` times.
    ///
    /// # Errors
    /// Where the language can't be read.
    pub fn count(
        &mut self,
        text: &str,
        language: Option<&str>,
        times: f32,
        counts: &mut TermCounts,
    ) -> Result<()> {
        let vector = self.reader(language)?.embed_document(text);
        for (id, weight) in vector.indices.into_iter().zip(vector.values) {
            *counts.entry(id).or_default() += times * weight.round();
        }
        Ok(())
    }

    /// The terms of a question, in each of the languages that its answers may be in: each counts once.
    ///
    /// # Errors
    /// Where a language can't be read.
    pub fn question(&mut self, text: &str, languages: &[String]) -> Result<TermVector> {
        let mut counts = TermCounts::new();
        for language in languages {
            self.count(text, Some(language), 1.0, &mut counts)?;
        }
        if languages.is_empty() {
            self.count(text, None, 1.0, &mut counts)?;
        }
        let ids: Vec<u32> = counts.into_keys().collect();
        Ok(TermVector { weights: vec![1.0; ids.len()], ids })
    }

    fn reader(&mut self, language: Option<&str>) -> Result<&EdgeBm25> {
        let known = |code: &str| LANGUAGES.iter().find(|(known, _)| *known == code);
        let found = language.and_then(known).or_else(|| known(DEFAULT));
        let (code, name) = *found.context("no language has a stemmer")?;
        if !self.readers.contains_key(code) {
            // With this k and this b a term's weight is how often it is there: n (k + 1) / (k + n).
            let config = EdgeBm25Config {
                k: NotNan::new(1e7)?,
                b: NotNan::new(0.0)?,
                language: Some(name.to_owned()),
                ..EdgeBm25Config::default()
            };
            let reader = EdgeBm25::new(config).with_context(|| format!("read words in {name}"))?;
            self.readers.insert(code, reader);
        }
        self.readers.get(code).context("no language has a stemmer")
    }
}

/// Terms of a text, each as often as it is there.
#[must_use]
pub fn length(counts: &TermCounts) -> f64 {
    counts.values().copied().map(f64::from).sum()
}

/// BM25's weights of a text's terms without the inverse document frequency, which the index adds:
/// `n (k1 + 1) / (n + k1 (1 - b + b length / average))`.
#[must_use]
pub fn weights(counts: &TermCounts, average: f64, settings: Bm25Settings) -> TermVector {
    let Bm25Settings { k1, b, .. } = settings;
    let longer = k1 * (1.0 - b + b * length(counts) / average.max(1.0));
    let weight = |&n: &f32| (f64::from(n) * (k1 + 1.0) / (f64::from(n) + longer)) as f32;
    TermVector { ids: counts.keys().copied().collect(), weights: counts.values().map(weight).collect() }
}
