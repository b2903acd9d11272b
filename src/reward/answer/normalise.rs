//! Answers written alike before they are compared. Numbers as GSM8K's own reader takes them (commas out), and units, signs
//! and LaTeX as MATH's `is_equiv` strips them (Hendrycks et al. 2021, hendrycks/math `math_equivalence.py`); to that come
//! case, quotes and the full stop at the end, since answers here are words as often as formulas.

/// A number as people write it: `1,234.50`, `$18`, `3/4`, `\frac{3}{4}`, `25%` (the sign is left out).
#[must_use]
pub fn number(text: &str) -> Option<f64> {
    let plain = normalised(text);
    if let Some((above, below)) = fraction(&plain) {
        return (below != 0.0).then(|| above / below);
    }
    let plain = plain.replace(',', "");
    // Words such as "inf" and "nan" are none.
    let is_number = plain.chars().any(|c| c.is_ascii_digit())
        && !plain.contains(|c: char| !"+-.0123456789eE".contains(c));
    is_number.then(|| plain.parse::<f64>().ok()).flatten().filter(|number| number.is_finite())
}

fn fraction(plain: &str) -> Option<(f64, f64)> {
    let (sign, rest) = plain.strip_prefix('-').map_or((1.0, plain), |rest| (-1.0, rest));
    let (above, below) = match rest.strip_prefix("\\frac{") {
        Some(rest) => rest.strip_suffix('}')?.split_once("}{")?,
        None => rest.split_once('/')?,
    };
    Some((sign * above.parse::<f64>().ok()?, below.parse::<f64>().ok()?))
}

/// An answer without what only dresses it.
#[must_use]
pub fn normalised(text: &str) -> String {
    let mut plain = text.trim().trim_matches(['"', '\'', '`', '*']).trim().to_owned();
    for (from, to) in DRESSING {
        if plain.contains(from) {
            plain = plain.replace(from, to);
        }
    }
    plain = without_text(&plain);
    plain = braced(&plain);
    // A short left side is a name: `x = 5`.
    if let Some((_, value)) = plain.split_once('=').filter(|(name, _)| name.trim().chars().count() <= 2) {
        plain = value.to_owned();
    }
    plain = plain.trim().trim_end_matches(['.', ',', ';', '!']).to_lowercase();
    if let Some(rest) = plain.strip_prefix('.') {
        plain = format!("0.{rest}");
    }
    let is_formula = plain.contains(|c: char| c == '\\' || c.is_ascii_digit());
    let spaces = if is_formula { "" } else { " " };
    plain = plain.split_whitespace().collect::<Vec<_>>().join(spaces);
    without_unit(&plain)
}

/// Signs that say nothing of the value, and other ways to write what does.
const DRESSING: [(&str, &str); 19] = [
    ("\\!", ""),
    ("\\,", ""),
    ("\\;", ""),
    ("\\ ", " "),
    ("\\\\", "\\"),
    ("tfrac", "frac"),
    ("dfrac", "frac"),
    ("\\left", ""),
    ("\\right", ""),
    ("^{\\circ}", ""),
    ("^\\circ", ""),
    ("\\$", ""),
    ("$", ""),
    ("€", ""),
    ("£", ""),
    ("\\%", ""),
    ("%", ""),
    ("\u{2212}", "-"),
    ("\\cdot", "*"),
];

/// `\text{ metres}` and what follows are units; `\text{yes}` alone is the answer.
fn without_text(plain: &str) -> String {
    let Some((before, rest)) = plain.split_once("\\text{") else { return plain.to_owned() };
    let (inside, after) = rest.split_once('}').unwrap_or((rest, ""));
    if before.trim().is_empty() { format!("{inside}{after}") } else { before.to_owned() }
}

/// `\frac12` and `\sqrt3` with their braces.
fn braced(plain: &str) -> String {
    let mut out = String::with_capacity(plain.len());
    let mut rest = plain;
    while let Some(start) = ["\\frac", "\\sqrt"].into_iter().filter_map(|mark| rest.find(mark)).min() {
        let (before, from) = rest.split_at(start);
        let (mark, after) = from.split_at(5);
        out.push_str(before);
        out.push_str(mark);
        let wanted = if mark == "\\frac" { 2 } else { 1 };
        let bare = after.chars().take(wanted).take_while(char::is_ascii_alphanumeric).count();
        let (bare, tail) = after.split_at(bare);
        bare.chars().for_each(|c| out.extend(['{', c, '}']));
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// `18apples` and `5cm` without the unit: letters after a number.
fn without_unit(plain: &str) -> String {
    let digits = plain.trim_start_matches(['-', '+']);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return plain.to_owned();
    }
    let end = plain.rfind(|c: char| c.is_ascii_digit()).map_or(plain.len(), |last| last + 1);
    let (number, unit) = plain.split_at(end);
    let is_number = number.chars().all(|c| c.is_ascii_digit() || "+-.,/".contains(c));
    let is_unit = unit.chars().count() > 1 && unit.chars().all(char::is_alphabetic);
    if is_number && is_unit { number.to_owned() } else { plain.to_owned() }
}
