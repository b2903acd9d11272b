use std::collections::BTreeSet;

use dojo_studio::domain::change::{Body, Change, ChangeState, HistoryEntry, RecordChange, Selection};
use dojo_studio::domain::filter::{Filter, Vocabulary, parse};
use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::protocol::data::{Generation, Opened, RowSummary, ViewCount, ViewId, Viewed};
use dojo_studio::domain::protocol::{Command, DataCommand, DataEvent, Event, SessionsCommand, SessionsEvent};
use dojo_studio::domain::record::{Provenance, Record, RecordId, Status};
use dojo_studio::domain::session::{SessionFile, SessionInfo};
use dojo_studio::domain::statistics::{Balance, Statistics, TokenBins};
use dojo_studio::domain::view::{SortField, SortOrder};
use dojo_studio::ui::pane::{Effect, PaneId};

use crate::ui::harness::{Harness, NOON};

pub(crate) fn send(command: DataCommand) -> Effect {
    Effect::Send(Command::Data(command))
}

pub(crate) fn row(id: i64) -> RowSummary {
    let status = Status::ALL[id as usize % 3];
    RowSummary {
        id: RecordId(id),
        status,
        split: (id % 4 != 0).then(|| "train".to_owned()),
        label: (id % 2 == 0).then(|| "1".to_owned()),
        tags: if id % 5 == 0 { vec!["economics".into()] } else { vec!["physics".into()] },
        tokens: (id % 7 != 0).then_some(180 + id as u32),
        score: None,
        characters: 900,
        turns: 2,
        calls: 0,
        thoughts: 0,
        source: "reasoning_dataset.jsonl".into(),
        prompt: format!("Topic {id} of thermodynamics: use first-principles reasoning, step by step"),
        answer: format!(
            "Final Principle: number {id} of interference follows from the superposition of waves"
        ),
        edited: false,
    }
}

pub(crate) fn opened(id: i64) -> Event {
    let record = Record {
        messages: vec![
            Message::new(Role::User, "Map out Thermodynamics holistically using systems thinking."),
            Message::new(
                Role::Assistant,
                "# Core Topic\n**Thermodynamics** and `entropy`\n\n- heat flows from warm to cold, always, unless work is done upon the system from outside\n- order costs",
            ),
        ],
        label: Some("1".into()),
        tags: BTreeSet::from(["physics".to_owned()]),
        provenance: Provenance {
            source: "reasoning_dataset.jsonl".into(),
            line: 13,
            ..Provenance::default()
        },
        ..Record::default()
    };
    let entry = |id, who: &str, what: &str, ago: i64| HistoryEntry {
        id,
        at: (NOON as i64 - ago) * 1000,
        who: who.into(),
        what: what.into(),
        records: 1,
        state: ChangeState::Done,
        undone_at: None,
        undone_by: None,
    };
    let history = vec![
        RecordChange {
            entry: entry(1, "ada", "import reasoning_dataset.jsonl", 7200),
            field: "record",
            before: None,
            after: Some("added".into()),
        },
        RecordChange {
            entry: entry(2, "bob", "set label 1", 180),
            field: "label",
            before: Some("0".into()),
            after: Some("1".into()),
        },
    ];
    Event::Data(DataEvent::Opened(
        RecordId(id),
        Some(Box::new(Opened { record, tokens: Some(193), history, findings: Vec::new() })),
    ))
}

pub(crate) fn viewed(
    view: u64,
    generation: u64,
    found: usize,
    records: usize,
    cursor: Option<(i64, usize)>,
) -> Event {
    Event::Data(DataEvent::Viewed(Viewed {
        view: ViewId(view),
        generation: Generation(generation),
        found: ViewCount::All(found),
        records,
        cursor: cursor.map(|(record, position)| (RecordId(record), position)),
    }))
}

pub(crate) fn page(view: u64, generation: u64, ids: impl Iterator<Item = i64>) -> Event {
    let rows = ids.map(row).collect();
    Event::Data(DataEvent::PageRead {
        view: ViewId(view),
        generation: Generation(generation),
        start: 0,
        rows,
    })
}

