//! The view of the library in the Chat pane.

use std::sync::Arc;

use dojo_studio::domain::protocol::library::{
    AddedFiles, LibraryGeneration, LibrarySearchId, LibraryState, ReadDocument, ReadPart, SearchedPassages,
};
use dojo_studio::domain::protocol::system::{Job, JobId, OnQuit, Progress, Unit};
use dojo_studio::domain::protocol::{Command, Event, LibraryCommand, LibraryEvent, SystemEvent};
use dojo_studio::domain::retrieval::{DocumentRow, FoundPassage, LibraryCounts, SearchMode};
use dojo_studio::ui::pane::Effect;

use super::chat::{asked, opened};
use super::chat_library::passage;
use super::harness::{Harness, NOON};
use super::world;

fn sent(effects: &[Effect]) -> Vec<LibraryCommand> {
    let own = |effect: &Effect| match effect {
        Effect::Send(Command::Library(command)) => Some(command.clone()),
        _ => None,
    };
    effects.iter().filter_map(own).collect()
}

fn row(number: u64, title: &str) -> DocumentRow {
    DocumentRow {
        source: format!("/data/papers/{}.pdf", title.to_lowercase().replace(' ', "-")),
        title: title.to_owned(),
        context: (number == 1).then(|| "Papers on retrieval, 2025.".to_owned()),
        authors: vec!["M. Huang".to_owned()],
        date: Some("2024-05".to_owned()),
        language: Some("en".to_owned()),
        pages: Some(12),
        tags: vec!["papers".to_owned(), "retrieval".to_owned()],
        link: None,
        summary: None,
        chunks: 23 * number,
        tokens: 5120 * number,
        notices: if number == 2 {
            vec!["page 3 is scanned: it holds no text".to_owned()]
        } else {
            Vec::new()
        },
        added: (NOON as i64 - 7200) * 1000,
    }
}

fn state(generation: u64, documents: u64) -> LibraryState {
    LibraryState {
        generation: LibraryGeneration(generation),
        counts: LibraryCounts {
            documents,
            chunks: 23 * documents,
            tokens: 5120 * documents,
            embeddings: 23 * documents,
            database_bytes: 412_000,
            index_bytes: 890_000,
            model: Some("all-minilm-l6-v2".to_owned()),
            dimensions: Some(384),
            behind: 0,
        },
        unembedded: 0,
        own_documents: None,
        default_model: "all-minilm-l6-v2".to_owned(),
    }
}

fn looked(state: LibraryState) -> Event {
    Event::Library(LibraryEvent::Looked(Box::new(state)))
}

fn page(generation: u64, titles: &[&str], chosen: Option<usize>) -> Event {
    let rows = (1..).zip(titles).map(|(number, title)| row(number, title)).collect();
    Event::Library(LibraryEvent::PageRead {
        generation: LibraryGeneration(generation),
        start: 0,
        rows,
        chosen,
    })
}

const TITLES: [&str; 3] = ["Dense retrieval of passages", "Rank fusion", "Word counts"];

/// Three documents, in the view.
pub(crate) fn library() -> Harness {
    let mut studio = Harness::new().with(world::models());
    assert_eq!(sent(&studio.keys("4 L")), [LibraryCommand::Look]);
    let mut studio = studio.with(looked(state(1, 3))).with(page(1, &TITLES, None));
    studio.screen();
    studio
}

fn searched(search: u64, mode: SearchMode, passages: Vec<FoundPassage>) -> Event {
    Event::Library(LibraryEvent::Searched(Box::new(SearchedPassages {
        search: LibrarySearchId(search),
        words: "subnets".to_owned(),
        mode,
        passages,
        milliseconds: 12.3,
        failed: None,
    })))
}

fn found() -> Vec<FoundPassage> {
    vec![
        passage(
            1,
            "vpc-design",
            "Every network begins as one block. Smaller subnets isolate public from private.",
        ),
        passage(2, "aws-notes", "Five addresses of each subnet are kept back."),
    ]
}

#[test]
fn an_empty_library_says_what_belongs_there_and_offers_the_sessions_own_documents() {
    let own = LibraryState {
        generation: LibraryGeneration(1),
        own_documents: Some("sessions/first-principles/documents".into()),
        ..LibraryState::default()
    };
    let mut studio = Harness::new().with(world::models());
    studio.keys("4 L");
    studio.apply(looked(own));
    insta::assert_snapshot!(studio.screen());
    let asked = LibraryCommand::Complete("sessions/first-principles/documents/".to_owned());
    assert_eq!(sent(&studio.keys("i")), [asked]);
    let added = sent(&studio.keys("enter"));
    assert_eq!(added, [LibraryCommand::Add("sessions/first-principles/documents/".into())]);
}

