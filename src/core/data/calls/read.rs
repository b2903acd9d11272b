//! Reading an answer as it comes: text, and calls of tools.

use serde_json::Value;

use super::begin::{CallStart, begun_at};
use super::{CallForm, is_of_name};

/// What an answer holds.
#[derive(Debug, Clone, PartialEq)]
pub enum AnswerPiece {
    Text(String),
    /// A call begins: its name.
    Call(String),
    /// More of the last call's arguments: JSON, as the model writes it.
    Arguments(String),
}

/// Reads one answer.
#[derive(Debug, Clone)]
pub struct CallReader {
    form: CallForm,
    /// What may be a call, or lead to one.
    held: String,
    place: ReadState,
    /// Where the arguments are that are being written.
    brackets: Brackets,
    /// Whether there was a call.
    called: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadState {
    /// Before any text: where a call is all that an answer is, it begins here.
    Start,
    Text,
    Calls,
    /// Within a call's arguments.
    Arguments,
    /// Between a call's arguments and the end of the object that it is.
    Closing,
    /// What looked like a call is none.
    Plain,
}

/// How many brackets of JSON are open.
#[derive(Debug, Clone, Copy, Default)]
struct Brackets {
    open: usize,
    in_text: bool,
    escaped: bool,
}

impl CallReader {
    /// Whether the text ended within a call.
    #[must_use]
    pub fn is_within_call(&self) -> bool {
        match self.place {
            ReadState::Arguments => true,
            ReadState::Start | ReadState::Text | ReadState::Calls | ReadState::Closing | ReadState::Plain => {
                false
            }
        }
    }
}

impl Brackets {
    /// Takes the text until no more than `left` are open; its length, and whether that is so.
    fn until(&mut self, text: &str, left: usize) -> (usize, bool) {
        for (at, sign) in text.char_indices() {
            if self.in_text {
                self.in_text = sign != '"' || self.escaped;
                self.escaped = sign == '\\' && !self.escaped;
                continue;
            }
            match sign {
                '"' => self.in_text = true,
                '{' | '[' => self.open += 1,
                '}' | ']' => {
                    self.open = self.open.saturating_sub(1);
                    if self.open <= left {
                        return (at + sign.len_utf8(), true);
                    }
                }
                _ => {}
            }
        }
        (text.len(), false)
    }
}

/// What a text begins with.
enum CallMatch {
    Call {
        name: String,
        arguments: String,
        length: usize,
    },
    /// More has to come.
    Unfinished,
    None,
}

impl CallReader {
    #[must_use]
    pub fn new(form: CallForm) -> Self {
        let (held, brackets) = (String::new(), Brackets::default());
        Self { form, held, place: ReadState::Start, brackets, called: false }
    }

    /// Takes more of an answer; returns what is certain.
    pub fn push(&mut self, text: &str) -> Vec<AnswerPiece> {
        self.held.push_str(text);
        let mut out = Vec::new();
        while self.advance(&mut out) {}
        out
    }

    /// What was held back, when nothing more comes.
    pub fn finish(&mut self) -> Vec<AnswerPiece> {
        let held = std::mem::take(&mut self.held);
        // What ends the calls, whole or cut, is no text.
        let is_glue = self.called
            && self.place == ReadState::Calls
            && self.past_glue(&held).is_none_or(|at| at == held.len());
        if held.is_empty() || is_glue { Vec::new() } else { vec![AnswerPiece::Text(held)] }
    }

    /// Whether there may be more to find.
    fn advance(&mut self, out: &mut Vec<AnswerPiece>) -> bool {
        match self.place {
            ReadState::Start if self.form.mark.is_empty() => self.begin(),
            ReadState::Start => {
                self.place = ReadState::Text;
                true
            }
            ReadState::Text => self.text(out),
            ReadState::Calls => self.calls(out),
            ReadState::Arguments => self.arguments(out),
            ReadState::Closing => self.closing(),
            ReadState::Plain => {
                self.give(self.held.len(), out);
                false
            }
        }
    }

    /// Where nothing marks a call, an answer is one from its beginning on, or none.
    fn begin(&mut self) -> bool {
        let Some(first) = self.held.trim_start().chars().next() else { return false };
        self.place = if first == '{' { ReadState::Calls } else { ReadState::Plain };
        true
    }

    fn text(&mut self, out: &mut Vec<AnswerPiece>) -> bool {
        if let Some(at) = self.held.find(self.form.mark.as_str()) {
            let text = self.held.get(..at).unwrap_or_default().trim_end().len();
            self.give(text, out);
            self.place = ReadState::Calls;
            return true;
        }
        // White space before a call is a part of its form.
        let keep = overlap(&self.held, &self.form.mark);
        let sure = self.held.get(..self.held.len() - keep).unwrap_or_default().trim_end().len();
        self.give(sure, out);
        false
    }