fn statistics(view: u64) -> Event {
    let mut tokens: Vec<u32> = (0..184).map(|n| 100 + n * n % 613).collect();
    tokens.sort_unstable();
    let count = |name: &str, count| (Some(name.to_owned()), count);
    let statistics = Statistics {
        records: 184,
        statuses: [60, 100, 24],
        labels: Balance { named: vec![count("1", 100), count("0", 84)], distinct: 2, others: 0 },
        splits: Balance { named: vec![count("train", 150), (None, 34)], distinct: 2, others: 0 },
        characters: 90_000,
        counted: 184,
        tokens: 40_000,
        median: Some(227),
        longest: Some(642),
        limit: Some(512),
        over_limit: Some(3),
        bins: TokenBins::of(&tokens),
        distinct_prompts: 129,
        equal_rows: 16,
    };
    Event::Data(DataEvent::StatisticsRead(ViewId(view), Box::new(statistics)))
}

/// The Data pane on 184 of 500 records, the first of them open.
pub(crate) fn studio() -> Harness {
    let mut studio = Harness::new();
    assert_eq!(
        studio.keys("1"),
        [send(DataCommand::View {
            view: ViewId(1),
            filter: Filter::Everything,
            order: SortOrder::default()
        })]
    );
    studio.apply(viewed(1, 1, 184, 500, None));
    studio.apply(page(1, 1, 1..=150));
    studio.apply(opened(1));
    studio.apply(statistics(1));
    studio.screen();
    studio
}