#[test]
fn documents_are_listed_with_what_they_come_to() {
    let mut studio = library().size(150, 45);
    studio.keys("down");
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn a_narrow_screen_keeps_the_titles_and_the_figures() {
    let mut studio = library().size(80, 24);
    insta::assert_snapshot!("library-80x24", studio.screen());
    studio.resize(60, 16);
    insta::assert_snapshot!("library-60x16", studio.screen());
}

#[test]
fn of_a_million_documents_those_in_sight_are_read() {
    let mut studio = Harness::new();
    studio.keys("4 L");
    studio.apply(looked(state(1, 1_000_000)));
    let page = |start: usize, end: usize, chosen: Option<&str>| LibraryCommand::Page {
        generation: LibraryGeneration(1),
        positions: start..end,
        chosen: chosen.map(str::to_owned),
    };
    studio.screen();
    let last = sent(&studio.keys("end"));
    assert_eq!(last, [page(999_800, 1_000_100, None)]);
    assert_eq!(sent(&studio.keys("up")), []);
    assert_eq!(sent(&studio.keys("home")), [page(0, 200, None)]);
}

#[test]
fn the_cursor_stays_on_its_document_when_others_come_above_it() {
    let mut studio = library();
    studio.keys("down down");
    let chosen = row(3, "Word counts").source;
    studio.apply(looked(state(2, 4)));
    let asked = sent(&studio.keys("f5 esc"));
    let again = LibraryCommand::Page {
        generation: LibraryGeneration(2),
        positions: 0..200,
        chosen: Some(chosen.clone()),
    };
    assert_eq!(asked, [again]);
    studio.apply(page(2, &["Before all", TITLES[0], TITLES[1], TITLES[2]], Some(3)));
    assert_eq!(sent(&studio.keys("enter")), [LibraryCommand::Read(chosen)]);
}

#[test]
fn a_search_is_asked_with_every_letter_and_the_words_are_marked_in_what_comes() {
    let mut studio = library().size(100, 30);
    studio.keys("/");
    let asked = sent(&studio.text("sub"));
    let search = |id: u64, words: &str| LibraryCommand::Search {
        search: LibrarySearchId(id),
        words: words.to_owned(),
    };
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[2], search(asked_id(&asked[2]), "sub"));
    let id = asked_id(&asked[2]);
    studio.text("nets");
    studio.apply(searched(id + 4, SearchMode::Bm25, found()));
    // What an older search found comes late.
    studio.apply(searched(id, SearchMode::Hybrid, Vec::new()));
    let screen = studio.screen();
    assert!(screen.contains("2 passages by words (BM25)"), "{screen}");
    let mut better = found();
    better.reverse();
    studio.keys("down");
    studio.apply(searched(id + 4, SearchMode::Hybrid, better));
    studio.apply(searched(id + 4, SearchMode::Bm25, found()));
    insta::assert_snapshot!(studio.screen());
    // The passage that one went to is still the chosen one.
    assert_eq!(sent(&studio.keys("enter")), [LibraryCommand::Read("documents/aws-notes.md".to_owned())]);
}

#[test]
fn what_was_found_of_other_words_cannot_be_opened_and_the_first_letter_begins_anew() {
    let mut studio = library().size(100, 30);
    studio.keys("/");
    let id = asked_id(sent(&studio.text("sub")).last().expect("a search"));
    studio.apply(searched(id, SearchMode::Bm25, found()));
    assert!(studio.screen().contains("2 passages by words"), "{}", studio.screen());
    studio.text("x");
    let screen = studio.screen();
    assert!(screen.contains("searching for \"subx\" …"), "{screen}");
    assert_eq!(sent(&studio.keys("enter")), []);
    studio.apply(searched(id + 1, SearchMode::Bm25, Vec::new()));
    let screen = studio.screen();
    assert!(screen.contains("0 passages by words") && !screen.contains("vpc-design"), "{screen}");
    // The words of the last time are there to be looked at again, and give way to others.
    studio.keys("esc /");
    assert!(studio.screen().contains("/ subx"), "{}", studio.screen());
    studio.text("net");
    assert!(studio.screen().contains("/ net"), "{}", studio.screen());
}

fn asked_id(command: &LibraryCommand) -> u64 {
    match command {
        LibraryCommand::Search { search, .. } => search.0,
        other => panic!("{other:?}"),
    }
}

