//! Beside the thoughts: what was asked, the true label, the checks, the last words on it, and accuracy by length.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Blind;
use super::draw::rule;
use super::item::named;
use crate::domain::agreement_report::AgreementReport;
use crate::domain::counted::counted;
use crate::domain::review::{Contents, ReviewItem, VerdictState};
use crate::domain::review_leads::Leads;
use crate::ui::pane::View;
use crate::ui::theme::Theme;
use crate::ui::widgets::text;

/// Rows below which everything is said in one line each.
const LOW: u16 = 13;
const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// The third column.
pub(super) fn column(blind: Blind, buffer: &mut Buffer, area: Rect, item: &ReviewItem, view: View<'_>) {
    let title = format!("record {}", item.thought.record);
    rule(buffer, Rect { height: 1.min(area.height), ..area }, &title, view.theme.bright, view);
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let width = usize::from(area.width);
    let mut lines = asked(item, width, view.theme);
    if let Some(words) = holds(item) {
        lines.extend(named("record has", &words, width, view.theme.dim, view.theme));
    }
    lines.extend(labels(blind, item, width, view.theme));
    if blind == Blind::No {
        lines.push(Line::default());
        lines.extend(checks(item, view.theme).into_iter().map(Line::from));
        lines.push(Line::default());
        lines.extend(words(item, width, view));
    }
    if let Some(report) = &view.store.review.report {
        let by_length = by_length(report, width, view.theme);
        let free = usize::from(body.height).saturating_sub(lines.len());
        if free > by_length.len() {
            lines.push(Line::default());
            lines.extend(by_length);
        }
    }
    for (y, line) in (body.y..body.bottom()).zip(&lines) {
        text::put_line(buffer, Rect { y, height: 1, ..body }, line.clone());
    }
}

/// `6 turns, 2 tool calls, 3 thoughts`; nothing where the record is one question and its answer.
fn holds(item: &ReviewItem) -> Option<String> {
    let Contents { turns, tool_calls, thoughts } = item.contents;
    if turns <= 2 && tool_calls + thoughts == 0 {
        return None;
    }
    let all = [(turns, "turn"), (tool_calls, "tool call"), (thoughts, "thought")];
    let say = |(count, noun): (usize, &str)| counted(count as u64, noun);
    Some(all.into_iter().filter(|(count, _)| *count > 0).map(say).collect::<Vec<_>>().join(", "))
}

/// The same in few lines, for a narrow screen; in the fewest for a low one.
pub(super) fn compact(blind: Blind, item: &ReviewItem, area: Rect, view: View<'_>) -> Vec<Line<'static>> {
    let width = usize::from(area.width);
    let low = area.height < LOW;
    let mut lines = Vec::new();
    for (name, words) in &item.question {
        let room = width.saturating_sub(12) * if low { 1 } else { 2 };
        lines.extend(named(name, &text::shorten(words, room), width, view.theme.text, view.theme));
    }
    if let Some(words) = holds(item) {
        lines.extend(named("record has", &words, width, view.theme.dim, view.theme));
    }
    if low && blind == Blind::No {
        lines.push(Line::from(whose(item, view.theme)));
    } else {
        lines.extend(labels(blind, item, width, view.theme));
    }
    if blind == Blind::No {
        let mut spans = vec![Span::styled(format!("{:12}", "checks"), view.theme.dim)];
        let mut used = 12;
        for (index, span) in short_checks(item, view.theme).into_iter().enumerate() {
            let gap = if index > 0 { 2 } else { 0 };
            // What doesn't fit is not cut within a word.
            if used + gap + span.width() + 2 > width {
                spans.push(Span::styled(" …", view.theme.dim));
                break;
            }
            used += gap + span.width();
            spans.push(Span::raw(" ".repeat(gap)));
            spans.push(span);
        }
        lines.push(Line::from(spans));
    }
    lines
}

fn asked(item: &ReviewItem, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    item.question.iter().flat_map(|(name, words)| named(name, words, width, theme.text, theme)).collect()
}

/// The true label, and who reached which.
fn labels(blind: Blind, item: &ReviewItem, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let truth = item.thought.truth.as_deref().unwrap_or("none");
    let mut lines = named("true label", &meaning(item, truth), width, theme.bright, theme);
    if blind == Blind::Yes {
        return lines;
    }
    let mut spans = Vec::new();
    for (name, said, style) in reached(item, theme) {
        let gap = if spans.is_empty() { format!("{name:12}") } else { format!("   {name} ") };
        spans.push(Span::styled(gap, theme.dim));
        spans.push(Span::styled(said, style));
    }
    let wide: usize = spans.iter().map(Span::width).sum();
    if wide <= width {
        lines.push(Line::from(spans));
    } else {
        for (name, said, style) in reached(item, theme) {
            lines.extend(named(name, &said, width, style, theme));
        }
    }
    lines
}

/// Who reached which label: the student, and the teacher or the person who corrected it.
fn reached(item: &ReviewItem, theme: &Theme) -> Vec<(&'static str, String, Style)> {
    let truth = item.thought.truth.as_deref().unwrap_or("none");
    let say = |name: &'static str, label: &str| {
        let (sign, style) = if label == truth { ("✓", theme.good) } else { ("✗", theme.bad) };
        (name, format!("{label} {sign}"), style)
    };
    let mut said = vec![say("student", &item.thought.label)];
    if let Some(reflection) = &item.reflection {
        said.push(say(if reflection.is_by_hand() { "by hand" } else { "teacher" }, item.label()));
    }
    said
}

