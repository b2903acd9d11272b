//! Where a reflection comes from, link by link, and every verdict on it: who, when, what was changed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::ReviewPane;
use super::draw::{put, rule};
use super::item::named;
use crate::domain::review::{ReviewItem, VerdictEntry, VerdictState};
use crate::ui::pane::View;
use crate::ui::widgets::{diff, text};

pub(super) fn draw(pane: &mut ReviewPane, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    let Some(item) = pane.at.and_then(|at| view.store.review.item(at)).flatten() else {
        return put(buffer, Rect { height: 1, ..area }, "reading …", view.theme.dim);
    };
    rule(
        buffer,
        Rect { height: 1, ..area },
        "where it comes from, and what was said of it",
        view.theme.bright,
        view,
    );
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let width = usize::from(area.width);
    let mut lines = links(item, width, view);
    lines.push(Line::default());
    if item.verdicts.is_empty() {
        lines.push(Line::styled("Nobody has decided on it yet.", view.theme.dim));
    }
    for said in &item.verdicts {
        lines.extend(verdict(item, said, width, view));
    }
    let most = lines.len().saturating_sub(usize::from(body.height));
    pane.scroll = pane.scroll.min(most);
    for (y, line) in (body.y..body.bottom()).zip(lines.iter().skip(pane.scroll)) {
        text::put_line(buffer, Rect { y, height: 1, ..body }, line.clone());
    }
}

fn links(item: &ReviewItem, width: usize, view: View<'_>) -> Vec<Line<'static>> {
    let theme = view.theme;
    let split = item.split.as_deref().map_or_else(String::new, |split| format!(" · split {split}"));
    let tags = item.tags.iter().fold(String::new(), |tags, tag| tags + " #" + tag);
    let from = |prompt: &str| {
        if prompt.is_empty() { "imported".to_owned() } else { format!("prompt {prompt}") }
    };
    let record = format!("{} from {}{split}{tags}", item.thought.record, item.source);
    let number = match (&item.reflection, item.id) {
        (Some(reflection), _) => reflection.thought.0,
        (None, id) => id.number(),
    };
    let thought = format!(
        "{number} by {} · {} · {} tokens · reaches {}",
        item.thought.model,
        from(&item.thought.prompt),
        item.thought.tokens,
        item.thought.label
    );
    let mut lines = named("record", &record, width, theme.text, theme);
    lines.extend(named("thought", &thought, width, theme.text, theme));
    let Some(reflection) = &item.reflection else {
        lines.extend(named("correction", "none yet", width, theme.dim, theme));
        return lines;
    };
    let correction = format!(
        "by {} · {} · {} tokens · reaches {}",
        reflection.teacher,
        if reflection.is_by_hand() { "by hand".to_owned() } else { from(&reflection.prompt) },
        item.checks.tokens,
        reflection.label
    );
    let judge = match (reflection.score, reflection.judge.as_str()) {
        (None, _) => "nobody has judged it".to_owned(),
        (Some(score), "") => format!("{score} of 5 · imported"),
        (Some(score), judge) => format!("{score} of 5 by {judge}"),
    };
    lines.extend(named("correction", &correction, width, theme.text, theme));
    lines.extend(named("judge", &judge, width, theme.text, theme));
    if !reflection.improved_by.is_empty() {
        let improved = format!("by {} after the judge's first word", reflection.improved_by);
        lines.extend(named("improved", &improved, width, theme.text, theme));
    }
    lines
}

/// `✎ edited   ada   3m ago   −2 +5 words   "comment"`.
fn verdict(item: &ReviewItem, said: &VerdictEntry, width: usize, view: View<'_>) -> Vec<Line<'static>> {
    let theme = view.theme;
    let (style, note): (Style, &str) = match said.state {
        VerdictState::Stands => (theme.text, ""),
        VerdictState::TakenBack => (theme.dim, " (taken back)"),
    };
    let when = text::ago(said.at as f64 / 1000.0, view.store.now);
    let corrected = item.reflection.as_ref().map_or("", |reflection| &reflection.corrected);
    let changed = said.edited.as_ref().map_or_else(String::new, |edited| {
        let (out, came) = diff::count(corrected, edited);
        format!("   −{out} +{came} words")
    });
    let head = format!(
        "{} {:10} {:<12} {when:>8}{changed}{note}",
        said.verdict.sign(),
        said.verdict.name(),
        text::shorten(&said.who, 12)
    );
    let mut lines = vec![Line::from(Span::styled(text::shorten(&head, width), style))];
    if !said.comment.is_empty() {
        lines.extend(named("", &said.comment, width, theme.dim, theme));
    }
    lines
}