#[test]
fn a_session_without_records_says_how_to_get_some() {
    let mut studio = Harness::new();
    studio.keys("1");
    studio.apply(viewed(1, 1, 0, 0, None));
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn records_stand_in_a_table_with_one_of_them_and_the_figures_below() {
    insta::assert_snapshot!(studio().screen());
}

#[test]
fn a_narrow_screen_keeps_the_rows_and_their_prompts() {
    insta::assert_snapshot!(studio().size(80, 24).screen());
}

#[test]
fn a_record_opens_whole_with_its_history() {
    let mut studio = studio().size(100, 24);
    studio.keys("enter right right right");
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn a_wrong_filter_is_pointed_at_and_stays_until_it_can_be_read() {
    let mut studio = studio().size(100, 20);
    studio.keys("f");
    studio.text("statsu:new tag:x");
    assert_eq!(studio.keys("enter"), []);
    let screen = studio.screen();
    let lines: Vec<&str> = screen.lines().collect();
    assert!(lines[2].starts_with(" filter  statsu:new tag:x"), "{screen}");
    assert!(
        lines[3].starts_with("         ▔▔▔▔▔▔ there is no field \"statsu\"; did you mean status?"),
        "{screen}"
    );
}

#[test]
fn a_filter_half_typed_shows_no_count_and_keeps_what_its_whole_words_find() {
    let mut studio = studio().size(100, 20);
    let head = |studio: &mut Harness| studio.screen().lines().nth(2).expect("a filter").to_owned();
    let count = head(&mut studio).split_whitespace().rev().take(3).collect::<Vec<_>>().join(" ");
    studio.keys("f");
    for half in ["(", "-", "tag:physics OR", "tag:physics (", "\"two"] {
        studio.text(half);
        let line = head(&mut studio);
        assert!(line.trim_end().ends_with("goes on …") && !line.contains(&count), "{half}: {line}");
        studio.keys("ctrl-u");
    }
    studio.text("tag:physics O");
    let wanted = parse("tag:physics").expect("a filter");
    let effects = studio.keys("R");
    assert!(
        matches!(
            effects.as_slice(),
            [Effect::Send(Command::Data(DataCommand::View { filter, .. }))] if *filter == wanted
        ),
        "{effects:?}"
    );
    // Taken as it is, it says what is missing, in the place of what could follow.
    assert_eq!(studio.keys("enter"), []);
    let screen = studio.screen();
    assert!(screen.contains("something must follow OR"), "{screen}");
    studio.keys("ctrl-u");
    studio.text("statsu:new");
    assert!(head(&mut studio).contains("can't be read"), "{}", studio.screen());
}

#[test]
fn what_fits_is_suggested_and_taken_with_tab() {
    let mut studio = studio().size(100, 20);
    let vocabulary = Vocabulary { tags: vec!["physics".into(), "economics".into()], ..Vocabulary::default() };
    studio.apply(Event::Data(DataEvent::VocabularyRead(Box::new(vocabulary))));
    studio.keys("f");
    studio.text("tag:e");
    insta::assert_snapshot!(studio.screen().lines().take(5).collect::<Vec<_>>().join("\n"));
    let filter = parse("tag:economics").expect("a filter");
    let effects = studio.keys("tab");
    assert!(matches!(
        effects.as_slice(),
        [Effect::Send(Command::Data(DataCommand::View { filter: asked, .. }))] if *asked == filter
    ));
}

#[test]
fn a_search_becomes_a_phrase_of_the_filter_and_is_highlighted() {
    let mut studio = studio();
    studio.keys("/");
    studio.text("thermodynamics holistically");
    let filter = parse("\"thermodynamics holistically\"").expect("a filter");
    let asked = DataCommand::View { view: ViewId(2), filter, order: SortOrder::default() };
    assert_eq!(studio.keys("enter"), [send(asked)]);
    let matched = studio
        .buffer()
        .content
        .iter()
        .filter(|cell| cell.modifier.contains(ratatui::style::Modifier::UNDERLINED));
    let text: String = matched.map(ratatui::buffer::Cell::symbol).collect();
    assert!(text.contains("Thermodynamics holistically"), "{text}");
}

#[test]
fn one_record_changes_at_once_and_many_are_asked_about() {
    let mut studio = studio();
    let change = |selection, change| send(DataCommand::Change { selection, change });
    let one = Selection::Records(vec![RecordId(1)]);
    let approved = change(one, Change::SetStatus(Status::Approved));
    assert_eq!(studio.keys("a"), [send(DataCommand::Open(RecordId(2))), approved]);
    studio.apply(opened(2));
    studio.keys("space space t");
    studio.text("kept");
    studio.keys("enter");
    insta::assert_snapshot!(studio.screen());
    let two = Selection::Records(vec![RecordId(2), RecordId(3)]);
    let effects = studio.keys("y");
    assert_eq!(effects, [change(two, Change::AddTag("kept".into()))]);
    studio.keys("A delete");
    let all = Selection::Matching(Filter::Everything);
    assert_eq!(studio.keys("y"), [change(all, Change::Remove)]);
    assert_eq!(studio.keys("u"), [send(DataCommand::Undo)]);
}

#[test]
fn an_edit_is_saved_as_the_records_new_content() {
    let mut studio = studio();
    studio.keys("e tab ctrl-a");
    studio.text("Please: ");
    let effects = studio.keys("ctrl-s");
    let [
        Effect::Send(Command::Data(DataCommand::Edit {
            record: RecordId(1),
            body: Body { messages, .. },
            ..
        })),
    ] = effects.as_slice()
    else {
        panic!("{effects:?}")
    };
    assert_eq!(messages[0].content, "Please: Map out Thermodynamics holistically using systems thinking.");
    assert!(messages[1].content.starts_with("# Core Topic\n**Thermodynamics**"));
}

#[test]
fn leaving_an_edit_changes_nothing() {
    let mut studio = studio();
    assert_eq!(studio.keys("e esc"), []);
    studio.keys("e");
    studio.text("oops");
    assert!(studio.keys("esc").iter().all(|effect| matches!(effect, Effect::Notify(_))));
    assert_eq!(studio.keys("u"), [send(DataCommand::Undo)]);
}

#[test]
fn the_cursor_stays_on_its_record_when_rows_arrive_above_it() {
    let mut studio = studio();
    studio.keys("down down down");
    let before = studio.screen();
    let line = |screen: &str| screen.lines().find(|line| line.starts_with('▌')).map(str::to_owned);
    assert!(line(&before).is_some_and(|line| line.contains("Topic 4 ")));
    studio.apply(viewed(1, 2, 189, 505, Some((4, 8))));
    let effects = studio.keys("ctrl-l");
    let asked = effects.iter().any(|effect| {
        matches!(effect, Effect::Send(Command::Data(DataCommand::Page { generation: Generation(2), .. })))
    });
    assert!(asked, "{effects:?}");
    studio.apply(page(1, 2, (101..=105).chain(1..=145)));
    assert!(line(&studio.screen()).is_some_and(|line| line.contains("Topic 4 ")));
}

#[test]
fn a_view_from_before_a_key_does_not_take_the_cursor_back() {
    let mut studio = studio();
    studio.keys("ctrl-l down down down");
    let line = |screen: &str| screen.lines().find(|line| line.starts_with('▌')).map(str::to_owned);
    studio.apply(viewed(1, 2, 184, 500, Some((1, 0))));
    studio.apply(page(1, 2, 1..=150));
    let screen = studio.screen();
    assert!(line(&screen).is_some_and(|line| line.contains("Topic 4 ")), "{screen}");
}

#[test]
fn the_end_of_a_million_records_is_one_page_away() {
    let mut studio = Harness::new();
    studio.keys("1");
    studio.apply(viewed(1, 1, 1_000_000, 1_000_000, None));
    let effects = studio.keys("end");
    let asked: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send(Command::Data(DataCommand::Page { positions, .. })) => Some(positions.clone()),
            _ => None,
        })
        .collect();
    assert!(asked.iter().all(|positions| positions.len() < 200), "{asked:?}");
    assert_eq!(asked.last().map(|positions| positions.end), Some(1_000_000));
    studio.keys("g");
    studio.text("500,000");
    let effects = studio.keys("enter");
    assert!(effects.iter().any(|effect| matches!(
        effect,
        Effect::Send(Command::Data(DataCommand::Page { positions, .. })) if positions.contains(&499_999)
    )));
}

