use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use dojo_studio::app::runs::{self, Launch, RunSummary};
use dojo_studio::app::sessions;
use dojo_studio::app::studio::headless::Headless;
use dojo_studio::app::train::host::{Listener, RunEnding, RunHost};
use dojo_studio::config::Folders;
use dojo_studio::domain::run::{Phase, RunCommand, RunFolder, RunState, Standing};
use dojo_studio::engine::train::host::{Host, HostRequest, TrainEvent};
use dojo_studio::ground::clock;
use dojo_studio::ground::process;

fn state(phase: Phase, process: u32, heartbeat: f64) -> RunState {
    RunState {
        earlier: None,
        left_out: None,
        phase,
        why: None,
        process,
        host: process::host_name(),
        heartbeat,
        started: heartbeat,
        step: 3,
        total_steps: 10,
        checkpoint_step: None,
        best_eval_loss: None,
        tokens_per_second: None,
        seconds_left: None,
        start_share: None,
    }
}

fn run(parent: &Path, name: &str, state: &RunState) -> RunSummary {
    let folder = runs::create_run_folder(parent, Some(name), "sft").expect("a new folder");
    std::fs::write(folder.state(), serde_json::to_vec(state).expect("json")).expect("write the state");
    runs::summarise(folder.path()).expect("a readable run")
}

/// The id of a process that has ended and was collected.
fn ended_process() -> u32 {
    let mut child = std::process::Command::new("true").spawn().expect("start `true`");
    child.wait().expect("wait for `true`");
    child.id()
}

#[test]
fn a_live_phase_without_its_process_or_elsewhere_with_an_old_heartbeat_has_crashed() {
    let (now, own) = (clock::now(), std::process::id());
    assert_eq!(runs::standing(&state(Phase::Running, own, now), now), Standing::Running);
    // Its process lives and may only be suspended.
    assert_eq!(runs::standing(&state(Phase::Running, own, now - 60.0), now), Standing::Running);
    assert_eq!(runs::standing(&state(Phase::Paused, ended_process(), now), now), Standing::Crashed);
    assert_eq!(runs::standing(&state(Phase::Done, ended_process(), now - 60.0), now), Standing::Done);
    let elsewhere =
        RunState { host: "another-machine".to_owned(), ..state(Phase::Running, ended_process(), now) };
    assert_eq!(runs::standing(&elsewhere, now), Standing::Running);
    assert_eq!(runs::standing(&elsewhere, now + 60.0), Standing::Crashed);
}

#[test]
fn runs_of_no_session_and_of_sessions_are_listed_newest_first() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let now = clock::now();
    run(&folders.runs(), "old", &state(Phase::Done, 1, now - 100.0));
    run(&folders.sessions().join("mine/runs"), "new", &state(Phase::Failed, 1, now));
    std::fs::create_dir_all(folders.runs().join("no-state")).expect("a folder");
    let names: Vec<String> =
        runs::list_runs(&folders).expect("a list").into_iter().map(|run| run.name).collect();
    assert_eq!(names, ["new", "old"]);
    assert_eq!(runs::find_run(&folders, "old").expect("a run").standing, Standing::Done);
    let missing = runs::find_run(&folders, "none").expect_err("no such run").to_string();
    assert_eq!(missing, "there is no run `none`; `dojo runs` lists them");
}

#[test]
fn a_command_is_a_file_in_a_live_run_and_refused_by_a_dead_one() {
    let home = tempfile::tempdir().expect("a folder");
    let live = run(home.path(), "live", &state(Phase::Running, std::process::id(), clock::now()));
    runs::send_command(&live, RunCommand::Pause).expect("a live run");
    assert!(live.folder.commands().join("pause").is_file());
    assert!(runs::delete_run(&live).is_err());
    let dead = run(home.path(), "dead", &state(Phase::Running, ended_process(), clock::now()));
    let refused = runs::send_command(&dead, RunCommand::Pause).expect_err("nobody is there").to_string();
    assert_eq!(refused, "the run dead can't pause: it is crashed");
    runs::delete_run(&dead).expect("a dead run");
    assert!(!dead.folder.path().exists());
}

#[test]
fn new_run_folders_count_up_and_a_taken_name_is_refused() {
    let home = tempfile::tempdir().expect("a folder");
    let name = || runs::create_run_folder(home.path(), None, "sft").expect("a new folder").name();
    assert_eq!([name(), name()], ["sft-0001", "sft-0002"]);
    assert!(runs::create_run_folder(home.path(), Some("sft-0001"), "sft").is_err());
}

