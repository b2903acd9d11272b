//! Lists and objects as Python prints them, and pandas writes them into tables: `[{'role': 'user', 'strict': None}]`
//! becomes JSON. Only plain values: texts, numbers, `True`, `False`, `None`, lists, tuples and dictionaries.

/// Nested deeper than this, nothing is read; JSON's own limit.
const DEEPEST: usize = 128;

/// Whether a text begins as a list or a dictionary that Python printed, and JSON's would not.
pub(crate) fn is_of_python(text: &str) -> bool {
    let mut signs = text.chars().filter(|sign| !sign.is_whitespace());
    let opens = |sign: char| matches!(sign, '[' | '{' | '(');
    let first = signs.next();
    let inner = signs.find(|sign| !opens(*sign));
    match (first, inner) {
        (Some('[' | '{'), Some('\'')) => true,
        // Where a text has an apostrophe in it, Python puts quotation marks around it.
        (Some('[' | '{'), Some('"')) => {
            ["': ", "None", "True", "False"].iter().any(|sign| text.contains(sign))
        }
        _ => false,
    }
}

/// As JSON; none of what is no plain value.
pub(super) fn to_json(text: &str) -> Option<String> {
    let mut reader = PythonReader { rest: text, out: String::with_capacity(text.len() + text.len() / 8) };
    reader.value(DEEPEST)?;
    reader.skip_space();
    reader.rest.is_empty().then_some(reader.out)
}

struct PythonReader<'t> {
    rest: &'t str,
    out: String,
}

impl PythonReader<'_> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes a word, if it is next.
    fn takes(&mut self, word: &str) -> bool {
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, deeper: usize) -> Option<()> {
        let deeper = deeper.checked_sub(1)?;
        self.skip_space();
        match self.rest.chars().next()? {
            '[' => self.items('[', ']', deeper),
            '(' => self.items('(', ')', deeper),
            '{' => self.entries(deeper),
            '\'' | '"' => self.text(),
            sign if sign.is_ascii_digit() || sign == '-' => self.number(),
            _ => {
                let words = [("None", "null"), ("True", "true"), ("False", "false")];
                let (_, json) = words.into_iter().find(|(word, _)| self.takes(word))?;
                let ends = !self.rest.starts_with(|sign: char| sign.is_alphanumeric() || sign == '_');
                ends.then(|| self.out.push_str(json))
            }
        }
    }

    /// A list or a tuple. numpy prints no comma between the objects of a list.
    fn items(&mut self, open: char, close: char, deeper: usize) -> Option<()> {
        self.rest = self.rest.strip_prefix(open)?;
        self.out.push('[');
        let mut first = true;
        loop {
            self.skip_space();
            if self.rest.starts_with(close) {
                break;
            }
            if !first {
                let apart = self.takes(",") || self.rest.starts_with('{');
                self.skip_space();
                if !apart {
                    return None;
                }
                if self.rest.starts_with(close) {
                    break;
                }
                self.out.push(',');
            }
            self.value(deeper)?;
            first = false;
        }
        self.rest = self.rest.strip_prefix(close)?;
        self.out.push(']');
        Some(())
    }

    fn entries(&mut self, deeper: usize) -> Option<()> {
        self.rest = self.rest.strip_prefix('{')?;
        self.out.push('{');
        let mut first = true;
        loop {
            self.skip_space();
            if self.rest.starts_with('}') {
                break;
            }
            if !first {
                self.takes(",").then_some(())?;
                self.skip_space();
                if self.rest.starts_with('}') {
                    break;
                }
                self.out.push(',');
            }
            self.text()?;
            self.skip_space();
            self.takes(":").then(|| self.out.push(':'))?;
            self.value(deeper)?;
            first = false;
        }
        self.rest = self.rest.strip_prefix('}')?;
        self.out.push('}');
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let is_of_it = |sign: char| sign.is_ascii_digit() || matches!(sign, '-' | '+' | '.' | 'e' | 'E');
        let end = self.rest.find(|sign| !is_of_it(sign)).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at_checked(end)?;
        serde_json::from_str::<serde::de::IgnoredAny>(number).ok()?;
        self.out.push_str(number);
        self.rest = rest;
        Some(())
    }

    fn text(&mut self) -> Option<()> {
        let quote = self.rest.chars().next().filter(|sign| matches!(sign, '\'' | '"'))?;
        self.rest = self.rest.strip_prefix(quote)?;
        let mut said = String::new();
        loop {
            let at = self.rest.find(['\\', quote])?;
            let (plain, rest) = self.rest.split_at_checked(at)?;
            said.push_str(plain);
            self.rest = rest;
            if self.takes("\\") {
                said.push(self.escaped()?);
            } else {
                self.rest = self.rest.strip_prefix(quote)?;
                break;
            }
        }
        self.out.push_str(&serde_json::to_string(&said).ok()?);
        Some(())
    }

    /// What stands for a sign after a backslash.
    fn escaped(&mut self) -> Option<char> {
        let sign = self.rest.chars().next()?;
        self.rest = self.rest.get(sign.len_utf8()..)?;
        let digits = match sign {
            '\\' | '\'' | '"' => return Some(sign),
            'n' => return Some('\n'),
            'r' => return Some('\r'),
            't' => return Some('\t'),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => return None,
        };
        let (code, rest) = self.rest.split_at_checked(digits)?;
        self.rest = rest;
        char::from_u32(u32::from_str_radix(code, 16).ok()?)
    }
}