#[test]
fn rows_are_sorted_by_the_next_field_and_the_heading_says_so() {
    let mut studio = studio();
    let order = SortOrder { field: SortField::Status, ..SortOrder::default() };
    let asked = DataCommand::View { view: ViewId(2), filter: Filter::Everything, order };
    assert_eq!(studio.keys("s"), [send(asked)]);
    assert!(studio.screen().contains("status↑"));
}

#[test]
fn a_stale_view_is_not_shown() {
    let mut studio = studio();
    studio.keys("s s");
    studio.apply(viewed(3, 5, 184, 500, None));
    studio.apply(viewed(2, 4, 7, 500, None));
    assert!(studio.screen().contains("184 of 500"));
}

#[test]
fn tokens_are_shown_with_what_is_trained_on() {
    use dojo_studio::domain::protocol::data::{TokenPiece, Trained};
    let mut studio = studio().size(100, 24);
    assert_eq!(studio.keys("right"), [send(DataCommand::Tokens(RecordId(1)))]);
    assert_eq!(studio.keys("ctrl-l"), [Effect::Redraw], "asked once");
    let piece = |text: &str, trained| TokenPiece { ids: vec![1], text: text.into(), trained };
    let pieces = vec![
        piece("<|im_start|>", Trained::No),
        piece("user\n", Trained::No),
        piece("Map", Trained::No),
        piece(" out", Trained::No),
        piece("Core", Trained::Yes),
        piece(" Topic", Trained::Yes),
        piece("<|im_end|>", Trained::Yes),
    ];
    studio.apply(Event::Data(DataEvent::TokensRead(RecordId(1), Ok(pieces))));
    studio.keys("enter");
    insta::assert_snapshot!(studio.screen());
    let buffer = studio.buffer();
    let underlined: String = buffer
        .content
        .iter()
        .filter(|cell| cell.modifier.contains(ratatui::style::Modifier::UNDERLINED))
        .map(ratatui::buffer::Cell::symbol)
        .collect();
    assert_eq!(underlined, "3 trained onCore Topic<|im_end|>");
}