/// The true label and who reached which, in one line.
fn whose(item: &ReviewItem, theme: &Theme) -> Vec<Span<'static>> {
    let truth = item.thought.truth.as_deref().unwrap_or("none");
    let mut spans = vec![
        Span::styled(format!("{:12}", "true label"), theme.dim),
        Span::styled(meaning(item, truth), theme.bright),
    ];
    for (name, said, style) in reached(item, theme) {
        spans.push(Span::styled(format!("  {name} "), theme.dim));
        spans.push(Span::styled(said, style));
    }
    spans
}

/// `1 follows`, where pairs are labelled with bare numbers.
fn meaning(item: &ReviewItem, label: &str) -> String {
    let pair = item.question.iter().any(|(name, _)| name == "hypothesis");
    match label {
        "1" if pair => "1 follows".to_owned(),
        "0" if pair => "0 does not follow".to_owned(),
        label => label.to_owned(),
    }
}

/// What a check found.
struct CheckFinding {
    good: bool,
    /// Empty where another's short words say enough.
    short: String,
    whole: String,
}

impl CheckFinding {
    /// With what is said where it is good, and where it is not.
    fn new(good: bool, short: [&str; 2], whole: [&str; 2]) -> Self {
        let [short, whole] = [short, whole].map(|[well, ill]| if good { well } else { ill }.to_owned());
        Self { good, short, whole }
    }
}

fn found(item: &ReviewItem) -> Vec<CheckFinding> {
    let checks = &item.checks;
    let tokens = match checks.tokens {
        tokens if checks.length_fits => format!("{tokens} tokens"),
        tokens if tokens < 100 => format!("{tokens} tokens: short"),
        tokens => format!("{tokens} tokens: long"),
    };
    let own = if checks.repeats_flawed { ["", ""] } else { ["own words", "copies"] };
    let mut found = vec![
        CheckFinding::new(
            checks.reaches_label,
            ["label", "label"],
            ["reaches the true label", "misses the true label"],
        ),
        CheckFinding::new(
            checks.three_steps,
            ["3 steps", "3 steps"],
            ["exactly three steps", "not exactly three steps"],
        ),
        CheckFinding::new(checks.length_fits, [&tokens, &tokens], [&tokens, &tokens]),
        CheckFinding::new(
            !checks.leaks_label,
            ["late conclusion", "early conclusion"],
            ["concludes in the last step only", "gives the label away before the end"],
        ),
        CheckFinding::new(
            !checks.copies_record,
            own,
            ["in its own words", "copies the record word for word"],
        ),
    ];
    if item.reflection.is_some() {
        let whole = ["thinks anew", "repeats the flawed thought"];
        found.push(CheckFinding::new(!checks.repeats_flawed, ["", "repeats"], whole));
    }
    found.extend(leads(item));
    found
}

