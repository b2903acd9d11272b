//! Rules for every pane on every screen: sizes, themes, the caret. What a screen says is in the snapshots of its pane.

use dojo_studio::domain::chat::AnswererNames;
use dojo_studio::domain::protocol::system::Level;
use dojo_studio::domain::settings::Settings;
use dojo_studio::ui::theme::{Depth, Theme};
use ratatui::style::{Color, Modifier, Style};

use super::harness::Harness;
use super::{chat, data, library, review, rewards, train, world};

pub(super) const SIZES: [(u16, u16); 4] = [(60, 16), (80, 24), (120, 36), (200, 60)];

/// Every pane with something in it.
fn panes() -> Vec<(&'static str, Harness)> {
    let at = |key| {
        let mut studio = Harness::new().with(world::models());
        studio.keys(key);
        studio
    };
    vec![
        ("welcome", Harness::empty().with(world::places()).with(world::samples())),
        ("data", data::studio()),
        ("review", review::studio()),
        ("train", train::typical()),
        ("chat", chat::opened(chat::asked())),
        ("beside", chat::opened(chat::beside(AnswererNames::Shown))),
        ("library", library::library()),
        ("eval", rewards::typical()),
        ("models", at("6")),
    ]
}

/// Goes to a theme by its name, in the picker.
pub(super) fn take_theme(studio: &mut Harness, name: &str) {
    let place = Theme::shipped(Depth::Full).iter().position(|theme| theme.name == name).expect("a theme");
    studio.keys("f5 home");
    for _ in 0..place {
        studio.keys("down");
    }
    studio.keys("enter");
}

fn colours(theme: &Theme) -> Vec<Color> {
    let styles = [
        theme.base,
        theme.text,
        theme.bright,
        theme.dim,
        theme.rule,
        theme.accent,
        theme.good,
        theme.warning,
        theme.bad,
        theme.selection,
        theme.selection_away,
        theme.float,
    ];
    styles.iter().chain(&theme.series).flat_map(|style: &Style| [style.fg, style.bg]).flatten().collect()
}

#[test]
fn nothing_keeps_a_colour_of_the_theme_before() {
    let themes = Theme::shipped(Depth::Full);
    let [night, paper] =
        ["Night", "Paper"].map(|name| themes.iter().find(|theme| theme.name == name).expect("a theme"));
    let kept = colours(paper);
    let gone: Vec<Color> = colours(night).into_iter().filter(|colour| !kept.contains(colour)).collect();
    assert!(gone.len() > 10);
    // Chat keeps its lines by theme in a test of its own.
    for (name, mut studio) in panes().into_iter().filter(|(name, _)| !["chat", "beside"].contains(name)) {
        studio.screen();
        take_theme(&mut studio, "Paper");
        let old =
            studio.buffer().content.iter().find(|cell| gone.contains(&cell.fg) || gone.contains(&cell.bg));
        assert_eq!(old, None, "{name}");
    }
}

#[test]
fn a_light_theme_leaves_no_hole_to_the_terminals_own_background() {
    for (name, mut studio) in panes() {
        take_theme(&mut studio, "Paper");
        for (columns, rows) in SIZES {
            studio.resize(columns, rows);
            studio.apply(world::notice(Level::Good, "copied 3 records"));
            studio.screen();
            let hole = studio.buffer().content.iter().position(|cell| cell.bg == Color::Reset);
            assert_eq!(hole, None, "{name} at {columns}x{rows}");
            studio.keys("f3");
            let hole = studio.buffer().content.iter().position(|cell| cell.bg == Color::Reset);
            assert_eq!(hole, None, "the drawer over {name} at {columns}x{rows}");
            studio.keys("esc");
        }
    }
}

#[test]
fn every_pane_says_what_it_is_and_which_keys_there_are_at_every_size() {
    for (name, mut studio) in panes() {
        for (columns, rows) in SIZES {
            studio.resize(columns, rows);
            let screen = studio.screen();
            let (first, last) =
                (screen.lines().next().unwrap_or_default(), screen.lines().last().unwrap_or_default());
            // Two answers side by side and the library are Chat's.
            let pane = if ["beside", "library"].contains(&name) { "chat" } else { name };
            let title = format!("{}{}", &pane[..1].to_uppercase(), &pane[1..]);
            assert!(name == "welcome" || first.contains(&title), "{name} at {columns}x{rows}:\n{screen}");
            assert!(last.contains("? help"), "{name} at {columns}x{rows}:\n{screen}");
        }
    }
}