#[test]
fn why_a_library_is_not_asked_by_meaning_is_said_beside_what_words_found() {
    let mut studio = library();
    studio.keys("/");
    let id = asked_id(sent(&studio.text("x")).last().expect("a search"));
    studio.apply(searched(id, SearchMode::Bm25, found()));
    studio.apply(Event::Library(LibraryEvent::Searched(Box::new(SearchedPassages {
        search: LibrarySearchId(id),
        words: "x".to_owned(),
        mode: SearchMode::Hybrid,
        passages: Vec::new(),
        milliseconds: 0.0,
        failed: Some("all-minilm-l6-v2 is not on this machine".to_owned()),
    }))));
    let screen = studio.screen();
    assert!(screen.contains("2 passages by words (BM25) · 12 ms · ! all-minilm-l6-v2 is not on"), "{screen}");
}

fn text() -> Event {
    let part = |ordinal: u32, page: u32, section: &[&str], text: &str| ReadPart {
        ordinal,
        section: section.iter().map(|one| (*one).to_owned()).collect(),
        pages: Some((page, page)),
        text: text.to_owned(),
    };
    let parts = vec![
        part(0, 1, &["1 Introduction"], "Passages are found by their words or by their meaning."),
        part(1, 1, &["1 Introduction"], "Both have their place."),
        part(2, 2, &["2 Method", "2.1 Fusion"], "Ranks are added up.\n\nA subnet is another matter."),
    ];
    let document = ReadDocument { row: row(1, "Dense retrieval of passages"), parts };
    let source = document.row.source.clone();
    Event::Library(LibraryEvent::DocumentRead { source, read: Ok(Arc::new(document)) })
}

#[test]
fn a_document_is_read_under_its_headings_with_its_pages() {
    let mut studio = library().size(80, 24);
    studio.keys("enter");
    assert!(studio.screen().contains("reading …"));
    studio.apply(text());
    insta::assert_snapshot!(studio.screen());
    studio.keys("n n");
    assert!(studio.screen().contains("p. 2 of 12 · part 3 of 3"), "{}", studio.screen());
    assert!(
        studio.keys("y").contains(&Effect::Copy("Ranks are added up.\n\nA subnet is another matter.".into()))
    );
    studio.keys("esc");
    assert!(studio.screen().contains("3 documents"));
}

#[test]
fn a_document_that_is_gone_says_so() {
    let mut studio = library();
    studio.keys("enter");
    let source = row(1, TITLES[0]).source;
    let why = "the library has no such document any more".to_owned();
    studio.apply(Event::Library(LibraryEvent::DocumentRead { source, read: Err(why) }));
    assert!(studio.screen().contains("the library has no such document any more"));
}

#[test]
fn a_long_text_is_walked_through_to_its_end_and_back() {
    let part = |ordinal: u32| ReadPart {
        ordinal,
        section: Vec::new(),
        pages: None,
        text: format!("part number {ordinal} of a long text"),
    };
    let document = ReadDocument { row: row(1, TITLES[0]), parts: (0..5_000).map(part).collect() };
    let mut studio = library().size(80, 24);
    studio.keys("enter");
    let source = document.row.source.clone();
    studio.apply(Event::Library(LibraryEvent::DocumentRead { source, read: Ok(Arc::new(document)) }));
    studio.keys("end");
    assert!(studio.screen().contains("part number 4999 of a long text"));
    studio.keys("pageup pageup pagedown pagedown down down");
    assert!(studio.screen().contains("part number 4999 of a long text"));
    studio.keys("home");
    assert!(studio.screen().contains("part number 0 of a long text"));
    studio.keys("down down down up");
    assert!(studio.screen().contains("part number 1 of a long text"));
}

#[test]
fn what_a_document_is_can_be_said_anew() {
    let mut studio = library();
    studio.keys("down e");
    studio.text("Notes on fusion.");
    studio.keys("tab");
    studio.text(", ranks");
    insta::assert_snapshot!(studio.screen());
    let described = LibraryCommand::Describe {
        source: row(2, "Rank fusion").source,
        context: Some("Notes on fusion.".to_owned()),
        tags: vec!["papers".to_owned(), "retrieval".to_owned(), "ranks".to_owned()],
    };
    assert_eq!(sent(&studio.keys("enter")), [described]);
}

