//! The Train pane: keys in, effects and a screen out.

use std::collections::BTreeMap;
use std::sync::Arc;

use dojo_studio::domain::protocol::runs::RecipeFile;
use dojo_studio::domain::protocol::{Command, Event, ModelsEvent, RunsCommand, RunsEvent, SystemEvent};
use dojo_studio::domain::run::{Phase, RunCommand, RunState, Sample};
use dojo_studio::domain::run_info::{Life, Notes, RunId, RunInfo, RunOrigin};
use dojo_studio::domain::series::{MetricChunk, MetricColumn};
use dojo_studio::ui::pane::Effect;
use proptest::prelude::*;

use super::harness::{Harness, NOON};

pub(super) fn id(name: &str) -> RunId {
    RunId::new(format!("sessions/first-principles/runs/{name}"))
}

pub(super) fn info(name: &str, phase: Phase, change: impl FnOnce(&mut RunInfo, &mut RunState)) -> Event {
    let mut state = RunState {
        earlier: None,
        left_out: None,
        phase,
        why: None,
        process: 4242,
        host: "bench".into(),
        heartbeat: NOON - 1.0,
        started: NOON - 372.0,
        step: 118,
        total_steps: 312,
        checkpoint_step: Some(100),
        best_eval_loss: Some(1.842),
        tokens_per_second: Some(271.0),
        seconds_left: None,
        start_share: None,
    };
    let mut info = RunInfo {
        id: id(name),
        origin: RunOrigin::Session,
        state: None,
        life: Life::Sound,
        settings: BTreeMap::from([
            ("method".into(), name.split('-').next().unwrap_or_default().into()),
            ("train.learning_rate".into(), "0.0002".into()),
        ]),
        notes: Notes::default(),
        problem: None,
    };
    change(&mut info, &mut state);
    info.state = Some(state);
    Event::Runs(RunsEvent::Seen(Arc::new(info)))
}

pub(super) fn column(
    name: &str,
    steps: impl Iterator<Item = u64>,
    value: impl Fn(f64) -> f64,
) -> MetricColumn {
    let steps: Vec<u64> = steps.collect();
    let values = steps.iter().map(|&step| value(step as f64)).collect();
    MetricColumn { name: Arc::from(name), steps, values }
}

fn noise(step: f64) -> f64 {
    (step * 7919.0) % 101.0 / 101.0 - 0.5
}

fn sft(name: &str, shift: f64) -> [Event; 2] {
    let steps = || 1..=118u64;
    let columns = vec![
        column("loss", steps(), |step| 1.85 + shift + 1.2 * (-step / 30.0).exp() + 0.12 * noise(step)),
        column("grad_norm", steps(), |step| 0.5 + 0.4 * (-step / 20.0).exp() + 0.2 * noise(step + 3.0)),
        column("learning_rate", steps(), |step| 2e-4 * (step / 10.0).min(1.0) * (1.0 - step / 400.0)),
        column("mean_token_accuracy", steps(), |step| 0.6 - 0.25 * (-step / 40.0).exp()),
        column("entropy", steps(), |step| 1.4 + 0.5 * (-step / 30.0).exp()),
        column("num_tokens", steps(), |step| step * 2048.0),
        column("tokens_per_second", steps(), |step| 271.0 + 8.0 * noise(step)),
        column("memory_gb", steps(), |_| 2.7),
        column("epoch", steps(), |step| step / 150.0),
        column("eval_loss", (20..=100).step_by(20), |step| 1.80 + shift + 0.9 * (-step / 35.0).exp()),
    ];
    let chunk = MetricChunk { columns, lines: 123, last_step: 118, unreadable: 0 };
    [
        Event::Runs(RunsEvent::Restarted(id(name))),
        Event::Runs(RunsEvent::MetricsAppended(id(name), Arc::new(chunk))),
    ]
}

fn sample(step: u64, completion: &str) -> Sample {
    Sample {
        step,
        prompt: "Use first-principles reasoning for entropy.".into(),
        completion: completion.into(),
    }
}

