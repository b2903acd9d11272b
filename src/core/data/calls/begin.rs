//! Where a call's arguments begin, if it is written exactly as the template does: then they can be told as they come.

use super::{CallForm, ID, is_of_name};

/// What a text begins with.
pub(super) enum CallStart {
    /// A call, whose arguments begin there.
    Arguments { name: String, at: usize },
    /// More has to come.
    Unfinished,
    /// Something else, which may be a call all the same.
    Otherwise,
}

/// How much of a text is as a form writes it.
enum Like {
    /// So many bytes are.
    Yes(usize),
    /// All of it is, and more has to come.
    SoFar,
    No,
}

/// Characters of a call's number.
const NUMBER: usize = 9;
/// Bytes of a name at most.
const NAME: usize = 128;

pub(super) fn begun_at(text: &str, form: &CallForm) -> CallStart {
    let after = |length: usize| text.get(length..).unwrap_or_default();
    let open = match like(text, &form.open) {
        Like::Yes(length) => length,
        Like::SoFar => return CallStart::Unfinished,
        Like::No => return CallStart::Otherwise,
    };
    let rest = after(open);
    let end = rest.find(|sign| !is_of_name(sign)).unwrap_or(rest.len());
    if end > NAME {
        return CallStart::Otherwise;
    }
    if end == rest.len() {
        return CallStart::Unfinished;
    }
    let (name, rest) = rest.split_at(end);
    let middle = match like(rest, &form.middle) {
        Like::Yes(length) if end > 0 => length,
        Like::SoFar if end > 0 => return CallStart::Unfinished,
        Like::Yes(_) | Like::SoFar | Like::No => return CallStart::Otherwise,
    };
    let at = open + end + middle;
    match after(at).chars().next() {
        None => CallStart::Unfinished,
        Some('{') => CallStart::Arguments { name: name.to_owned(), at },
        Some(_) => CallStart::Otherwise,
    }
}

fn like(text: &str, form: &str) -> Like {
    let mut rest = text;
    for sign in form.chars() {
        if rest.is_empty() {
            return Like::SoFar;
        }
        if sign == ID {
            let length = rest.find(|sign: char| !sign.is_ascii_alphanumeric()).unwrap_or(rest.len());
            if length == rest.len() && length < NUMBER {
                return Like::SoFar;
            }
            if length < NUMBER {
                return Like::No;
            }
            rest = rest.get(NUMBER..).unwrap_or_default();
        } else {
            match rest.strip_prefix(sign) {
                Some(after) => rest = after,
                None => return Like::No,
            }
        }
    }
    Like::Yes(text.len() - rest.len())
}