#[test]
fn a_document_is_taken_out_only_after_a_question() {
    let mut studio = library();
    assert_eq!(sent(&studio.keys("D")), []);
    assert!(studio.screen().contains("Take Dense retrieval of passages out of the library?"));
    assert_eq!(sent(&studio.keys("y")), [LibraryCommand::Delete(row(1, TITLES[0]).source)]);
}

#[test]
fn files_that_could_not_be_read_are_listed_with_their_reasons() {
    let mut studio = library().size(80, 24);
    studio.apply(Event::Library(LibraryEvent::Added(Box::new(AddedFiles {
        what: "papers".to_owned(),
        added: 3,
        unread: 2,
        reasons: vec![
            (
                "/data/papers/broken.pdf".to_owned(),
                "it is no PDF, whatever its name says: it doesn't begin with %PDF-".to_owned(),
            ),
            ("/data/papers/locked.pdf".to_owned(), "it is encrypted; save it without a password".to_owned()),
        ],
        ..AddedFiles::default()
    }))));
    studio.keys("w");
    insta::assert_snapshot!(studio.screen());
    studio.keys("esc");
    assert!(studio.screen().contains("3 documents"));
}

#[test]
fn what_lacks_an_embedding_is_said_with_the_key_that_computes_it() {
    let mut studio = library();
    studio.apply(looked(LibraryState { unembedded: 7, ..state(2, 3) }));
    let screen = studio.screen();
    assert!(screen.contains("! 7 chunks without an embedding by all-minilm-l6-v2: m computes"), "{screen}");
    studio.keys("m");
    insta::assert_snapshot!(studio.screen());
    let embed = LibraryCommand::Embed(Some("all-minilm-l6-v2".to_owned()));
    assert_eq!(sent(&studio.keys("enter")), [embed]);
}

#[test]
fn a_job_of_the_library_is_seen_below_the_documents_and_stopped_in_the_drawer() {
    let mut studio = library().size(80, 24);
    let progress = Progress {
        done: 1_200_000,
        total: Some(3_400_000),
        unit: Unit::Bytes,
        note: "412 of 530 chunks ready".to_owned(),
    };
    let job = Job {
        id: JobId(7),
        what: "add papers".to_owned(),
        progress,
        started: NOON - 20.0,
        on_quit: OnQuit::Ask,
        opening: None,
    };
    studio.apply(Event::System(SystemEvent::JobStarted(job)));
    insta::assert_snapshot!(studio.screen());
    studio.keys("i");
    studio.text("/data/more");
    let effects = studio.keys("enter");
    let follows = effects.iter().any(|effect| {
        matches!(effect, Effect::Notify(notice) if notice.text == "it follows when \"add papers\" has ended")
    });
    assert!(follows, "{effects:?}");
}

#[test]
fn documents_can_be_added_from_the_palette_wherever_one_is() {
    let mut studio = Harness::new().with(world::models());
    studio.keys("1 :");
    studio.text("Add a file or a folder to the library");
    assert_eq!(sent(&studio.keys("enter"))[0], LibraryCommand::Look);
    assert!(studio.screen().contains("add a file or a folder"));
}

#[test]
fn a_session_that_is_opened_closes_the_library_of_the_one_before() {
    let mut studio = library();
    assert!(studio.screen().contains("Rank fusion"));
    let other = dojo_studio::domain::session::SessionInfo {
        name: "other".into(),
        path: "sessions/other".into(),
        file: Default::default(),
    };
    studio.apply(Event::Sessions(dojo_studio::domain::protocol::SessionsEvent::Opened(other)));
    assert!(!studio.screen().contains("Rank fusion"));
    assert_eq!(sent(&studio.keys("4 L")), [LibraryCommand::Look]);
    assert!(studio.screen().contains("looking at the library"));
}

#[test]
fn a_document_is_pinned_for_the_open_chat_in_the_list_too() {
    let mut studio = opened(asked());
    studio.keys("L");
    studio.apply(looked(state(1, 3)));
    studio.apply(page(1, &TITLES, None));
    let effects = studio.keys("+");
    let marked = effects.iter().any(|effect| {
        matches!(
            effect,
            Effect::Send(Command::Chat(dojo_studio::domain::protocol::ChatCommand::MarkSource {
                mark: Some(_),
                ..
            }))
        )
    });
    assert!(marked, "{effects:?}");
    let mut studio = library();
    let said = studio.keys("-").into_iter().find_map(|effect| match effect {
        Effect::Notify(notice) => Some(notice.text),
        _ => None,
    });
    assert!(said.is_some_and(|said| said.starts_with("no chat is open")));
}
