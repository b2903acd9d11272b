//! A record's content as the database holds it: the imported row, and what a person made of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Result;
use crate::data::rows::{parse_row, write_row};
use crate::domain::change::Body;
use crate::domain::message::{Message, Role};
use crate::domain::record::{ContentHash, Fields, Record, Status};
use crate::ground::hash::Fnv;

/// From the two columns of `contents`.
pub(super) fn read_body(fields: &Fields, body: Option<&str>) -> Result<Body> {
    match body {
        Some(body) => Ok(serde_json::from_str(body)?),
        None => Ok(Body {
            messages: fields
                .get("messages")
                .map(|messages| serde_json::from_value(messages.clone()))
                .transpose()?
                .unwrap_or_default(),
            ..Body::default()
        }),
    }
}

/// What identifies a version of a record: the first half of a SHA-256 over its content and label.
///
/// # Errors
/// Never for content that came from a session; JSON's own otherwise.
pub fn version_of(record: &Record) -> Result<ContentHash> {
    Ok(hash(serde_json::to_string(&(Body::of(record), &record.label))?.as_bytes()))
}

/// Every text of a record's content, in the order in which it is read.
fn texts(record: &Record) -> impl Iterator<Item = Cow<'_, str>> {
    record.turns().map(Message::text).chain(record.text.as_deref().map(Cow::Borrowed))
}

/// The first half of a SHA-256.
pub(super) fn hash(bytes: &[u8]) -> ContentHash {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(bytes);
    let mut half = [0; 16];
    half.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    ContentHash(half)
}

/// The columns of `records` that follow from the content.
pub(super) struct Derived {
    pub(super) characters: i64,
    pub(super) turns: i64,
    /// Equal for equal prompts: FNV-1a over the prompt without space around it.
    pub(super) prompt: i64,
}

impl Derived {
    pub(super) fn of(record: &Record) -> Self {
        Self {
            characters: texts(record).map(|text| text.chars().count()).sum::<usize>() as i64,
            turns: record.messages.len() as i64,
            prompt: fingerprint(record.prompt().trim()),
        }
    }
}

/// FNV-1a, 64 bits: the same on every machine and in every version.
pub(super) fn fingerprint(text: &str) -> i64 {
    Fnv::of(text.bytes().map(u64::from)) as i64
}

/// Bits of `records.flags`.
pub(super) const PREFERENCE: i64 = 1;
pub(super) const EDITED: i64 = 2;
/// Can't be cut into tokens for the session's model.
pub(super) const REFUSED: i64 = 4;

/// A record made ready to be written: all that needs thought is done, so the writer only writes. Made in parallel.
pub struct Prepared {
    pub(super) source: String,
    pub(super) line: i64,
    pub(super) status: Status,
    pub(super) split: Option<String>,
    pub(super) label: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) derived: Derived,
    pub(super) flags: i64,
    pub(super) occurrence: u32,
    pub(super) hash: ContentHash,
    pub(super) fields: String,
    pub(super) body: Option<String>,
}

impl Prepared {
    /// # Errors
    /// Where the content can't be written as JSON.
    pub fn of(record: Record) -> Result<Self> {
        let derived = Derived::of(&record);
        let fields = write_row(&record.fields, &record.numbers)?;
        let body = stored_body(&record)?;
        let flags = if record.preference.is_some() { PREFERENCE } else { 0 };
        let given = record.provenance.hash;
        // What was written here has no row: its content tells it apart.
        let own = || if record.fields.is_empty() { body.as_deref().unwrap_or_default() } else { &fields };
        let hash = if given == ContentHash::default() { hash(own().as_bytes()) } else { given };
        Ok(Self {
            source: record.provenance.source,
            line: record.provenance.line as i64,
            status: record.status,
            split: record.split,
            label: record.label,
            tags: record.tags.into_iter().collect(),
            derived,
            flags,
            occurrence: record.provenance.occurrence,
            hash,
            fields,
            body,
        })
    }
}

/// The body column: nothing where the row's own `messages` say the same.
pub(super) fn stored_body(record: &Record) -> Result<Option<String>> {
    let plain = record.preference.is_none()
        && record.text.is_none()
        && record.prompt_turns == 0
        && record.tools.is_empty()
        && record.settings.is_empty()
        && record.numbers.is_empty();
    if plain && same_messages(record.fields.get("messages"), &record.messages) {
        return Ok(None);
    }
    Ok(Some(serde_json::to_string(&Body::of(record))?))
}

