//! Answers from the library in the Chat pane: passages beside them, and one of them whole.

use dojo_studio::domain::chat::{ChatId, Decisions, TurnId};
use dojo_studio::domain::cited::{
    AnswerSentence, AnswerSources, CheckedAnswer, Citation, SentenceGround, SourceMark,
};
use dojo_studio::domain::protocol::chat::Phase;
use dojo_studio::domain::protocol::{ChatCommand, ChatEvent, Command, Event, LibraryCommand};
use dojo_studio::domain::retrieval::{FoundPassage, ListPlace};
use dojo_studio::ui::pane::Effect;

use super::chat::{asked, opened};

pub(crate) fn passage(number: u32, title: &str, text: &str) -> FoundPassage {
    FoundPassage {
        rank: number,
        score: 0.033 - f64::from(number) / 1000.0,
        bm25: Some(ListPlace { rank: number, score: 8.25 }),
        dense: (number == 1).then_some(ListPlace { rank: 2, score: 0.71 }),
        lists: Vec::new(),
        reranked: None,
        source: format!("documents/{title}.md"),
        title: title.to_owned(),
        context: None,
        section: vec!["Networks".to_owned(), "2 Subnets".to_owned()],
        pages: Some((4, 4)),
        chunks: (0, 0),
        text: text.to_owned(),
        id: u64::from(number),
    }
}

fn sources(checked: Option<CheckedAnswer>) -> AnswerSources {
    AnswerSources {
        question: "Why split a /16 VPC into /24 subnets?".to_owned(),
        passages: vec![
            passage(
                1,
                "vpc-design",
                "Smaller blocks isolate public from private subnets.\n\nSplitting keeps broadcasts small.",
            ),
            passage(2, "aws-notes", "Five addresses of each subnet are kept back."),
        ],
        asked: Vec::new(),
        left_out: 0,
        milliseconds: 12.3,
        languages: vec!["en".to_owned()],
        checked,
    }
}

fn checked() -> CheckedAnswer {
    CheckedAnswer {
        citations: vec![
            Citation { number: 2, at: 0..3, exists: true },
            Citation { number: 7, at: 5..8, exists: false },
        ],
        sentences: vec![AnswerSentence { at: 0..9, ground: SentenceGround::Missing, share: 0.0 }],
        cited: vec![2],
    }
}

fn sourced(checked: Option<CheckedAnswer>) -> Event {
    Event::Chat(ChatEvent::Sourced { turn: TurnId(2), sources: Box::new(sources(checked)) })
}

#[test]
fn passages_are_beside_the_answer_and_what_is_in_none_of_them_is_marked() {
    let mut studio = opened(asked()).size(140, 30);
    studio.apply(sourced(Some(checked())));
    let screen = studio.screen();
    for said in
        ["1 of 2 passages cited", "! [7] points nowhere", "! 1 sentence in none of them", "dense 0.71 (#2)"]
    {
        assert!(screen.contains(said), "{said} is missing:\n{screen}");
    }
    assert!(screen.contains("2 ▌ aws-notes  p. 4  § 2 Subnets"), "{screen}");
    insta::assert_snapshot!(screen);
}

#[test]
fn a_passage_is_read_whole_with_the_scores_and_the_next_one_follows() {
    let mut studio = opened(asked()).size(100, 26);
    assert!(!studio.screen().contains("passage 1 of 2"));
    studio.apply(sourced(Some(checked())));
    studio.keys("v");
    let screen = studio.screen();
    assert!(screen.contains("passage 2 of 2"), "the cited one comes first:\n{screen}");
    studio.keys("right");
    insta::assert_snapshot!(studio.screen());
    studio.keys("esc");
    assert!(!studio.screen().contains("passage 1 of 2"));
}

#[test]
fn the_library_is_turned_on_for_the_next_questions_and_kept_with_the_chat() {
    let mut studio = opened(asked());
    let effects = studio.keys("l");
    let on = effects.iter().any(|effect| {
        matches!(effect, Effect::Send(Command::Chat(ChatCommand::SetUp { setup, .. })) if setup.library.on)
    });
    assert!(on, "{effects:?}");
    assert!(studio.screen().contains("library on · top 5"));
    let effects = studio.keys("l");
    assert!(!effects.is_empty() && !studio.screen().contains("library on"));
}

