//! Header, tabs, footer and what floats above the panes.

use std::collections::BTreeMap;

use crossterm::event::MouseEventKind;
use dojo_studio::domain::protocol::system::{JobId, Level};
use dojo_studio::domain::protocol::{Command, SessionsCommand, SystemCommand};
use dojo_studio::domain::settings::Settings;
use dojo_studio::ui::pane::Effect;
use dojo_studio::ui::pane::PaneId::{self, Data, Models, Review, Train};

use super::harness::Harness;
use super::world;

fn studio_with(events: impl IntoIterator<Item = dojo_studio::domain::protocol::Event>) -> Harness {
    events.into_iter().fold(Harness::new(), Harness::with)
}

#[test]
fn number_keys_and_tab_walk_the_panes() {
    let mut studio = Harness::new();
    let mut seen = Vec::new();
    for key in ["1", "2", "tab", "shift-tab", "6", "tab"] {
        // A pane that comes to the front may ask for what it shows.
        let _ = studio.keys(key);
        seen.push(studio.studio.front());
    }
    assert_eq!(seen, [Data, Review, Train, Review, Models, Data]);
}

#[test]
fn a_click_on_a_tab_goes_there() {
    let mut studio = Harness::new();
    let screen = studio.screen();
    let header = screen.lines().next().expect("a header");
    let column = header.chars().position(|sign| sign == '④').expect("the fourth tab") as u16;
    studio.click(column + 2, 0);
    assert_eq!(studio.studio.front(), PaneId::Chat);
}

#[test]
fn q_quits() {
    assert_eq!(Harness::new().keys("6 q"), [Effect::Quit]);
}

#[test]
fn a_window_below_60x16_says_so_and_one_of_60x16_works() {
    let mut studio = Harness::new().with(world::models()).size(59, 16);
    assert!(studio.screen().contains("59x16; at least 60x16"));
    studio.resize(60, 16);
    studio.keys("6");
    insta::assert_snapshot!("smallest", studio.screen());
}

#[test]
fn text_where_nobody_types_is_no_text() {
    let mut studio = Harness::new();
    studio.keys("6");
    assert_eq!(studio.paste("q\nq"), []);
    assert_eq!(studio.text("zzz"), []);
}

#[test]
fn the_first_start_explains_itself_and_opens_a_sample_with_one_key() {
    let mut studio = Harness::empty().with(world::places()).with(world::samples());
    insta::assert_snapshot!("welcome", studio.screen());
    let open = SessionsCommand::OpenSample("nli-reflection".into());
    assert_eq!(studio.keys("down enter"), [Effect::Send(Command::Sessions(open))]);
    assert_eq!(studio.studio.front(), Review);
    let open = SessionsCommand::OpenSample("query-expansion".into());
    assert_eq!(studio.keys("down enter"), [Effect::Send(Command::Sessions(open))]);
    assert_eq!(studio.studio.front(), Train);
}

#[test]
fn the_welcome_fits_a_small_screen() {
    let mut studio = Harness::empty().with(world::places()).with(world::samples()).size(60, 16);
    insta::assert_snapshot!("welcome-smallest", studio.screen());
    for row in 0..4 {
        let screen = studio.screen();
        for name in ["first-principles", "nli-reflection", "query-expansion", "bring your data"] {
            assert!(screen.contains(name), "{name} in row {row}:\n{screen}");
        }
        let below: Vec<&str> = screen.lines().skip_while(|line| !line.contains("about ")).collect();
        let cut = below.iter().any(|line| line.trim_end().ends_with('…'));
        assert!(!cut && (row == 3 || below.iter().any(|line| line.contains("then "))), "{screen}");
        studio.keys("down");
    }
}

#[test]
fn help_is_made_from_the_binding_tables() {
    let mut studio = studio_with([world::models()]);
    studio.keys("6 ?");
    insta::assert_snapshot!("help", studio.screen());
    studio.keys("esc");
    assert!(!studio.screen().contains("Show all keys"));
}

#[test]
fn the_palette_finds_an_action_of_another_pane_by_a_few_letters() {
    let mut studio = studio_with([world::models()]);
    studio.keys("1 ctrl-p");
    studio.text("copypath");
    insta::assert_snapshot!("palette", studio.screen());
    let effects = studio.keys("enter");
    assert_eq!(effects.first(), Some(&Effect::Copy("cache/models/all-minilm-l6-v2".into())));
    assert_eq!(studio.studio.front(), Models);
}

#[test]
fn the_palette_finds_first_what_the_footer_or_the_settings_call_so() {
    let mut studio = studio_with([world::models()]);
    studio.keys("1 ctrl-p");
    for (word, help) in [("undo", "Take the last change back"), ("redo", "Do again what was undone")] {
        studio.text(word);
        let screen = studio.screen();
        let first = |help: &str| screen.lines().position(|line| line.contains(help));
        let after = ["Take the last change back", "Do again what was undone"];
        let found: Vec<usize> = after.iter().filter_map(|help| first(help)).collect();
        assert_eq!(first(help), found.iter().min().copied(), "{word}\n{screen}");
        studio.keys("backspace backspace backspace backspace");
    }
}

