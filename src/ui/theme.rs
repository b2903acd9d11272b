//! Colours and weights. A theme file names few colours; every style that is drawn is made from them once, for what the
//! terminal can show. Meaning never hangs on colour alone: without colours, weights and signs carry it.

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::ui::caret;

mod depth;

pub use self::depth::Depth;

/// Styles of everything that is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    pub name: String,
    pub kind: ThemeKind,
    /// The screen itself: background and ordinary text.
    pub base: Style,
    pub text: Style,
    /// What you act on.
    pub bright: Style,
    /// Context, keys, units.
    pub dim: Style,
    /// Hairlines.
    pub rule: Style,
    pub accent: Style,
    pub good: Style,
    pub warning: Style,
    pub bad: Style,
    /// The row under the cursor, where the keyboard is.
    pub selection: Style,
    /// The row under the cursor, where it isn't.
    pub selection_away: Style,
    /// The surface of what floats.
    pub float: Style,
    pub float_border: Style,
    /// Where typed text goes: see [`caret`](crate::ui::caret).
    pub caret: Style,
    /// Letters that a search matched.
    pub matched: Style,
    pub added: Style,
    pub removed: Style,
    /// Lines of a chart, and whatever else must be told apart; take `series[i % 8]`.
    pub series: [Style; 8],
}

/// What a theme is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThemeKind {
    Dark,
    Light,
    HighContrast,
    /// Takes the terminal's own sixteen colours.
    Terminal,
}

impl ThemeKind {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::HighContrast => "high contrast",
            Self::Terminal => "terminal colours",
        }
    }
}

/// A theme file. Colours are `#rrggbb`, a number of the 256, a name of the 16 (`bright-blue`), or `default`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ThemeFile {
    name: String,
    kind: ThemeKind,
    background: Paint,
    surface: Paint,
    selection: Paint,
    text: Paint,
    bright: Paint,
    dim: Paint,
    rule: Paint,
    accent: Paint,
    good: Paint,
    warning: Paint,
    bad: Paint,
    series: [Paint; 8],
}

/// The shipped themes, in the order of the picker.
const SHIPPED: &[&str] = &[
    include_str!("../../themes/night.toml"),
    include_str!("../../themes/paper.toml"),
    include_str!("../../themes/moss.toml"),
    include_str!("../../themes/dusk.toml"),
    include_str!("../../themes/sand.toml"),
    include_str!("../../themes/ember.toml"),
    include_str!("../../themes/glacier.toml"),
    include_str!("../../themes/contrast-dark.toml"),
    include_str!("../../themes/contrast-light.toml"),
    include_str!("../../themes/terminal.toml"),
];

impl Theme {
    /// Reads a theme file, for a terminal of some depth.
    ///
    /// # Errors
    /// Where a key is missing or unknown, or a colour can't be read: the parser's sentence with its line.
    pub fn parse(text: &str, depth: Depth) -> Result<Self, String> {
        let file: ThemeFile = toml::from_str(text).map_err(|error| error.to_string().trim().to_owned())?;
        Ok(Self::build(&file, depth))
    }

    /// Every shipped theme.
    #[must_use]
    pub fn shipped(depth: Depth) -> Vec<Self> {
        SHIPPED.iter().filter_map(|text| Self::parse(text, depth).ok()).collect()
    }

    /// The one to start with: the terminal's own colours where it has only sixteen.
    #[must_use]
    pub fn default_name(depth: Depth) -> &'static str {
        match depth {
            Depth::Full | Depth::Indexed => "Night",
            Depth::Sixteen | Depth::None => "Terminal",
        }
    }

    fn build(file: &ThemeFile, depth: Depth) -> Self {
        let paint = |paint: Paint| depth.show(paint.0);
        let on = |foreground: Paint| Style::new().fg(paint(foreground));
        let plain = Style::new();
        let colourless = depth == Depth::None;
        let weight =
            |style: Style, modifier: Modifier| if colourless { style.add_modifier(modifier) } else { style };
        Self {
            name: file.name.clone(),
            kind: file.kind,
            base: on(file.text).bg(paint(file.background)),
            text: on(file.text),
            bright: on(file.bright).add_modifier(Modifier::BOLD),
            dim: weight(on(file.dim), Modifier::DIM),
            rule: weight(on(file.rule), Modifier::DIM),
            accent: weight(on(file.accent), Modifier::BOLD),
            good: on(file.good),
            warning: weight(on(file.warning), Modifier::BOLD),
            bad: weight(on(file.bad), Modifier::BOLD),
            selection: weight(plain.bg(paint(file.selection)), Modifier::REVERSED),
            selection_away: weight(plain.bg(paint(file.surface)), Modifier::UNDERLINED),
            float: on(file.text).bg(paint(file.surface)),
            float_border: on(file.rule).bg(paint(file.surface)),
            caret: caret::marked(on(file.text).add_modifier(Modifier::REVERSED)),
            matched: on(file.accent).add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            added: weight(on(file.good), Modifier::UNDERLINED),
            removed: on(file.bad).add_modifier(Modifier::CROSSED_OUT),
            series: file.series.map(on),
        }
    }
}

/// A colour as a theme file writes it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Paint(Color);

impl TryFrom<String> for Paint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "default" {
            return Ok(Self(Color::Reset));
        }
        text.parse().map(Self).map_err(|_| {
            format!("'{text}' is not a colour; write \"#rrggbb\", a number below 256, a name such as \"bright-blue\", or \"default\"")
        })
    }
}
