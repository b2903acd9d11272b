//! Source code: one block, since its lines are cut where the chunks are.

use super::writer::BlockWriter;
use crate::domain::library::BlockKind;

pub(super) fn read(out: &mut BlockWriter, text: &str, language: Option<&str>) {
    out.add(BlockKind::Code(language.map(str::to_owned)), text.trim_end(), None);
}