#[test]
fn the_palette_holds_every_action_of_every_pane() {
    let mut studio = Harness::new();
    studio.keys("?");
    let mut helped = Vec::new();
    for _ in 0..400 {
        helped.extend(studio.screen().lines().map(str::to_owned));
        studio.keys("down");
    }
    let names: Vec<&str> = ["models.copy", "quit", "themes"].to_vec();
    for name in names {
        assert!(helped.iter().any(|line| line.contains(name)), "{name}");
    }
}

#[test]
fn the_theme_picker_shows_each_theme_at_once_and_esc_puts_the_old_one_back() {
    let mut studio = studio_with([world::models()]);
    studio.keys("6");
    studio.screen();
    let night = studio.buffer()[(0, 5)].style();
    assert_eq!(studio.keys("f5 down"), []);
    assert_ne!(studio.buffer()[(0, 5)].style(), night);
    insta::assert_snapshot!("themes", studio.screen());
    studio.keys("esc");
    assert_eq!(studio.buffer()[(0, 5)].style(), night);
    let save = Effect::Send(Command::System(SystemCommand::SaveTheme("Paper".into())));
    assert_eq!(studio.keys("f5 down enter"), [save]);
    assert_ne!(studio.buffer()[(0, 5)].style(), night);
}

#[test]
fn the_jobs_drawer_shows_progress_and_stops_a_job() {
    let mut studio = studio_with(world::jobs());
    studio.keys("6 f3");
    insta::assert_snapshot!("jobs", studio.screen());
    let stop = Effect::Send(Command::System(SystemCommand::StopJob(JobId(2))));
    assert_eq!(studio.keys("x"), [stop]);
    let effects = studio.keys("down x");
    assert!(
        matches!(effects.as_slice(), [Effect::Notify(_)]),
        "what has ended can't be stopped: {effects:?}"
    );
}

#[test]
fn notices_stand_in_the_corner_and_stay_in_the_log() {
    let long = "the evaluation file data/eval.jsonl is missing; put it there or take data.eval out of the recipe, then start again";
    let mut studio =
        studio_with([world::notice(Level::Good, "copied 3 records"), world::notice(Level::Error, long)]);
    studio.keys("6");
    insta::assert_snapshot!("toasts", studio.screen());
    let later = dojo_studio::domain::protocol::SystemEvent::ClockTicked(super::harness::NOON + 60.0);
    studio.apply(dojo_studio::domain::protocol::Event::System(later));
    assert!(!studio.screen().contains("copied 3 records"));
    studio.keys("f4");
    insta::assert_snapshot!("log", studio.screen());
}

#[test]
fn the_session_picker_opens_and_makes_sessions() {
    let mut studio = studio_with([world::sessions()]);
    studio.keys("6 f2");
    insta::assert_snapshot!("sessions", studio.screen());
    let open = SessionsCommand::Open("data/sessions/physics".into());
    assert_eq!(studio.keys("enter"), [Effect::Send(Command::Sessions(open))]);
    studio.keys("f2 n");
    studio.text("chemistry");
    let create = SessionsCommand::Create("chemistry".into());
    assert!(studio.keys("enter").contains(&Effect::Send(Command::Sessions(create))));
}

#[test]
fn the_picker_looks_again_filters_renames_and_asks_before_it_deletes() {
    let command = |command| Effect::Send(Command::Sessions(command));
    let mut studio = studio_with([world::sessions()]);
    let _ = studio.keys("6");
    assert!(studio.keys("f2").contains(&command(SessionsCommand::List)));
    studio.keys("/");
    studio.text("QUERY");
    assert!(!studio.screen().contains("physics"));
    assert_eq!(studio.keys("esc r").len(), 0);
    studio.text("-2");
    let (folder, name) = ("data/sessions/physics".into(), "physics-2".to_owned());
    assert_eq!(studio.keys("enter"), [command(SessionsCommand::Rename { folder, name })]);
    let _ = studio.keys("f2 D");
    let asked = studio.screen();
    assert!(asked.contains("Delete the session physics?") && asked.contains("3 runs"), "{asked}");
    let delete = command(SessionsCommand::Delete("data/sessions/physics".into()));
    assert_eq!(studio.keys("y"), [delete]);
}

#[test]
fn what_is_renamed_and_deleted_in_a_filtered_picker_is_what_is_chosen_there() {
    let command = |command| Effect::Send(Command::Sessions(command));
    let mut studio = studio_with([world::own_sessions(&["physics", "chemistry", "geochemistry"])]);
    studio.keys("6 f2 /");
    studio.text("CHEM");
    studio.keys("down tab r");
    assert!(studio.screen().contains("geochemistry"), "{}", studio.screen());
    studio.text("-2");
    let (folder, name) = ("data/sessions/geochemistry".into(), "geochemistry-2".to_owned());
    assert_eq!(studio.keys("enter"), [command(SessionsCommand::Rename { folder, name })]);
    studio.keys("f2 /");
    studio.text("chem");
    studio.keys("tab");
    let screen = studio.screen();
    assert!(screen.contains("/ chem") && !screen.contains("physics"), "{screen}");
    studio.keys("j D");
    assert!(studio.screen().contains("Delete the session geochemistry?"), "{}", studio.screen());
    assert_eq!(studio.keys("y"), [command(SessionsCommand::Delete("data/sessions/geochemistry".into()))]);
    // One step back at a time.
    studio.keys("f2 /");
    studio.text("chem");
    studio.keys("tab esc");
    assert!(studio.screen().contains("physics"), "{}", studio.screen());
}

