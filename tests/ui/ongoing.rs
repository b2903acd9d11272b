//! What goes on: the sign in the header, and the drawer that stops it.

use dojo_studio::domain::protocol::system::JobId;
use dojo_studio::domain::protocol::{Command, Event, RunsCommand, RunsEvent, SystemCommand, SystemEvent};
use dojo_studio::domain::run::{Phase, RunCommand};
use dojo_studio::ui::pane::Effect;

use super::harness::Harness;
use super::world;

/// A check that is at 38 of 100 after 38 seconds.
fn checking() -> Harness {
    let events = [world::job(7, "check the records")].into_iter();
    let events = events.chain(world::moved(7, 8, 100, 8.0)).chain(world::moved(7, 38, 100, 38.0));
    events.fold(Harness::new(), Harness::with)
}

#[test]
fn a_job_shows_its_share_and_the_time_left_in_the_header() {
    let mut studio = checking().size(80, 24);
    studio.keys("6");
    assert!(studio.line(0).contains("● 38% 1m"), "{}", studio.line(0));
    assert!(studio.line(0).contains("⑥ Models"), "{}", studio.line(0));
    assert!(studio.line(0).contains("dojo  first"), "the session keeps its name: {}", studio.line(0));
    studio.resize(120, 36);
    assert!(studio.line(0).contains("● 38% 1m · cpu · 1.2/24 GB"), "{}", studio.line(0));
    studio.resize(180, 36);
    let line = studio.line(0);
    assert!(line.contains("● check the records 38% 1m · smollm2-135m · cpu"), "{line}");
}

#[test]
fn a_run_comes_before_jobs_and_the_others_are_counted() {
    let mut studio = checking().with(world::run("sft-0412", Phase::Running, 61)).size(60, 16);
    assert!(studio.line(0).contains("● 61% 6m +1"), "{}", studio.line(0));
    studio.apply(world::run("sft-0412", Phase::Paused, 61));
    assert!(studio.line(0).contains("● 38% 1m"), "what is paused doesn't go on: {}", studio.line(0));
}

#[test]
fn the_sign_is_whole_beside_the_tabs_while_a_run_starts() {
    for (columns, rows) in [(60, 16), (80, 24)] {
        let mut studio = checking().size(columns, rows);
        let Event::Runs(RunsEvent::Seen(run)) = world::run("sft-0412", Phase::Starting, 0) else {
            panic!("a run is seen")
        };
        let mut run = (*run).clone();
        if let Some(state) = &mut run.state {
            (state.start_share, state.seconds_left) = (Some(0.45), Some(13.0 * 60.0));
        }
        studio.apply(Event::Runs(RunsEvent::Seen(run.into())));
        for pane in ["1", "2", "3", "4", "5", "6"] {
            studio.keys(pane);
            let line = studio.line(0);
            let tabs = line.find('①').expect("the tabs");
            let before = line.get(..tabs).unwrap_or_default();
            // The name gives way to it.
            let sign = before.split_once('●').map_or("", |(_, sign)| sign);
            let is_apart = sign.ends_with("  ");
            assert!(is_apart && sign.starts_with(" starting") && sign.trim_end().ends_with("+1"), "{line}");
        }
    }
}

#[test]
fn a_run_without_a_figure_is_named_in_the_header() {
    let mut studio = Harness::new().with(world::run("sft-0412", Phase::Running, 0)).size(120, 36);
    assert!(studio.line(0).ends_with("● 6m · smollm2-135m · cpu · 1.2/24 GB"), "{}", studio.line(0));
    let Event::Runs(RunsEvent::Seen(run)) = world::run("sft-0412", Phase::Running, 0) else {
        panic!("a run is seen")
    };
    let mut run = (*run).clone();
    if let Some(state) = &mut run.state {
        state.seconds_left = None;
    }
    studio.apply(Event::Runs(RunsEvent::Seen(run.into())));
    assert!(studio.line(0).ends_with("● sft-0412 · cpu · 1.2/24 GB"), "{}", studio.line(0));
}

#[test]
fn tabs_stay_where_they_are_when_work_begins() {
    for size in [(60, 16), (80, 24), (120, 36), (200, 60)] {
        let mut idle = Harness::new().size(size.0, size.1);
        let mut busy = checking().size(size.0, size.1);
        assert_eq!(idle.find("③"), busy.find("③"), "{size:?}");
    }
}

#[test]
fn nothing_stands_there_while_nothing_goes_on() {
    let done = SystemEvent::JobEnded(JobId(7), dojo_studio::domain::protocol::system::JobEnd::Done);
    let mut studio = checking().with(Event::System(done));
    assert!(!studio.line(0).contains('●'));
}

#[test]
fn a_click_on_the_sign_opens_the_drawer() {
    let mut studio = checking();
    let (column, row) = studio.find("● 38%").expect("the sign");
    studio.click(column + 3, row);
    assert!(studio.screen().contains("check the records"), "{}", studio.screen());
}

#[test]
fn the_drawer_stops_runs_and_jobs_alike() {
    let mut studio = checking().with(world::run("sft-0412", Phase::Running, 61));
    studio.keys("6 f3");
    insta::assert_snapshot!(studio.screen());
    let tell = RunsCommand::Tell(world::run_id("sft-0412"), RunCommand::Stop);
    assert_eq!(studio.keys("x"), []);
    let screen = studio.screen();
    assert!(screen.contains("Stop sft-0412?") && screen.contains("r takes it up again"), "{screen}");
    assert_eq!(studio.keys("esc"), []);
    studio.keys("f3 x");
    assert_eq!(studio.keys("y"), [Effect::Send(Command::Runs(tell))]);
    studio.keys("f3");
    let stop = Effect::Send(Command::System(SystemCommand::StopJob(JobId(7))));
    assert_eq!(studio.keys("down x"), [stop]);
    studio.apply(Event::System(SystemEvent::JobAskedToStop(JobId(7))));
    assert!(studio.screen().contains("stopping …"));
    let effects = studio.keys("x");
    assert!(matches!(effects.as_slice(), [Effect::Notify(_)]), "once is enough: {effects:?}");
}

#[test]
fn a_row_that_comes_on_top_does_not_move_the_cursor_of_the_drawer() {
    let mut studio = checking().with(world::job(8, "import a.jsonl"));
    studio.keys("6 f3 down");
    studio.apply(world::job(9, "import b.jsonl"));
    let stop = Effect::Send(Command::System(SystemCommand::StopJob(JobId(7))));
    assert_eq!(studio.keys("x"), [stop]);
}

#[test]
fn time_left_follows_the_pace_since_the_first_move() {
    // 50 of 100 were there already; ten more took ten seconds.
    let events = [world::job(1, "pull a")].into_iter();
    let events = events.chain(world::moved(1, 50, 100, 5.0)).chain(world::moved(1, 60, 100, 15.0));
    let studio = events.fold(Harness::new(), Harness::with);
    let row = studio.store.jobs.named("pull").expect("the job");
    assert_eq!(row.share(), Some(0.6));
    assert_eq!(row.seconds_left(studio.store.now), Some(40.0));
}
