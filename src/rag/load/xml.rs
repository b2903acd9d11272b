//! XML of office documents and e-books, tag by tag. The tokenizer of HTML reads it too: names come in lower case.

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};

use super::html::{attribute, words};

/// What comes next in a file.
#[derive(Debug)]
pub(super) enum XmlPart {
    Start(XmlTag),
    /// Its name, in lower case and with its prefix ("w:p").
    End(String),
    Words(String),
}

/// A start tag; one that is closed at once has no end tag.
#[derive(Debug)]
pub(super) struct XmlTag {
    pub(super) name: String,
    pub(super) closed: bool,
    tag: StartTag<()>,
}

impl XmlTag {
    /// An attribute's value, by its name in lower case.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        attribute(&self.tag.attributes, name)
    }
}

pub(super) fn parts(text: &str) -> impl Iterator<Item = XmlPart> + '_ {
    Tokenizer::new_with_emitter(text, DefaultEmitter::default()).filter_map(|token| {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => {
                Some(XmlPart::Start(XmlTag { name: words(&tag.name), closed: tag.self_closing, tag }))
            }
            Token::EndTag(tag) => Some(XmlPart::End(words(&tag.name))),
            Token::String(text) => Some(XmlPart::Words(words(&text))),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => None,
        }
    })
}

/// The words in each element of that name.
pub(super) fn all(text: &str, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for part in parts(text) {
        match part {
            XmlPart::Start(tag) if tag.name == name && !tag.closed => open = Some(String::new()),
            XmlPart::End(ended) if ended == name => {
                found.extend(
                    open.take()
                        .map(|words| super::writer::one_line(&words))
                        .filter(|words| !words.is_empty()),
                );
            }
            XmlPart::Words(words) => {
                if let Some(open) = &mut open {
                    open.push_str(&words);
                }
            }
            XmlPart::Start(_) | XmlPart::End(_) => {}
        }
    }
    found
}
