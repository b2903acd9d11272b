//! What floats, and the views within panes, on every screen: nothing is cut or covered without a sign of it.

use dojo_studio::domain::filter::Vocabulary;
use dojo_studio::domain::protocol::data::{Example, ImportPlan, PlannedFile};
use dojo_studio::domain::protocol::system::Level;
use dojo_studio::domain::protocol::{DataEvent, Event, RunsEvent};

use super::harness::Harness;
use super::screens::{SIZES, is_cut, take_theme};
use super::{chat, data, data_daily, library, review, review_by_hand, review_sizes, rewards, train, world};

fn after(mut studio: Harness, keys: &str) -> Harness {
    studio.keys(keys);
    studio
}

fn typed(studio: Harness, keys: &str, text: &str) -> Harness {
    let mut studio = after(studio, keys);
    studio.text(text);
    studio
}

/// What floats, as it is opened over a pane with something in it.
struct Float {
    name: &'static str,
    below: Harness,
    opens: &'static str,
    types: &'static str,
}

impl Float {
    fn new(name: &'static str, below: Harness, opens: &'static str, types: &'static str) -> Self {
        Self { name, below, opens, types }
    }

    fn open(self) -> Harness {
        typed(self.below, self.opens, self.types)
    }
}

fn floats() -> Vec<Float> {
    let said = [
        (Level::Good, "imported 113 records from data.jsonl"),
        (Level::Warning, "13 rows have no label and are left out of what is learnt until they get one"),
        (Level::Error, "the hub did not answer; try again, or give a path"),
    ];
    let speak = |studio: Harness, (level, text): &(Level, &str)| studio.with(world::notice(*level, text));
    let spoken = said.iter().fold(data::studio(), speak);
    let busy = world::jobs().into_iter().fold(train::typical(), Harness::with);
    vec![
        Float::new("help", train::typical(), "?", ""),
        Float::new("found-help", data::studio(), "? /", "filter"),
        Float::new("palette", data::studio(), "ctrl-p", "ex"),
        Float::new("sessions", data::studio().with(world::sessions()), "f2", ""),
        Float::new("jobs", busy, "f3", ""),
        Float::new("log", spoken, "f4", ""),
        Float::new("themes", review::studio(), "f5", ""),
        Float::new("question", data::studio(), "A D", ""),
    ]
}

/// An import of three columns, one row of which can't be read.
fn planned() -> Harness {
    let column = |name: &str| Some(name.to_owned());
    let plan = ImportPlan {
        files: vec![PlannedFile {
            name: "/home/someone/data/rows.csv".into(),
            format: "csv",
            bytes: 4_200_000,
            read_as: "questions and answers",
        }],
        columns: vec!["question".into(), "solution".into(), "final".into()],
        parts: vec![("prompt", column("question")), ("completion", column("solution")), ("label", None)],
        remembered: false,
        columns_only: false,
        passed_over: vec!["no part in what is learnt: \"final\"".into()],
        examples: vec![
            Ok(Example {
                prompt: "What is the sum of one and one, and why is it that and nothing else?".into(),
                answer: "One and one make two.".into(),
                label: None,
            }),
            Err("column \"question\" holds a number, not a text".into()),
        ],
    };
    let studio = after(typed(data::studio(), "i", "rows.csv"), "enter");
    studio.with(Event::Data(DataEvent::ImportPlanned("rows.csv".into(), Ok(Box::new(plan)))))
}

fn checked() -> Harness {
    let found = [("duplicate", 16), ("near-duplicate", 1_209), ("secret", 2)];
    let found = found.map(|(name, count)| (name.to_owned(), count)).to_vec();
    after(data::studio(), "x").with(Event::Data(DataEvent::FindingsRead(Some(found))))
}

fn labels() -> Event {
    let labels = ["entailment", "neutral", "contradiction"].map(str::to_owned).to_vec();
    data_daily::vocabulary(Vocabulary { labels, ..Vocabulary::default() })
}

