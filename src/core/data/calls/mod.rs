//! How a chat template writes the calls of tools: found by rendering some, so that answers can be read, and held to, in
//! the template's own form. Knows no tokenizer.

mod begin;
mod read;

use std::ops::Range;

use serde_json::{Value, json};

use crate::data::chat::{ChatTemplate, RenderEnding};
use crate::domain::message::{Conversation, Message, Role, TOOL_CALLS};

use read::object_at;
pub use read::overlap;
pub use read::{AnswerPiece, CallReader};

const NAME: &str = "probe_weather";
const OTHER: &str = "probe_clock";
const KEY: &str = "probe_place";
const VALUE: &str = "Probeville";
/// As long as Mistral's templates want them.
const IDS: [&str; 2] = ["pQ7tX2mK9", "wB4nL8sV3"];

/// A template's form of calls: `before`, a call, and for each further one `between` and the call, at last `after`. A call
/// is `open`, its name, `middle`, its arguments as a JSON object, and `close`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallForm {
    pub before: String,
    pub open: String,
    pub middle: String,
    pub close: String,
    /// None if the template writes one call a turn only.
    pub between: Option<String>,
    pub after: String,
    /// The keys of name and arguments, if a call is one JSON object.
    pub(super) keys: Option<(String, String)>,
    /// What tells a call from text; empty if a call is all that an answer is.
    pub mark: String,
    /// Pieces that stand around calls and are no text.
    pub(super) glue: Vec<String>,
    /// The control tokens that it is written with, by name: an answer's text must show them. The longest name first.
    pub controls: Vec<(String, u32)>,
}

/// Where a call is in a text, and its parts.
struct CallSpan {
    whole: Range<usize>,
    name: Range<usize>,
    arguments: Range<usize>,
    keys: Option<(String, String)>,
}

impl CallForm {
    /// A template's form. None if it writes no calls, or not as JSON. `controls`: the control tokens by name, the
    /// longest first; `end`: the one that ends a turn.
    #[must_use]
    pub fn of(template: &ChatTemplate, controls: &[(String, u32)], end: Option<&str>) -> Option<Self> {
        let one = answer(template, &[NAME])?;
        let found = find(&one, NAME, 0)?;
        let part = |range: Range<usize>| one.get(range).map(without_id);
        let after = part(found.whole.end..one.len())?;
        let after = end.and_then(|end| after.split_once(end)).map_or(after.as_str(), |(after, _)| after);
        let between = answer(template, &[NAME, OTHER]).and_then(|two| {
            let first = find(&two, NAME, 0)?;
            let second = find(&two, OTHER, first.whole.end)?;
            two.get(first.whole.end..second.whole.start).map(without_id)
        });
        // White space at the ends is no part of the form.
        let before = part(0..found.whole.start)?.trim_start().to_owned();
        let after = after.trim_end().to_owned();
        let around = [Some(&before), between.as_ref(), Some(&after)].into_iter().flatten();
        let mut glue: Vec<String> = around.flat_map(|text| pieces(text, controls)).collect();
        glue.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        glue.dedup();
        let open = part(found.whole.start..found.name.start)?;
        let middle = part(found.name.end..found.arguments.start)?;
        let close = part(found.arguments.end..found.whole.end)?;
        let mark = pieces(&before, controls).into_iter().next().unwrap_or_default();
        let own_between = between.as_deref().unwrap_or_default();
        let written = [&*before, &*open, &*middle, &*close, &*after, own_between].join("\n");
        let is_written = |(name, _): &&(String, u32)| written.contains(name.as_str());
        Some(Self {
            controls: controls.iter().filter(is_written).cloned().collect(),
            open,
            middle,
            close,
            keys: found.keys,
            mark,
            before,
            between,
            after,
            glue,
        })
    }
}

/// Words of a text; a control token is a word of its own.
fn pieces(text: &str, controls: &[(String, u32)]) -> Vec<String> {
    let mut found = Vec::new();
    for word in text.split_whitespace() {
        let mut rest = word;
        while !rest.is_empty() {
            let next = controls.iter().filter_map(|(name, _)| Some((rest.find(name.as_str())?, name))).min();
            let end = match next {
                Some((0, name)) => name.len(),
                Some((at, _)) => at,
                None => rest.len(),
            };
            let (piece, after) = rest.split_at(end.max(1));
            found.push(piece.to_owned());
            rest = after;
        }
    }
    found
}

/// What the template writes for an answer that calls these tools.
fn answer(template: &ChatTemplate, names: &[&str]) -> Option<String> {
    let parameters =
        json!({ "type": "object", "properties": { KEY: { "type": "string" } }, "required": [KEY] });
    let tool = |name: &&str| {
        json!({
            "type": "function",
            "function": { "name": name, "description": "A probe.", "parameters": parameters },
        })
    };
    let tools: Vec<Value> = names.iter().map(tool).collect();
    let call = |(name, id): (&&str, &str)| json!({ "id": id, "type": "function", "function": { "name": name, "arguments": { KEY: VALUE } } });
    let calls: Vec<Value> = names.iter().zip(IDS).map(call).collect();
    let asked = Message::new(Role::User, "Where?");
    let mut turn = Message::new(Role::Assistant, "");
    turn.extra.insert(TOOL_CALLS.to_owned(), Value::Array(calls));
    let render = |messages: &[Message], ending| {
        template.render(Conversation { messages, tools: &tools, settings: None }, ending).ok()
    };
    let head = render(std::slice::from_ref(&asked), RenderEnding::GenerationPrompt)?;
    let whole = render(&[asked, turn], RenderEnding::Complete)?;
    let common = head.char_indices().zip(whole.chars()).find(|((_, own), other)| own != other);
    let at = common.map_or(head.len().min(whole.len()), |((at, _), _)| at);
    whole.get(at..).map(str::to_owned)
}

/// The call of a tool in a text from `from` on.
fn find(text: &str, name: &str, from: usize) -> Option<CallSpan> {
    let start = from + text.get(from..)?.find(name)?;
    let own = start..start + name.len();
    let behind = text.get(own.end..)?;
    let mut opens = behind.match_indices('{').map(|(at, _)| own.end + at);
    let arguments = opens.find_map(|start| {
        let (value, length) = object_at(text.get(start..)?).ok()??;
        value.get(KEY).is_some_and(|value| value == VALUE).then_some(start..start + length)
    })?;
    let opens = text.get(from..own.start)?.match_indices('{').map(|(at, _)| from + at);
    for start in opens {
        let Ok(Some((Value::Object(object), length))) = object_at(text.get(start..)?) else { continue };
        let key_of = |is: &dyn Fn(&Value) -> bool| {
            object.iter().find(|(_, value)| is(value)).map(|(key, _)| key.clone())
        };
        let named = key_of(&|value| value == name);
        let given = key_of(&|value| value.get(KEY).is_some_and(|value| value == VALUE));
        if let (Some(named), Some(given)) = (named, given) {
            let whole = start..start + length;
            return Some(CallSpan { whole, name: own, arguments, keys: Some((named, given)) });
        }
    }
    Some(CallSpan { whole: own.start..arguments.end, name: own, arguments, keys: None })
}

/// What a call's number is written as in a form.
pub const ID: char = '\u{fdd2}';

fn without_id(text: &str) -> String {
    IDS.iter().fold(text.to_owned(), |text, id| text.replace(id, &ID.to_string()))
}

/// Whether a tool's name may hold it.
fn is_of_name(sign: char) -> bool {
    sign.is_alphanumeric() || matches!(sign, '_' | '-' | '.')
}