#[test]
fn keys_of_the_settings_replace_the_shipped_ones() {
    let keys = BTreeMap::from([("quit".to_owned(), vec!["ctrl-x".to_owned()])]);
    let mut studio = Harness::with_settings(&Settings { keys, ..Settings::default() });
    assert_eq!(studio.keys("q"), []);
    assert_eq!(studio.keys("ctrl-x"), [Effect::Quit]);
}

#[test]
fn a_click_beside_what_floats_closes_it() {
    let mut studio = Harness::new();
    studio.keys("6 :");
    studio.click(1, 30);
    assert!(!studio.screen().contains("a few letters"));
}

#[test]
fn without_colours_the_screen_reads_the_same() {
    let mut studio = studio_with([world::models()]).size(80, 24);
    studio.keys("6");
    let coloured = studio.screen();
    studio.keys("f5 end enter");
    assert_eq!(studio.screen(), coloured);
}

#[test]
fn scrolling_moves_the_cursor_of_a_list() {
    let mut studio = studio_with([world::models()]);
    studio.keys("6");
    studio.mouse(MouseEventKind::ScrollDown, 10, 10);
    let effects = studio.keys("y");
    assert_eq!(effects.first(), Some(&Effect::Copy("cache/models/smollm2-135m".into())));
}

#[test]
fn a_path_that_is_pasted_before_anything_is_asked_opens_the_import_with_it() {
    let mut studio = Harness::empty().with(world::places()).with(world::samples());
    assert_eq!(studio.paste("no path"), []);
    assert!(!studio.screen().contains("The file with your data"));
    studio.paste("'/data/my rows.csv' ");
    let screen = studio.screen();
    assert!(screen.contains("The file with your data") && screen.contains("/data/my rows.csv"), "{screen}");
    let mut studio = super::data::studio();
    studio.paste("hf:openai/gsm8k");
    assert!(studio.screen().contains("hf:openai/gsm8k"), "{}", studio.screen());
}

#[test]
fn a_mouse_report_of_no_place_does_nothing() {
    let mut studio = super::data::studio();
    let before = studio.screen();
    for (column, row) in [(u16::MAX, 4), (4, u16::MAX), (u16::MAX, u16::MAX)] {
        assert_eq!(studio.click(column, row), []);
    }
    assert_eq!(studio.screen(), before);
}

#[test]
fn the_session_picker_explains_its_keys_and_comes_back() {
    let mut studio = Harness::new().with(world::samples());
    studio.keys("f2 ?");
    let screen = studio.screen();
    for words in ["Sessions, here and now", "Give it another name", "dojo new NAME"] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
    studio.keys("esc");
    assert!(studio.screen().contains("query-expansion"), "{}", studio.screen());
    // Where a name is typed, a question mark is a letter of it; f1 explains.
    studio.keys("n ? f1");
    assert!(studio.screen().contains("Sessions, here and now"), "{}", studio.screen());
    studio.keys("esc");
    assert!(studio.screen().contains("new session"), "{}", studio.screen());
    studio.keys("esc");
    assert!(!studio.screen().contains("new session"), "{}", studio.screen());
}

#[test]
fn the_palette_says_that_words_go_on_where_they_have_no_room() {
    for size in [(60, 16), (80, 24), (120, 36)] {
        let mut studio = Harness::new().size(size.0, size.1);
        studio.keys("3 :");
        studio.text("bring every chart back");
        let screen = studio.screen();
        let row = screen.lines().find(|line| line.contains("Bring every chart")).expect("the row");
        assert!(row.contains("…  U") || row.contains("truncated_fraction  U"), "{row}");
    }
}

#[test]
fn a_name_that_cant_be_a_sessions_stays_with_the_reason() {
    let mut studio = Harness::new().with(world::sessions());
    studio.keys("f2 n");
    studio.text("physics");
    assert_eq!(studio.keys("enter"), []);
    let screen = studio.screen();
    assert!(
        screen.contains("name  physics") && screen.contains("there is a session 'physics' already"),
        "{screen}"
    );
    studio.text("/2");
    assert_eq!(studio.keys("enter"), []);
    let screen = studio.screen();
    assert!(screen.contains("name  physics/2") && screen.contains("can't be a session's name"), "{screen}");
    studio.keys("ctrl-u");
    studio.text("query-expansion");
    assert_eq!(studio.keys("enter"), []);
    assert!(studio.screen().contains("'query-expansion' is a sample"), "{}", studio.screen());
    studio.keys("ctrl-u");
    studio.text("physics2");
    let effects = format!("{:?}", studio.keys("enter"));
    assert!(effects.contains("Create(\"physics2\")"), "{effects}");
}
