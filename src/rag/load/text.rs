//! Plain text: paragraphs between empty lines.

use super::writer::BlockWriter;
use crate::domain::library::BlockKind;

pub(super) fn read(out: &mut BlockWriter, text: &str) {
    let mut paragraph = String::new();
    for line in text.lines() {
        if line.trim().is_empty() {
            out.add(BlockKind::Prose, &std::mem::take(&mut paragraph), None);
            continue;
        }
        if !paragraph.is_empty() {
            paragraph.push('\n');
        }
        paragraph.push_str(line.trim_end());
    }
    out.add(BlockKind::Prose, &paragraph, None);
}