fn recipe(name: &str, text: &str) -> RecipeFile {
    RecipeFile {
        path: format!("sessions/first-principles/recipes/{name}.toml").into(),
        name: name.into(),
        text: text.into(),
        missing: None,
        fetches: None,
        cut: None,
    }
}

const SFT: &str = "# The usual.\nmethod = \"sft\"\n\n[model]\nbase = \"smollm2-135m\"\n\n[data]\ntrain = \"../data.jsonl\"\n\n[train]\nlearning_rate = 3e-4\n";

/// One run that goes on, one that is done, one that failed.
pub(crate) fn typical() -> Harness {
    let mut studio = Harness::new().size(140, 40);
    studio.apply(info("sft-0412", Phase::Running, |_, state| state.seconds_left = Some(611.0)));
    studio.apply(info("sft-0411", Phase::Done, |info, state| {
        info.notes = Notes::parse("#physics longer warm-up");
        (state.started, state.heartbeat) = (NOON - 9_000.0, NOON - 8_160.0);
        (state.step, state.best_eval_loss) = (312, Some(1.977));
    }));
    studio.apply(info("grpo-0003", Phase::Failed, |_, state| {
        (state.started, state.heartbeat) = (NOON - 90_000.0, NOON - 86_000.0);
        (state.step, state.why) = (41, Some("the loss is NaN at step 41".into()));
    }));
    studio.apply(Event::Runs(RunsEvent::RecipesListed(vec![
        recipe("dpo", "method = \"dpo\"\n"),
        recipe("sft", SFT),
    ])));
    studio.keys("3");
    for event in sft("sft-0412", 0.0) {
        studio.apply(event);
    }
    let samples = vec![
        sample(50, "Entropy is a concept that describes how much disorder there is."),
        sample(100, "Final Principle: Entropy is the measure of how much disorder there is."),
    ];
    studio.apply(Event::Runs(RunsEvent::SamplesAppended(id("sft-0412"), samples)));
    studio.apply(Event::Runs(RunsEvent::LogAppended(id("sft-0412"), vec!["step 118 loss 1.91".into()])));
    studio
}

/// A session with a recipe and no run.
pub(crate) fn without_runs() -> Harness {
    Harness::new().with(Event::Runs(RunsEvent::RecipesListed(vec![recipe("sft", SFT)])))
}

pub(super) fn sent(effects: Vec<Effect>) -> Vec<RunsCommand> {
    effects
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Send(Command::Runs(command)) => Some(command),
            _ => None,
        })
        .collect()
}