#[test]
fn a_launch_shows_the_exact_arguments() {
    let launch = Launch::New {
        recipe: "a/sft.toml".into(),
        overrides: vec!["lora.r=8".to_owned()],
        folder: RunFolder::new("runs/sft-0001"),
    };
    let after = RunFolder::new("runs/sft-0000");
    assert_eq!(
        launch.arguments(Some(&after)),
        ["train", "a/sft.toml", "--set", "lora.r=8", "--run", "runs/sft-0001", "--after", "runs/sft-0000"]
    );
}

#[test]
fn a_suspended_process_outweighs_its_old_heartbeat_and_its_run_is_not_deleted() {
    let home = tempfile::tempdir().expect("a folder");
    let mut child = std::process::Command::new("sleep").arg("600").spawn().expect("start `sleep`");
    // SAFETY: sends a signal to a child of this test.
    unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGSTOP) };
    let beat = clock::now();
    let suspended = state(Phase::Running, child.id(), beat);
    assert_eq!(runs::standing(&suspended, beat + 3600.0), Standing::Running);
    let found = run(home.path(), "suspended", &suspended);
    let refused = runs::delete_run(&found).expect_err("its process lives").to_string();
    assert_eq!(refused, "the run suspended is running; stop it first");
    child.kill().expect("end it");
    child.wait().expect("wait for it");
    assert_eq!(runs::standing(&suspended, beat + 3600.0), Standing::Crashed);
}

#[test]
fn a_run_that_somebody_trains_in_is_not_deleted_whatever_its_state_says() {
    let home = tempfile::tempdir().expect("a folder");
    let done = run(home.path(), "done", &state(Phase::Done, 1, clock::now()));
    let lock = std::fs::File::create(done.folder.lock()).expect("the lock");
    lock.lock().expect("nobody else holds it");
    let refused = format!("{:#}", runs::delete_run(&done).expect_err("it is held"));
    assert!(refused.contains("delete the run done: another process is training in"), "{refused}");
    drop(lock);
    runs::delete_run(&done).expect("nobody trains");
    assert_eq!(std::fs::read_dir(home.path()).expect("a folder").count(), 0);
}

#[test]
fn a_silent_run_is_suspended_where_its_lock_is_held_and_crashed_where_it_is_not() {
    let home = tempfile::tempdir().expect("a folder");
    // Of this test's own process: it lives, and is no trainer.
    let found = run(home.path(), "silent", &state(Phase::Running, std::process::id(), clock::now() - 600.0));
    let standing = || runs::summarise(found.folder.path()).expect("a run").standing;
    assert_eq!(standing(), Standing::Crashed);
    let lock = std::fs::File::create(found.folder.lock()).expect("the lock");
    lock.lock().expect("nobody else holds it");
    assert_eq!(standing(), Standing::Running);
    drop(lock);
    assert_eq!(standing(), Standing::Crashed);
}

