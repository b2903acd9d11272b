//! Items that two models answered differently: the list of them, and one in full with both answers.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::draw::rule;
use super::super::told::put_lines;
use super::ResultsView;
use crate::app::store::Store;
use crate::domain::evaluation::{AnswerDisagreement, EvaluatedAnswer, KeptEvaluation};
use crate::ui::theme::Theme;
use crate::ui::widgets::text;
use crate::ui::widgets::visible::visible;

impl ResultsView {
    pub(super) fn draw_items(&mut self, buffer: &mut Buffer, area: Rect, (store, theme): (&Store, &Theme)) {
        let found = self.disagreements(store);
        self.list = area;
        let window = self.items.window(found.len(), usize::from(area.height));
        let chosen = self.items.row();
        for (y, at) in (area.y..area.bottom()).zip(window) {
            let Some(one) = found.get(at) else { continue };
            let row = Rect { y, height: 1, ..area };
            let ((first, first_style), (second, second_style)) =
                (sign(one.first, theme), sign(one.second, theme));
            let line = Line::from(vec![
                Span::styled(format!(" {first}"), first_style),
                Span::styled(format!("{second} "), second_style),
                Span::styled(format!("{} ", text::shorten_path(&one.item.place, 18)), theme.dim),
                Span::styled(visible(&one.item.prompt).replace('\n', " "), theme.text),
            ]);
            text::put_line(buffer, row, line);
            if at == chosen {
                buffer.set_style(row, theme.selection);
            }
        }
    }

    pub(super) fn draw_item(&self, buffer: &mut Buffer, area: Rect, (store, theme): (&Store, &Theme)) {
        let found = self.disagreements(store);
        let (Some(kept), Some(one)) = (self.opened(store), found.get(self.items.row())) else {
            let words = "These two models answer all items alike: p takes two others.";
            text::put(buffer, area.x + 1, area.y, words, usize::from(area.width) - 2, theme.dim);
            return;
        };
        let truth = one
            .item
            .truth
            .as_ref()
            .map_or_else(String::new, |truth| format!("true label {}", visible(truth)));
        rule(buffer, Rect { height: 1.min(area.height), ..area }, &visible(&one.item.place), &truth, theme);
        let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        put_lines(buffer, body, lines(kept, one, usize::from(body.width), theme), theme);
    }
}

fn sign(answer: &EvaluatedAnswer, theme: &Theme) -> (&'static str, Style) {
    match answer.right {
        Some(true) => ("✓", theme.good),
        Some(false) => ("✗", theme.bad),
        None => ("·", theme.dim),
    }
}

/// What was asked, what is right, and both answers.
fn lines(
    kept: &KeptEvaluation,
    one: &AnswerDisagreement<'_>,
    width: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let wrap = |words: &str, style: Style| -> Vec<Line<'static>> {
        let wrapped = text::wrap(&visible(words), width.saturating_sub(3).max(10));
        wrapped.into_iter().map(|line| Line::styled(format!("  {line}"), style)).collect()
    };
    let mut lines = wrap(&one.item.prompt, theme.dim);
    for answer in [one.first, one.second] {
        let name = kept.report.models.get(answer.model).map_or("", |model| model.name.as_str());
        let (sign, style) = sign(answer, theme);
        let read =
            answer.read.as_ref().map_or_else(String::new, |read| format!("  read as {}", visible(read)));
        lines.push(Line::default());
        lines.push(Line::from(vec![
            Span::styled(format!(" {sign} "), style),
            Span::styled(visible(name).into_owned(), theme.bright),
            Span::styled(format!("{read}  {} tokens", answer.tokens), theme.dim),
        ]));
        let is_likelihood = answer.answer.is_empty() && answer.tokens == 0;
        let said =
            if is_likelihood { "(it was asked for likelihoods, and wrote nothing)" } else { &answer.answer };
        lines.extend(wrap(said, theme.text));
    }
    if let Some(reference) = &one.item.reference {
        lines.push(Line::default());
        lines.push(Line::styled(" the record's own answer", theme.dim));
        lines.extend(wrap(reference, theme.dim));
    }
    lines
}