#[test]
fn at_80_columns_it_is_seen_that_the_library_is_on_and_what_was_searched() {
    let mut studio = opened(asked()).size(80, 24);
    studio.keys("l");
    assert!(studio.screen().contains("library on · top 5"), "{}", studio.screen());
    let sources = AnswerSources { question: "Why split a network into subnets?".to_owned(), ..sources(None) };
    studio.apply(Event::Chat(ChatEvent::Sourced { turn: TurnId(2), sources: Box::new(sources) }));
    let screen = studio.screen();
    assert!(screen.contains("searched \"Why split a network into subnets?\""), "{screen}");
    // Beside two answers there is no room above: it is below.
    studio.keys("s");
    assert!(studio.screen().contains("   library on · top 5 · 2 turns"), "{}", studio.screen());
    studio.keys("n");
    studio.apply(Event::Chat(ChatEvent::Left));
    assert!(studio.screen().contains("library on · top 5"), "{}", studio.screen());
}

#[test]
fn an_answer_that_waits_for_passages_says_so_and_one_from_no_document_has_none() {
    let mut studio = opened(asked());
    studio.apply(Event::Chat(ChatEvent::Waits { turn: TurnId(2), phase: Phase::Searching }));
    assert!(studio.screen().contains("searching the library"));
    let nothing = AnswerSources { passages: Vec::new(), ..sources(None) };
    studio.apply(Event::Chat(ChatEvent::Sourced { turn: TurnId(2), sources: Box::new(nothing) }));
    assert!(studio.screen().contains("nothing in the library is near the question"));
}

fn marked(effects: &[Effect]) -> Vec<(String, Option<SourceMark>)> {
    let mark = |effect: &Effect| match effect {
        Effect::Send(Command::Chat(ChatCommand::MarkSource { source, mark, .. })) => {
            Some((source.clone(), *mark))
        }
        _ => None,
    };
    effects.iter().filter_map(mark).collect()
}

fn decided(sources: &[(&str, SourceMark)]) -> Event {
    let sources = sources.iter().map(|(source, mark)| ((*source).to_owned(), *mark)).collect();
    let decisions = Decisions { sources, last: Some("what was said".to_owned()), ..Decisions::default() };
    Event::Chat(ChatEvent::Decided { chat: ChatId(1), decisions })
}

#[test]
fn a_source_beside_an_answer_is_pinned_or_excluded_with_one_key_and_shown_so() {
    let mut studio = opened(asked()).size(140, 30);
    studio.apply(sourced(Some(checked())));
    studio.screen();
    let pinned = Some(SourceMark::Pinned);
    assert_eq!(marked(&studio.keys("+")), [("documents/vpc-design.md".to_owned(), pinned)]);
    let excluded = Some(SourceMark::Excluded);
    assert_eq!(marked(&studio.keys("] -")), [("documents/aws-notes.md".to_owned(), excluded)]);
    studio.apply(decided(&[
        ("documents/vpc-design.md", SourceMark::Pinned),
        ("documents/aws-notes.md", SourceMark::Excluded),
    ]));
    studio.keys("l");
    insta::assert_snapshot!(studio.screen());
    assert_eq!(marked(&studio.keys("-")), [("documents/aws-notes.md".to_owned(), None)]);
    assert!(studio.keys("u").contains(&Effect::Send(Command::Chat(ChatCommand::Undo(ChatId(1))))));
}

#[test]
fn a_passage_that_is_read_opens_in_its_document_and_esc_comes_back_to_it() {
    let mut studio = opened(asked()).size(100, 26);
    studio.apply(sourced(Some(checked())));
    studio.keys("v");
    assert_eq!(
        marked(&studio.keys("-")),
        [("documents/aws-notes.md".to_owned(), Some(SourceMark::Excluded))]
    );
    let read = Effect::Send(Command::Library(LibraryCommand::Read("documents/aws-notes.md".to_owned())));
    assert!(studio.keys("enter").contains(&read));
    assert!(studio.screen().contains("reading …"));
    studio.keys("esc");
    assert!(studio.screen().contains("passage 2 of 2"));
}