/// Whether a row ends within a word at the screen's edge. A margin is kept everywhere but where charts and figures end.
pub(super) fn is_cut(line: &str, columns: u16) -> bool {
    let wide = ratatui::text::Span::raw(line).width();
    let last = line.chars().next_back().unwrap_or(' ');
    let axis = ["step", "time", "tokens"].iter().any(|name| line.ends_with(&format!(" {name}")));
    wide >= usize::from(columns) && last.is_alphabetic() && !axis
}

#[test]
fn no_word_is_cut_at_the_right_edge_without_an_ellipsis() {
    for (name, mut studio) in panes() {
        for (columns, rows) in SIZES {
            studio.resize(columns, rows);
            let screen = studio.screen();
            let cut = screen.lines().find(|line| is_cut(line, columns));
            assert_eq!(cut, None, "{name} at {columns}x{rows}\n{screen}");
        }
    }
}

#[test]
fn the_footer_has_approve_and_reject_at_80_columns() {
    for mut studio in [data::studio(), review::studio()] {
        studio.resize(80, 24);
        let footer = studio.line(23);
        assert!(footer.contains(" approve") && footer.contains(" reject"), "{footer}");
    }
}

#[test]
fn all_keys_of_a_vote_are_in_the_footer_at_80_columns_and_in_sight_at_60() {
    let mut studio = chat::opened(chat::beside(AnswererNames::Shown));
    studio.resize(80, 24);
    assert!(studio.line(23).contains("b vote"), "{}", studio.line(23));
    studio.keys("b");
    let footer = studio.line(23);
    for hint in ["← left", "→ right", "= as good", "x both bad"] {
        assert!(footer.contains(hint), "{hint}: {footer}");
    }
    studio.resize(60, 16);
    let screen = studio.screen();
    assert!(screen.contains("▏ ← left  → right  = as good  x both bad  esc later"), "{screen}");
}

#[test]
fn every_pane_is_drawn_at_every_size() {
    for (name, mut studio) in panes() {
        for (columns, rows) in SIZES {
            studio.resize(columns, rows);
            insta::assert_snapshot!(format!("{name}-{columns}x{rows}"), studio.screen());
        }
    }
}

#[test]
fn without_colours_and_in_a_light_theme_every_pane_reads_the_same() {
    for (name, mut studio) in panes() {
        for (columns, rows) in SIZES {
            take_theme(&mut studio, "Night");
            studio.resize(columns, rows);
            let coloured = studio.screen();
            for theme in ["Terminal", "Paper"] {
                take_theme(&mut studio, theme);
                assert_eq!(studio.screen(), coloured, "{name} in {theme} at {columns}x{rows}");
            }
        }
    }
}

#[test]
fn the_caret_is_where_typed_text_goes() {
    let mut models = Harness::new().with(world::models());
    models.keys("6");
    // How to begin typing in each pane, and what the next character would push on.
    let fields: Vec<(Harness, &str)> = vec![
        (models, "p"),
        (data::studio(), "1 f"),
        (data::studio(), "1 /"),
        (data::studio(), "1 t"),
        (review::studio(), "2 f"),
        (review::studio(), "2 backspace"),
        (train::typical(), "3 /"),
        (train::typical(), "3 n"),
        (chat::opened(chat::asked()), "4 i"),
        (Harness::new(), "ctrl-p"),
        (Harness::new().with(world::sessions()), "f2 n"),
        (Harness::new(), "? /"),
    ];
    for (mut studio, keys) in fields {
        assert_eq!(studio.at_caret(), None, "before {keys}");
        studio.keys(keys);
        studio.text("caretx");
        studio.keys("left");
        assert_eq!(studio.at_caret().as_deref(), Some("x"), "{keys}:\n{}", studio.screen());
        let blinks = studio.buffer().content.iter().any(|cell| cell.modifier.contains(Modifier::RAPID_BLINK));
        assert!(!blinks, "the mark is taken out: {keys}");
    }
}

#[test]
fn an_editor_of_many_lines_has_the_caret_too() {
    for (mut studio, keys) in [(data::studio(), "1 e"), (review::studio(), "2 e")] {
        studio.keys(keys);
        studio.text("Z");
        studio.keys("left");
        assert_eq!(studio.at_caret().as_deref(), Some("Z"), "{keys}");
        studio.keys("ctrl-p");
        assert_eq!(studio.at_caret().as_deref(), Some(" "), "what floats has the keyboard: {keys}");
    }
}

#[test]
fn settings_can_name_the_theme_that_is_taken() {
    let mut studio = Harness::with_settings(&Settings { theme: "Paper".into(), ..Settings::default() });
    studio.screen();
    let first = studio.buffer()[(0, 5)].bg;
    let mut other = Harness::empty();
    take_theme(&mut other, "Paper");
    other.screen();
    assert_eq!(other.buffer()[(0, 5)].bg, first);
}
