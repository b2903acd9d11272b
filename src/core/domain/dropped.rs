//! A path as terminals paste it when a file is dropped on them, and as people copy it: in quotes, with its spaces
//! escaped, or as a `file://` address.

/// The path that is meant: of several the first. A text that is none of these is left as it is.
#[must_use]
pub fn path(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default().trim();
    for quote in ['\'', '"'] {
        if line.starts_with(quote) {
            let inside = || line.strip_prefix(quote)?.strip_suffix(quote).map(str::to_owned);
            if let Some(word) = first_word(line).or_else(inside) {
                return address(&word).unwrap_or(word);
            }
        }
    }
    address(line).unwrap_or_else(|| unescaped(&line.replace(APOSTROPHE, "'")))
}

/// Whether a pasted text is a path from its beginning on, and not the rest of one that is being typed.
#[must_use]
pub fn is_whole(text: &str) -> bool {
    let path = path(text);
    ["/", "~/", "hf:"].iter().any(|begin| path.starts_with(begin))
}

/// How a shell's quoted text says an apostrophe: it ends, one follows, and it begins anew.
const APOSTROPHE: &str = r"'\''";

/// The first word as a shell reads it: quotes, and escapes outside of single ones. Nothing if a quote of the line stays
/// open: then it was no shell that quoted it.
fn first_word(line: &str) -> Option<String> {
    let (mut word, mut quote, mut first) = (String::new(), None, None);
    let mut signs = line.chars().peekable();
    while let Some(sign) = signs.next() {
        match (quote, sign) {
            (Some(open), _) if sign == open => quote = None,
            (Some('"'), '\\') if matches!(signs.peek(), Some('"' | '\\' | '$' | '`')) => {
                word.extend(signs.next());
            }
            (None, '\'' | '"') => quote = Some(sign),
            (None, '\\') => word.extend(signs.next()),
            (None, _) if sign.is_whitespace() => {
                first.get_or_insert_with(|| word.clone());
            }
            (Some(_) | None, _) => word.push(sign),
        }
    }
    quote.is_none().then(|| first.unwrap_or(word))
}

/// The path of a `file://` address; nothing when it is none.
fn address(text: &str) -> Option<String> {
    let rest = text.strip_prefix("file://")?;
    // What is before the first slash is the machine's name, which is this one's.
    let path = rest.get(rest.find('/')?..)?;
    let mut bytes = Vec::with_capacity(path.len());
    let mut left = path.as_bytes();
    while let Some((first, rest)) = left.split_first() {
        let code = rest.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let escaped = code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| *first == b'%');
        bytes.push(escaped.unwrap_or(*first));
        left = escaped.and_then(|_| rest.get(2..)).unwrap_or(rest);
    }
    String::from_utf8(bytes).ok()
}

/// Without the backslashes that a shell would take away.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match signs.peek() {
            Some(next) if sign == '\\' && !next.is_alphanumeric() => {
                out.push(*next);
                signs.next();
            }
            _ => out.push(sign),
        }
    }
    out
}
