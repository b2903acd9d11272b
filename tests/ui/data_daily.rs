//! A day's work in the Data pane: verdicts, labels, ranges, the mouse, filters left again, matches, exports.

use std::path::PathBuf;

use crossterm::event::MouseEventKind;
use dojo_studio::domain::change::{Body, Change, ChangeState, HistoryEntry, Selection};
use dojo_studio::domain::draft::DraftOf;
use dojo_studio::domain::export::{ExportFormat, Splits};
use dojo_studio::domain::filter::{Filter, Vocabulary, parse};
use dojo_studio::domain::protocol::data::{EditMet, ExportOrder, Generation, MadeBy, Replace, ViewId};
use dojo_studio::domain::protocol::{Command, DataCommand, DataEvent, Event};
use dojo_studio::domain::record::{RecordId, Status};
use dojo_studio::domain::view::{SortDirection, SortField, SortOrder};
use dojo_studio::ui::pane::Effect;

use super::data::{opened, page, send, studio, viewed};
use crate::ui::harness::{Harness, NOON};

pub(super) fn vocabulary(vocabulary: Vocabulary) -> Event {
    Event::Data(DataEvent::VocabularyRead(Box::new(vocabulary)))
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn change(records: &[i64], change: Change) -> Effect {
    let records = records.iter().copied().map(RecordId).collect();
    send(DataCommand::Change { selection: Selection::Records(records), change })
}

fn open(id: i64) -> Effect {
    send(DataCommand::Open(RecordId(id)))
}

/// The row under the cursor, and the line of the screen that it is on.
fn under_cursor(studio: &mut Harness) -> (usize, String) {
    let screen = studio.screen();
    let found = screen.lines().enumerate().find(|(_, line)| line.starts_with('▌'));
    let (at, line) = found.expect("a row under the cursor");
    (at, line.split_whitespace().nth(1).unwrap_or_default().to_owned())
}

fn top(studio: &mut Harness, lines: usize) -> String {
    studio.screen().lines().take(lines).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_verdict_goes_on_to_the_next_record() {
    let mut studio = studio();
    let verdict = |id, status| change(&[id], Change::SetStatus(status));
    assert_eq!(studio.keys("a"), [open(2), verdict(1, Status::Approved)]);
    assert_eq!(studio.keys("r"), [open(3), verdict(2, Status::Rejected)]);
    assert_eq!(under_cursor(&mut studio).1, "3");
}

#[test]
fn a_draft_that_comes_while_ones_own_is_saved_is_told_of_once_that_is_on_the_disk() {
    let mut studio = studio();
    let written = |effects: Vec<Effect>| {
        effects.into_iter().rev().find_map(|effect| match effect {
            Effect::Send(Command::Data(DataCommand::KeepDraft(DraftOf::NewRecord, kept))) => kept,
            _ => None,
        })
    };
    studio.keys("n");
    let theirs = written(studio.text("THEIRS")).expect("a draft");
    studio.keys("alt-o");
    let own = written(studio.text("OWN")).expect("a draft");
    studio.apply(Event::Data(DataEvent::DraftKept(DraftOf::NewRecord, Some(own))));
    studio.keys("ctrl-s");
    let folder = PathBuf::from("sessions/first-principles");
    studio.apply(Event::Data(DataEvent::DraftKept(DraftOf::NewRecord, None)));
    let read = [(DraftOf::NewRecord, theirs)].into();
    studio.apply(Event::Data(DataEvent::DraftsRead(folder, read)));
    let told = |studio: &mut Harness| {
        let says =
            |effect: Effect| matches!(effect, Effect::Notify(notice) if notice.text.contains("n goes on"));
        studio.keys("ctrl-l").into_iter().any(says)
    };
    assert!(!told(&mut studio));
    studio.apply(Event::Data(DataEvent::Created(RecordId(4))));
    assert!(told(&mut studio));
    studio.keys("n");
    assert!(studio.screen().contains("THEIRS"), "{}", studio.screen());
}

#[test]
fn a_digit_sets_a_label_and_goes_on_while_one_labels() {
    let mut studio = studio();
    studio.apply(vocabulary(Vocabulary {
        labels: names(&["neutral", "entailment", "contradiction"]),
        ..Vocabulary::default()
    }));
    studio.keys("l");
    insta::assert_snapshot!(top(&mut studio, 6));
    let label = |id, label: Option<&str>| change(&[id], Change::SetLabel(label.map(str::to_owned)));
    assert_eq!(studio.keys("2"), [open(2), label(1, Some("entailment"))]);
    assert_eq!(studio.keys("backspace"), [open(3), label(2, None)]);
    assert_eq!(studio.keys("9"), [], "no label has this digit");
    studio.keys("enter");
    studio.text("cont");
    studio.keys("tab");
    assert_eq!(studio.keys("enter"), [open(4), label(3, Some("contradiction"))]);
}

#[test]
fn a_label_that_is_a_digit_is_set_by_that_digit() {
    let mut studio = studio();
    studio.apply(vocabulary(Vocabulary { labels: names(&["1", "unsure", "0"]), ..Vocabulary::default() }));
    studio.keys("l");
    let label = |id, label: &str| change(&[id], Change::SetLabel(Some(label.to_owned())));
    assert_eq!(studio.keys("0"), [open(2), label(1, "0")]);
    assert_eq!(studio.keys("1"), [open(3), label(2, "1")]);
    assert_eq!(studio.keys("2"), [open(4), label(3, "unsure")]);
    studio.keys("esc 3");
    assert!(!studio.screen().contains("a digit labels"), "digits are panes again");
}

#[test]
fn a_range_is_chosen_with_shift_or_from_a_mark() {
    let mut studio = studio();
    studio.keys("shift-down shift-down");
    assert!(top(&mut studio, 3).contains("range of 3"));
    studio.keys("a");
    assert_eq!(studio.keys("y"), [change(&[1, 2, 3], Change::SetStatus(Status::Approved))]);
    studio.keys("esc down v down v");
    assert!(top(&mut studio, 3).contains("2 selected"));
    studio.keys("d n");
    studio.keys("esc");
    studio.keys("t");
    studio.text("x");
    studio.keys("enter");
    assert_eq!(studio.keys("y"), [change(&[4, 5], Change::AddTag("x".into()))]);
}

#[test]
fn a_range_beyond_what_was_read_asks_for_its_numbers_first() {
    let mut studio = Harness::new();
    studio.keys("1");
    studio.apply(viewed(1, 1, 1_000_000, 1_000_000, None));
    studio.apply(page(1, 1, 1..=150));
    studio.screen();
    let effects = studio.keys("v end r");
    let positions = 0..1_000_000;
    let asked = send(DataCommand::Numbers {
        view: ViewId(1),
        generation: Generation(1),
        positions: positions.clone(),
    });
    assert_eq!(effects.iter().filter(|effect| **effect == asked).count(), 1, "{effects:?}");
    studio.apply(Event::Data(DataEvent::NumbersRead {
        view: ViewId(1),
        generation: Generation(1),
        positions,
        ids: (1..=1_000_000).map(RecordId).collect(),
    }));
    studio.keys("ctrl-l");
    assert!(studio.screen().contains("mark rejected: 1,000,000 records?"));
}

#[test]
fn what_is_not_chosen_is_chosen_instead() {
    let mut studio = studio();
    studio.keys("space I");
    assert!(top(&mut studio, 3).contains("183 selected"));
    studio.keys("delete");
    let selection = Selection::AllBut(Filter::Everything, vec![RecordId(1)]);
    assert_eq!(studio.keys("y"), [send(DataCommand::Change { selection, change: Change::Remove })]);
}

#[test]
fn the_wheel_moves_what_it_is_over() {
    let mut studio = studio().size(120, 27);
    let (line, _) = under_cursor(&mut studio);
    studio.mouse(MouseEventKind::ScrollDown, 30, line as u16 + 5);
    assert!(studio.screen().lines().nth(line).is_some_and(|row| row.contains("Topic 4 ")));
    let record = studio.screen().lines().position(|row| row.contains("Map out")).expect("the record") as u16;
    studio.mouse(MouseEventKind::ScrollDown, 30, record);
    assert!(studio.screen().contains("lines above"), "{}", studio.screen());
    assert!(studio.screen().lines().nth(line).is_some_and(|row| row.contains("Topic 4 ")));
}

#[test]
fn headings_and_tabs_can_be_clicked() {
    let mut studio = studio();
    let screen = studio.screen();
    let column = |line: &str, word: &str| {
        let at = line.find(word).expect("the word");
        line[..at].chars().count() as u16
    };
    let heading = column(screen.lines().nth(3).expect("the heading"), "tokens");
    let view = |view, direction| {
        let order = SortOrder { field: SortField::Tokens, direction };
        send(DataCommand::View { view: ViewId(view), filter: Filter::Everything, order })
    };
    assert_eq!(studio.click(heading, 3), [view(2, SortDirection::Rising)]);
    assert_eq!(studio.click(heading, 3), [view(3, SortDirection::Falling)]);
    let tabs = screen.lines().position(|line| line.contains(" history ")).expect("the tabs");
    studio.click(column(screen.lines().nth(tabs).expect("the tabs"), "history"), tabs as u16);
    assert!(studio.screen().contains("set label 1") || studio.screen().contains("label: 0 → 1"));
}

#[test]
fn leaving_a_filter_goes_back_to_where_one_was() {
    let mut studio = studio();
    studio.keys(&"down ".repeat(40));
    studio.keys("up up up up");
    let before = under_cursor(&mut studio);
    studio.keys("f");
    studio.text("tag:x");
    studio.apply(viewed(5, 2, 3, 500, None));
    studio.apply(page(5, 2, 101..=103));
    studio.screen();
    studio.keys("esc");
    studio.apply(viewed(6, 3, 184, 500, Some((37, 36))));
    studio.apply(page(6, 3, 1..=150));
    assert_eq!(under_cursor(&mut studio), before);
}

#[test]
fn clearing_a_filter_goes_back_to_the_record_from_before_it() {
    let mut studio = studio();
    studio.keys(&"down ".repeat(40));
    let before = under_cursor(&mut studio);
    studio.apply(opened(41));
    studio.keys("/");
    studio.text("waves");
    studio.keys("enter");
    studio.apply(viewed(2, 2, 3, 500, None));
    studio.apply(page(2, 2, 101..=103));
    studio.screen();
    let everything =
        DataCommand::View { view: ViewId(3), filter: Filter::Everything, order: SortOrder::default() };
    assert_eq!(studio.keys("esc"), [open(41), send(everything)]);
    studio.apply(viewed(3, 3, 184, 500, Some((41, 40))));
    studio.apply(page(3, 3, 1..=150));
    assert_eq!(under_cursor(&mut studio), before);
}

#[test]
fn matches_are_walked_within_a_record_and_on_to_the_next() {
    let mut studio = studio();
    studio.keys("/");
    studio.text("/entropy|order/");
    studio.keys("enter");
    studio.apply(viewed(2, 2, 2, 500, None));
    studio.apply(page(2, 2, 1..=2));
    studio.apply(opened(1));
    let mark = |studio: &mut Harness| {
        let screen = studio.screen();
        screen
            .lines()
            .find(|line| line.starts_with('›'))
            .map(|line| line.trim().to_owned())
            .unwrap_or_default()
    };
    assert!(mark(&mut studio).contains("entropy"), "{}", studio.screen());
    assert_eq!(studio.keys("n"), []);
    assert!(mark(&mut studio).contains("order costs"), "{}", studio.screen());
    assert_eq!(studio.keys("N n n"), [open(2)]);
    assert_eq!(studio.keys("n").len(), 1, "says that there is none after it");
}

#[test]
fn taking_back_something_large_is_asked_about() {
    let mut studio = studio();
    assert_eq!(studio.keys("u"), [send(DataCommand::Undo)]);
    let entry = HistoryEntry {
        id: 7,
        at: (NOON as i64 - 180) * 1000,
        who: "ada".into(),
        what: "import rows.jsonl".into(),
        records: 7_473,
        state: ChangeState::Done,
        undone_at: None,
        undone_by: None,
    };
    studio.apply(Event::Data(DataEvent::UndoAsked(entry, MadeBy::Here)));
    studio.keys("ctrl-l");
    let screen = studio.screen();
    assert!(screen.contains("Take back: import rows.jsonl?"), "{screen}");
    assert!(screen.contains("That was for 7,473 records, by ada, 3m ago."), "{screen}");
    assert_eq!(studio.keys("y"), [send(DataCommand::UndoThis(7))]);
    assert_eq!(studio.keys("ctrl-l"), [Effect::Redraw], "asked once");
}

#[test]
fn what_the_filter_matches_is_exported_after_a_look() {
    let mut studio = studio().size(80, 24);
    studio.keys("E");
    insta::assert_snapshot!(studio.screen());
    studio.keys("down right right right right");
    assert!(studio.screen().contains("first-principles-records.csv"), "{}", studio.screen());
    studio.keys("up");
    let order = |replace| {
        Box::new(ExportOrder {
            selection: Selection::Matching(Filter::Everything),
            path: PathBuf::from("first-principles-records.csv"),
            form: ExportFormat::Csv,
            splits: Splits::Together,
            replace,
        })
    };
    assert_eq!(studio.keys("enter"), [send(DataCommand::Export(order(Replace::Ask)))]);
    let taken = vec![PathBuf::from("/tmp/first-principles.csv")];
    studio.apply(Event::Data(DataEvent::ExportAsked(order(Replace::Ask), taken)));
    studio.keys("ctrl-l");
    assert!(studio.screen().contains("/tmp/first-principles.csv would be another file"));
    assert_eq!(studio.keys("y"), [send(DataCommand::Export(order(Replace::Yes)))]);
}

#[test]
fn an_export_is_not_proposed_over_the_file_that_the_records_came_from() {
    for (file, proposed) in [
        ("data/first-principles.jsonl", "first-principles-records.jsonl"),
        ("/elsewhere/first-principles-records.jsonl", "first-principles-records-2.jsonl"),
    ] {
        let mut studio = studio();
        let came = dojo_studio::domain::protocol::data::Imported {
            added: 2,
            repeated: 0,
            rejected: 0,
            unread: Vec::new(),
        };
        studio.apply(Event::Data(DataEvent::Imported(file.into(), Ok(came))));
        studio.keys("E");
        let screen = studio.screen();
        let path = screen.lines().find(|line| line.contains("path  ")).unwrap_or_default();
        assert!(path.trim_end().ends_with(&format!("  {proposed}")), "{file}: {screen}");
    }
}

#[test]
fn a_whole_path_takes_the_place_of_the_offered_name_pasted_or_typed() {
    let to = |keys: &str, paste: &str, typed: &str| {
        let mut studio = studio();
        studio.keys(keys);
        studio.paste(paste);
        studio.text(typed);
        let effects = studio.keys("enter");
        let [Effect::Send(Command::Data(DataCommand::Export(order)))] = effects.as_slice() else {
            panic!("{effects:?}")
        };
        order.path.clone()
    };
    assert_eq!(to("E", "'/tmp/my rows.jsonl'", ""), PathBuf::from("/tmp/my rows.jsonl"));
    assert_eq!(to("E", "", "/tmp/rows.jsonl"), PathBuf::from("/tmp/rows.jsonl"));
    assert_eq!(to("E down right up", "", "/tmp/rows.jsonl"), PathBuf::from("/tmp/rows.jsonl"));
    assert_eq!(to("E ctrl-u", "", "out/rows.jsonl"), PathBuf::from("out/rows.jsonl"));
    assert_eq!(to("E home", "rows/", ""), PathBuf::from("rows/first-principles-records.jsonl"));
}

#[test]
fn the_ending_of_an_exports_name_says_its_form() {
    let mut studio = studio();
    studio.keys("space E");
    assert!(studio.screen().contains("1 selected"));
    studio.keys(&"backspace ".repeat(40));
    studio.text("out.parquet");
    let effects = studio.keys("enter");
    let [Effect::Send(Command::Data(DataCommand::Export(order)))] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (order.form, order.selection.clone()),
        (ExportFormat::Parquet, Selection::Records(vec![RecordId(1)]))
    );
}

#[test]
fn names_in_use_are_completed_where_tags_and_splits_are_typed() {
    let mut studio = studio();
    studio.apply(vocabulary(Vocabulary {
        tags: names(&["physics", "economics"]),
        splits: names(&["train", "eval"]),
        columns: names(&["two words"]),
        values: vec![("two words".into(), names(&["yes", "no"]))],
        ..Vocabulary::default()
    }));
    studio.keys("t");
    studio.text("ec");
    assert_eq!(studio.keys("tab enter"), [change(&[1], Change::AddTag("economics".into()))]);
    studio.keys("p down tab");
    assert!(top(&mut studio, 3).contains("eval"), "{}", studio.screen());
    studio.keys("esc f");
    studio.text("two");
    studio.keys("tab");
    studio.text("n");
    studio.keys("tab enter");
    assert!(top(&mut studio, 3).contains("field.\"two words\":no"), "{}", studio.screen());
}

#[test]
fn usual_splits_are_offered_where_none_is_in_use_yet() {
    let mut studio = studio();
    studio.keys("p");
    let screen = top(&mut studio, 4);
    assert!(screen.contains("validation") && screen.contains("test"), "{screen}");
    studio.keys("ctrl-u");
    studio.text("va");
    assert_eq!(studio.keys("tab enter"), [change(&[1], Change::SetSplit(Some("validation".into())))]);
}

#[test]
fn a_filter_that_finds_nothing_says_which_name_is_not_in_use() {
    let mut studio = studio();
    studio.apply(vocabulary(Vocabulary { tags: names(&["Physics"]), ..Vocabulary::default() }));
    studio.keys("f");
    studio.text("tag:physics");
    studio.keys("enter");
    let filter = parse("tag:physics").expect("a filter");
    assert!(matches!(filter, Filter::Term(_)));
    studio.apply(viewed(7, 2, 0, 500, None));
    let screen = studio.screen();
    assert!(screen.contains("No record has the tag \"physics\"; did you mean \"Physics\"?"), "{screen}");
}

#[test]
fn after_a_save_that_was_refused_the_draft_says_at_once_that_the_record_is_another() {
    let mut studio = studio();
    studio.keys("e M ctrl-s");
    let (record, mut now) = match &studio.store.data.opened {
        Some((record, opened)) => (*record, Body::of(&opened.record)),
        None => panic!("no record is open"),
    };
    let body = now.clone();
    now.messages.last_mut().expect("a turn").content = "theirs".into();
    let met = EditMet { record, body, now: Some(now), by: None };
    studio.apply(Event::Data(DataEvent::EditMet(Box::new(met))));
    assert!(studio.screen().contains("was changed while you edited it"), "{}", studio.screen());
    // The record was not read anew since.
    studio.keys("esc e");
    let screen = studio.screen();
    assert!(screen.contains("The record has changed since this draft was begun"), "{screen}");
    studio.keys("alt-o");
    assert!(studio.screen().contains("theirs"), "{}", studio.screen());
}

#[test]
fn a_record_that_was_made_and_deleted_before_it_was_among_the_rows_lets_go_of_the_cursor() {
    let mut studio = studio();
    studio.apply(Event::Data(DataEvent::Created(RecordId(501))));
    studio.apply(opened(501));
    studio.screen();
    let remove = |id| {
        send(DataCommand::Change {
            selection: Selection::Records(vec![RecordId(id)]),
            change: Change::Remove,
        })
    };
    assert_eq!(studio.keys("delete"), [remove(501)]);
    studio.apply(Event::Data(DataEvent::Opened(RecordId(501), None)));
    studio.screen();
    // The cursor's own row again, and not the one that is gone.
    let effects = studio.keys("delete");
    assert!(!effects.contains(&remove(501)) && effects.len() == 1, "{effects:?}");
}

#[test]
fn what_is_wrong_with_a_filter_is_read_whole_on_every_screen() {
    for size in [(60, 16), (80, 24), (120, 36)] {
        let mut studio = studio();
        studio.keys("f");
        studio.text("tag:physics is:somethingelse");
        studio.resize(size.0, size.1);
        let screen = studio.screen();
        let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        let known = "edited, duplicate, preference, labelled, tagged, counted, draft";
        assert!(
            words.contains(&format!("a record can't be \"somethingelse\": {known}")),
            "{size:?}\n{screen}"
        );
        assert!(words.contains("status"), "the table stays below it: {screen}");
    }
}