/// Views of the panes beside their first.
fn views() -> Vec<(&'static str, Harness)> {
    let chat = || chat::opened(chat::asked());
    let models = || Harness::new().with(world::models());
    let no_recipe = || Harness::new().with(Event::Runs(RunsEvent::RecipesListed(Vec::new())));
    vec![
        ("data-open", after(data::studio(), "enter")),
        ("data-filter", typed(data::studio(), "f", "status:")),
        ("data-edit", after(data::studio(), "e")),
        ("data-label", after(data::studio().with(labels()), "l")),
        ("data-import", after(data::studio(), "i")),
        ("data-planned", planned()),
        ("data-export", after(data::studio(), "E")),
        ("data-findings", checked()),
        ("data-empty", after(Harness::new(), "1").with(data::viewed(1, 1, 0, 0, None))),
        ("review-by-hand", after(review_by_hand::nearly_done(), "n")),
        ("review-edit", after(review::studio(), "e")),
        ("review-reject", after(review::studio(), "backspace")),
        ("review-queue", review_sizes::table()),
        ("review-chain", after(review::studio(), "v")),
        ("review-agreement", after(review::studio(), "g")),
        ("review-think", after(review::studio(), "T")),
        ("review-blind", after(review::studio(), "B")),
        ("train-first", after(train::without_runs(), "3")),
        ("train-none", after(no_recipe(), "3")),
        ("train-large", after(train::typical(), "z")),
        ("train-values", after(train::typical(), "d enter h")),
        ("train-filter", typed(train::typical(), "f", "lr>fast")),
        ("train-recipes", after(train::typical(), "e down")),
        ("train-form", after(train::typical(), "e down enter down down")),
        ("train-text", after(train::typical(), "e down E")),
        ("chat-none", after(Harness::new().with(world::no_models()), "4")),
        ("chat-written", typed(chat(), "i", "And why not a /25?")),
        ("chat-sampling", after(chat(), "p")),
        ("chat-model", after(chat().with(world::models()), "m")),
        ("chat-history", after(chat(), "h")),
        ("chat-system", after(chat(), "S")),
        ("chat-correct", after(chat(), "c")),
        ("library-search", typed(library::library(), "/", "subnets")),
        ("library-add", after(library::library(), "i")),
        ("eval-write", after(rewards::typical(), "e")),
        ("models-pull", after(models(), "6 p")),
        ("models-none", after(Harness::new().with(world::places()).with(world::no_models()), "6")),
    ]
}

fn draw_at_every_size(name: &str, studio: &mut Harness) {
    for (columns, rows) in SIZES {
        studio.resize(columns, rows);
        insta::assert_snapshot!(format!("{name}-{columns}x{rows}"), studio.screen());
    }
}

#[test]
fn what_floats_is_drawn_at_every_size() {
    for float in floats() {
        draw_at_every_size(float.name, &mut float.open());
    }
}

#[test]
fn every_view_is_drawn_at_every_size() {
    for (name, mut studio) in views() {
        draw_at_every_size(name, &mut studio);
    }
}

fn at_every_size(studio: &mut Harness) -> Vec<String> {
    let at = |(columns, rows)| {
        studio.resize(columns, rows);
        studio.screen()
    };
    SIZES.map(at).to_vec()
}

#[test]
fn without_colours_and_in_a_light_theme_all_that_floats_reads_the_same() {
    let in_theme = |theme: &str, mut float: Float| {
        take_theme(&mut float.below, theme);
        at_every_size(&mut float.open())
    };
    for name in floats().into_iter().map(|float| float.name).filter(|name| *name != "themes") {
        let read = ["Night", "Terminal", "Paper"].map(|theme| {
            let float = floats().into_iter().find(|float| float.name == name).expect("it is there");
            in_theme(theme, float)
        });
        assert_eq!(read[0], read[1], "{name} without colours");
        assert_eq!(read[0], read[2], "{name} in a light theme");
    }
}

#[test]
fn without_colours_and_in_a_light_theme_every_view_reads_the_same() {
    for (name, mut studio) in views() {
        let coloured = at_every_size(&mut studio);
        for theme in ["Terminal", "Paper"] {
            take_theme(&mut studio, theme);
            assert_eq!(at_every_size(&mut studio), coloured, "{name} in {theme}");
        }
    }
}

#[test]
fn no_view_cuts_a_word_at_the_right_edge_without_an_ellipsis() {
    let all = floats().into_iter().map(|float| (float.name, float.open())).chain(views());
    for (name, mut studio) in all {
        for (screen, (columns, rows)) in at_every_size(&mut studio).iter().zip(SIZES) {
            let cut = screen.lines().find(|line| is_cut(line, columns));
            assert_eq!(cut, None, "{name} at {columns}x{rows}\n{screen}");
        }
    }
}