#[test]
fn without_a_run_it_says_what_belongs_here() {
    let mut studio = Harness::new().size(100, 24);
    studio.keys("3");
    assert!(studio.screen().contains("Looking for the session's recipes"), "{}", studio.screen());
    studio.apply(Event::Runs(RunsEvent::RecipesListed(Vec::new())));
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn without_a_run_the_first_recipe_starts_by_one_key() {
    let mut studio = Harness::new().size(100, 24);
    studio.keys("3");
    studio.apply(Event::Runs(RunsEvent::RecipesListed(vec![recipe("sft", SFT)])));
    insta::assert_snapshot!(studio.screen());
    let path = recipe("sft", SFT).path;
    assert_eq!(sent(studio.keys("enter")), [RunsCommand::Start { recipe: path, after: None }]);
}

#[test]
fn a_typical_session_at_140_columns() {
    insta::assert_snapshot!(typical().screen());
}

#[test]
fn narrow_at_80x24_and_at_the_smallest() {
    let mut studio = typical();
    studio.resize(80, 24);
    let narrow = studio.screen();
    studio.resize(60, 16);
    insta::assert_snapshot!(format!("{narrow}\n\n{}", studio.screen()));
}

#[test]
fn the_selected_run_and_those_laid_over_it_are_watched() {
    let mut studio = typical();
    assert_eq!(sent(studio.keys("down")), [RunsCommand::Watch(vec![id("sft-0411")])]);
    assert_eq!(sent(studio.keys("m")), []);
    assert_eq!(sent(studio.keys("up")), [RunsCommand::Watch(vec![id("sft-0412"), id("sft-0411")])]);
    for event in sft("sft-0411", 0.2) {
        studio.apply(event);
    }
    studio.keys("z s s");
    insta::assert_snapshot!(studio.screen());
    assert_eq!(sent(studio.keys("M")), [RunsCommand::Watch(vec![id("sft-0412")])]);
    // The same session opened again: whoever follows the runs has forgotten them.
    studio.store.openings += 1;
    assert_eq!(sent(studio.keys("j")), [RunsCommand::Watch(vec![id("sft-0411")])]);
    studio.store.openings += 1;
    assert_eq!(sent(studio.keys("m")), [RunsCommand::Watch(vec![id("sft-0411")])]);
}

#[test]
fn keys_become_commands_of_the_run() {
    let mut studio = typical();
    let tell = |command| RunsCommand::Tell(id("sft-0412"), command);
    assert_eq!(sent(studio.keys("space")), [tell(RunCommand::Pause)]);
    assert_eq!(sent(studio.keys("c")), [tell(RunCommand::Checkpoint)]);
    studio.apply(info("sft-0412", Phase::Paused, |_, _| {}));
    assert_eq!(sent(studio.keys("space")), [tell(RunCommand::Resume)]);
    // Stopping asks first.
    assert_eq!(sent(studio.keys("x")), []);
    assert!(studio.screen().contains("Stop sft-0412?"), "{}", studio.screen());
    assert_eq!(sent(studio.keys("y")), [tell(RunCommand::Stop)]);
}

#[test]
fn a_crashed_run_shows_its_log_and_resumes_with_one_key() {
    let mut studio = typical();
    studio.apply(info("sft-0412", Phase::Running, |info, _| info.life = Life::Gone));
    let lines = ["step 117 loss 1.90", "step 118 loss 1.91", "memory allocation failed"].map(str::to_owned);
    studio.apply(Event::Runs(RunsEvent::LogAppended(id("sft-0412"), lines.to_vec())));
    studio.keys("g d d d");
    insta::assert_snapshot!(studio.screen());
    assert_eq!(sent(studio.keys("r")), [RunsCommand::Resume(id("sft-0412"))]);
}

#[test]
fn zooming_far_into_a_long_run_asks_for_its_values_one_by_one() {
    let mut studio = typical();
    let run = id("sft-0412");
    let chunk = |steps: std::ops::RangeInclusive<u64>| {
        let columns = vec![column("loss", steps.clone(), |step| 2.0 + step % 2.0)];
        Arc::new(MetricChunk { columns, lines: 1, last_step: *steps.end(), unreadable: 0 })
    };
    studio.apply(Event::Runs(RunsEvent::Restarted(run.clone())));
    studio.apply(Event::Runs(RunsEvent::MetricsAppended(run.clone(), chunk(1..=300_000))));
    let asked = |effects: Vec<Effect>| {
        sent(effects).into_iter().rev().find_map(|command| match command {
            RunsCommand::Detail { run, first, last } => Some((run, first, last)),
            _ => None,
        })
    };
    assert_eq!(asked(studio.keys("+ + +")), None, "a wide view has more values than places");
    let (of, first, last) = asked(studio.keys("+ + + + + + +")).expect("a request");
    assert_eq!(of, run);
    studio.apply(Event::Runs(RunsEvent::DetailRead(
        run,
        (first, last),
        chunk(u64::from(first)..=u64::from(last).min(300_000)),
    )));
    assert_eq!(asked(studio.keys("H L + z")), None, "what is there already is not read again");
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn what_looks_wrong_is_said_beside_its_chart() {
    let mut studio = typical();
    let bad = vec![
        column("loss", 119..=125, |step| if step < 121.0 { 2.0 } else { f64::NAN }),
        column("kl", 1..=125, |step| step / 40.0),
    ];
    let chunk = MetricChunk { columns: bad, lines: 7, last_step: 125, unreadable: 2 };
    studio.apply(Event::Runs(RunsEvent::MetricsAppended(id("sft-0412"), Arc::new(chunk))));
    insta::assert_snapshot!(studio.screen());
}

/// Values of the loss that are no numbers, as a run that goes on writes them.
fn not_numbers(steps: std::ops::RangeInclusive<u64>) -> Event {
    let (lines, last_step) = (steps.clone().count() as u64, *steps.end());
    let columns = vec![column("loss", steps, |_| f64::NAN)];
    let chunk = MetricChunk { columns, lines, last_step, unreadable: 0 };
    Event::Runs(RunsEvent::MetricsAppended(id("sft-0412"), Arc::new(chunk)))
}

#[test]
fn what_is_found_while_a_run_goes_on_is_said_once_in_whatever_pane() {
    let mut studio = typical();
    studio.keys("1");
    studio.apply(not_numbers(119..=119));
    assert!(studio.screen().contains("sft-0412: loss is NaN at step 119"), "{}", studio.screen());
    studio.apply(Event::System(SystemEvent::ClockTicked(NOON + 60.0)));
    assert!(!studio.screen().contains("loss is NaN"), "it goes by itself");
    studio.apply(not_numbers(120..=120));
    assert!(!studio.screen().contains("loss is NaN"), "it is known");
}

#[test]
fn what_the_file_of_a_run_held_already_is_no_news() {
    let mut studio = typical();
    studio.apply(Event::Runs(RunsEvent::Restarted(id("sft-0412"))));
    studio.keys("1");
    studio.apply(not_numbers(1..=300));
    assert!(!studio.screen().contains("loss is NaN"), "{}", studio.screen());
}

#[test]
fn samples_differ_word_by_word() {
    let mut studio = typical();
    studio.keys("enter v");
    let screen = studio.screen();
    assert!(screen.contains("[+Final Principle:+]"), "{screen}");
    insta::assert_snapshot!(screen);
    studio.keys("[");
    assert!(studio.screen().contains("sample 1 of 2 · step 50"), "{}", studio.screen());
}

#[test]
fn the_values_table_follows_the_cursor() {
    let mut studio = typical();
    studio.keys("d enter h h");
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn the_filter_says_what_is_wrong_and_takes_effect_while_it_is_typed() {
    let mut studio = typical();
    studio.keys("/");
    studio.text("tag:physics lr>=1e-4");
    let screen = studio.screen();
    assert!(
        screen.contains("1 of 3") && screen.contains("sft-0411") && !screen.contains("grpo-0003"),
        "{screen}"
    );
    studio.text(" lr>fast");
    assert!(studio.screen().contains("✗ lr>fast: 'fast' is not"), "{}", studio.screen());
    studio.keys("esc");
    assert!(studio.screen().contains("grpo-0003"));
}

#[test]
fn a_note_is_typed_with_its_tags() {
    let mut studio = typical();
    studio.keys("n");
    studio.text("#keep best so far");
    let note = Notes { tags: vec!["keep".into()], text: "best so far".into() };
    assert_eq!(sent(studio.keys("enter")), [RunsCommand::Note(id("sft-0412"), note)]);
}

#[test]
fn a_recipe_is_edited_key_by_key_checked_while_typed_saved_and_started() {
    let mut studio = typical();
    assert_eq!(sent(studio.keys("e")), [RunsCommand::ListRecipes]);
    studio.keys("down enter");
    // To train.learning_rate.
    while !studio.screen().contains("Highest learning rate") && !studio.screen().contains("learning rate") {
        studio.keys("down");
    }
    insta::assert_snapshot!(studio.screen());
    let path = || "sessions/first-principles/recipes/sft.toml".into();
    let asks = sent(studio.keys("t"));
    assert!(
        asks.is_empty() && studio.screen().contains("sft-0412 has not ended: queue this one?"),
        "{}",
        studio.screen()
    );
    assert_eq!(sent(studio.keys("y")), [RunsCommand::Start { recipe: path(), after: Some(id("sft-0412")) }]);
}

#[test]
fn a_search_from_the_list_of_recipes_makes_no_file_and_starts_no_run() {
    let mut studio = typical();
    studio.keys("e down /");
    studio.text("learning");
    let screen = studio.screen();
    assert!(screen.contains("learning_rate") && !screen.contains("max_length"), "{screen}");
    studio.keys("esc esc");
    assert_eq!(sent(studio.keys("n")), []);
    assert!(studio.screen().contains("Make the recipe "), "{}", studio.screen());
    assert_eq!(sent(studio.keys("esc")), []);
    studio.keys("n");
    assert!(matches!(sent(studio.keys("y"))[..], [RunsCommand::SaveRecipe { .. }]));
}

#[test]
fn a_wrong_value_is_refused_and_the_text_says_where_it_is_wrong() {
    let mut studio = typical();
    studio.keys("e down enter down down down down down down enter");
    studio.text("7");
    assert!(studio.screen().contains("✗ `data.split`"), "{}", studio.screen());
    studio.keys("esc E");
    studio.text("bogus = 1\n");
    let screen = studio.screen();
    assert!(screen.contains("unknown key `bogus") && screen.contains("not saved"), "{screen}");
    insta::assert_snapshot!(screen);
    let saved = sent(studio.keys("ctrl-s"));
    assert!(
        matches!(&saved[..], [RunsCommand::SaveRecipe { text, .. }] if text.starts_with("bogus = 1")),
        "{saved:?}"
    );
}

#[test]
fn preflight_shows_what_a_run_would_take_or_why_it_can_not_be_said() {
    use dojo_studio::domain::protocol::runs::{Fact, Preflight};
    let mut studio = typical();
    studio.keys("e down");
    let recipe = std::path::PathBuf::from("sessions/first-principles/recipes/sft.toml");
    assert_eq!(sent(studio.keys("p")), [RunsCommand::Preflight(recipe.clone())]);
    let fact = |name: &str, value: &str| Fact { name: name.into(), value: value.into() };
    let facts = vec![
        fact("examples", "113 + 13 held out"),
        fact("time", "about 6m12s at 271 tok/s"),
        fact("!", "11% of examples are cut at 512 tokens"),
    ];
    let outcome = Some(Ok(facts));
    studio.apply(Event::Runs(RunsEvent::Preflighted(Preflight {
        recipe: recipe.clone(),
        text: SFT.into(),
        outcome,
    })));
    let screen = studio.screen();
    for row in [
        "── preflight ─",
        "   examples                       113 + 13 held out",
        " ! 11% of examples are cut",
    ] {
        assert!(screen.contains(row), "{row} in\n{screen}");
    }
    let outcome = Some(Err("data.jsonl holds no record".into()));
    studio.apply(Event::Runs(RunsEvent::Preflighted(Preflight { recipe, text: SFT.into(), outcome })));
    assert!(studio.screen().contains("✗ data.jsonl holds no record"), "{}", studio.screen());
}

#[test]
fn a_second_run_queues_behind_the_first() {
    let mut studio = typical();
    studio.keys("e down");
    let started = sent(studio.keys("Q"));
    let path = "sessions/first-principles/recipes/sft.toml".into();
    assert_eq!(started[0], RunsCommand::Start { recipe: path, after: Some(id("sft-0412")) });
}

#[test]
fn a_click_puts_the_cursor_and_a_scroll_zooms() {
    use crossterm::event::MouseEventKind;
    let mut studio = typical();
    studio.click(60, 6);
    assert!(studio.screen().contains("at step"), "{}", studio.screen());
    studio.mouse(MouseEventKind::ScrollUp, 60, 6);
    assert!(studio.screen().contains("zoomed"), "{}", studio.screen());
    studio.click(5, 5);
    assert!(studio.screen().contains("sft-0411"));
}

const KEYS: [&str; 60] = [
    "up",
    "down",
    "g",
    "G",
    "space",
    "c",
    "x",
    "r",
    "D",
    "m",
    "M",
    "/",
    "n",
    "s",
    "S",
    "y",
    "o",
    "a",
    "z",
    ",",
    ".",
    "left",
    "right",
    "b",
    "w",
    "+",
    "minus",
    "H",
    "L",
    "d",
    "enter",
    "[",
    "]",
    "v",
    "pageup",
    "pagedown",
    "e",
    "E",
    "N",
    "t",
    "Q",
    "C",
    "esc",
    "esc",
    "backspace",
    "ctrl-s",
    "k",
    "j",
    "h",
    "l",
    "1",
    "3",
    "tab",
    "home",
    "end",
    "ctrl-left",
    "ctrl-right",
    "delete",
    "f",
    "ctrl-m",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_key_sequence_panics(
        keys in prop::collection::vec(prop::sample::select(&KEYS[..]), 1..60),
        columns in 60u16..160, rows in 16u16..50, runs in any::<bool>(),
    ) {
        let mut studio = if runs { typical() } else { Harness::new() };
        studio.resize(columns, rows);
        studio.keys("3");
        for key in keys {
            studio.keys(key);
        }
        studio.screen();
    }
}

fn adapter_of(name: &str) -> Event {
    use dojo_studio::domain::protocol::ModelsEvent;
    use dojo_studio::domain::protocol::models::{ModelFile, ModelKind};
    let file = |name: &str, kind, path: &str| ModelFile {
        name: name.into(),
        kind,
        path: path.into(),
        bytes: 1 << 20,
        note: String::new(),
    };
    let adapter = format!("sessions/first-principles/runs/{name}/adapter");
    Event::Models(ModelsEvent::Listed(vec![
        file("smollm2-135m", ModelKind::Base, "/models/smollm2-135m"),
        file(name, ModelKind::Adapter, &adapter),
    ]))
}

fn done(studio: &mut Harness, name: &str) {
    studio.apply(info(name, Phase::Done, |info, state| {
        info.settings.insert("model.base".into(), "smollm2-135m".into());
        state.best_eval_loss = Some(1.842);
    }));
}

fn prepared(effects: Vec<Effect>) -> Vec<String> {
    use dojo_studio::domain::protocol::ChatCommand;
    let mut names = Vec::new();
    for effect in effects {
        if let Effect::Send(Command::Chat(ChatCommand::Prepare(who))) = effect {
            names.extend(who.into_iter().map(|one| one.name));
        }
    }
    names
}

#[test]
fn a_run_that_is_done_is_chatted_with_by_one_key() {
    let mut studio = typical();
    done(&mut studio, "sft-0412");
    studio.apply(adapter_of("sft-0412"));
    assert_eq!(prepared(studio.keys("g C")), ["sft-0412"]);
    assert!(studio.screen().contains("sft-0412"), "{}", studio.screen());
    assert!(!studio.screen().contains("── runs ─"), "{}", studio.screen());
}

#[test]
fn a_run_is_compared_with_its_base_model_on_the_left() {
    let mut studio = typical();
    done(&mut studio, "sft-0412");
    studio.apply(adapter_of("sft-0412"));
    assert_eq!(prepared(studio.keys("g B")), ["smollm2-135m", "sft-0412"]);
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn a_run_without_an_adapter_says_so_instead_of_chatting() {
    let mut studio = typical();
    done(&mut studio, "sft-0412");
    let effects = studio.keys("g C");
    let said = |effect: &Effect| match effect {
        Effect::Notify(notice) => notice.text.contains("ended without an adapter"),
        _ => false,
    };
    assert!(effects.iter().any(said), "{effects:?}");
}

#[test]
fn a_run_that_is_done_goes_on_by_a_recipe_that_begins_with_its_adapter() {
    let mut studio = typical();
    done(&mut studio, "sft-0412");
    studio.apply(adapter_of("sft-0412"));
    let path: std::path::PathBuf = "sessions/first-principles/recipes/sft-0412-more.toml".into();
    let sent = sent(studio.keys("g r"));
    assert!(sent.contains(&RunsCommand::CarryOn { run: id("sft-0412"), recipe: path.clone() }), "{sent:?}");
    // It is selected as soon as it is there.
    let files = vec![recipe("sft", SFT), recipe("sft-0412-more", SFT)];
    studio.apply(Event::Runs(RunsEvent::RecipesListed(files)));
    assert!(studio.screen().contains("── sft-0412-more.toml"), "{}", studio.screen());
}

#[test]
fn charts_are_hidden_moved_and_brought_back() {
    let mut studio = typical();
    studio.resize(200, 60);
    let screen = studio.screen();
    assert!(screen.contains(" loss ─") && !screen.contains(" epoch ─"), "{screen}");
    studio.keys("}");
    let screen = studio.screen();
    let place = |title: &str| screen.find(title).unwrap_or(usize::MAX);
    assert!(place(" accuracy ─") < place(" loss ─"), "{screen}");
    studio.keys("u");
    assert!(!studio.screen().contains(" loss ─"), "{}", studio.screen());
    studio.keys("U");
    assert!(studio.screen().contains(" loss ─") && studio.screen().contains(" epoch ─"));
}

#[test]
fn the_recipe_shows_what_differs_from_the_run_before() {
    let mut studio = typical();
    studio.apply(info("sft-0410", Phase::Done, |info, state| {
        info.settings.insert("train.learning_rate".into(), "0.001".into());
        state.started = NOON - 1_000.0;
    }));
    studio.keys("d d enter");
    studio.resize(120, 36);
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn seven_runs_laid_over_each_other_have_a_sign_each() {
    let mut studio = typical();
    for number in 0..6 {
        studio.apply(info(&format!("sft-05{number:02}"), Phase::Done, |_, _| {}));
        for event in sft(&format!("sft-05{number:02}"), f64::from(number) / 10.0) {
            studio.apply(event);
        }
    }
    studio.keys("m down m down m down m down m down m down m g");
    let screen = studio.screen();
    for sign in ['●', '◆', '▲', '■', '✚', '○', '◇'] {
        assert!(screen.contains(sign), "{sign} in\n{screen}");
    }
}

#[test]
fn a_typed_value_that_was_left_is_there_again_and_quitting_asks() {
    let mut studio = typical();
    studio.keys("e down enter down enter");
    studio.text("x");
    studio.keys("esc");
    let effects = studio.keys("ctrl-q");
    assert!(!effects.contains(&Effect::Quit), "{effects:?}");
    assert!(studio.screen().contains("not saved: the value of model.base"), "{}", studio.screen());
    studio.keys("esc enter");
    assert!(studio.screen().contains("smollm2-135mx"), "{}", studio.screen());
}

#[test]
fn a_key_with_few_values_is_chosen_from_a_list() {
    let mut studio = typical();
    studio.keys("e down enter enter");
    assert!(studio.screen().contains("grpo"), "{}", studio.screen());
    studio.keys("down enter");
    let screen = studio.screen();
    assert!(screen.contains("\"dpo\"") && screen.contains("not saved"), "{screen}");
}

#[test]
fn the_base_model_is_chosen_among_those_on_this_machine_or_typed() {
    let mut studio = typical();
    studio.apply(adapter_of("sft-0411"));
    studio.keys("e down enter down enter");
    let screen = studio.screen();
    assert!(screen.contains("another: type it") && !screen.contains("sft-0411/adapter"), "{screen}");
    studio.keys("down enter");
    studio.text("-instruct");
    assert!(studio.screen().contains("smollm2-135m-instruct"), "{}", studio.screen());
}

#[test]
fn keys_of_a_recipe_are_found_by_their_names_and_meanings() {
    let mut studio = typical();
    studio.keys("e down enter /");
    studio.text("dropout");
    let screen = studio.screen();
    assert!(screen.contains("lora_dropout") && !screen.contains("learning_rate"), "{screen}");
    studio.keys("enter esc");
    assert!(studio.screen().contains("max_length"), "{}", studio.screen());
}

#[test]
fn a_run_that_was_asked_to_stop_says_so_before_it_has() {
    let mut studio = Harness::new().size(140, 40);
    studio.apply(info("sft-0412", Phase::Starting, |_, state| {
        state.why = Some("trying the largest batch, without an update".into());
        state.stopping_after_this();
    }));
    studio.keys("3");
    studio.apply(Event::Runs(RunsEvent::Restarted(id("sft-0412"))));
    let screen = studio.screen();
    assert!(
        screen.contains("Now: stopping after trying the largest batch, without an update; begun"),
        "{screen}"
    );
    assert!(!screen.contains("x stops it"), "{screen}");
    studio.apply(info("sft-0412", Phase::Running, |_, state| state.stopping_after_this()));
    let screen = studio.screen();
    assert!(screen.contains("stopping"), "{screen}");
}

#[test]
fn a_run_that_tries_its_largest_batch_says_how_far_it_is_and_how_long_that_takes() {
    let mut studio = Harness::new().size(140, 40);
    studio.apply(info("sft-0412", Phase::Starting, |_, state| {
        state.why = Some("trying the largest batch, without an update".into());
        (state.start_share, state.seconds_left) = (Some(0.4), Some(150.0));
        (state.step, state.total_steps) = (0, 0);
    }));
    studio.keys("3");
    studio.apply(Event::Runs(RunsEvent::Restarted(id("sft-0412"))));
    let screen = studio.screen();
    let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
    let now = "Now: trying the largest batch, without an update, 40% done, 3m left; begun";
    assert!(words.contains(now) && words.contains("x stops it"), "{screen}");
    assert!(screen.contains("40% 3m left"), "{screen}");
    assert!(screen.lines().next().is_some_and(|line| line.contains("sft-0412 starting 40% 3m")), "{screen}");
    studio.keys("f3");
    let screen = studio.screen();
    assert!(screen.contains("3m left  trying the largest batch"), "{screen}");
}

#[test]
fn a_run_that_left_nothing_offers_nothing_and_says_why_when_asked() {
    let mut studio = Harness::new().size(140, 40);
    studio.apply(info("sft-0412", Phase::Running, |info, state| {
        (info.life, state.checkpoint_step) = (Life::Gone, None);
    }));
    studio.apply(Event::Models(ModelsEvent::Listed(Vec::new())));
    studio.keys("3");
    let screen = studio.screen();
    let footer = screen.lines().last().expect("a footer").to_owned();
    for offer in ["continue", "chat", "compare", "resume"] {
        assert!(!footer.contains(offer), "{offer}: {footer}");
    }
    for key in ["r", "C", "B"] {
        let said = format!("{:?}", studio.keys(key));
        assert!(said.contains("sft-0412 ended without an adapter or a checkpoint"), "{key}: {said}");
    }
}

#[test]
fn the_command_of_a_ready_recipe_keeps_whole_names_and_says_what_is_fetched_first() {
    let mut studio = Harness::new().size(80, 24);
    let mut listed = recipe("sft", SFT);
    listed.path = "/home/somebody/with/a/very/long/path/to/sessions/first-principles/recipes/sft.toml".into();
    listed.fetches = Some("smollm2-135m".into());
    studio.apply(Event::Runs(RunsEvent::RecipesListed(vec![listed])));
    studio.keys("3 e");
    let screen = studio.screen();
    let ready = screen.lines().find(|line| line.contains("✓ ready")).expect("ready");
    assert!(ready.contains("ready  dojo train …/") && ready.trim_end().ends_with("/sft.toml"), "{ready}");
    assert!(screen.contains("a run fetches the model smollm2-135m first"), "{screen}");
}
