//! Marks in texts that stand for a picture, a sound or a film: it isn't read, so only the mark's letters would be learnt.

use std::collections::BTreeMap;

use crate::domain::record::Record;

/// As the data of models that see and hear has them.
const MARKS: [&str; 17] = [
    "<image>",
    "<video>",
    "<audio>",
    "<speech>",
    "<|image|>",
    "<|video|>",
    "<|audio|>",
    "<|image_1|>",
    "<|audio_1|>",
    "<|image_pad|>",
    "<|video_pad|>",
    "<|vision_start|>",
    "<|audio_bos|>",
    "<start_of_image>",
    "<image_soft_token>",
    "<ImageHere>",
    "[IMG]",
];

/// Counted while rows are read.
#[derive(Debug, Default)]
pub(in crate::data) struct Placeholders {
    /// Rows with each mark.
    found: BTreeMap<&'static str, u64>,
    rows: u64,
    first: Option<String>,
}

impl Placeholders {
    pub(in crate::data) fn look(&mut self, record: &Record) {
        // Few texts have a bracket at all.
        let texts = record.turns().map(|turn| turn.content.as_str()).chain(record.text.as_deref());
        let texts: Vec<&str> = texts.filter(|text| text.contains(['<', '['])).collect();
        let has = |mark: &&str| texts.iter().any(|text| text.contains(*mark));
        let found: Vec<&'static str> = MARKS.into_iter().filter(has).collect();
        if found.is_empty() {
            return;
        }
        self.rows += 1;
        self.first.get_or_insert_with(|| record.place());
        found.into_iter().for_each(|mark| *self.found.entry(mark).or_default() += 1);
    }

    /// What was found, in a sentence.
    pub(in crate::data) fn told(&self, rows: u64) -> Option<String> {
        let first = self.first.as_ref()?;
        let named: Vec<String> = self.found.keys().map(|mark| format!("{mark:?}")).collect();
        Some(format!(
            "{} stands in {} of {rows} rows (the first is {first}) and is read as letters: pictures, sounds and films \
             aren't read; if it stands for one, take these rows out",
            named.join(" or "),
            self.rows
        ))
    }
}