fn findings(found: Option<&[(&str, u64)]>) -> Event {
    let named = |(name, count): &(&str, u64)| ((*name).to_owned(), *count);
    Event::Data(DataEvent::FindingsRead(found.map(|found| found.iter().map(named).collect())))
}

#[test]
fn what_checks_found_opens_as_a_filtered_view() {
    let mut studio = studio().size(120, 24);
    assert_eq!(studio.keys("x"), [send(DataCommand::Check)], "nothing was looked for before");
    assert!(studio.screen().contains("No check has run yet."));
    studio.apply(findings(Some(&[("duplicate", 16), ("near-duplicate", 1_209), ("secret", 2)])));
    insta::assert_snapshot!(studio.screen());
    let filter = parse("check:near-duplicate").expect("a filter");
    let asked = DataCommand::View { view: ViewId(2), filter, order: SortOrder::default() };
    assert_eq!(studio.keys("down enter"), [send(asked)]);
    assert!(studio.screen().contains("check:near-duplicate"));
    assert_eq!(studio.keys("x"), [], "what is known is shown at once");
    assert_eq!(studio.keys("F y"), [send(DataCommand::Mend)]);
    assert_eq!(studio.keys("x"), [send(DataCommand::Check)], "and looked for anew when asked again");
}

#[test]
fn what_reads_like_a_record_is_a_filter() {
    let mut studio = studio();
    let filter = parse("like:1").expect("a filter");
    assert_eq!(
        studio.keys("~"),
        [
            send(DataCommand::View { view: ViewId(2), filter, order: SortOrder::default() }),
            send(DataCommand::Compare)
        ]
    );
}

#[test]
fn another_filter_is_looked_at_from_its_top() {
    let mut studio = studio();
    studio.keys("down down down down");
    studio.keys("f");
    studio.text("tag:x");
    studio.keys("enter");
    let view = ViewId(5);
    studio.apply(Event::Data(DataEvent::Viewed(Viewed {
        view,
        generation: Generation(2),
        found: ViewCount::All(40),
        records: 500,
        cursor: None,
    })));
    studio.apply(page(5, 2, 201..=240));
    let screen = studio.screen();
    assert!(screen.lines().any(|line| line.starts_with('▌') && line.contains("Topic 201 ")), "{screen}");
}

#[test]
fn past_its_path_an_import_has_no_field_that_would_take_the_keys_of_the_studio() {
    let mut studio = studio();
    studio.keys("i");
    studio.text("q6.csv");
    assert!(studio.screen().contains("q6.csv"), "a path takes them: {}", studio.screen());
    studio.keys("enter 6");
    assert!(studio.screen().contains("Models"), "{}", studio.screen());
    studio.keys("1 ?");
    assert!(studio.screen().contains("here and now"), "{}", studio.screen());
    studio.keys("esc");
    assert_eq!(studio.keys("q"), [Effect::Quit]);
}

