//! What the program says: never over what one types or reads.

use dojo_studio::domain::protocol::system::{Job, JobEnd, JobId, Level};
use dojo_studio::domain::protocol::{Event, SessionsEvent, SystemEvent};
use dojo_studio::domain::session::{SessionFile, SessionInfo};

use super::harness::Harness;
use super::world;

const LONG: &str = "the evaluation file data/eval.jsonl is missing; put it there or take data.eval out of the recipe, \
                    then start again";

const SIZES: [(u16, u16); 4] = [(60, 16), (80, 24), (120, 36), (200, 60)];

fn below_the_header(studio: &mut Harness) -> String {
    studio.screen().lines().skip(2).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_notice_changes_nothing_but_the_hairline() {
    for (columns, rows) in SIZES {
        for pane in ["1", "2", "3", "4", "5", "6"] {
            let mut studio = Harness::new().with(world::models()).size(columns, rows);
            studio.keys(pane);
            let before = below_the_header(&mut studio);
            studio.apply(world::notice(Level::Good, "copied 3 records"));
            assert!(studio.line(1).contains("✓ copied 3 records"), "{}", studio.screen());
            assert_eq!(below_the_header(&mut studio), before, "{pane} at {columns}x{rows}");
        }
    }
}

#[test]
fn a_long_error_takes_lines_of_its_own_and_is_read_whole() {
    for (columns, rows) in SIZES {
        let mut studio = Harness::new().with(world::models()).size(columns, rows);
        studio.keys("6 p");
        studio.text("smollm2");
        studio.apply(world::notice(Level::Error, LONG));
        let screen = studio.screen();
        let words: Vec<&str> = screen.split_whitespace().collect();
        for word in LONG.split_whitespace() {
            assert!(words.contains(&word), "{word} at {columns}x{rows}:\n{screen}");
        }
        assert!(screen.contains("pull       smollm2"), "{screen}");
        assert!(screen.contains("fetch it"), "{screen}");
    }
}

#[test]
fn a_sentence_that_is_no_error_is_never_cut_either() {
    for (columns, rows) in SIZES {
        let path = "/home/somebody/with/a/long/name/.cache/dojo/models/smollm2-135m";
        let text = format!("nothing was deleted: others may need it. To free its space, remove {path}");
        let mut studio = Harness::new().size(columns, rows).with(world::notice(Level::Info, &text));
        let squeezed: String =
            studio.screen().chars().filter(|sign| !sign.is_whitespace() && *sign != '─').collect();
        let wanted: String = text.split_whitespace().collect();
        assert!(squeezed.contains(&wanted), "{columns}x{rows}:\n{}", studio.screen());
    }
}

#[test]
fn short_ones_stand_side_by_side_and_the_newest_is_always_there() {
    let mut studio = Harness::new()
        .with(world::notice(Level::Good, "import a.jsonl: done"))
        .with(world::notice(Level::Info, "3 rows were here before"));
    let line = studio.line(1);
    assert!(line.contains("✓ import a.jsonl: done") && line.contains("· 3 rows were here before"), "{line}");
    studio.resize(60, 16);
    let line = studio.line(1);
    assert!(line.contains("3 rows were here before"), "{line}");
}

#[test]
fn what_is_too_long_ends_in_an_ellipsis_and_names_the_log() {
    let mut studio = Harness::new().size(60, 16).with(world::notice(Level::Error, &"word ".repeat(100)));
    assert!(studio.screen().contains("f4 shows all of it"), "{}", studio.screen());
}

#[test]
fn what_comes_of_a_job_of_a_session_that_was_left_names_that_session() {
    let ends = |opening| {
        let mut studio = Harness::new();
        let Event::System(SystemEvent::JobStarted(job)) = world::job(7, "import rows.csv") else {
            unreachable!()
        };
        studio.apply(Event::System(SystemEvent::JobStarted(Job { opening, ..job })));
        studio.apply(Event::Sessions(SessionsEvent::Opened(SessionInfo {
            name: "other".to_owned(),
            path: "sessions/other".into(),
            file: SessionFile::default(),
        })));
        let failed = JobEnd::Failed("line 3 is cut".to_owned());
        studio.apply(Event::System(SystemEvent::JobEnded(JobId(7), failed)));
        studio.line(1)
    };
    assert!(
        ends(Some(1)).contains("✗ first-principles: import rows.csv: line 3 is cut"),
        "{}",
        ends(Some(1))
    );
    assert!(ends(None).contains("✗ import rows.csv: line 3 is cut"), "{}", ends(None));
}
