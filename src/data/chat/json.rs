//! `tojson`, as Python writes it.

use minijinja::value::{Kwargs, Value};
use minijinja::{Error, ErrorKind};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// Spaces that one level is indented by; more is nobody's wish.
const WIDEST: usize = 64;

/// `json.dumps(value, ensure_ascii=False)`, with Python's spaces after commas and colons.
#[expect(clippy::needless_pass_by_value, reason = "the form that the template engine asks for")]
pub(super) fn to_json(value: &Value, options: Kwargs) -> Result<String, Error> {
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
            value
                .serialize(&mut Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(&spaces)))
        }
        None => value.serialize(&mut Serializer::with_formatter(&mut bytes, PythonSpacing)),
    };
    written.map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string())).and_then(|()| {
        String::from_utf8(bytes).map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
    })
}

struct PythonSpacing;

impl Formatter for PythonSpacing {
    fn begin_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, out: &mut W) -> std::io::Result<()> {
        out.write_all(b": ")
    }
}