#[test]
fn an_import_shows_what_it_would_read_and_a_part_can_have_another_column() {
    use dojo_studio::domain::protocol::data::{Example, ImportPlan, Imported, PlannedFile};
    let mut studio = studio().size(120, 26);
    studio.keys("i");
    studio.text("rows.csv");
    let path = std::path::PathBuf::from("rows.csv");
    let plan = |map: &[&str]| {
        let map = map.iter().map(|&one| one.to_owned()).collect();
        send(DataCommand::PlanImport { path: path.clone(), map })
    };
    assert_eq!(studio.keys("enter"), [plan(&[])]);
    assert!(studio.screen().contains("looking into it …"));
    let column = |name: &str| Some(name.to_owned());
    let planned = ImportPlan {
        files: vec![PlannedFile {
            name: "rows.csv".into(),
            format: "csv",
            bytes: 4_200_000,
            read_as: "questions and answers",
        }],
        columns: vec!["question".into(), "solution".into(), "final".into()],
        parts: vec![("prompt", column("question")), ("completion", column("solution")), ("label", None)],
        remembered: true,
        columns_only: false,
        passed_over: Vec::new(),
        examples: vec![
            Ok(Example {
                prompt: "What is 1+1?".into(),
                answer: "One and one make two.".into(),
                label: None,
            }),
            Err("column \"question\" holds a number, not a text".into()),
        ],
    };
    studio.apply(Event::Data(DataEvent::ImportPlanned(path.clone(), Ok(Box::new(planned)))));
    insta::assert_snapshot!(studio.screen());
    assert_eq!(
        studio.keys("down down left"),
        [plan(&["prompt=question", "completion=solution", "label=final"])]
    );
    let map = ["prompt=question", "completion=solution", "label=final"].map(str::to_owned).to_vec();
    let import = send(DataCommand::Import { path: path.clone(), map });
    assert_eq!(studio.keys("enter"), [import]);
    assert!(studio.screen().contains("importing"));
    let came = Imported { added: 310, repeated: 2, rejected: 1, unread: vec!["line 7: not JSON".into()] };
    studio.apply(Event::Data(DataEvent::Imported(path, Ok(came))));
    let screen = studio.screen();
    assert!(screen.contains("310 records are in") && screen.contains("⏎ to training"), "{screen}");
    assert!(screen.contains("! 1 row could not be read") && screen.contains("line 7: not JSON"), "{screen}");
    let _ = studio.keys("enter");
    assert_eq!(studio.studio.front(), PaneId::Train);
}

#[test]
fn columns_alone_are_brought_in_only_when_one_asks_twice() {
    use dojo_studio::domain::protocol::data::{ImportPlan, Imported, PlannedFile};
    let mut studio = studio().size(100, 24);
    studio.keys("i");
    studio.text("rows.csv");
    studio.keys("enter");
    let path = std::path::PathBuf::from("rows.csv");
    let planned = |completion: Option<&str>| ImportPlan {
        files: vec![PlannedFile {
            name: "rows.csv".into(),
            format: "csv",
            bytes: 9,
            read_as: "columns only",
        }],
        columns: vec!["a".into(), "b".into()],
        parts: vec![("prompt", None), ("completion", completion.map(str::to_owned))],
        remembered: false,
        columns_only: completion.is_none(),
        passed_over: vec!["no part in what is learnt: \"b\"".into()],
        examples: Vec::new(),
    };
    let apply = |studio: &mut Harness, completion| {
        let plan = Ok(Box::new(planned(completion)));
        studio.apply(Event::Data(DataEvent::ImportPlanned(path.clone(), plan)));
    };
    let import = |map: Vec<String>| send(DataCommand::Import { path: path.clone(), map });
    apply(&mut studio, None);
    assert!(studio.screen().contains("no column is known as a question"), "{}", studio.screen());
    assert!(studio.screen().contains("! no part in what is learnt: \"b\""), "{}", studio.screen());
    assert_eq!(studio.keys("enter"), []);
    insta::assert_snapshot!(studio.screen());
    assert_eq!(studio.keys("enter"), [import(Vec::new())]);
    let came = Imported { added: 3, repeated: 0, rejected: 0, unread: Vec::new() };
    studio.apply(Event::Data(DataEvent::Imported(path.clone(), Ok(came))));
    let screen = studio.screen();
    assert!(screen.contains("nothing can be learnt") && screen.contains("⏎ another path"), "{screen}");
    // With a column it is an import like any other, and says what the rows that are here stay as.
    studio.keys("enter enter");
    apply(&mut studio, None);
    studio.keys("enter down right");
    apply(&mut studio, Some("a"));
    let map = vec!["prompt=".to_owned(), "completion=a".to_owned()];
    assert_eq!(studio.keys("enter"), [import(map)]);
    let came = Imported { added: 0, repeated: 3, rejected: 0, unread: Vec::new() };
    studio.apply(Event::Data(DataEvent::Imported(path.clone(), Ok(came))));
    assert!(studio.screen().contains("stay as they were read then"), "{}", studio.screen());
}