fn same_messages(field: Option<&serde_json::Value>, messages: &[Message]) -> bool {
    let Some(serde_json::Value::Array(turns)) = field else {
        return field.is_none() && messages.is_empty();
    };
    turns.len() == messages.len()
        && turns.iter().zip(messages).all(|(turn, message)| {
            message.extra.is_empty()
                && turn.as_object().is_some_and(|turn| turn.len() == 2)
                && turn.get("role").and_then(serde_json::Value::as_str) == Some(message.role.name())
                && turn.get("content").and_then(serde_json::Value::as_str) == Some(&message.content)
        })
}

/// Just the texts of a stored record, read without building it: for search and regular expressions.
#[derive(Deserialize)]
struct Lean<'a> {
    #[serde(default, borrow)]
    messages: Vec<LeanTurn<'a>>,
    #[serde(default, borrow)]
    preference: Option<LeanPair<'a>>,
    #[serde(default, borrow)]
    text: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct LeanPair<'a> {
    #[serde(borrow)]
    chosen: Vec<LeanTurn<'a>>,
    #[serde(borrow)]
    rejected: Vec<LeanTurn<'a>>,
}

/// A turn, whose text is borrowed where it has nothing but role and content.
struct LeanTurn<'a> {
    content: Cow<'a, str>,
    extra: BTreeMap<String, Value>,
}

impl LeanTurn<'_> {
    fn text(&self) -> Cow<'_, str> {
        if self.extra.is_empty() {
            return Cow::Borrowed(&self.content);
        }
        let content = self.content.clone().into_owned();
        let turn = Message { role: Role::User, content, extra: self.extra.clone() };
        Cow::Owned(turn.text().into_owned())
    }
}

/// A text that stays where it is, if it has no escapes.
#[derive(Deserialize)]
struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for LeanTurn<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(LeanVisitor(PhantomData))
    }
}

struct LeanVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for LeanVisitor<'a> {
    type Value = LeanTurn<'a>;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a turn")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<LeanTurn<'a>, M::Error> {
        let mut turn = LeanTurn { content: Cow::Borrowed(""), extra: BTreeMap::new() };
        while let Some(Borrowed(key)) = map.next_key()? {
            match key.as_ref() {
                "role" => drop(map.next_value::<IgnoredAny>()?),
                "content" => {
                    turn.content =
                        map.next_value::<Option<Borrowed<'de>>>()?.map_or(Cow::Borrowed(""), |text| text.0);
                }
                _ => drop(turn.extra.insert(key.into_owned(), map.next_value()?)),
            }
        }
        Ok(turn)
    }
}

#[derive(Deserialize)]
struct LeanRow<'a> {
    #[serde(default, borrow)]
    messages: Vec<LeanTurn<'a>>,
}

/// The text of a stored record that search looks through: its content; the row's own strings where it has none.
pub(super) fn searchable(fields: &str, body: Option<&str>) -> String {
    let text = match body {
        Some(body) => serde_json::from_str::<Lean<'_>>(body).map(|lean| lean_text(&lean)),
        None => serde_json::from_str::<LeanRow<'_>>(fields).map(|row| joined(&row.messages)),
    };
    match text {
        Ok(text) if !text.is_empty() => text,
        _ => strings_of(fields),
    }
}

fn lean_text(lean: &Lean<'_>) -> String {
    let mut text = joined(&lean.messages);
    for turns in lean.preference.iter().flat_map(|pair| [&pair.chosen, &pair.rejected]) {
        append(&mut text, &joined(turns));
    }
    append(&mut text, lean.text.as_deref().unwrap_or_default());
    text
}

fn joined(turns: &[LeanTurn<'_>]) -> String {
    let mut text = String::new();
    for turn in turns {
        append(&mut text, &turn.text());
    }
    text
}

fn append(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push('\n');
    }
    text.push_str(more);
}

fn strings_of(fields: &str) -> String {
    let mut text = String::new();
    if let Ok((fields, _)) = parse_row(fields) {
        fields.values().filter_map(serde_json::Value::as_str).for_each(|value| append(&mut text, value));
    }
    text
}

/// The text of a whole record, as [`searchable`] has it.
pub(super) fn searchable_of(record: &Record) -> String {
    let mut text = String::new();
    texts(record).for_each(|part| append(&mut text, &part));
    if text.is_empty() {
        record.fields.values().filter_map(serde_json::Value::as_str).for_each(|part| append(&mut text, part));
    }
    text
}
