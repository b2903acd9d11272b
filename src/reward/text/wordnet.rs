//! WordNet's dictionary files (Miller 1995; `index.*`, `data.*` and `*.exc` of a folder that a person has): which words
//! mean the same, found as NLTK finds them, base forms by WordNet's own rules. Knows no metric.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// What a part of speech's files are called, and its endings with what they become.
struct SpeechPart {
    name: &'static str,
    endings: &'static [(&'static str, &'static str)],
}

/// In the order in which NLTK looks.
const PARTS: [SpeechPart; 4] = [
    SpeechPart {
        name: "noun",
        endings: &[
            ("s", ""),
            ("ses", "s"),
            ("ves", "f"),
            ("xes", "x"),
            ("zes", "z"),
            ("ches", "ch"),
            ("shes", "sh"),
            ("men", "man"),
            ("ies", "y"),
        ],
    },
    SpeechPart {
        name: "verb",
        endings: &[
            ("s", ""),
            ("ies", "y"),
            ("es", "e"),
            ("es", ""),
            ("ed", "e"),
            ("ed", ""),
            ("ing", "e"),
            ("ing", ""),
        ],
    },
    SpeechPart { name: "adj", endings: &[("er", ""), ("est", ""), ("er", "e"), ("est", "e")] },
    SpeechPart { name: "adv", endings: &[] },
];

/// A dictionary file of WordNet 3.1 has 16 MB at most.
const MOST_BYTES: u64 = 1 << 28;

/// Of one part of speech.
#[derive(Debug, Default)]
struct PartOfDictionary {
    /// Where the sets of synonyms of a word are.
    places: HashMap<String, Vec<u64>>,
    /// Words of one sense, by their place.
    synonyms: HashMap<u64, Vec<String>>,
    /// Base forms of what follows no rule.
    exceptions: HashMap<String, Vec<String>>,
}

/// The dictionary.
#[derive(Debug)]
pub struct WordNet {
    parts: Vec<PartOfDictionary>,
}

impl WordNet {
    /// Reads the dictionary of a folder.
    ///
    /// # Errors
    /// If a file is missing, too large, or isn't of WordNet's form; the sentence names it.
    pub fn open(folder: &Path) -> Result<Self> {
        let parts = PARTS.iter().map(|part| PartOfDictionary::read(folder, part.name));
        let parts = parts.collect::<Result<_>>();
        let parts =
            parts.with_context(|| format!("read WordNet's files (index.*, data.*) in {}", folder.display()));
        Ok(Self { parts: parts? })
    }

    /// Words that share a sense with this one, spelt as WordNet has them, without those of several words.
    #[must_use]
    pub fn synonyms(&self, word: &str) -> HashSet<String> {
        let lower = word.to_lowercase();
        let mut found = HashSet::new();
        for (part, about) in self.parts.iter().zip(&PARTS) {
            for form in part.base_forms(&lower, about.endings) {
                let places = part.places.get(&form).into_iter().flatten();
                let words = places.filter_map(|place| part.synonyms.get(place)).flatten();
                found.extend(words.filter(|word| !word.contains('_')).cloned());
            }
        }
        found
    }
}

impl PartOfDictionary {
    fn read(folder: &Path, name: &str) -> Result<Self> {
        let mut part = Self::default();
        let index = text(&folder.join(format!("index.{name}")))?;
        for (number, line) in entries(&index) {
            let (word, places) = index_entry(line)
                .with_context(|| format!("line {number} of index.{name} has another form"))?;
            part.places.insert(word, places);
        }
        let data = text(&folder.join(format!("data.{name}")))?;
        for (number, line) in entries(&data) {
            let (place, words) =
                data_entry(line).with_context(|| format!("line {number} of data.{name} has another form"))?;
            part.synonyms.insert(place, words);
        }
        let exceptions = folder.join(format!("{name}.exc"));
        if exceptions.is_file() {
            for line in text(&exceptions)?.lines() {
                let mut words = line.split_whitespace().map(str::to_owned);
                if let Some(form) = words.next() {
                    part.exceptions.insert(form, words.collect());
                }
            }
        }
        Ok(part)
    }

    /// The base forms of a word that the dictionary has, the word itself among them.
    fn base_forms(&self, word: &str, endings: &[(&str, &str)]) -> Vec<String> {
        let known = |forms: Vec<String>| {
            let mut found: Vec<String> = Vec::new();
            for form in forms {
                if self.places.contains_key(&form) && !found.contains(&form) {
                    found.push(form);
                }
            }
            found
        };
        let shorter = |forms: &[String]| -> Vec<String> {
            let of = |form: &String| {
                let made = |(old, new): &(&str, &str)| Some(format!("{}{new}", form.strip_suffix(old)?));
                endings.iter().filter_map(made).collect::<Vec<_>>()
            };
            forms.iter().flat_map(of).collect()
        };
        let own = vec![word.to_owned()];
        if let Some(exceptions) = self.exceptions.get(word) {
            return known([own, exceptions.clone()].concat());
        }
        let mut forms = shorter(&own);
        let mut found = known([own, forms.clone()].concat());
        // Every round takes letters off, so that it ends.
        while found.is_empty() && !forms.is_empty() {
            forms = shorter(&forms);
            found = known(forms.clone());
        }
        found
    }
}

fn text(path: &Path) -> Result<String> {
    let about = || format!("read {}", path.display());
    let bytes = std::fs::metadata(path).with_context(about)?.len();
    ensure!(bytes <= MOST_BYTES, "{} has {bytes} bytes, more than WordNet's files have", path.display());
    // Names of people are in Latin-1 in some versions.
    let bytes = std::fs::read(path).with_context(about)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The lines after the licence, each of which begins with two spaces, numbered from 1.
fn entries(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with(' ') && !line.is_empty())
}

/// `lemma pos senses pointers [pointer...] senses tagged [place...]`.
fn index_entry(line: &str) -> Option<(String, Vec<u64>)> {
    let mut words = line.split_whitespace();
    let lemma = words.next()?.to_owned();
    let senses: usize = words.nth(1)?.parse().ok()?;
    let pointers: usize = words.next()?.parse().ok()?;
    let places: Option<Vec<u64>> = words.skip(pointers + 2).map(|place| place.parse().ok()).collect();
    places.filter(|places| places.len() == senses).map(|places| (lemma, places))
}

/// `place file type words(hexadecimal) [word number]... ...`; an adjective's word may say where it stands, as `(p)`.
fn data_entry(line: &str) -> Option<(u64, Vec<String>)> {
    let mut parts = line.split_whitespace();
    let place = parts.next()?.parse().ok()?;
    let count = usize::from_str_radix(parts.nth(2)?, 16).ok()?;
    let mut words = Vec::with_capacity(count.min(256));
    for _ in 0..count {
        let word = parts.next()?;
        parts.next()?;
        words.push(word.split_once('(').map_or(word, |(word, _)| word).to_owned());
    }
    Some((place, words))
}
