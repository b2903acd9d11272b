//! Numbers as metric lines have them, to the bit, and quicker where that is easy.

/// The powers of ten that a double holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// A JSON number or one of the three words for what JSON has no numbers for, and what follows it.
pub(super) fn number(text: &[u8]) -> Option<(f64, &[u8])> {
    if let Some((value, rest)) = plain(text) {
        return Some((value?, rest));
    }
    if let Some(word) = text.strip_prefix(b"\"") {
        let (word, rest) = word.split_at_checked(word.iter().position(|&byte| byte == b'"')?)?;
        return Some((special(word)?, rest.get(1..)?));
    }
    // Bare, as Python's json module writes them.
    for word in [&b"NaN"[..], b"Infinity", b"-Infinity"] {
        if let Some(rest) = text.strip_prefix(word) {
            return Some((special(word)?, rest));
        }
    }
    let end = text.iter().position(|&byte| !is_part(byte)).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((parse(digits)?, rest))
}

fn parse(digits: &[u8]) -> Option<f64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// What words for the values that are no numbers mean.
pub(super) fn special(word: &[u8]) -> Option<f64> {
    match word {
        b"NaN" => Some(f64::NAN),
        b"Infinity" => Some(f64::INFINITY),
        b"-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

const fn is_part(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

/// A number without an exponent, and what follows it. Where it has so few digits that they and its power of ten are
/// doubles without rounding, one division rounds as it has to (Clinger 1990, "How to read floating point numbers
/// accurately").
fn plain(text: &[u8]) -> Option<(Option<f64>, &[u8])> {
    let (negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let (mut digits, mut count, mut behind) = (0u64, 0usize, None);
    loop {
        match rest {
            [digit @ b'0'..=b'9', tail @ ..] => {
                (digits, count, rest) =
                    (digits.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')), count + 1, tail);
            }
            [b'.', tail @ ..] if behind.is_none() && count > 0 => (behind, rest) = (Some(count), tail),
            [byte, ..] if is_part(*byte) => return None,
            _ => break,
        }
    }
    if count == 0 {
        return None;
    }
    let after = count - behind.unwrap_or(count);
    // Eighteen digits don't overflow.
    let few = count <= 18 && digits <= 1 << 53;
    let Some(ten) = TENS.get(after).filter(|_| few) else {
        return Some((parse(text.get(..text.len() - rest.len())?), rest));
    };
    let value = digits as f64 / ten;
    Some((Some(if negative { -value } else { value }), rest))
}
