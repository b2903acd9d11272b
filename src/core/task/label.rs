//! Labels: their names, and when two are the same.

use super::{Compare, Task};
use crate::domain::record::Record;

impl Task {
    /// The task's own name for a label: `1` for `Entailment`, where the task says so; else the label, trimmed.
    #[must_use]
    pub fn canonical(&self, label: &str) -> String {
        let plain = label.trim().trim_matches(['"', '\'', '.', '*', '`']).trim();
        let lower = plain.to_lowercase();
        let known = self
            .label_names
            .iter()
            .find(|(name, others)| name.to_lowercase() == lower || others.contains(&lower));
        known.map_or_else(|| plain.to_owned(), |(name, _)| name.clone())
    }

    /// The labels that the task names; none, if any text may be one.
    #[must_use]
    pub fn labels(&self) -> Vec<&str> {
        self.label_names.keys().map(String::as_str).collect()
    }

    /// Whether a label is one that the task names; always, where it names none.
    #[must_use]
    pub fn knows(&self, label: &str) -> bool {
        self.label_names.is_empty() || self.label_names.contains_key(&self.canonical(label))
    }

    /// The true label of a record: its own, or what its answer ends with, as the task says.
    #[must_use]
    pub fn true_label(&self, record: &Record) -> Option<String> {
        if let Some(label) = &record.label {
            return Some(self.canonical(label));
        }
        let found = self.reference.as_ref()?.captures(record.answer()?)?;
        Some(self.canonical(found.name("label")?.as_str()))
    }

    /// Whether two labels are the same.
    #[must_use]
    pub fn same(&self, a: &str, b: &str) -> bool {
        let (a, b) = (self.canonical(a), self.canonical(b));
        match self.compare {
            Compare::Label => a.eq_ignore_ascii_case(&b),
            Compare::Number => match (number(&a), number(&b)) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1.0),
                _ => a == b,
            },
        }
    }
}

/// A number as people write it: `$1,234.50`, `3/4`, `25%` (the sign is left out), `18 apples`.
fn number(text: &str) -> Option<f64> {
    let plain: String = text.chars().filter(|c| !matches!(c, '$' | '€' | '£' | ',' | '%' | ' ')).collect();
    if let Some((above, below)) = plain.split_once('/') {
        let (above, below): (f64, f64) = (above.parse().ok()?, below.parse().ok()?);
        return (below != 0.0).then(|| above / below);
    }
    let end = plain.find(|c: char| !(c.is_ascii_digit() || "+-.".contains(c))).unwrap_or(plain.len());
    plain.get(..end)?.trim_end_matches('.').parse().ok()
}
