//! A path as terminals paste it when a file is dropped on them, and as people copy it: in quotes, with its spaces
//! escaped, or as a `file://` address.

/// The path that is meant. A text that is none of these is left as it is.
#[must_use]
pub fn path(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default().trim();
    for quote in ['\'', '"'] {
        if let Some(inside) = line.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return address(inside).unwrap_or_else(|| inside.to_owned());
        }
    }
    address(line).unwrap_or_else(|| unescaped(line))
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
