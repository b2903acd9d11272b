//! The Chat pane.

use std::collections::BTreeMap;

use dojo_studio::domain::chat::{
    AnswerOutcome, Answerer, AnswererNames, Chat, ChatId, ChatSummary, Decisions, DraftPlace, Keep,
    KeptAnswer, Setup, Side, Turn, TurnId, Vote, Why,
};
use dojo_studio::domain::draft::{DraftOf, KeptDraft};
use dojo_studio::domain::message::Role;
use dojo_studio::domain::protocol::chat::{AnswerPace, Phase};
use dojo_studio::domain::protocol::{ChatCommand, ChatEvent, Command, DataEvent, Event};
use dojo_studio::ui::pane::Effect;

use super::harness::{Harness, NOON};
use super::world;

const CHAT: ChatId = ChatId(1);

fn sent(effects: &[Effect]) -> Vec<&ChatCommand> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send(Command::Chat(command)) => Some(command),
            _ => None,
        })
        .collect()
}

fn answerer(name: &str) -> Answerer {
    Answerer { name: name.into(), model: Some(name.into()), adapter: None }
}

fn tuned() -> Answerer {
    Answerer { name: "sft-0412".into(), model: None, adapter: Some("cache/models/sft-0412".into()) }
}

fn outcome(tokens: usize) -> AnswerOutcome {
    AnswerOutcome {
        why: Why::End,
        prompt_tokens: 31,
        cached_tokens: 0,
        tokens,
        tokens_per_second: 137.4,
        first_token_seconds: 0.12,
        context: 2048,
    }
}

fn turn(id: i64, parent: Option<i64>, role: Role, side: Side, content: &str) -> Turn {
    let answered = role == Role::Assistant && !content.is_empty();
    Turn {
        id: TurnId(id),
        parent: parent.map(TurnId),
        role,
        side,
        content: content.into(),
        by: match (role, side) {
            (Role::Assistant, Side::Left) => "smollm2-135m".into(),
            (Role::Assistant, Side::Right) => "sft-0412".into(),
            _ => String::new(),
        },
        outcome: answered.then(|| outcome(41)),
    }
}

fn chat(setup: Setup, turns: Vec<Turn>, heads: [Option<i64>; 2]) -> Event {
    Event::Chat(ChatEvent::Opened(Box::new(Chat {
        id: CHAT,
        title: "Subnets".into(),
        setup,
        turns: turns.into_iter().map(|turn| (turn.id, turn)).collect(),
        heads: heads.map(|head| head.map(TurnId)),
        decisions: Decisions::default(),
        sources: BTreeMap::new(),
    })))
}

fn single() -> Setup {
    Setup { left: answerer("smollm2-135m"), ..Setup::default() }
}

const ANSWER: &str = "To shrink broadcast domains and **segment** workloads:\n\n- a /24 leaves `251` usable addresses per subnet\n- each tier gets its own route table, so that what is private stays private even when a rule is wrong\n\n```sh\naws ec2 create-subnet --cidr 10.0.1.0/24\n```\nand so on:\n```sh\naws ec2 create-subnet --cidr 10.0.2.0/24\n```";

pub(crate) fn asked() -> Event {
    let turns = vec![
        turn(1, None, Role::User, Side::Left, "Why split a /16 VPC into /24 subnets?"),
        turn(2, Some(1), Role::Assistant, Side::Left, ANSWER),
    ];
    chat(single(), turns, [Some(2), None])
}

/// Two answers to one question, side by side.
pub(crate) fn beside(names: AnswererNames) -> Event {
    let setup = Setup { right: Some(tuned()), names, ..single() };
    let turns = vec![
        turn(1, None, Role::User, Side::Left, "Use first-principles reasoning for entropy."),
        turn(
            2,
            Some(1),
            Role::Assistant,
            Side::Left,
            "Entropy is a concept that is used in physics and in information theory, and it is important.",
        ),
        turn(
            3,
            Some(1),
            Role::Assistant,
            Side::Right,
            "Final Principle: Entropy counts the arrangements that look alike.\n\nExplanatory Principle: heat spreads because there are more ways to be spread out.",
        ),
    ];
    chat(setup, turns, [Some(2), Some(3)])
}