#[test]
fn a_path_is_completed_as_far_as_all_files_begin_alike() {
    let mut studio = studio().size(80, 24);
    studio.keys("i");
    let _ = studio.text("da");
    let paths = ["data/", "data-1.csv", "data-2.csv"].map(str::to_owned).to_vec();
    studio.apply(Event::Sessions(SessionsEvent::Completed { typed: "da".into(), paths }));
    assert!(studio.screen().contains("data-2.csv"));
    let ask = Effect::Send(Command::Sessions(SessionsCommand::Complete("data".into())));
    assert_eq!(studio.keys("tab"), [ask]);
    assert!(!studio.screen().contains("data-2.csv"), "an answer to what was typed before is stale");
}

#[test]
fn a_session_that_was_just_made_shows_what_its_file_would_become_or_asks_for_one() {
    let made = |from: Option<&str>| {
        let mut studio = Harness::empty().with(Event::Sessions(SessionsEvent::Made(
            SessionInfo { name: "rows".into(), path: "sessions/rows".into(), file: SessionFile::default() },
            from.map(Into::into),
        )));
        let effects = studio.keys("1");
        (studio, effects)
    };
    let (_, effects) = made(Some("/data/rows.csv"));
    let plan = send(DataCommand::PlanImport { path: "/data/rows.csv".into(), map: Vec::new() });
    assert!(effects.contains(&plan), "{effects:?}");
    let (mut studio, _) = made(None);
    assert!(studio.screen().contains("hf:owner/name"));
    studio.paste("'/data/my rows.csv'");
    assert!(studio.screen().contains("import") && studio.screen().contains(" /data/my rows.csv"));
}

#[test]
fn a_file_without_a_row_is_not_offered_for_import_and_one_file_is_not_spoken_of_as_several() {
    use dojo_studio::domain::protocol::data::{ImportPlan, PlannedFile};
    let path = std::path::PathBuf::from("rows.jsonl");
    let shown = |examples: Vec<Result<_, String>>, files: usize| {
        let file =
            PlannedFile { name: "rows.jsonl".into(), format: "jsonl", bytes: 0, read_as: "columns only" };
        let plan = ImportPlan {
            files: vec![file; files],
            columns: Vec::new(),
            parts: vec![("prompt", None)],
            remembered: false,
            columns_only: false,
            passed_over: Vec::new(),
            examples,
        };
        let mut studio = studio().size(120, 24);
        studio.keys("i");
        studio.text("rows.jsonl");
        studio.keys("enter");
        studio.apply(Event::Data(DataEvent::ImportPlanned(path.clone(), Ok(Box::new(plan)))));
        studio
    };
    let mut empty = shown(Vec::new(), 1);
    let screen = empty.screen();
    assert!(screen.contains("There is no row in it") && !screen.contains("different columns"), "{screen}");
    assert!(!screen.contains("⏎ import"), "{screen}");
    assert!(!format!("{:?}", empty.keys("enter")).contains("Import {"));
    let broken = || vec![Err("rows.jsonl:1: no JSON".to_owned())];
    let screen = shown(broken(), 1).screen();
    assert!(screen.contains("None of its first rows can be read"), "{screen}");
    assert!(!screen.contains("different columns"), "{screen}");
    let example =
        dojo_studio::domain::protocol::data::Example { prompt: "q".into(), answer: "a".into(), label: None };
    let screen = shown(vec![Ok(example)], 2).screen();
    assert!(screen.contains("These files have different columns"), "{screen}");
}
