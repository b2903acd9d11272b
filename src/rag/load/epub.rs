//! EPUB: an e-book's chapters in the order of its spine; each is a page of XHTML.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};

use super::archive::Archive;
use super::html::{self, Markup};
use super::writer::BlockWriter;
use super::xml::{self, XmlPart};
use crate::ground::percent;

/// Most chapters of one book.
const MOST_CHAPTERS: usize = 10_000;

/// # Errors
/// If the archive is damaged or too large, holds no book, or one that is locked.
pub(super) fn read(out: &mut BlockWriter, archive: &mut Archive<'_>) -> Result<()> {
    let container = archive.text("META-INF/container.xml")?;
    let container = container.context("it holds no META-INF/container.xml: it is no EPUB file")?;
    let package_path = rootfile(&container).context("its container names no package: the EPUB is damaged")?;
    let package = archive.text(&package_path)?;
    let package = package.with_context(|| format!("it holds no {package_path}: the EPUB is damaged"))?;
    out.title = xml::all(&package, "dc:title").into_iter().next();
    out.facts.authors = xml::all(&package, "dc:creator");
    out.facts.date = xml::all(&package, "dc:date").into_iter().next();
    out.facts.tags = xml::all(&package, "dc:subject");
    let language = xml::all(&package, "dc:language").into_iter().next();
    out.facts.language = language.and_then(|told| told.get(..2).map(str::to_lowercase));
    let folder = package_path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut missing = 0;
    for href in spine(&package).into_iter().take(MOST_CHAPTERS) {
        match archive.text(&place(folder, &href)) {
            // What a lock leaves is no text.
            Ok(Some(text)) if !text.contains('\0') => html::read(out, &text, Markup::Xhtml),
            Ok(Some(_) | None) => missing += 1,
            Err(error) => out.notices.push(format!("a chapter wasn't read: {error:#}")),
        }
        if out.is_full() {
            break;
        }
    }
    if missing > 0 && archive.has("META-INF/encryption.xml") {
        let told = "it is locked (DRM); add a copy without a lock";
        if out.is_empty() {
            bail!("{told}");
        }
        out.notices.push(format!("{missing} of its chapters weren't read: {told}"));
    } else if missing > 0 {
        out.notices.push(format!("{missing} of its chapters are missing or damaged"));
    }
    Ok(())
}

fn rootfile(container: &str) -> Option<String> {
    xml::parts(container).find_map(|part| match part {
        XmlPart::Start(tag) if tag.name == "rootfile" => tag.value("full-path"),
        XmlPart::Start(_) | XmlPart::End(_) | XmlPart::Words(_) => None,
    })
}

/// The files of the chapters, in reading order, without the table of contents.
fn spine(package: &str) -> Vec<String> {
    let mut files: HashMap<String, String> = HashMap::new();
    let mut order = Vec::new();
    for part in xml::parts(package) {
        let XmlPart::Start(tag) = part else { continue };
        match tag.name.rsplit(':').next() {
            Some("item") => {
                let contents =
                    tag.value("properties").is_some_and(|what| what.split(' ').any(|what| what == "nav"));
                if let (Some(id), Some(href), false) = (tag.value("id"), tag.value("href"), contents) {
                    files.insert(id, href);
                }
            }
            Some("itemref") => order.extend(tag.value("idref")),
            Some(_) | None => {}
        }
    }
    order.iter().filter_map(|id| files.get(id).cloned()).collect()
}

/// A file's name in the archive, from the folder that it is named in.
fn place(folder: &str, href: &str) -> String {
    let href = href.split('#').next().unwrap_or_default();
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let href = percent::decoded(href);
    for part in href.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
