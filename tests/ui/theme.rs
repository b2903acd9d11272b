//! Themes and what terminals make of them.

use dojo_studio::ui::theme::{Depth, Theme, ThemeKind};
use ratatui::style::Color;

#[test]
fn at_least_eight_themes_are_shipped_of_every_kind() {
    let themes = Theme::shipped(Depth::Full);
    let files = std::fs::read_dir("themes").expect("the themes' folder").count();
    assert_eq!(themes.len(), files, "every file in themes/ is shipped and can be read");
    assert!(themes.len() >= 8);
    for kind in [ThemeKind::Dark, ThemeKind::Light, ThemeKind::HighContrast, ThemeKind::Terminal] {
        assert!(themes.iter().any(|theme| theme.kind == kind), "{kind:?}");
    }
}

#[test]
fn a_theme_with_a_mistake_names_it() {
    let text = std::fs::read_to_string("themes/night.toml").expect("a theme");
    let why = Theme::parse(&text.replace("accent =", "acent ="), Depth::Full).expect_err("a wrong key");
    assert!(why.contains("acent"), "{why}");
    let why = Theme::parse(&text.replace("#74c7bb", "#74c7b"), Depth::Full).expect_err("a wrong colour");
    assert!(why.contains("'#74c7b' is not a colour"), "{why}");
}

#[test]
fn without_colours_no_style_has_one() {
    for theme in Theme::shipped(Depth::None) {
        for style in [theme.base, theme.accent, theme.selection, theme.series[0]] {
            assert!(matches!(style.fg, None | Some(Color::Reset)), "{}", theme.name);
            assert!(matches!(style.bg, None | Some(Color::Reset)), "{}", theme.name);
        }
    }
}

#[test]
fn the_environment_says_how_many_colours_there_are() {
    let depth = |pairs: &[(&str, &str)]| {
        Depth::from_environment(|name| {
            pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    };
    assert_eq!(depth(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), Depth::Full);
    assert_eq!(depth(&[("TERM", "xterm-256color")]), Depth::Indexed);
    assert_eq!(depth(&[("TERM", "linux")]), Depth::Sixteen);
    assert_eq!(depth(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), Depth::None);
    assert_eq!(depth(&[("TERM", "dumb")]), Depth::None);
}
