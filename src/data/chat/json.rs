//! `tojson`, as Python writes it.

use std::io::{Result, Write};

use minijinja::value::{Kwargs, Value};
use minijinja::{Error, ErrorKind};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// Spaces that one level is indented by; more is nobody's wish.
const WIDEST: usize = 64;

/// `json.dumps(value, ensure_ascii=False)`, with Python's spaces after commas and colons.
#[expect(clippy::needless_pass_by_value, reason = "the form that the template engine asks for")]
pub(super) fn to_json(value: &Value, options: Kwargs) -> std::result::Result<String, Error> {
    let indent: Option<usize> = options.get("indent")?;
    if indent.is_some_and(|width| width > WIDEST) {
        let told = format!("tojson takes an indent of up to {WIDEST}");
        return Err(Error::new(ErrorKind::InvalidOperation, told));
    }
    let _: (Option<bool>, Option<bool>, Option<Value>) =
        (options.get("ensure_ascii")?, options.get("sort_keys")?, options.get("separators")?);
    options.assert_all_used()?;
    let mut bytes = Vec::new();
    let written = match indent {
        Some(width) => {
            let spaces = vec![b' '; width];
            let lines = PythonLines(PrettyFormatter::with_indent(&spaces));
            value.serialize(&mut Serializer::with_formatter(&mut bytes, lines))
        }
        None => value.serialize(&mut Serializer::with_formatter(&mut bytes, PythonSpacing)),
    };
    written.map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string())).and_then(|()| {
        String::from_utf8(bytes).map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
    })
}

/// A number as Python's `repr` writes it: the fewest digits that say it, with an exponent of two digits at least from
/// 1e16 on and below 1e-4.
fn python_float(number: f64) -> String {
    let short = format!("{number:e}");
    let (digits, exponent) = short.split_once('e').unwrap_or((&short, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.unsigned_abs());
    }
    let plain = number.to_string();
    if plain.contains('.') { plain } else { format!("{plain}.0") }
}

struct PythonSpacing;

/// Lines with an indent.
struct PythonLines<'a>(PrettyFormatter<'a>);

impl Formatter for PythonLines<'_> {
    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, number: f64) -> Result<()> {
        out.write_all(python_float(number).as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.0.end_object_value(out)
    }
}

impl Formatter for PythonSpacing {
    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, number: f64) -> Result<()> {
        out.write_all(python_float(number).as_bytes())
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        out.write_all(b": ")
    }
}
