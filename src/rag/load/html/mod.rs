//! HTML: what a page says, without its scripts, its navigation and its frame. `html5gum` tells tags from text; which
//! words belong together is found here.

mod reader;
mod tags;

use super::writer::BlockWriter;
use crate::domain::library::BlockKind;
use reader::{HtmlBlock, HtmlReader, letters};
pub(super) use reader::{attribute, words};

/// A page's main part is read alone if it has so many letters.
const MAIN_LETTERS: usize = 200;
/// So many items of links alone, one after the other, are a menu.
const MENU: usize = 10;

/// Which rules tags follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Markup {
    /// As browsers read it: `<script>` and `<title>` hold text alone.
    Html,
    /// As in e-books: any tag may be closed at once.
    Xhtml,
}

/// Reads a page; of its frame only what isn't within its main part.
pub(super) fn read(out: &mut BlockWriter, text: &str, markup: Markup) {
    let mut blocks = HtmlReader::new(out, PassedOver::Frame).read(text, markup);
    if blocks.iter().all(|block| block.text.trim().is_empty()) {
        // Everything was within something that is never closed.
        blocks = HtmlReader::new(out, PassedOver::Scripts).read(text, markup);
    }
    let blocks = without_menus(blocks);
    let main: usize = blocks.iter().filter(|block| block.main).map(|block| letters(&block.text)).sum();
    for block in blocks.iter().filter(|block| block.main || main < MAIN_LETTERS) {
        match &block.kind {
            BlockKind::Heading(level) => out.heading(*level, &block.text, None),
            kind => out.add(kind.clone(), &block.text, None),
        }
    }
}

/// Long lists of links alone lead to other pages, whatever tag they are in.
fn without_menus(blocks: Vec<HtmlBlock>) -> Vec<HtmlBlock> {
    let mut kept: Vec<HtmlBlock> = Vec::with_capacity(blocks.len());
    let mut menu = Vec::new();
    for block in blocks {
        if block.link && block.kind == BlockKind::ListItem {
            menu.push(block);
            continue;
        }
        if menu.len() < MENU {
            kept.append(&mut menu);
        }
        menu.clear();
        kept.push(block);
    }
    if menu.len() < MENU {
        kept.append(&mut menu);
    }
    kept
}

/// What is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PassedOver {
    Scripts,
    /// Also navigation, heads and feet, forms.
    Frame,
}
