//! What belongs to the page and not to the text: running heads and feet, and page numbers.

use std::collections::BTreeMap;

use super::line::{PdfLine, PdfPage};

/// Running heads and feet are in this part of a page, at its top and at its bottom.
const MARGIN: f32 = 0.12;
/// What is drawn on so many pages at the same height is the pages'.
const REPEATED: usize = 3;

/// Takes lines out that are at the top or the bottom of several pages at the same height, whatever numbers they have, and
/// numbers of pages.
pub(super) fn remove(pages: &mut [PdfPage]) {
    let mut seen: BTreeMap<(i32, String), usize> = BTreeMap::new();
    for page in pages.iter() {
        let mut own: Vec<(i32, String)> =
            page.lines.iter().filter_map(|line| running_key(page, line)).collect();
        own.sort();
        own.dedup();
        for key in own {
            *seen.entry(key).or_default() += 1;
        }
    }
    let few = pages.len() < REPEATED;
    for page in pages {
        let (width, height) = (page.width, page.height);
        let shell = PdfPage { width, height, ..PdfPage::default() };
        page.lines.retain(|line| {
            let Some((at, words)) = running_key(&shell, line) else { return true };
            // A baseline may be a point lower on another page.
            let times: usize = (at - 1..=at + 1).filter_map(|at| seen.get(&(at, words.clone()))).sum();
            let number = words == "#" && (few || times >= 2 || is_outermost(page.height, line));
            times < REPEATED && !number
        });
    }
}

/// Where it is and what it says, figures left out; none outside the margins.
fn running_key(page: &PdfPage, line: &PdfLine) -> Option<(i32, String)> {
    let from_top = page.height - line.y;
    let near = page.height * MARGIN;
    if page.height <= 0.0 || (from_top > near && line.y > near) {
        return None;
    }
    let mut words = String::new();
    for letter in line.text().chars().filter(|c| !c.is_whitespace()) {
        if !letter.is_ascii_digit() {
            words.extend(letter.to_lowercase());
        } else if !words.ends_with('#') {
            words.push('#');
        }
    }
    let bare = words.trim_matches(['-', '\u{2013}', '\u{2014}', '.', '|', '[', ']', '(', ')']);
    let roman =
        !bare.is_empty() && bare.len() <= 6 && bare.chars().all(|c| matches!(c, 'i' | 'v' | 'x' | 'l'));
    let words = if bare == "#" || bare == "page#" || bare == "page#of#" || bare == "#/#" || roman {
        "#".to_owned()
    } else {
        words
    };
    Some(((line.y / 3.0).round() as i32, words))
}

fn is_outermost(height: f32, line: &PdfLine) -> bool {
    line.y < height * 0.1 || height - line.y < height * 0.08
}
