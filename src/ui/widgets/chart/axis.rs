//! Numbers along an axis: round ones, and few letters.

use super::trace::XAxis;
use crate::ui::widgets::text;

/// Round values inside a range, about `count` of them: multiples of 1, 2 or 5 times a power of ten.
#[must_use]
pub fn ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    if !(low.is_finite() && high.is_finite() && high > low) || count == 0 {
        return Vec::new();
    }
    let step = nice_step((high - low) / count as f64);
    between(low, high, step)
}

/// The same for seconds: multiples of what clocks count in.
#[must_use]
pub fn time_ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    const STEPS: [f64; 16] = [
        1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0,
        43200.0,
    ];
    if !(low.is_finite() && high.is_finite() && high > low) || count == 0 {
        return Vec::new();
    }
    let rough = (high - low) / count as f64;
    let days = 86_400.0 * nice_step(rough / 86_400.0).max(1.0);
    let step = STEPS.into_iter().find(|step| *step >= rough).unwrap_or(days);
    between(low, high, if rough < 1.0 { nice_step(rough) } else { step })
}

/// Powers of ten inside a range of logarithms, or of their 1, 2, 5 multiples where these are few; as logarithms.
#[must_use]
pub fn log_ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let decades = between(low.ceil(), high.floor(), ((high - low) / count.max(1) as f64).ceil().max(1.0));
    if decades.len() >= 2 {
        return decades;
    }
    let mut ticks: Vec<f64> = (low.floor() as i32..=high.ceil() as i32)
        .flat_map(|power| [1.0f64, 2.0, 5.0].map(|digit| digit.log10() + f64::from(power)))
        .filter(|tick| (low..=high).contains(tick))
        .collect();
    if ticks.len() < 2 {
        ticks = vec![low, high];
    }
    ticks
}

fn nice_step(rough: f64) -> f64 {
    let power = 10f64.powf(rough.log10().floor());
    let digit = rough / power;
    let nice = [1.0, 2.0, 5.0].into_iter().find(|nice| digit <= nice * 1.000_001).unwrap_or(10.0);
    nice * power
}

fn between(low: f64, high: f64, step: f64) -> Vec<f64> {
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    if !(step > 0.0 && last >= first && last - first < 1_000.0) {
        return Vec::new();
    }
    (0..=(last - first) as usize).map(|at| (first + at as f64) * step).collect()
}

/// A number in few letters (6, mostly): `0`, `1.84`, `-0.25`, `12.5k`, `3.2M`, `2e-4`.
#[must_use]
pub fn short(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "-∞" }.to_owned();
    }
    match size {
        0.0 => "0".to_owned(),
        s if s < 0.001 => exponent(value),
        s if s < 1.0 => trimmed(value, if s < 0.1 { 4 } else { 3 }),
        s if s < 10.0 => trimmed(value, 3),
        s if s < 100.0 => trimmed(value, 2),
        s if s < 10_000.0 => trimmed(value, usize::from(s < 1_000.0)),
        s if s < 1e6 => trimmed(value / 1e3, usize::from(s < 1e5)) + "k",
        s if s < 1e9 => trimmed(value / 1e6, usize::from(s < 1e8)) + "M",
        s if s < 1e12 => trimmed(value / 1e9, 1) + "G",
        _ => exponent(value),
    }
}

/// A value for people who compare: four digits, `1.842`, `271`, `1.5e-5`.
#[must_use]
pub fn exact(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() || size == 0.0 || size >= 1e5 {
        return short(value);
    }
    match size {
        s if s < 0.001 => exponent(value),
        s if s < 1.0 => format!("{value:.4}"),
        s if s < 10.0 => format!("{value:.3}"),
        s if s < 100.0 => format!("{value:.2}"),
        s if s < 1000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// Seconds in at most 6 letters: `45s`, `6m12s`, `3h05m`, `2d4h`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    let (days, hours, minutes, rest) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60, whole % 60);
    match () {
        () if days > 0 => format!("{days}d{hours}h"),
        () if hours > 0 => format!("{hours}h{minutes:02}m"),
        () if minutes > 0 && rest == 0 => format!("{minutes}m"),
        () if minutes > 0 => format!("{minutes}m{rest:02}s"),
        () if seconds > 0.0 && seconds < 1.0 => format!("{seconds:.1}s"),
        () => format!("{rest}s"),
    }
}

/// A place on an x-axis: a step, a time, a count of tokens.
#[must_use]
pub fn place(axis: XAxis, x: f64) -> String {
    match axis {
        XAxis::Step if x < 100_000.0 => format!("{x:.0}"),
        XAxis::Time => duration(x),
        XAxis::Step | XAxis::Tokens if shortens(x) => short(x),
        XAxis::Step | XAxis::Tokens => text::count(x.round() as u64),
    }
}

/// Whether [`short`] says all of a whole number.
fn shortens(x: f64) -> bool {
    let unit = match x {
        x if x < 1e5 => return true,
        x if x < 1e6 => 1e3,
        x if x < 1e8 => 1e5,
        x if x < 1e9 => 1e6,
        _ => 1e8,
    };
    (x / unit).fract() == 0.0
}

fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn exponent(value: f64) -> String {
    let text = format!("{value:.1e}");
    text.replacen(".0e", "e", 1)
}