fn decided(decisions: Decisions) -> Event {
    Event::Chat(ChatEvent::Decided { chat: CHAT, decisions })
}

/// A vote on the two answers of [`beside`].
fn voted(vote: Vote) -> Event {
    let last = Some("a vote".to_owned());
    decided(Decisions { votes: [((TurnId(2), TurnId(3)), vote)].into(), last, ..Decisions::default() })
}

pub(crate) fn opened(event: Event) -> Harness {
    let mut studio = Harness::new().with(world::models()).with(event);
    studio.keys("4");
    studio
}

#[test]
fn a_new_chat_says_what_it_is_for() {
    let mut studio = Harness::new().with(world::models());
    studio.keys("4");
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn without_a_model_it_says_where_one_comes_from() {
    let mut studio = Harness::empty().with(world::no_models());
    let session = dojo_studio::domain::session::SessionInfo {
        name: "empty".into(),
        path: "sessions/empty".into(),
        file: Default::default(),
    };
    studio.apply(Event::Sessions(dojo_studio::domain::protocol::SessionsEvent::Opened(session)));
    studio.apply(world::no_models());
    studio.keys("4");
    assert!(studio.screen().contains("p there fetches one"), "{}", studio.screen());
    // One that is on its way is not asked for again.
    world::jobs().into_iter().for_each(|event| studio.apply(event));
    for keys in ["esc", "m"] {
        studio.keys(keys);
        let screen = studio.screen();
        assert!(screen.contains("smollm2-135m is being fetched"), "{keys}: {screen}");
        assert!(!screen.contains("p there fetches one"), "{keys}: {screen}");
    }
}

#[test]
fn a_question_is_sent_with_enter_and_broken_with_alt_enter() {
    let mut studio = Harness::new().with(world::models());
    studio.keys("4 enter");
    studio.text("one");
    studio.keys("alt-enter");
    studio.text("two");
    let effects = studio.keys("enter");
    let commands = sent(&effects);
    let [ChatCommand::Ask(question), ..] = commands.as_slice() else { panic!("{commands:?}") };
    assert_eq!((question.chat, question.after, question.text.as_str()), (None, [None, None], "one\ntwo"));
    assert_eq!(question.setup.left, answerer("smollm2-135m"));
    // What was sent can be taken up again.
    studio.keys("up");
    assert!(studio.screen().contains("two"), "{}", studio.screen());
}

#[test]
fn an_answer_is_rendered_as_markdown() {
    let mut studio = opened(asked());
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn an_answer_that_comes_shows_its_pace_and_esc_stops_it() {
    let turns = vec![
        turn(1, None, Role::User, Side::Left, "Why is the sky blue?"),
        turn(2, Some(1), Role::Assistant, Side::Left, ""),
    ];
    let mut studio = opened(chat(single(), turns, [Some(2), None]));
    studio.apply(Event::Chat(ChatEvent::Waits { turn: TurnId(2), phase: Phase::Loading }));
    assert!(studio.screen().contains("loading the model"), "{}", studio.screen());
    let pace = AnswerPace { prompt_tokens: 31, tokens: 12, context: 2048, tokens_per_second: 38.2 };
    studio.apply(Event::Chat(ChatEvent::Wrote { turn: TurnId(2), text: "Rayleigh **scatt".into(), pace }));
    insta::assert_snapshot!(studio.screen());
    assert_eq!(sent(&studio.keys("esc")), [&ChatCommand::Stop]);
    // While it is written, nothing else is sent.
    studio.keys("enter");
    studio.text("more");
    assert_eq!(sent(&studio.keys("enter")), Vec::<&ChatCommand>::new());
    assert_eq!(sent(&studio.keys("esc")), [&ChatCommand::Stop]);
    let ended = AnswerOutcome { why: Why::Stopped, ..outcome(12) };
    let content = "Rayleigh **scatt".to_owned();
    studio.apply(Event::Chat(ChatEvent::Ended { turn: TurnId(2), content, outcome: ended }));
    assert!(studio.screen().contains("stopped"), "{}", studio.screen());
}

#[test]
fn two_answers_stand_side_by_side_and_a_vote_says_which_is_better() {
    let mut studio = opened(beside(AnswererNames::Shown));
    insta::assert_snapshot!("two_answers_side_by_side", studio.screen());
    studio.keys("b");
    insta::assert_snapshot!("the_vote_is_asked_for", studio.screen());
    let effects = studio.keys("right");
    let vote = ChatCommand::Vote {
        chat: CHAT,
        pair: (TurnId(2), TurnId(3)),
        vote: Vote::Right,
        names: AnswererNames::Shown,
    };
    assert_eq!(sent(&effects), [&vote]);
    studio.apply(voted(Vote::Right));
    assert!(studio.screen().contains("sft-0412 ✓ better"), "{}", studio.screen());
    // The better answer goes on in both columns.
    studio.keys("enter");
    studio.text("go on");
    let effects = studio.keys("enter");
    let commands = sent(&effects);
    let [ChatCommand::Ask(question), ..] = commands.as_slice() else { panic!("{commands:?}") };
    assert_eq!(question.after, [Some(TurnId(3)); 2]);
}

#[test]
fn hidden_names_come_with_the_vote() {
    let mut studio = opened(beside(AnswererNames::Hidden));
    let screen = studio.screen();
    let chat_lines: Vec<&str> = screen.lines().skip(2).collect();
    assert!(!chat_lines.join("\n").contains("sft-0412"), "{screen}");
    assert!(screen.contains("left · name hidden"), "{screen}");
    studio.apply(voted(Vote::Left));
    assert!(studio.screen().contains("smollm2-135m ✓ better"), "{}", studio.screen());
}

#[test]
fn side_by_side_puts_the_last_adapter_beside_the_base() {
    let mut studio = Harness::new().with(world::models());
    studio.keys("4 s enter");
    studio.text("hello");
    let effects = studio.keys("enter");
    let commands = sent(&effects);
    let [ChatCommand::Ask(question), ..] = commands.as_slice() else { panic!("{commands:?}") };
    assert_eq!(question.setup.right.as_ref().map(|right| right.name.as_str()), Some("sft-0412"));
    assert_eq!(question.setup.left.name, "smollm2-135m");
}

#[test]
fn an_edited_question_is_a_branch_of_the_turn_before_it() {
    let mut studio = opened(asked());
    studio.keys("up e");
    assert!(studio.screen().contains("sent as a branch"), "{}", studio.screen());
    studio.text(" Briefly.");
    let effects = studio.keys("enter");
    let commands = sent(&effects);
    let [ChatCommand::Ask(question), ..] = commands.as_slice() else { panic!("{commands:?}") };
    assert_eq!((question.chat, question.after), (Some(CHAT), [None, None]));
    assert_eq!(question.text, "Why split a /16 VPC into /24 subnets? Briefly.");
}

#[test]
fn branches_are_counted_and_walked_through() {
    let turns = vec![
        turn(1, None, Role::User, Side::Left, "Say a word."),
        turn(2, Some(1), Role::Assistant, Side::Left, "Apple."),
        turn(3, Some(1), Role::Assistant, Side::Left, "Pear."),
        turn(4, Some(2), Role::User, Side::Left, "Another."),
    ];
    let mut studio = opened(chat(single(), turns, [Some(3), None]));
    assert!(studio.screen().contains("◂ 2 of 2 ▸"), "{}", studio.screen());
    let effects = studio.keys("left");
    // With what followed on that branch.
    assert_eq!(sent(&effects), [&ChatCommand::Show { chat: CHAT, heads: [Some(TurnId(4)), None] }]);
    assert_eq!(
        sent(&studio.keys("r")).last(),
        Some(&&ChatCommand::Again { chat: CHAT, answers: vec![TurnId(3)] })
    );
}

#[test]
fn a_good_answer_is_kept_and_a_bad_one_is_corrected() {
    let mut studio = opened(asked());
    assert_eq!(sent(&studio.keys("g")), [&ChatCommand::SaveRecord { chat: CHAT, answer: TurnId(2) }]);
    studio.keys("c");
    insta::assert_snapshot!(studio.screen());
    studio.text(" Done.");
    let effects = studio.keys("ctrl-s");
    let commands = sent(&effects);
    let [ChatCommand::Correct { answer, corrected, .. }, ..] = commands.as_slice() else {
        panic!("{commands:?}")
    };
    assert_eq!(*answer, TurnId(2));
    assert!(corrected.ends_with("``` Done."), "{corrected}");
}

#[test]
fn blocks_of_code_are_copied_one_after_the_other() {
    let mut studio = opened(asked());
    let copied = |effects: Vec<Effect>| match effects.into_iter().next() {
        Some(Effect::Copy(text)) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(copied(studio.keys("Y")), "aws ec2 create-subnet --cidr 10.0.1.0/24");
    assert_eq!(copied(studio.keys("Y")), "aws ec2 create-subnet --cidr 10.0.2.0/24");
    assert_eq!(copied(studio.keys("Y")), "aws ec2 create-subnet --cidr 10.0.1.0/24");
    assert_eq!(copied(studio.keys("y")), ANSWER);
}

#[test]
fn settings_are_stepped_through_or_typed_and_checked() {
    let mut studio = opened(asked());
    studio.keys("p right down");
    studio.text("7");
    studio.keys("enter");
    insta::assert_snapshot!(studio.screen());
    studio.keys("backspace");
    studio.text("0.9");
    let effects = studio.keys("enter");
    let commands = sent(&effects);
    let [ChatCommand::SetUp { setup, .. }, ..] = commands.as_slice() else { panic!("{commands:?}") };
    assert_eq!((setup.sampling.temperature, setup.sampling.top_p), (0.8, 0.9));
}

#[test]
fn a_system_prompt_is_kept_with_the_chat() {
    let mut studio = opened(asked());
    studio.keys("S");
    studio.text("Be brief.");
    let effects = studio.keys("ctrl-s");
    let commands = sent(&effects);
    let [ChatCommand::SetUp { setup, .. }, ..] = commands.as_slice() else { panic!("{commands:?}") };
    assert_eq!(setup.system, "Be brief.");
    assert!(studio.screen().contains("system prompt"), "{}", studio.screen());
}

#[test]
fn the_model_is_chosen_from_what_is_on_the_machine() {
    let mut studio = opened(asked());
    studio.keys("m");
    insta::assert_snapshot!(studio.screen());
    let effects = studio.keys("down down enter");
    let commands = sent(&effects);
    let [ChatCommand::Prepare(loaded), ChatCommand::SetUp { setup, .. }] = commands.as_slice() else {
        panic!("{commands:?}")
    };
    assert_eq!(loaded.as_slice(), std::slice::from_ref(&setup.left));
    assert_eq!(setup.left.name, "sft-0412");
}

#[test]
fn earlier_chats_are_searched_opened_and_deleted() {
    let mut studio = opened(asked());
    assert_eq!(sent(&studio.keys("h")), [&ChatCommand::Find(String::new())]);
    let summary = |id, title: &str, minutes: i64, found: &str| ChatSummary {
        id: ChatId(id),
        title: title.into(),
        turns: 4,
        at: (NOON as i64 - minutes * 60) * 1000,
        found: found.into(),
        drafts: usize::from(id == 2),
    };
    let effects = studio.text("vp");
    assert_eq!(sent(&effects), [&ChatCommand::Find("v".into()), &ChatCommand::Find("vp".into())]);
    let chats = vec![
        summary(1, "Why split a /16 VPC into /24 subnets?", 3, "Why split a /16 VPC into /24 subnets?"),
        summary(2, "Networks, from the beginning", 3000, "…then a VPC is a private part of a cloud"),
    ];
    studio.apply(Event::Chat(ChatEvent::Found { text: "vp".into(), chats }));
    insta::assert_snapshot!(studio.screen());
    studio.keys("ctrl-d");
    assert!(studio.screen().contains("Delete this chat"), "{}", studio.screen());
    studio.keys("esc");
    assert_eq!(sent(&studio.keys("down enter")), [&ChatCommand::Open(ChatId(2))]);
}

#[test]
fn a_narrow_screen_keeps_both_columns_readable() {
    let mut studio = opened(beside(AnswererNames::Shown));
    studio.resize(80, 24);
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn a_long_chat_follows_its_end_until_it_is_scrolled() {
    let many: Vec<Turn> = (1..=30)
        .map(|id| {
            let role = if id % 2 == 1 { Role::User } else { Role::Assistant };
            turn(id, (id > 1).then_some(id - 1), role, Side::Left, &format!("turn number {id}\nof thirty"))
        })
        .collect();
    let mut studio = opened(chat(single(), many, [Some(30), None]));
    assert!(studio.screen().contains("turn number 30"));
    studio.keys("home");
    assert!(studio.screen().contains("turn number 1\n") || studio.screen().contains("turn number 1 "));
    assert!(studio.screen().contains("more turns"), "{}", studio.screen());
    studio.keys("end");
    assert!(studio.screen().contains("turn number 30"));
}

fn draft(place: DraftPlace, text: &str) -> ChatCommand {
    ChatCommand::KeepDraft { chat: Some(CHAT), place, text: text.into() }
}

/// What the session answers when it has kept a draft.
fn drafted(chat: Option<ChatId>, place: DraftPlace, text: &str) -> Event {
    Event::Chat(ChatEvent::DraftKept { chat, place, text: text.into() })
}

#[test]
fn what_is_written_is_kept_with_every_key_and_belongs_to_its_chat() {
    let mut studio = opened(asked());
    studio.keys("enter");
    let question = DraftPlace::Question;
    assert_eq!(sent(&studio.text("hi")), [&draft(question, "h"), &draft(question, "hi")]);
    studio.apply(drafted(Some(CHAT), question, "hi"));
    studio.keys("esc");
    assert!(studio.screen().contains("▏ hi"), "{}", studio.screen());
    // A new chat has a field of its own; the old one's text is there again with it.
    studio.apply(Event::Chat(ChatEvent::Left));
    assert!(!studio.screen().contains("▏ hi"), "{}", studio.screen());
    studio.apply(asked());
    assert!(studio.screen().contains("▏ hi"), "{}", studio.screen());
    studio.keys("enter");
    let effects = studio.keys("enter");
    assert_eq!(sent(&effects).last(), Some(&&draft(question, "")));
}

#[test]
fn a_draft_of_the_last_time_is_there_when_a_session_is_opened() {
    let mut studio = Harness::new().with(world::models());
    assert_eq!(sent(&studio.keys("4")), [&ChatCommand::ReadDrafts(None)]);
    let drafts = vec![(DraftPlace::Question, "from yesterday".to_owned())];
    studio.apply(Event::Chat(ChatEvent::DraftsRead { chat: None, drafts }));
    assert!(studio.screen().contains("from yesterday"), "{}", studio.screen());
}

#[test]
fn a_question_begun_while_a_new_chat_opens_goes_along() {
    let mut studio = Harness::new().with(world::models());
    studio.keys("4 enter");
    studio.text("one");
    studio.keys("enter");
    studio.text("two");
    studio.apply(asked());
    let effects = studio.keys("ctrl-l");
    let moved = ChatCommand::KeepDraft { chat: None, place: DraftPlace::Question, text: String::new() };
    assert_eq!(sent(&effects), [&moved, &draft(DraftPlace::Question, "two")]);
    assert!(studio.screen().contains("▏ two"), "{}", studio.screen());
}

#[test]
fn a_correction_that_is_left_is_a_draft() {
    let mut studio = opened(asked());
    studio.keys("c");
    studio.text("!");
    let text = format!("{ANSWER}!");
    studio.apply(drafted(Some(CHAT), DraftPlace::Correction(TurnId(2)), &text));
    let effects = studio.keys("esc");
    assert!(format!("{effects:?}").contains("kept as a draft: c goes on with it"), "{effects:?}");
    studio.keys("c");
    studio.text("?");
    let effects = studio.keys("ctrl-s");
    let commands = sent(&effects);
    let place = DraftPlace::Correction(TurnId(2));
    let corrected = ChatCommand::Correct { chat: CHAT, answer: TurnId(2), corrected: format!("{text}?") };
    assert_eq!(commands, [&corrected, &draft(place, "")]);
}

#[test]
fn ones_own_editor_gets_the_text_and_gives_it_back() {
    let mut studio = opened(asked());
    assert_eq!(studio.keys("ctrl-e"), []);
    studio.keys("enter");
    studio.text("one");
    assert_eq!(studio.keys("ctrl-e"), [Effect::EditOutside("one".into())]);
    let effects = studio.studio.replace_text("one\ntwo\n".into(), &studio.store);
    assert_eq!(sent(&effects), [&draft(DraftPlace::Question, "one\ntwo")]);
    assert!(studio.screen().contains("two"), "{}", studio.screen());
}

#[test]
fn a_kept_answer_has_a_mark_and_undo_is_offered() {
    let mut studio = opened(asked());
    assert_eq!(sent(&studio.keys("u")), Vec::<&ChatCommand>::new());
    let kept = KeptAnswer { how: Keep::Good, record: dojo_studio::domain::record::RecordId(12) };
    let last = Some("a kept answer".to_owned());
    studio.apply(decided(Decisions { kept: [(TurnId(2), kept)].into(), last, ..Decisions::default() }));
    assert!(studio.screen().contains("✓ kept as record 12 · 137 tok/s"), "{}", studio.screen());
    assert_eq!(sent(&studio.keys("u")), [&ChatCommand::Undo(CHAT)]);
}

#[test]
fn a_chat_is_renamed() {
    let mut studio = opened(asked());
    studio.keys("R");
    studio.text(" of a VPC");
    insta::assert_snapshot!(studio.screen());
    let renamed = ChatCommand::Rename { chat: CHAT, title: "Subnets of a VPC".into() };
    assert_eq!(sent(&studio.keys("enter")), [&renamed]);
    studio.apply(Event::Chat(ChatEvent::Renamed { chat: CHAT, title: "Subnets of a VPC".into() }));
    assert!(studio.screen().contains("2 turns · Subnets of a VPC"), "{}", studio.screen());
}

/// Questions and answers, of which every tenth names a fox.
fn many(count: i64) -> Event {
    let turns: Vec<Turn> = (1..=count)
        .map(|id| {
            let role = if id % 2 == 1 { Role::User } else { Role::Assistant };
            let fox = if id % 10 == 0 { "\n\nThe FOX.\n\nAnd the fox again." } else { "" };
            turn(id, (id > 1).then_some(id - 1), role, Side::Left, &format!("turn number {id}.{fox}"))
        })
        .collect();
    chat(single(), turns, [Some(count), None])
}

#[test]
fn words_are_found_within_a_chat_and_walked_through() {
    let mut studio = opened(many(60));
    studio.keys("home /");
    studio.text("fox");
    let screen = studio.screen();
    assert!(screen.contains("turn number 10.") && screen.contains("turn 1 of 6 that hold it"), "{screen}");
    insta::assert_snapshot!(screen);
    studio.keys("enter n n");
    assert!(studio.screen().contains("turn 2 of 6"), "{}", studio.screen());
    studio.keys("N N N");
    assert!(studio.screen().contains("turn 6 of 6"), "{}", studio.screen());
    assert!(studio.screen().contains("The FOX"), "{}", studio.screen());
    // n begins a new chat again once the search is left.
    studio.keys("esc");
    assert_eq!(sent(&studio.keys("n")), [&ChatCommand::Leave]);
}

#[test]
fn a_search_that_is_left_goes_back_to_where_it_began() {
    let mut studio = opened(many(60));
    studio.keys("up up up");
    let before = studio.screen();
    studio.keys("/");
    studio.text("number 3.");
    assert!(studio.screen().contains("turn number 3."), "{}", studio.screen());
    studio.keys("esc");
    assert!(studio.screen().contains("turn number 57."), "{}", studio.screen());
    assert!(before.contains("turn number 57."));
    studio.keys("/");
    studio.text("zebra");
    assert!(studio.screen().contains("not in this chat"), "{}", studio.screen());
}

#[test]
fn a_column_scrolls_by_lines_and_pages_over_turns_of_any_length() {
    let mut studio = opened(many(60));
    let rows = |studio: &mut Harness| -> Vec<String> { studio.screen().lines().map(str::to_owned).collect() };
    let end = rows(&mut studio);
    studio.keys("pageup pageup");
    assert_ne!(rows(&mut studio), end);
    studio.keys("pagedown pagedown");
    assert_eq!(rows(&mut studio), end);
    studio.mouse(crossterm::event::MouseEventKind::ScrollUp, 20, 10);
    // Three lines further up: what was in line 10 is in line 13.
    let scrolled = rows(&mut studio);
    assert_eq!(scrolled[13..20], end[10..17]);
    // Down to the end by single lines, and no further.
    for _ in 0..9 {
        studio.mouse(crossterm::event::MouseEventKind::ScrollDown, 20, 10);
    }
    assert_eq!(rows(&mut studio), end);
}

#[test]
fn another_theme_repaints_turns_that_were_laid_out() {
    let mut studio = opened(asked());
    studio.screen();
    let colours =
        |studio: &Harness| -> Vec<_> { studio.buffer().content.iter().map(|cell| cell.fg).collect() };
    let night = colours(&studio);
    studio.keys("f5 down enter");
    studio.screen();
    let paper = colours(&studio);
    let fresh = {
        let mut fresh = opened(asked());
        fresh.keys("f5 down enter");
        fresh.screen();
        colours(&fresh)
    };
    assert_ne!(night, paper);
    assert_eq!(paper, fresh);
}

#[test]
fn code_json_and_nested_lists_keep_their_indentation() {
    let answer = "A list:\n- one\n  - two, which is long enough to go on in a second row below its own first word\n    1. three\n\n```python\ndef f(x):\n    if x:\n        return [\n            1,\n        ]\n```\n{\n  \"a\": {\n    \"b\": 2**3 + 4**5\n  }\n}";
    let turns = vec![
        turn(1, None, Role::User, Side::Left, "    an indented question"),
        turn(2, Some(1), Role::Assistant, Side::Left, answer),
    ];
    let mut studio = opened(chat(single(), turns, [Some(2), None])).size(80, 36);
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn wide_text_and_hidden_marks_are_shown_as_they_are() {
    let answer = "日本語の文章はここで折り返されます。長い文なので、二行か三行になるはずです。句点は行の初めに来ません。\n\n👨\u{200d}👩\u{200d}👧\u{200d}👦 family, e\u{301}, and \u{202e}turned\u{202c}, \u{200b}hidden.";
    let turns = vec![
        turn(1, None, Role::User, Side::Left, "日本語で？"),
        turn(2, Some(1), Role::Assistant, Side::Left, answer),
    ];
    let mut studio = opened(chat(single(), turns, [Some(2), None])).size(60, 24);
    insta::assert_snapshot!(studio.screen());
    let raw = |cell: &ratatui::buffer::Cell| cell.symbol().contains(['\u{202e}', '\u{202c}', '\u{200b}']);
    assert!(!studio.buffer().content.iter().any(raw));
}

#[test]
fn a_pasted_mark_that_turns_text_never_reaches_the_terminal() {
    let mut studio = opened(asked());
    studio.keys("enter");
    studio.paste("a\u{202e}b");
    studio.screen();
    assert!(!studio.buffer().content.iter().any(|cell| cell.symbol().contains('\u{202e}')));
}

#[test]
fn what_can_only_be_done_to_an_answer_says_so_of_a_question() {
    let mut studio = opened(asked());
    studio.keys("esc home");
    let footer = studio.screen().lines().last().unwrap_or_default().to_owned();
    assert!(!footer.contains("correct") && footer.contains("e edit"), "{footer}");
    for (key, says) in [("c", "e edits a question"), ("a", "a keeps an answer")] {
        let said = format!("{:?}", studio.keys(key));
        assert!(said.contains("this is a question") && said.contains(says), "{key}: {said}");
    }
    studio.keys("end");
    let footer = studio.screen().lines().last().unwrap_or_default().to_owned();
    assert!(footer.contains("c correct"), "{footer}");
}

#[test]
fn chats_with_drafts_of_an_earlier_time_are_told_of_once() {
    let kept = KeptDraft { base: String::new(), text: "half a".into(), at: 7 };
    let of = |chat: i64, place| (DraftOf::Chat(Some(ChatId(chat)), place), kept.clone());
    let drafts = [
        of(7, DraftPlace::Question),
        of(7, DraftPlace::System),
        of(8, DraftPlace::Edit(TurnId(3))),
        (DraftOf::Chat(None, DraftPlace::Question), kept.clone()),
    ];
    let mut studio = Harness::new();
    let read = DataEvent::DraftsRead("sessions/first-principles".into(), drafts.into());
    studio.apply(Event::Data(read));
    let said = format!("{:?}", studio.keys("4"));
    assert!(said.contains("2 chats have drafts of yours (✎): h finds them"), "{said}");
    let again = format!("{:?}", studio.keys("1 4"));
    assert!(!again.contains("drafts of yours"), "{again}");
}

#[test]
fn what_a_closed_window_left_in_the_open_chat_is_in_the_empty_field_and_told_of() {
    let read = |places: &[DraftPlace]| {
        let kept = KeptDraft { base: String::new(), text: "half a question".into(), at: 7 };
        let drafts = places.iter().map(|place| (DraftOf::Chat(Some(ChatId(1)), *place), kept.clone()));
        Event::Data(DataEvent::DraftsRead("sessions/first-principles".into(), drafts.collect()))
    };
    let beside = || {
        let mut studio = opened(asked());
        studio.apply(read(&[]));
        studio.keys("ctrl-l");
        studio
    };
    let mut studio = beside();
    studio.apply(read(&[DraftPlace::Question]));
    let effects = studio.keys("ctrl-l");
    let again = Effect::Send(Command::Chat(ChatCommand::ReadDrafts(Some(ChatId(1)))));
    assert!(effects.contains(&again), "{effects:?}");
    assert!(format!("{effects:?}").contains("is in the field now"), "{effects:?}");
    assert!(studio.screen().contains("▏ half a question"), "{}", studio.screen());
    // What is written here stays, and what it left elsewhere in the chat is told of.
    let mut studio = beside();
    studio.keys("enter m i n e esc");
    studio.apply(read(&[DraftPlace::Question, DraftPlace::Correction(TurnId(2))]));
    let effects = studio.keys("ctrl-l");
    assert!(format!("{effects:?}").contains("is marked ✎"), "{effects:?}");
    assert!(studio.screen().contains("▏ mine"), "{}", studio.screen());
    // What was begun here is no news when it is read again.
    let mut studio = beside();
    studio.keys("enter m i n e esc");
    studio.apply(read(&[DraftPlace::Question]));
    assert!(!format!("{:?}", studio.keys("ctrl-l")).contains("another window"));
}

#[test]
fn chats_that_come_from_another_window_leave_the_cursor_where_it_was() {
    let mut studio = opened(asked());
    studio.keys("h");
    let summary = |id, title: &str| ChatSummary {
        id: ChatId(id),
        title: title.into(),
        turns: 2,
        at: NOON as i64 * 1000,
        found: String::new(),
        drafts: 0,
    };
    let found = |chats| Event::Chat(ChatEvent::Found { text: String::new(), chats });
    studio.apply(found(vec![summary(1, "Subnets"), summary(2, "Networks")]));
    studio.screen();
    studio.apply(found(vec![summary(3, "Made elsewhere"), summary(1, "Subnets"), summary(2, "Networks")]));
    assert!(studio.screen().contains("Made elsewhere"), "{}", studio.screen());
    assert_eq!(sent(&studio.keys("enter")), [&ChatCommand::Open(ChatId(1))]);
}

#[test]
fn an_answer_says_that_its_correction_is_begun() {
    let mut studio = opened(asked());
    assert!(!studio.screen().contains("a correction is begun"));
    let drafts = vec![(DraftPlace::Correction(TurnId(2)), "better".to_owned())];
    studio.apply(Event::Chat(ChatEvent::DraftsRead { chat: Some(CHAT), drafts }));
    assert!(studio.screen().contains("✎ a correction is begun: c goes on with it"), "{}", studio.screen());
    studio.keys("esc c");
    assert!(studio.screen().contains("better"), "{}", studio.screen());
}
