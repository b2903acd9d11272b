//! Numbers, times and long lines, as every pane writes them.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns that a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text in at most `columns`; what is cut ends in `…`. Line breaks become spaces.
#[must_use]
pub fn shorten(text: &str, columns: usize) -> String {
    if text.width() <= columns && !text.contains(char::is_control) {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut used = 0;
    for character in text.chars() {
        let character = if character.is_control() { ' ' } else { character };
        let wide = character.width().unwrap_or(0);
        if used + wide > columns.saturating_sub(1) {
            if columns > 0 {
                short.push('…');
            }
            return short;
        }
        used += wide;
        short.push(character);
    }
    short
}

/// The text broken at spaces into lines of at most `columns`; longer words are cut. Line breaks are kept.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut used = 0;
        for word in paragraph.split(' ') {
            let wide = word.width();
            if used > 0 && used + 1 + wide > columns {
                lines.push(std::mem::take(&mut line));
                used = 0;
            } else if used > 0 {
                line.push(' ');
                used += 1;
            }
            used = push_word(&mut lines, &mut line, used, word, columns);
        }
        lines.push(line);
    }
    lines
}

fn push_word(
    lines: &mut Vec<String>,
    line: &mut String,
    mut used: usize,
    word: &str,
    columns: usize,
) -> usize {
    for character in word.chars().filter(|character| !character.is_control()) {
        let wide = character.width().unwrap_or(0);
        if used + wide > columns && used > 0 {
            lines.push(std::mem::take(line));
            used = 0;
        }
        line.push(character);
        used += wide;
    }
    used
}

/// `1.2 GB`, `97 MB`, `412 kB`: powers of 1000, three figures at most.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or_default();
    if unit > 0 && value < 9.95 { format!("{value:.1} {name}") } else { format!("{value:.0} {name}") }
}

/// `43s`, `6m12s`, `2h05m`, `3d4h`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    if days > 0 {
        format!("{days}d{}h", hours % 24)
    } else if hours > 0 {
        format!("{hours}h{:02}m", minutes % 60)
    } else if minutes > 0 {
        format!("{minutes}m{:02}s", seconds % 60)
    } else {
        format!("{seconds}s")
    }
}

/// `43s`, `6m`, `2h`, `3d`: for what nobody knows better.
#[must_use]
pub fn coarse(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// `now`, `3m ago`, `5h ago`, `2d ago`. Both in seconds since 1970.
#[must_use]
pub fn ago(then: f64, now: f64) -> String {
    let seconds = (now - then).max(0.0) as u64;
    match seconds {
        0..60 => "now".to_owned(),
        60..3600 => format!("{}m ago", seconds / 60),
        3600..86_400 => format!("{}h ago", seconds / 3600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

/// `12,345`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