    fn calls(&mut self, out: &mut Vec<AnswerPiece>) -> bool {
        let Some(start) = self.past_glue(&self.held) else { return false };
        let rest = self.held.get(start..).unwrap_or_default();
        match begun_at(rest, &self.form) {
            CallStart::Arguments { name, at } => {
                out.push(AnswerPiece::Call(name));
                self.called = true;
                self.held.drain(..start + at);
                // The object that the call is, if it is one, is open around them.
                let open = usize::from(self.form.keys.is_some());
                self.brackets = Brackets { open, ..Brackets::default() };
                self.place = ReadState::Arguments;
                return true;
            }
            CallStart::Unfinished => return false,
            CallStart::Otherwise => {}
        }
        match self.call_at(rest) {
            CallMatch::Call { name, arguments, length } => {
                out.extend([AnswerPiece::Call(name), AnswerPiece::Arguments(arguments)]);
                self.called = true;
                self.held.drain(..start + length);
                true
            }
            CallMatch::Unfinished => false,
            CallMatch::None => {
                self.place = ReadState::Plain;
                true
            }
        }
    }

    /// Arguments are told as they come.
    fn arguments(&mut self, out: &mut Vec<AnswerPiece>) -> bool {
        let left = usize::from(self.form.keys.is_some());
        let (length, ended) = self.brackets.until(&self.held, left);
        let text: String = self.held.drain(..length).collect();
        if !text.is_empty() {
            out.push(AnswerPiece::Arguments(text));
        }
        if ended {
            self.place = if left > 0 { ReadState::Closing } else { ReadState::Calls };
        }
        ended
    }

    fn closing(&mut self) -> bool {
        let (length, ended) = self.brackets.until(&self.held, 0);
        self.held.drain(..length);
        if ended {
            self.place = ReadState::Calls;
        }
        ended
    }

    /// Where the first thing begins that isn't around calls. None if that can't be told yet.
    fn past_glue(&self, text: &str) -> Option<usize> {
        let glue = &self.form.glue;
        let mut rest = text.trim_start();
        loop {
            let is_begun = |piece: &String| piece.len() > rest.len() && piece.starts_with(rest);
            if !rest.is_empty() && glue.iter().any(is_begun) {
                return None;
            }
            match glue.iter().find_map(|piece| rest.strip_prefix(piece.as_str())) {
                Some(after) => rest = after.trim_start(),
                None => return Some(text.len() - rest.len()),
            }
        }
    }

    fn call_at(&self, text: &str) -> CallMatch {
        if text.is_empty() {
            return CallMatch::Unfinished;
        }
        match &self.form.keys {
            Some((name, arguments)) => match object_at(text) {
                Ok(Some((value, length))) => {
                    let own = value.get(name).and_then(Value::as_str);
                    let given = value.get(arguments).or_else(|| value.get("arguments"));
                    match own {
                        Some(name) => {
                            let arguments = given.map_or_else(|| "{}".to_owned(), written);
                            CallMatch::Call { name: name.to_owned(), arguments, length }
                        }
                        None => CallMatch::None,
                    }
                }
                Ok(None) => CallMatch::Unfinished,
                Err(()) => CallMatch::None,
            },
            None => named_at(text, &self.form.middle),
        }
    }

    fn give(&mut self, length: usize, out: &mut Vec<AnswerPiece>) {
        let text: String = self.held.drain(..length).collect();
        if !text.is_empty() {
            out.push(AnswerPiece::Text(text));
        }
    }
}

/// A name, a text of so many characters at most, and an object.
fn named_at(text: &str, middle: &str) -> CallMatch {
    /// Characters of a name and of what stands after it, beyond those of the form.
    const MOST: usize = 128;
    let end = text.find(|sign| !is_of_name(sign)).unwrap_or(text.len());
    let name = text.get(..end).unwrap_or_default();
    let Some(opens) = text.find('{') else {
        let is_short = text.len() <= MOST + middle.len();
        return if is_short { CallMatch::Unfinished } else { CallMatch::None };
    };
    if name.is_empty() || opens > end + middle.len() + MOST {
        return CallMatch::None;
    }
    match object_at(text.get(opens..).unwrap_or_default()) {
        Ok(Some((value, length))) => {
            CallMatch::Call { name: name.to_owned(), arguments: written(&value), length: opens + length }
        }
        Ok(None) => CallMatch::Unfinished,
        Err(()) => CallMatch::None,
    }
}

/// The object that a text begins with, and its length; none if it may yet become one.
pub(super) fn object_at(text: &str) -> Result<Option<(Value, usize)>, ()> {
    if !text.starts_with('{') {
        return Err(());
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    match values.next() {
        Some(Ok(value)) => Ok(Some((value, values.byte_offset()))),
        Some(Err(error)) if error.is_eof() => Ok(None),
        None => Ok(None),
        Some(Err(_)) => Err(()),
    }
}

/// Arguments as JSON; some models write them as a text.
fn written(arguments: &Value) -> String {
    arguments.as_str().map_or_else(|| arguments.to_string(), str::to_owned)
}

/// Length of the longest end of `text` that `mark` begins with, and is longer than.
pub fn overlap(text: &str, mark: &str) -> usize {
    let lengths = mark.char_indices().map(|(at, _)| at).filter(|at| *at > 0);
    lengths.filter(|at| text.ends_with(&mark[..*at])).max().unwrap_or(0)
}
