//! Methods of Python's texts and filters of Jinja that the template engine doesn't have.

use minijinja::value::{Kwargs, Tuple, Value, from_args};
use minijinja::{Environment, Error, ErrorKind, State};
use minijinja_contrib::pycompat;
use regex::Regex;

/// Adds all of them.
pub(super) fn add_to(environment: &mut Environment<'static>) {
    environment.set_unknown_method_callback(call);
    environment.add_filter("wordcount", word_count);
    environment.add_filter("truncate", truncate);
    environment.add_filter("urlencode", url_encode);
}

fn call(state: &mut State<'_, '_>, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    match value.as_str().and_then(|text| of_text(text, method, args)) {
        Some(outcome) => outcome,
        None => pycompat::unknown_method_callback(state, value, method, args),
    }
}

/// A method of a text; none where it is none of these.
fn of_text(text: &str, method: &str, args: &[Value]) -> Option<Result<Value, Error>> {
    Some(match method {
        "rsplit" => from_args(args).and_then(|(mark, most): (Option<&str>, Option<i64>)| {
            let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
            split_from_the_right(text, mark, most)
        }),
        "removeprefix" => {
            from_args(args).map(|(part,): (&str,)| Value::from(text.strip_prefix(part).unwrap_or(text)))
        }
        "removesuffix" => {
            from_args(args).map(|(part,): (&str,)| Value::from(text.strip_suffix(part).unwrap_or(text)))
        }
        "zfill" => from_args(args).map(|(width,): (usize,)| {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            let sign = text.strip_suffix(digits).unwrap_or_default();
            let zeros = "0".repeat(missing(text, width));
            Value::from(format!("{sign}{zeros}{digits}"))
        }),
        "ljust" | "rjust" => from_args(args).map(|(width, fill): (usize, Option<char>)| {
            let space: String = std::iter::repeat_n(fill.unwrap_or(' '), missing(text, width)).collect();
            Value::from(if method == "ljust" { format!("{text}{space}") } else { format!("{space}{text}") })
        }),
        "partition" => from_args(args).and_then(|(mark,): (&str,)| {
            let (before, mark, behind) = match text.split_once(not_empty(mark)?) {
                Some((before, behind)) => (before, mark, behind),
                None => (text, "", ""),
            };
            Ok(Value::from(Tuple::from([before, mark, behind].map(Value::from))))
        }),
        "rpartition" => from_args(args).and_then(|(mark,): (&str,)| {
            let (before, mark, behind) = match text.rsplit_once(not_empty(mark)?) {
                Some((before, behind)) => (before, mark, behind),
                None => ("", "", text),
            };
            Ok(Value::from(Tuple::from([before, mark, behind].map(Value::from))))
        }),
        _ => return None,
    })
}

/// Characters that a text lacks, as far as memory is bounded by the fence around templates.
fn missing(text: &str, width: usize) -> usize {
    width.saturating_sub(text.chars().count())
}

fn not_empty(mark: &str) -> Result<&str, Error> {
    if mark.is_empty() {
        return Err(Error::new(ErrorKind::InvalidOperation, "empty separator"));
    }
    Ok(mark)
}

fn split_from_the_right(text: &str, mark: Option<&str>, most: usize) -> Result<Value, Error> {
    let mut parts = Vec::new();
    if let Some(mark) = mark {
        parts.extend(text.rsplitn(most.saturating_add(1), not_empty(mark)?));
    } else {
        let mut rest = text.trim_end();
        while !rest.is_empty() && parts.len() < most {
            let word = rest.rsplit(char::is_whitespace).next().unwrap_or_default();
            parts.push(word);
            rest = rest.strip_suffix(word).unwrap_or_default().trim_end();
        }
        if !rest.is_empty() {
            parts.push(rest);
        }
    }
    parts.reverse();
    Ok(parts.into_iter().map(Value::from).collect())
}

/// Words, as Python's `\w+` finds them.
fn word_count(text: &str) -> Result<usize, Error> {
    let words = Regex::new(r"[\p{L}\p{N}_]+")
        .map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string()))?;
    Ok(words.find_iter(text).count())
}

#[expect(clippy::needless_pass_by_value, reason = "the form that the template engine asks for")]
fn truncate(
    text: &str,
    length: Option<usize>,
    killwords: Option<bool>,
    end: Option<&str>,
    named: Kwargs,
) -> Result<String, Error> {
    let length = length.or(named.get("length")?).unwrap_or(255);
    let killwords = killwords.or(named.get("killwords")?).unwrap_or_default();
    let end = end.or(named.get("end")?).unwrap_or("...");
    let leeway = named.get::<Option<usize>>("leeway")?.unwrap_or(5);
    named.assert_all_used()?;
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(text.to_owned());
    }
    let Some(kept) = length.checked_sub(end.chars().count()) else {
        let told = format!("truncate takes a length of at least {}", end.chars().count());
        return Err(Error::new(ErrorKind::InvalidOperation, told));
    };
    let kept: String = text.chars().take(kept).collect();
    let whole =
        if killwords { kept.as_str() } else { kept.rsplit_once(' ').map_or(&*kept, |(kept, _)| kept) };
    Ok(format!("{whole}{end}"))
}

/// Of a text or a number; of mappings and lists, no template of a chat has a use.
fn url_encode(value: &Value) -> Result<String, Error> {
    if value.try_iter().is_ok() && value.as_str().is_none() {
        return Err(Error::new(ErrorKind::InvalidOperation, "urlencode takes a text"));
    }
    let text = super::python::string(value).to_string();
    let encoded = text.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    Ok(encoded.collect())
}
