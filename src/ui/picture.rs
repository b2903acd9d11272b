//! A screen as an SVG picture: what a buffer holds, cell by cell, so that pictures in documents are the real thing.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// A cell's size in the picture, and the font's.
const WIDTH: f64 = 8.4;
const HEIGHT: f64 = 17.0;
const FONT: f64 = 14.0;
const MARGIN: f64 = 12.0;

/// Draws the buffer. Cells of the same look beside each other become one piece of text.
#[must_use]
pub fn svg(buffer: &Buffer) -> String {
    let (columns, rows) = (f64::from(buffer.area.width), f64::from(buffer.area.height));
    let (width, height) = (columns * WIDTH + 2.0 * MARGIN, rows * HEIGHT + 2.0 * MARGIN);
    let ground = buffer.content.first().map_or(Color::Black, |cell| cell.bg);
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"ui-monospace, \
         'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"{FONT}\">\n<rect width=\"100%\" height=\"100%\" \
         rx=\"8\" fill=\"{}\"/>\n",
        colour(ground, "#14171d")
    );
    for y in 0..buffer.area.height {
        for run in runs(buffer, y) {
            draw_run(&mut picture, &run, y, ground);
        }
    }
    picture.push_str("</svg>\n");
    picture
}

/// Cells of one look.
struct Run<'a> {
    x: u16,
    cells: u16,
    look: &'a Cell,
    text: String,
}

fn runs(buffer: &Buffer, y: u16) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    for x in 0..buffer.area.width {
        let Some(cell) = buffer.cell((x, y)) else { continue };
        match runs.last_mut() {
            Some(run) if same_look(run.look, cell) && cell.symbol().is_ascii() && run.text.is_ascii() => {
                run.cells += 1;
                run.text.push_str(cell.symbol());
            }
            // A sign outside ASCII may be wider than a cell in the reader's font: it gets a place of its own.
            _ => runs.push(Run { x, cells: 1, look: cell, text: cell.symbol().to_owned() }),
        }
    }
    runs
}

fn same_look(left: &Cell, right: &Cell) -> bool {
    left.fg == right.fg && left.bg == right.bg && left.modifier == right.modifier
}

fn draw_run(picture: &mut String, run: &Run<'_>, y: u16, ground: Color) {
    let (x, top) = (f64::from(run.x) * WIDTH + MARGIN, f64::from(y) * HEIGHT + MARGIN);
    let wide = f64::from(run.cells) * WIDTH;
    let reversed = run.look.modifier.contains(Modifier::REVERSED);
    let (front, back) = if reversed { (run.look.bg, run.look.fg) } else { (run.look.fg, run.look.bg) };
    let mut parts = String::new();
    let mut write = |text: std::fmt::Arguments<'_>| parts.write_fmt(text).is_ok();
    let mut whole = true;
    if back != ground {
        let fill = colour(back, "#14171d");
        whole &= write(format_args!(
            "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{HEIGHT}\" fill=\"{fill}\"/>"
        ));
    }
    if !run.text.trim().is_empty() {
        let fill = colour(front, "#c3cad6");
        let bold = if run.look.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
        let line = match (
            run.look.modifier.contains(Modifier::UNDERLINED),
            run.look.modifier.contains(Modifier::CROSSED_OUT),
        ) {
            (true, _) => " text-decoration=\"underline\"",
            (false, true) => " text-decoration=\"line-through\"",
            (false, false) => "",
        };
        let text = escape(&run.text);
        let base = top + FONT - 0.5;
        whole &= write(format_args!(
            "<text x=\"{x:.1}\" y=\"{base:.1}\" textLength=\"{wide:.1}\" xml:space=\"preserve\" fill=\"{fill}\"{bold}{line}>{text}</text>"
        ));
    }
    debug_assert!(whole, "writing to a String can't fail");
    if !parts.is_empty() {
        picture.push_str(&parts);
        picture.push('\n');
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// As SVG writes it; `own` for the terminal's own.
fn colour(colour: Color, own: &str) -> String {
    match colour {
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        Color::Reset => own.to_owned(),
        Color::Black => "#000000".to_owned(),
        Color::Red => "#cd3131".to_owned(),
        Color::Green => "#3fa34d".to_owned(),
        Color::Yellow => "#c8a415".to_owned(),
        Color::Blue => "#2f6fd0".to_owned(),
        Color::Magenta => "#b04fb8".to_owned(),
        Color::Cyan => "#2aa5b3".to_owned(),
        Color::Gray => "#c8c8c8".to_owned(),
        Color::DarkGray => "#7f7f7f".to_owned(),
        Color::LightRed => "#ff6b6b".to_owned(),
        Color::LightGreen => "#7dde86".to_owned(),
        Color::LightYellow => "#f5e06d".to_owned(),
        Color::LightBlue => "#7aa8ff".to_owned(),
        Color::LightMagenta => "#e08bea".to_owned(),
        Color::LightCyan => "#7fe3ee".to_owned(),
        Color::White => "#ffffff".to_owned(),
        Color::Indexed(index) => indexed(index),
    }
}

/// xterm's 256: after the 16, a cube of six steps and 24 greys.
fn indexed(index: u8) -> String {
    let step = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
    match index {
        0..16 => "#c3cad6".to_owned(),
        16..232 => {
            let index = index - 16;
            format!("#{:02x}{:02x}{:02x}", step(index / 36), step(index / 6 % 6), step(index % 6))
        }
        232.. => {
            let grey = 8 + (index - 232) * 10;
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
    }
}