#[test]
fn a_half_deleted_run_is_not_listed_and_goes_when_the_next_one_is_made() {
    let home = tempfile::tempdir().expect("a folder");
    run(home.path(), "done", &state(Phase::Done, 1, clock::now()));
    std::fs::rename(home.path().join("done"), home.path().join(".done.gone")).expect("as a killed deletion");
    assert_eq!(runs::list_runs_in(home.path()).expect("a list"), Vec::new());
    runs::create_run_folder(home.path(), None, "..-sft").expect("a new folder");
    let left: Vec<_> = std::fs::read_dir(home.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(left, ["sft-0001"]);
}

#[test]
fn a_name_that_is_no_plain_one_is_refused_in_one_sentence() {
    let home = tempfile::tempdir().expect("a folder");
    let parent = home.path().join("runs");
    let long = "x".repeat(300);
    for name in [
        "",
        ".",
        "..",
        "../x",
        "../../x",
        "/tmp/x",
        "a/b",
        "a\nb",
        "\u{1b}[31mred",
        "-x",
        ".x",
        " a",
        "a\u{200b}b",
        &long,
    ] {
        let refused = runs::create_run_folder(&parent, Some(name), "sft").expect_err(name).to_string();
        assert!(refused.contains("can't be a run's name"), "{refused}");
        assert!(!refused.contains(['\n', '\u{1b}']) && refused.len() < 400, "{refused:?}");
    }
    assert!(!parent.exists());
    for name in ["sft-0001", "Größe_2.b", "lr=1e-4", "base+lora", "a b", &"x".repeat(128)] {
        runs::create_run_folder(&parent, Some(name), "sft").expect(name);
    }
}

/// Tells a test each change of phase.
struct Heard(SyncSender<Option<String>>);

impl Listener for Heard {
    fn heard(&mut self, _: &TrainEvent<'_>, _: &RunState) {}

    fn phase(&mut self, state: &RunState) {
        self.0.send(state.why.clone()).ok();
    }
}

/// A run that starts, and what is heard of it.
fn starting(home: &Path) -> (RunFolder, RunHost, Receiver<Option<String>>) {
    let folder = runs::create_run_folder(home, Some("one"), "sft").expect("a new folder");
    let (sender, heard) = sync_channel(1 << 16);
    let host = RunHost::start(&folder, Phase::Starting, Box::new(Heard(sender))).expect("a host");
    (folder, host, heard)
}

#[test]
fn that_a_run_was_asked_to_stop_is_said_while_what_it_does_goes_on() {
    let home = tempfile::tempdir().expect("a folder");
    let (folder, mut host, heard) = starting(home.path());
    host.doing("trying the largest batch, without an update");
    std::fs::write(folder.commands().join("stop"), "").expect("ask");
    // Nobody asks the host whether to go on meanwhile.
    let wait = std::time::Duration::from_secs(60);
    let said: Vec<String> = (0..2).filter_map(|_| heard.recv_timeout(wait).expect("a change")).collect();
    assert_eq!(
        said,
        [
            "trying the largest batch, without an update",
            "stopping after trying the largest batch, without an update"
        ]
    );
    assert!(host.is_to_stop());
    host.doing("reading the examples");
    let said = heard.recv_timeout(wait).expect("a change");
    assert_eq!(said.as_deref(), Some("stopping after reading the examples"));
    host.end(RunEnding::Stopped).expect("an end");
    let state = runs::summarise(folder.path()).expect("a state").state;
    assert_eq!((state.phase, state.is_stopping()), (Phase::Stopped, false));
}

#[test]
fn how_far_the_largest_batch_is_belongs_to_the_state_and_a_stop_ends_it_between_two_parts() {
    let home = tempfile::tempdir().expect("a folder");
    let (folder, mut host, heard) = starting(home.path());
    let wait = std::time::Duration::from_secs(60);
    host.doing("trying the largest batch");
    let brake = host.brake();
    assert!(brake(0.0) && brake(0.404));
    let until = |met: &dyn Fn(&RunState) -> bool| loop {
        let state = runs::summarise(folder.path()).expect("a state").state;
        if met(&state) {
            return state;
        }
        std::thread::yield_now();
    };
    let state = until(&|state| state.start_share == Some(0.404));
    assert!(state.seconds_left.is_some());
    assert_eq!(state.doing().as_deref(), Some("trying the largest batch, 40% done"));
    std::fs::write(folder.commands().join("stop"), "").expect("ask");
    let said: Vec<String> = (0..2).filter_map(|_| heard.recv_timeout(wait).expect("a change")).collect();
    assert_eq!(said, ["trying the largest batch", "stopping"]);
    assert!(!brake(0.5));
    host.end(RunEnding::Stopped).expect("an end");
    let state = until(&|state| state.phase == Phase::Stopped);
    assert_eq!((state.start_share, state.seconds_left), (None, None));
}

#[test]
fn a_run_that_was_asked_to_stop_says_what_is_its_last() {
    let said = |phase, why: Option<&str>| {
        let mut asked = RunState { why: why.map(str::to_owned), ..state(phase, 1, 0.0) };
        asked.stopping_after_this();
        // Asked again, it says the same.
        asked.stopping_after_this();
        assert!(asked.is_stopping());
        asked.why.expect("words")
    };
    assert_eq!(said(Phase::Running, None), "stopping");
    assert_eq!(said(Phase::Starting, Some("loading the weights")), "stopping after loading the weights");
    assert_eq!(said(Phase::Starting, Some("warning: few examples")), "stopping");
    assert_eq!(said(Phase::Paused, None), "stopping");
}

#[test]
fn a_pause_is_told_of_at_once_and_can_be_taken_back_before_it_begins() {
    let home = tempfile::tempdir().expect("a folder");
    let (folder, mut host, heard) = starting(home.path());
    host.tick().expect("a first step");
    let run = || runs::summarise(folder.path()).expect("a state");
    let wait = std::time::Duration::from_secs(60);
    assert_eq!(heard.recv_timeout(wait).expect("it runs"), None);
    // Nobody asks the host whether to go on meanwhile: the step takes long.
    let ask = |command| {
        runs::send_command(&run(), command).expect("it lives");
        heard.recv_timeout(wait).expect("a change")
    };
    assert_eq!(ask(RunCommand::Pause).as_deref(), Some("pausing after this step"));
    assert_eq!(ask(RunCommand::Resume), None);
    assert!(matches!(host.tick(), Ok(HostRequest::GoOn)));
    host.report(&TrainEvent::Evaluating { done: 3, total: 9 });
    assert_eq!(ask(RunCommand::Pause).as_deref(), Some("pausing after this batch"));
    host.report(&TrainEvent::Evaluating { done: 4, total: 9 });
    // A stop has the last word.
    assert_eq!(ask(RunCommand::Stop).as_deref(), Some("stopping"));
    host.end(RunEnding::Stopped).expect("an end");
}

#[test]
fn of_a_pause_and_its_taking_back_that_nobody_has_read_yet_the_last_counts() {
    let home = tempfile::tempdir().expect("a folder");
    let live = run(home.path(), "live", &state(Phase::Running, std::process::id(), clock::now()));
    let left = || {
        let commands = std::fs::read_dir(live.folder.commands()).expect("commands").flatten();
        commands.map(|file| file.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    for command in [RunCommand::Pause, RunCommand::Resume, RunCommand::Pause] {
        runs::send_command(&live, command).expect("a live run");
        assert_eq!(left(), [command.name()]);
    }
}

#[test]
fn a_start_that_fails_leaves_no_folder_and_takes_nothing_away_that_was_there() {
    let home = tempfile::tempdir().expect("a folder");
    let missing = Path::new("/nowhere/dojo");
    let begin = |folder| Launch::New { recipe: "sft.toml".into(), overrides: Vec::new(), folder };
    let folder = runs::create_run_folder(home.path(), None, "sft").expect("a new folder");
    runs::start_program(missing, &begin(folder.clone()), None).expect_err("no program");
    assert!(!folder.path().exists());
    let folder = runs::create_run_folder(home.path(), None, "sft").expect("a new folder");
    std::fs::write(folder.path().join("notes.toml"), "text = \"mine\"").expect("a note");
    runs::start_program(missing, &begin(folder.clone()), None).expect_err("no program");
    assert!(folder.path().join("notes.toml").is_file());
    let stopped = run(home.path(), "old", &state(Phase::Stopped, 1, clock::now()));
    runs::start_program(missing, &Launch::Resume { folder: stopped.folder.clone() }, None)
        .expect_err("no program");
    assert!(stopped.folder.state().is_file());
}

#[test]
fn a_run_beside_one_of_another_session_is_asked_about_before_it_starts() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let other = sessions::create(&folders, "other").expect("a session");
    run(&other.runs(), "sft-0001", &state(Phase::Running, std::process::id(), clock::now()));
    let mine = sessions::open_sample(&folders, "first-principles").expect("a session");
    let mut studio = Headless::start(&folders, Some(mine.clone()), (120, 36)).expect("a studio");
    let patience = Duration::from_secs(60);
    studio.wait_for("trains by the recipe", patience).expect("a recipe");
    studio.keys("enter").expect("keys");
    studio.wait_for("The machine is busy", patience).expect("a question");
    assert!(studio.text().contains("sft-0001 of the session other has not ended"), "{}", studio.text());
    studio.keys("esc").expect("keys");
    assert!(runs::list_runs_in(&mine.runs()).expect("runs").is_empty(), "nothing was started");
}

#[test]
fn a_run_of_another_session_that_goes_on_is_named_with_it_and_can_be_stopped() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let other = sessions::create(&folders, "other").expect("a session");
    run(&other.runs(), "sft-0007", &state(Phase::Running, std::process::id(), clock::now()));
    run(&other.runs(), "sft-0006", &state(Phase::Done, std::process::id(), clock::now()));
    let mine = sessions::create(&folders, "mine").expect("a session");
    let mut studio = Headless::start(&folders, Some(mine), (200, 36)).expect("a studio");
    let patience = Duration::from_secs(60);
    studio.wait_for("sft-0007 in other", patience).expect("the header");
    studio.keys("f3").expect("keys");
    studio.wait_for("step 3/10", patience).expect("the drawer");
    assert!(!studio.text().contains("sft-0006"), "{}", studio.text());
    studio.keys("x").expect("keys");
    let stop = other.runs().join("sft-0007/commands/stop");
    crate::support::program::wait_until("the stop", || stop.exists());
    let ended = state(Phase::Stopped, std::process::id(), clock::now());
    let folder = RunFolder::new(other.runs().join("sft-0007"));
    std::fs::write(folder.state(), serde_json::to_vec(&ended).expect("json")).expect("write the state");
    studio.wait_until(patience, |studio| !studio.text().contains("sft-0007")).expect("its end");
}

#[test]
fn a_run_says_which_session_it_belongs_to() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let session = sessions::create(&folders, "other").expect("a session");
    run(&session.runs(), "sft-0001", &state(Phase::Done, 1, 0.0));
    run(&folders.runs(), "loose", &state(Phase::Done, 1, 0.0));
    let listed = runs::list_runs(&folders).expect("runs");
    let mut named: Vec<_> = listed.iter().map(|run| (run.name.clone(), run.session())).collect();
    named.sort();
    assert_eq!(named, [("loose".to_owned(), None), ("sft-0001".to_owned(), Some("other".to_owned()))]);
}
