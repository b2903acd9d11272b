//! Run folders as other processes leave them, and what the follower and the store make of them.

use std::io::Write;
use std::path::{Path, PathBuf};

use dojo_studio::app::follow::{Follower, NextLook, Scanner};
use dojo_studio::app::store::Store;
use dojo_studio::domain::protocol::{Event, RunsEvent};
use dojo_studio::domain::run::{Phase, RunState, Standing};
use dojo_studio::domain::run_info::{RunId, RunOrigin};
use dojo_studio::domain::series::{MetricChunk, Series};
use dojo_studio::ground::process;
use proptest::prelude::*;

/// Seconds since 1970 at which every test begins.
const START: f64 = 1_767_614_400.0;

/// A folder of runs, a follower of it, and the store that listens.
struct World {
    folder: tempfile::TempDir,
    follower: Follower,
    store: Store,
    now: f64,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let follower = Follower::new(vec![(RunOrigin::Session, folder.path().to_path_buf())]);
        Self { folder, follower, store: Store::default(), now: START }
    }

    fn run(&self, name: &str) -> RunId {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).expect("a run folder");
        RunId::new(folder)
    }

    fn state(&self, run: &RunId, change: impl FnOnce(&mut RunState)) {
        let mut state = RunState {
            earlier: None,
            left_out: None,
            phase: Phase::Running,
            why: None,
            process: std::process::id(),
            host: process::host_name(),
            heartbeat: self.now,
            started: START,
            step: 1,
            total_steps: 100,
            checkpoint_step: None,
            best_eval_loss: None,
            tokens_per_second: None,
            seconds_left: None,
            start_share: None,
        };
        change(&mut state);
        let temporary = run.folder().join("state.json.new");
        std::fs::write(&temporary, serde_json::to_vec(&state).expect("json")).expect("write");
        std::fs::rename(temporary, run.folder().join("state.json")).expect("rename");
    }

    fn watch(&mut self, runs: &[&RunId]) {
        let runs: Vec<RunId> = runs.iter().map(|run| (*run).clone()).collect();
        let store = &mut self.store;
        self.follower.watch(&runs, &mut |event| store.apply(Event::Runs(event)));
    }

    /// Looks until there is nothing more to read at once, a second later.
    fn settle(&mut self) -> Vec<RunsEvent> {
        self.now += 1.0;
        let mut events = Vec::new();
        loop {
            let store = &mut self.store;
            let pace = self.follower.pass(self.now, &mut |event| {
                events.push(event.clone());
                store.apply(Event::Runs(event));
            });
            if pace != NextLook::Now {
                return events;
            }
        }
    }

    fn standing(&self, run: &RunId) -> Standing {
        self.store.runs.info(run).expect("a known run").standing()
    }

    /// Reads the losses between two steps.
    fn detail(&mut self, run: &RunId, steps: (u32, u32)) -> Option<Vec<(u32, f32)>> {
        let store = &mut self.store;
        self.follower.detail(run, steps, &mut |event| store.apply(Event::Runs(event)));
        self.known(run, steps)
    }

    /// The losses between two steps, where each of them is known.
    fn known(&self, run: &RunId, steps: (u32, u32)) -> Option<Vec<(u32, f32)>> {
        let loss = self.store.runs.data(run).expect("a watched run").detail("loss", steps)?;
        Some(loss.finest().iter().map(|bucket| (bucket.last, bucket.close)).collect())
    }

    fn losses(&self, run: &RunId) -> Vec<(u32, f32)> {
        let data = self.store.runs.data(run).expect("a watched run");
        let loss = data.series.get("loss").expect("a loss");
        loss.finest().iter().map(|bucket| (bucket.last, bucket.close)).collect()
    }
}

fn append(path: PathBuf, text: &str) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).expect("open");
    file.write_all(text.as_bytes()).expect("write");
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.fold(String::new(), |text, line| text + &line + "\n")
}

fn metrics(run: &RunId) -> PathBuf {
    run.folder().join("metrics.jsonl")
}

