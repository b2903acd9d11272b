//! Holding an answer's calls of tools to a template's form and to the schemas of their arguments.

use std::fmt::Write;

use serde_json::Value;

use super::constrain::{Constraint, on_one_line};
use dojo_core::data::calls::{CallForm, ID};

/// What an answer may, or must, call.
#[derive(Debug, Clone, PartialEq)]
pub struct Calls {
    /// Names, of letters, digits, `_` and `-`, with the schemas of their arguments.
    pub functions: Vec<(String, Value)>,
    pub choice: CallChoice,
    /// Whether one answer may hold several calls.
    pub several: bool,
    /// The schema of an answer without a call, if it has one.
    pub answer: Option<Value>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallChoice {
    /// The model decides.
    Auto,
    /// It must call one.
    Required,
    /// It must call this one, once.
    One(String),
}

impl Calls {
    /// What holds an answer to them.
    pub fn constraint(&self, form: &CallForm) -> Constraint {
        let literal = |text: &str| literal(text, form);
        let (open, middle, close) = (&form.open, &form.middle, literal(&form.close));
        let mut rules = String::new();
        let mut names = Vec::new();
        for (index, (name, parameters)) in self.functions.iter().enumerate() {
            if matches!(&self.choice, CallChoice::One(only) if only != name) {
                continue;
            }
            let head = literal(&format!("{open}{name}{middle}"));
            let schema = on_one_line(parameters);
            writeln!(rules, "call_{index}: {head} arguments_{index} {close}").ok();
            writeln!(rules, "arguments_{index}: %json {schema}").ok();
            names.push(format!("call_{index}"));
        }
        writeln!(rules, "call: {}", names.join(" | ")).ok();
        let further = match (&form.between, &self.choice) {
            (Some(between), CallChoice::Auto | CallChoice::Required) if self.several => {
                format!("({} call)*", literal(between))
            }
            _ => String::new(),
        };
        writeln!(rules, "calls: call {further} {}", literal(&form.after)).ok();
        writeln!(rules, "ID: /[A-Za-z0-9]{{9}}/").ok();
        let start = match (&self.choice, &self.answer) {
            (CallChoice::Required | CallChoice::One(_), _) => format!("{} calls", literal(&form.before)),
            (CallChoice::Auto, Some(schema)) => {
                writeln!(rules, "answer: %json {}", on_one_line(schema)).ok();
                format!("answer | {} calls", literal(&form.before))
            }
            (CallChoice::Auto, None) => {
                let after_mark = form.before.strip_prefix(form.mark.as_str()).unwrap_or_default();
                let (text, head) = free_text(form, &mut rules);
                format!("{text} | {head} {} calls", literal(after_mark))
            }
        };
        Constraint::Grammar(format!("start: {start}\n{rules}"))
    }
}

/// Any text without a call, and what leads from a text to a call.
fn free_text(form: &CallForm, rules: &mut String) -> (&'static str, String) {
    let mark = form.mark.as_str();
    if mark.is_empty() {
        // A call is all that such an answer is.
        writeln!(rules, r"TEXT: /[ \n\r\t]*[^ \n\r\t{{](?s:.*)/").ok();
        return ("TEXT?", String::new());
    }
    if form.controls.iter().any(|(name, _)| name == mark) {
        writeln!(rules, "TEXT: /(?s:.+)/").ok();
        return ("TEXT?", format!("TEXT? {}", literal(mark, form)));
    }
    let mut escaped = String::new();
    for sign in mark.chars() {
        write!(escaped, "\\x{{{:x}}}", u32::from(sign)).ok();
    }
    writeln!(rules, "TEXT: /(?s:.*)/ & ~/(?s:.*){escaped}(?s:.*)/").ok();
    writeln!(rules, "head[lazy]: /(?s:.*)/ {}", quoted(mark)).ok();
    ("TEXT", "head".to_owned())
}

/// A text of a form, in a grammar: control tokens are tokens there, and a call's number is any.
fn literal(text: &str, form: &CallForm) -> String {
    let mut out = String::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(sign) = rest.chars().next() {
        let control = form.controls.iter().find(|(name, _)| rest.starts_with(name.as_str()));
        let length = control.map_or(sign.len_utf8(), |(name, _)| name.len());
        if control.is_some() || sign == ID {
            if !plain.is_empty() {
                write!(out, "{} ", quoted(&std::mem::take(&mut plain))).ok();
            }
            match control {
                Some((_, id)) => write!(out, "<[{id}]> ").ok(),
                None => write!(out, "ID ").ok(),
            };
        } else {
            plain.push(sign);
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    if !plain.is_empty() {
        out.push_str(&quoted(&plain));
    }
    out
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
