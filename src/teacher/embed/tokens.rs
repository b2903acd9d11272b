//! How many tokens a text may have for an endpoint, whose tokenizer nobody here has.

/// Letters of a token, on average, in words of scripts with letters.
const LETTERS: usize = 4;

/// An estimate that errs high: a word of letters is a token for each four of them begun, a digit group for each three, an
/// other character one for each byte beyond its first. Byte-level tokenizers write most texts with fewer.
#[must_use]
pub fn estimated(text: &str) -> usize {
    let (mut tokens, mut letters, mut digits) = (0, 0_usize, 0_usize);
    for character in text.chars() {
        if character.is_ascii_alphabetic() {
            letters += 1;
            continue;
        }
        if character.is_ascii_digit() {
            digits += 1;
            continue;
        }
        tokens += letters.div_ceil(LETTERS) + digits.div_ceil(3);
        (letters, digits) = (0, 0);
        if character.is_ascii() {
            tokens += usize::from(!character.is_ascii_whitespace());
        } else {
            tokens += (character.len_utf8() - 1).max(1);
        }
    }
    tokens + letters.div_ceil(LETTERS) + digits.div_ceil(3)
}

/// The beginning of a text: so many bytes of it at most, and no half character.
pub(super) fn beginning(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The beginning of a text that has so many tokens at most, as they are estimated.
#[must_use]
pub fn fitting(text: &str, tokens: usize) -> &str {
    let mut fits = text;
    while estimated(fits) > tokens.max(1) && fits.len() > 1 {
        fits = beginning(fits, fits.len() / 8 * 7);
    }
    fits
}
