//! What colours a terminal can show, and the nearest of those to a given one.

use ratatui::style::Color;

/// How many colours there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// 24 bits.
    Full,
    /// The 256 of xterm.
    Indexed,
    Sixteen,
    /// `NO_COLOR`, or a terminal without any.
    None,
}

impl Depth {
    /// From what the environment says, by the customs of terminals: `NO_COLOR` (set and not empty), `COLORTERM`, `TERM`.
    pub fn from_environment(read: impl Fn(&str) -> Option<String>) -> Self {
        if read("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            return Self::None;
        }
        let term = read("TERM").unwrap_or_default();
        if read("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit")
            || term.ends_with("-direct")
        {
            return Self::Full;
        }
        match term.as_str() {
            "" | "dumb" | "vt100" | "vt102" | "vt220" => Self::None,
            "linux" | "ansi" | "cygwin" => Self::Sixteen,
            name if name.contains("256") => Self::Indexed,
            name if ["kitty", "alacritty", "ghostty", "foot", "wezterm"]
                .iter()
                .any(|good| name.contains(good)) =>
            {
                Self::Full
            }
            _ => Self::Sixteen,
        }
    }

    /// In words, for `dojo doctor`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "24-bit colour",
            Self::Indexed => "256 colours",
            Self::Sixteen => "16 colours",
            Self::None => "no colours",
        }
    }

    /// The colour as this terminal shows it best.
    #[must_use]
    pub fn show(self, colour: Color) -> Color {
        let Color::Rgb(red, green, blue) = colour else {
            return match self {
                Self::None => Color::Reset,
                Self::Full | Self::Indexed | Self::Sixteen => colour,
            };
        };
        match self {
            Self::Full => colour,
            Self::Indexed => Color::Indexed(nearest_of_256([red, green, blue])),
            Self::Sixteen => nearest_of_16([red, green, blue]),
            Self::None => Color::Reset,
        }
    }
}

/// The six steps of xterm's colour cube.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

fn nearest_of_256(colour: [u8; 3]) -> u8 {
    let steps = colour
        .map(|channel| (0..6_u8).min_by_key(|&step| CUBE[usize::from(step)].abs_diff(channel)).unwrap_or(0));
    let cube = steps.map(|step| CUBE[usize::from(step)]);
    let mean = colour.iter().map(|&channel| u32::from(channel)).sum::<u32>() / 3;
    let grey_step = (mean.saturating_sub(3) / 10).min(23) as u8;
    let grey = [8 + grey_step * 10; 3];
    if distance(colour, grey) < distance(colour, cube) {
        232 + grey_step
    } else {
        16 + 36 * steps[0] + 6 * steps[1] + steps[2]
    }
}

/// The usual look of the sixteen (xterm's).
const SIXTEEN: [([u8; 3], Color); 16] = [
    ([0, 0, 0], Color::Black),
    ([205, 0, 0], Color::Red),
    ([0, 205, 0], Color::Green),
    ([205, 205, 0], Color::Yellow),
    ([0, 0, 238], Color::Blue),
    ([205, 0, 205], Color::Magenta),
    ([0, 205, 205], Color::Cyan),
    ([229, 229, 229], Color::Gray),
    ([127, 127, 127], Color::DarkGray),
    ([255, 0, 0], Color::LightRed),
    ([0, 255, 0], Color::LightGreen),
    ([255, 255, 0], Color::LightYellow),
    ([92, 92, 255], Color::LightBlue),
    ([255, 0, 255], Color::LightMagenta),
    ([0, 255, 255], Color::LightCyan),
    ([255, 255, 255], Color::White),
];

fn nearest_of_16(colour: [u8; 3]) -> Color {
    SIXTEEN
        .iter()
        .min_by_key(|(known, _)| distance(colour, *known))
        .map_or(Color::Reset, |(_, colour)| *colour)
}

/// Squared, with the eye's weights: green counts most.
fn distance(left: [u8; 3], right: [u8; 3]) -> u32 {
    let weights = [3, 6, 2];
    (0..3).map(|i| weights[i] * u32::from(left[i].abs_diff(right[i])).pow(2)).sum()
}