#[test]
fn a_run_is_found_with_its_recipe_and_notes_and_let_go_when_its_folder_is() {
    let mut world = World::new();
    let run = world.run("sft-1");
    world.state(&run, |state| state.step = 7);
    std::fs::write(run.folder().join("recipe.toml"), "method = \"sft\"\n[train]\nlearning_rate = 2e-4\n")
        .expect("write");
    std::fs::write(run.folder().join("notes.toml"), "tags = [\"physics\"]\ntext = \"warm\"\n")
        .expect("write");
    std::fs::create_dir(world.folder.path().join("no-run")).expect("a folder");
    world.settle();
    let runs = world.store.runs.all();
    assert_eq!(runs.len(), 1);
    assert_eq!((runs[0].id.name().as_str(), runs[0].standing()), ("sft-1", Standing::Running));
    assert_eq!((runs[0].setting("learning_rate"), runs[0].setting("method")), (Some("0.0002"), Some("sft")));
    assert_eq!(runs[0].notes.line(), "#physics warm");
    std::fs::remove_dir_all(run.folder()).expect("remove");
    world.settle();
    assert_eq!(world.store.runs.all().len(), 0);
}

#[test]
fn runs_of_the_same_recipe_over_other_records_differ_in_their_data() {
    use dojo_studio::domain::run_compare::compare;
    let mut world = World::new();
    let (first, second) = (world.run("sft-1"), world.run("sft-2"));
    for (run, records) in [(&first, 3), (&second, 4)] {
        world.state(run, |_| ());
        std::fs::write(run.folder().join("recipe.toml"), "method = \"sft\"\n").expect("write");
        let line = |id| format!(r#"{{"id":{id},"version":"a","source":"s","line":1,"purpose":"train"}}"#);
        let held_out = r#"{"id":9,"version":"a","source":"s","line":1,"purpose":"eval"}"#.to_owned();
        let text = lines((1..=records).map(line).chain([held_out]));
        std::fs::write(run.folder().join("records.jsonl"), text).expect("write");
    }
    world.settle();
    let infos: Vec<_> = [&first, &second].into_iter().filter_map(|run| world.store.runs.info(run)).collect();
    let differing = compare(&infos).differing;
    let [(key, values)] = &differing[..] else { panic!("{differing:?}") };
    assert_eq!(key, "data.records");
    let begins = |at: usize, words: &str| values[at].as_ref().is_some_and(|value| value.starts_with(words));
    assert!(
        begins(0, "3 to train on, 1 held out (") && begins(1, "4 to train on, 1 held out ("),
        "{values:?}"
    );
}

#[test]
fn nothing_is_said_when_nothing_has_changed() {
    let mut world = World::new();
    let run = world.run("sft-1");
    world.state(&run, |state| state.phase = Phase::Done);
    append(metrics(&run), "{\"step\":1,\"loss\":2.0}\n");
    world.settle();
    world.watch(&[&run]);
    world.settle();
    assert_eq!(world.settle(), []);
}

#[test]
fn a_run_whose_process_is_gone_has_crashed_and_lives_again_when_it_is_resumed() {
    let mut world = World::new();
    let run = world.run("sft-1");
    let mut trainer = std::process::Command::new("sleep").arg("600").spawn().expect("start `sleep`");
    world.state(&run, |state| state.process = trainer.id());
    world.settle();
    assert_eq!(world.standing(&run), Standing::Running);
    trainer.kill().expect("kill it");
    // Not collected yet: a zombie is no trainer.
    while process::is_alive(trainer.id()) {
        std::thread::yield_now();
    }
    world.settle();
    assert_eq!(world.standing(&run), Standing::Crashed);
    trainer.wait().expect("collect it");
    world.state(&run, |state| state.step = 2);
    world.settle();
    assert_eq!(world.standing(&run), Standing::Running);
}

#[test]
fn a_run_of_another_machine_is_judged_by_its_heartbeat_as_it_is_seen_to_change() {
    let mut world = World::new();
    let run = world.run("sft-1");
    // Its clock is ten minutes behind, and its process number means nothing here.
    let beat = |world: &World, at: f64| {
        world.state(&run, |state| {
            (state.host, state.process, state.heartbeat) = ("elsewhere".into(), u32::MAX, at - 600.0);
        });
    };
    beat(&world, START);
    world.settle();
    assert_eq!(world.standing(&run), Standing::Crashed);
    beat(&world, START + 2.0);
    world.settle();
    assert_eq!(world.standing(&run), Standing::Running);
    world.now += 10.0;
    world.settle();
    assert_eq!(world.standing(&run), Standing::Running);
    world.now += 10.0;
    world.settle();
    assert_eq!(world.standing(&run), Standing::Crashed);
}

#[test]
fn a_torn_line_nan_unknown_names_and_steps_going_back_are_read_sensibly() {
    let mut world = World::new();
    let run = world.run("sft-1");
    world.state(&run, |_| {});
    append(
        metrics(&run),
        "{\"step\": 1, \"loss\": 3.0, \"new/thing\": -1e-3}\n{\"step\":2,\"loss\":\"NaN\"}\n{\"step\":3,\"loss\":2.0}\n{\"step\":4,\"lo",
    );
    world.watch(&[&run]);
    world.settle();
    // Killed inside the line of step 4, resumed from the checkpoint of step 2.
    append(
        metrics(&run),
        "{\"step\":3,\"loss\":1.5,\"eval_loss\":\"Infinity\"}\nno json\n\n{\"step\":4,\"loss\":1.0",
    );
    world.settle();
    append(metrics(&run), "}\n");
    world.settle();
    assert_eq!(world.losses(&run), [(1, 3.0), (2, 0.0), (3, 1.5), (4, 1.0)]);
    let series = &world.store.runs.data(&run).expect("watched").series;
    assert_eq!(series.get("loss").and_then(Series::whole).map(|all| all.bad), Some(1));
    assert_eq!(series.get("eval_loss").and_then(Series::whole).map(|all| all.bad), Some(1));
    assert_eq!(series.latest("new/thing"), Some(-1e-3));
    assert_eq!((series.lines(), series.unreadable_lines(), series.last_step()), (5, 2, 4));
}

#[test]
fn a_replaced_file_is_read_anew() {
    let mut world = World::new();
    let run = world.run("sft-1");
    world.state(&run, |_| {});
    append(metrics(&run), "{\"step\":1,\"loss\":3.0}\n{\"step\":2,\"loss\":2.0}\n");
    world.watch(&[&run]);
    world.settle();
    std::fs::write(metrics(&run), "{\"step\":1,\"loss\":9.0}\n").expect("write");
    world.settle();
    assert_eq!(world.losses(&run), [(1, 9.0)]);
    // As long as before, but another file.
    std::fs::write(metrics(&run), "{\"step\":1,\"loss\":8.0}\n{\"step\":2,\"loss\":7.0}\n").expect("write");
    world.settle();
    assert_eq!(world.losses(&run), [(1, 8.0), (2, 7.0)]);
}

#[test]
fn samples_and_the_end_of_the_log_arrive_without_what_steers_terminals() {
    let mut world = World::new();
    let run = world.run("sft-1");
    world.state(&run, |_| {});
    let long = lines((0..20_000).map(|line| format!("line {line}")));
    append(run.folder().join("log"), &format!("{long}\u{1b}[31mred\u{1b}[0m\told\rnew\n"));
    append(
        run.folder().join("samples.jsonl"),
        "{\"step\":5,\"prompt\":\"Q\",\"completion\":\"A\"}\nbroken\n",
    );
    world.watch(&[&run]);
    world.settle();
    let data = world.store.runs.data(&run).expect("watched");
    assert_eq!(data.log.back().map(String::as_str), Some("new"));
    assert_eq!(data.log.len(), 500);
    assert_eq!(data.samples.iter().map(|sample| sample.step).collect::<Vec<_>>(), [5]);
    append(
        run.folder().join("samples.jsonl"),
        "{\"step\":9,\"prompt\":\"Q\",\"completion\":\"B\"}\n{\"step\":5,\"prompt\":\"Q\",\"completion\":\"C\"}\n",
    );
    world.settle();
    let data = world.store.runs.data(&run).expect("watched");
    assert_eq!(data.samples.iter().map(|sample| sample.completion.as_str()).collect::<Vec<_>>(), ["C"]);
}

#[test]
fn only_watched_runs_are_read_and_the_others_are_let_go() {
    let mut world = World::new();
    let (first, second) = (world.run("sft-1"), world.run("sft-2"));
    for run in [&first, &second] {
        world.state(run, |_| {});
        append(metrics(run), "{\"step\":1,\"loss\":3.0}\n");
    }
    world.watch(&[&first]);
    world.settle();
    assert!(world.store.runs.data(&first).is_some() && world.store.runs.data(&second).is_none());
    world.watch(&[&second]);
    world.settle();
    assert!(world.store.runs.data(&first).is_none() && world.store.runs.data(&second).is_some());
}

#[test]
fn a_day_of_following_takes_no_more_memory_than_its_bound() {
    let mut world = World::new();
    let run = world.run("sft-1");
    world.state(&run, |_| {});
    world.watch(&[&run]);
    world.settle();
    // Ten steps a second for 24 hours, a minute at a look.
    let mut sizes = Vec::new();
    for minute in 0..24 * 60u64 {
        let steps = minute * 600..(minute + 1) * 600;
        let lines = lines(steps.map(|step| {
            format!("{{\"step\":{step},\"loss\":{:.4},\"grad_norm\":0.5}}", 3.0 / (1.0 + step as f64))
        }));
        append(metrics(&run), &lines);
        world.settle();
        if minute % 60 == 59 {
            sizes.push(world.store.runs.bytes());
        }
    }
    assert_eq!(world.store.runs.data(&run).map(|data| data.series.lines()), Some(864_000));
    let (half, end) = (sizes[11], sizes[23]);
    assert!(end <= half, "{half} bytes at noon, {end} at the end");
    assert!(end < 8 << 20, "{end} bytes");
}

#[test]
fn the_fast_path_reads_what_serde_json_reads() {
    let mut scanner = Scanner::default();
    let text = "{\"step\":1,\"a\":1,\"b\":-2.5e-3,\"c\":\"-Infinity\"}\n{ \"step\" : 2 , \"note\":\"x\", \"deep\":{\"d\":1}, \"a\" : 3 , \"e\\u0041\":4 }\n{\"step\":3,\"a\":NaN}\n{\"a\":1}\n[]\n";
    assert_eq!(scanner.feed(text.as_bytes()), text.len());
    let MetricChunk { columns, lines, last_step, unreadable } = scanner.take();
    assert_eq!((lines, last_step, unreadable), (3, 3, 2));
    let column = |name: &str| {
        let column = columns.iter().find(|column| &*column.name == name).expect(name);
        column
            .steps
            .iter()
            .copied()
            .zip(column.values.iter().map(|value| value.to_bits()))
            .collect::<Vec<_>>()
    };
    let bits =
        |pairs: &[(u64, f64)]| pairs.iter().map(|(step, value)| (*step, value.to_bits())).collect::<Vec<_>>();
    assert_eq!(column("a"), bits(&[(1, 1.0), (2, 3.0), (3, f64::NAN)]));
    assert_eq!(column("b"), bits(&[(1, -2.5e-3)]));
    assert_eq!(column("c"), bits(&[(1, f64::NEG_INFINITY)]));
    assert_eq!(column("eA"), bits(&[(2, 4.0)]));
}

/// A text of megabytes is cut between lines and read by several threads; odd lines may stand at any of the cuts.
#[test]
fn a_long_text_is_read_as_its_lines_are_one_by_one() {
    let line = |step: u64| match step % 97 {
        0 => format!("{{\"step\":{step},\"los"),
        1 => "\r".to_owned(),
        2 => format!("{{\"step\": {step}, \"late\": {{}}, \"eval_loss\": {}}}\r", step as f64 / 3.0),
        _ => {
            format!("{{\"step\":{step},\"loss\":{},\"grad_norm\":{}}}", 1.0 / step as f64, step as f64 / 8.0)
        }
    };
    let text = lines((1..=60_000).map(line));
    assert!(text.len() > 2 << 20, "{} bytes", text.len());
    let (mut whole, mut single) = (Scanner::default(), Scanner::default());
    assert_eq!(whole.feed(text.as_bytes()), text.len());
    for line in text.split_inclusive('\n') {
        single.feed(line.as_bytes());
    }
    let (whole, single) = (whole.take(), single.take());
    assert!(single.lines > 50_000 && single.unreadable > 500, "{} {}", single.lines, single.unreadable);
    assert_eq!(whole, single);
}

#[test]
fn a_part_of_a_long_run_is_read_value_by_value() {
    let mut world = World::new();
    let run = world.run("sft-1");
    let logged = |steps: std::ops::RangeInclusive<u64>, shift: u64| {
        lines(steps.map(|step| format!("{{\"step\":{step},\"loss\":{}}}", step + shift)))
    };
    std::fs::write(run.folder().join("recipe.toml"), "method = \"sft\"\n").expect("write");
    append(metrics(&run), &logged(1..=200_000, 0));
    world.settle();
    world.watch(&[&run]);
    world.settle();
    assert!(world.store.runs.data(&run).expect("a watched run").series.is_coarse());
    // Resumed, and so far logged anew up to step 150,100.
    append(metrics(&run), &logged(150_001..=150_100, 1_000_000));
    world.settle();
    assert_eq!(world.detail(&run, (190_000, 190_100)), Some(vec![]), "what it went back behind is gone");
    let near: Vec<(u32, f32)> = (149_990..=150_100)
        .map(|step| (step, if step > 150_000 { 1_000_000.0 } else { 0.0 } + step as f32))
        .collect();
    assert_eq!(world.detail(&run, (149_990, 152_000)), Some(near.clone()));
    // Lines that follow belong to it; a run that goes back behind its end makes it out of date.
    append(metrics(&run), &logged(150_101..=150_103, 0));
    world.settle();
    let followed = world.known(&run, (149_990, 152_000)).expect("the detail goes on");
    assert_eq!((followed.len(), followed.last()), (near.len() + 3, Some(&(150_103, 150_103.0))));
    append(metrics(&run), &logged(150_050..=150_050, 0));
    world.settle();
    assert_eq!(world.known(&run, (149_990, 152_000)), None);
    assert_eq!(world.detail(&run, (149_990, 152_000)).map(|values| values.len()), Some(61));
}

#[test]
fn a_follower_thread_reports_and_ends_with_its_handle() {
    let folder = tempfile::tempdir().expect("a folder");
    write_run(folder.path());
    let (sender, events) = std::sync::mpsc::sync_channel(1 << 16);
    let roots = vec![(RunOrigin::Global, folder.path().to_path_buf())];
    let thread = dojo_studio::app::follow::FollowerThread::start(roots, move |event| {
        if sender.send(event).is_ok() {
            dojo_studio::app::follow::Listening::Yes
        } else {
            dojo_studio::app::follow::Listening::No
        }
    });
    let thread = thread.expect("a thread");
    thread.watch(vec![RunId::new(folder.path().join("by-hand"))]);
    let wait = std::time::Duration::from_secs(20);
    let appended = std::iter::from_fn(|| events.recv_timeout(wait).ok())
        .any(|event| matches!(event, RunsEvent::MetricsAppended(_, chunk) if chunk.lines == 1));
    assert!(appended);
    drop(thread);
    // The channel closes when the thread ends.
    while events.recv_timeout(wait).is_ok() {}
    assert_eq!(events.try_recv(), Err(std::sync::mpsc::TryRecvError::Disconnected));
}

fn write_run(folder: &Path) {
    let run = folder.join("by-hand");
    std::fs::create_dir_all(&run).expect("a folder");
    std::fs::write(run.join("recipe.toml"), "method = \"sft\"\n").expect("write");
    std::fs::write(run.join("metrics.jsonl"), "{\"step\":1,\"loss\":2}\n").expect("write");
}

proptest! {
    #[test]
    fn no_bytes_make_the_scanner_panic_or_read_beyond_the_last_line(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let used = Scanner::default().feed(&bytes);
        prop_assert_eq!(used, bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1));
    }

    #[test]
    fn lines_that_we_write_are_read_back_to_the_bit(rows in prop::collection::vec((0u64..1 << 50, prop::num::f64::NORMAL), 1..20)) {
        let text = lines(rows.iter().map(|(step, value)| format!("{{\"step\":{step},\"x\":{value}}}")));
        let mut scanner = Scanner::default();
        scanner.feed(text.as_bytes());
        let columns = scanner.take().columns;
        let read: Vec<(u64, f64)> = columns[0].steps.iter().copied().zip(columns[0].values.iter().copied()).collect();
        prop_assert_eq!(read, rows);
    }

    #[test]
    fn numbers_are_read_to_the_bit_however_they_are_written(written in "-?[0-9]{1,22}(\\.[0-9]{1,25})?(e-?[0-9]{1,2})?") {
        let text = format!("{{\"step\":1,\"x\":{written}}}\n");
        let mut scanner = Scanner::default();
        scanner.feed(text.as_bytes());
        let expected: f64 = written.parse().expect("a number");
        let columns = scanner.take().columns;
        prop_assert_eq!(columns[0].values[0].to_bits(), expected.to_bits());
    }
}
