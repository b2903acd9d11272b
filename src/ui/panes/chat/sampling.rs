//! The panel of sampling settings: a value a line, typed or stepped through.

use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::domain::chat::ChatSampling;
use crate::ui::layout::centred;
use crate::ui::pane::Input;
use crate::ui::theme::Theme;
use crate::ui::widgets::{float, text};

/// A setting: its name, its bounds, one step, and what it does.
struct Setting {
    name: &'static str,
    least: f64,
    most: f64,
    step: f64,
    help: &'static str,
    whole: bool,
}

const SETTINGS: [Setting; 7] = [
    Setting {
        name: "temperature",
        least: 0.0,
        most: 5.0,
        step: 0.1,
        help: "0 always takes the likeliest word",
        whole: false,
    },
    Setting {
        name: "top_p",
        least: 0.01,
        most: 1.0,
        step: 0.05,
        help: "only the likeliest words of this share",
        whole: false,
    },
    Setting {
        name: "top_k",
        least: 0.0,
        most: 100_000.0,
        step: 10.0,
        help: "only so many words; 0 is all",
        whole: true,
    },
    Setting {
        name: "min_p",
        least: 0.0,
        most: 1.0,
        step: 0.01,
        help: "words this likely beside the likeliest",
        whole: false,
    },
    Setting {
        name: "repetition_penalty",
        least: 0.5,
        most: 2.0,
        step: 0.05,
        help: "above 1: fewer repeats",
        whole: false,
    },
    Setting {
        name: "max_tokens",
        least: 1.0,
        most: 1_000_000.0,
        step: 64.0,
        help: "length of an answer at most",
        whole: true,
    },
    Setting {
        name: "seed",
        least: 0.0,
        most: 4_294_967_295.0,
        step: 1.0,
        help: "the same seed gives the same answer",
        whole: true,
    },
];

/// Columns of the panel: the longest explanation has room beside its value.
const WIDTH: u16 = 76;

/// The panel while it is open.
#[derive(Debug)]
pub(super) struct Panel {
    values: Vec<String>,
    row: usize,
    /// The value under the cursor was not touched yet: typing takes its place.
    fresh: bool,
    refused: Option<String>,
}

impl Panel {
    pub(super) fn new(sampling: &ChatSampling) -> Self {
        let short = |value: f32| {
            let rounded = (f64::from(value) * 1000.0).round() / 1000.0;
            rounded.to_string()
        };
        let values = vec![
            short(sampling.temperature),
            short(sampling.top_p),
            sampling.top_k.to_string(),
            short(sampling.min_p),
            short(sampling.repetition_penalty),
            sampling.max_tokens.to_string(),
            sampling.seed.to_string(),
        ];
        Self { values, row: 0, fresh: true, refused: None }
    }

    pub(super) fn step_row(&mut self, by: isize) {
        self.row = self.row.saturating_add_signed(by).min(SETTINGS.len() - 1);
        self.fresh = true;
    }

    pub(super) fn step_value(&mut self, by: f64) {
        let (Some(setting), Some(value)) = (SETTINGS.get(self.row), self.values.get_mut(self.row)) else {
            return;
        };
        let now = value.trim().parse::<f64>().unwrap_or(setting.least);
        let next = (now + by * setting.step).clamp(setting.least, setting.most);
        let rounded = (next * 1000.0).round() / 1000.0;
        *value = rounded.to_string();
        self.refused = None;
    }

    pub(super) fn input(&mut self, input: &Input) {
        let Some(value) = self.values.get_mut(self.row) else { return };
        let fresh = std::mem::replace(&mut self.fresh, false);
        match input {
            Input::Key(key) => match key.code {
                // Many write a comma where others write a point.
                KeyCode::Char(sign @ ('0'..='9' | '.' | ',' | '-')) => {
                    if fresh {
                        value.clear();
                    }
                    value.push(if sign == ',' { '.' } else { sign });
                }
                KeyCode::Delete => value.clear(),
                KeyCode::Backspace => {
                    value.pop();
                }
                _ => {}
            },
            Input::Paste(text) => {
                if fresh {
                    value.clear();
                }
                value.extend(text.chars().filter(|sign| sign.is_ascii_digit() || matches!(sign, '.' | '-')));
            }
        }
        self.refused = None;
    }

    /// The settings as they stand; what can't be taken is said and stays open.
    pub(super) fn accept(&mut self) -> Option<ChatSampling> {
        let mut numbers = Vec::new();
        for (row, (setting, value)) in SETTINGS.iter().zip(&self.values).enumerate() {
            let number = value.trim().parse::<f64>().ok();
            let fits = |number: &f64| {
                (setting.least..=setting.most).contains(number) && (!setting.whole || number.fract() == 0.0)
            };
            let Some(number) = number.filter(fits) else {
                let kind = if setting.whole { "a whole number" } else { "a number" };
                self.refused = Some(format!(
                    "{} must be {kind} from {} to {}",
                    setting.name, setting.least, setting.most
                ));
                self.row = row;
                return None;
            };
            numbers.push(number);
        }
        let [temperature, top_p, top_k, min_p, repetition_penalty, max_tokens, seed] = numbers.as_slice()
        else {
            return None;
        };
        Some(ChatSampling {
            temperature: *temperature as f32,
            top_p: *top_p as f32,
            top_k: *top_k as usize,
            min_p: *min_p as f32,
            repetition_penalty: *repetition_penalty as f32,
            max_tokens: *max_tokens as usize,
            seed: *seed as u64,
        })
    }

    pub(super) fn draw(&self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        let inside = float::draw(buffer, centred(area, WIDTH, SETTINGS.len() as u16 + 4), theme, "sampling");
        for (row, (setting, value)) in SETTINGS.iter().zip(&self.values).enumerate() {
            let y = inside.y + row as u16;
            if y >= inside.bottom() {
                return;
            }
            let here = row == self.row;
            let style = if here { theme.accent } else { theme.text };
            text::put(buffer, inside.x, y, setting.name, 19, style);
            let shown = text::shorten(value, 10);
            let x = inside.x + 20 + 10_u16.saturating_sub(text::width(&shown) as u16);
            text::put(buffer, x, y, &shown, 10, if here { theme.bright } else { theme.text });
            let room = usize::from(inside.right().saturating_sub(inside.x + 33));
            text::put(buffer, inside.x + 33, y, setting.help, room, theme.dim);
            if here {
                buffer.set_style(Rect { y, height: 1, ..inside }, theme.selection);
                // What is typed goes here.
                let caret = Rect { x: inside.x + 30, y, width: 1, height: 1 }.intersection(inside);
                buffer.set_style(caret, theme.text.add_modifier(Modifier::REVERSED));
            }
        }
        let y = inside.bottom().saturating_sub(1);
        let width = usize::from(inside.width);
        let help = SETTINGS.get(self.row).map_or("", |setting| setting.help);
        let (words, style) = match &self.refused {
            Some(refused) => (refused.as_str(), theme.bad),
            // What has no room beside its value is read here.
            None if text::width(help) > width.saturating_sub(33) => (help, theme.dim),
            None => ("Type a number, or ← and → for steps; del clears.", theme.dim),
        };
        if self.refused.is_some() || y >= inside.y + SETTINGS.len() as u16 {
            text::put(buffer, inside.x, y, words, width, style);
        }
    }
}