/// What its conclusion says in words and to a model, and what the analysis argues for; nothing where neither is known.
fn leads(item: &ReviewItem) -> Vec<CheckFinding> {
    let checks = &item.checks;
    let mut found = Vec::new();
    match &checks.leads {
        Leads::ToLabel => found.push(CheckFinding::new(true, ["", ""], ["concludes its label", ""])),
        Leads::Elsewhere(other) => {
            let whole = format!("concludes {other}");
            found.push(CheckFinding::new(false, ["", &whole], ["", &whole]));
        }
        Leads::Undecided => {}
    }
    if let Leads::Elsewhere(other) = &checks.analysis {
        let whole = format!("analysis argues for {other}");
        found.push(CheckFinding::new(false, ["", "analysis"], ["", &whole]));
    }
    let label = item.label();
    if let Some((odds, own)) = checks.odds.as_ref().and_then(|odds| Some((odds, odds.log_odds(label)?))) {
        let (good, short) = (!odds.leads(label).is_elsewhere(), format!("odds {own:+.1}"));
        let whole = format!("log-odds {own:+.1} by {}", odds.model);
        found.push(CheckFinding::new(good, [&short, &short], [&whole, &whole]));
    }
    found
}

fn checks(item: &ReviewItem, theme: &Theme) -> Vec<Span<'static>> {
    found(item).iter().map(|found| mark(found.good, &found.whole, theme)).collect()
}

fn short_checks(item: &ReviewItem, theme: &Theme) -> Vec<Span<'static>> {
    let said = found(item).into_iter().filter(|found| !found.short.is_empty());
    said.map(|found| mark(found.good, &found.short, theme)).collect()
}

fn mark(good: bool, words: &str, theme: &Theme) -> Span<'static> {
    let (sign, style) = if good { ("✓", theme.good) } else { ("!", theme.warning) };
    Span::styled(format!("{sign} {words}"), style)
}

/// The last words that people said on it.
fn words(item: &ReviewItem, width: usize, view: View<'_>) -> Vec<Line<'static>> {
    let standing = item.verdicts.iter().rev().filter(|said| said.state == VerdictState::Stands);
    standing
        .take(3)
        .map(|said| {
            let when = text::ago(said.at as f64 / 1000.0, view.store.now);
            let line = format!("{} {} by {}, {when}", said.verdict.sign(), said.verdict.name(), said.who);
            Line::styled(text::shorten(&line, width), view.theme.dim)
        })
        .collect()
}

/// How many thoughts of each length are right, as bars.
pub(super) fn by_length(report: &AgreementReport, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled("right, by tokens of thought", theme.dim)];
    for (name, share) in report.by_length().into_iter().filter(|(_, share)| share.all > 0) {
        lines.push(bar(&name, 9, share.ratio(), share.all, width, theme));
    }
    if lines.len() == 1 { Vec::new() } else { lines }
}

/// `0-100   ██████▌     72%  of 54`.
pub(super) fn bar(
    name: &str,
    names: usize,
    ratio: Option<f64>,
    all: u64,
    width: usize,
    theme: &Theme,
) -> Line<'static> {
    let room = width.saturating_sub(names + 1 + 5 + 9).clamp(4, 40);
    let share = ratio.unwrap_or_default();
    let eighths = (share * room as f64 * 8.0).round() as usize;
    let mut drawn = "█".repeat(eighths / 8);
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    drawn.push_str(rest.get(eighths % 8).copied().unwrap_or_default());
    let name = text::shorten(name, names);
    Line::from(vec![
        Span::styled(format!("{name:names$} "), theme.text),
        Span::styled(format!("{drawn:room$}"), theme.accent),
        Span::styled(format!("{:>4.0}%", share * 100.0), theme.text),
        Span::styled(format!(" of {}", text::count(all)), theme.dim),
    ])
}

/// A column of height for each value; a gap where there is none.
pub(super) fn heights(values: &[Option<f64>], style: Style) -> Span<'static> {
    let sign = |value: &Option<f64>| match value {
        None => " ",
        Some(value) => BARS.get((value * 7.0).round() as usize).copied().unwrap_or("█"),
    };
    Span::styled(values.iter().map(sign).collect::<String>(), style)
}
