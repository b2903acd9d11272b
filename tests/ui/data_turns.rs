//! Records of several turns: how they look, how their turns are written, and that nothing typed is lost.

use dojo_studio::domain::change::Body;
use dojo_studio::domain::draft::{DraftOf, KeptDraft};
use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::protocol::data::{Opened, RowSummary};
use dojo_studio::domain::protocol::{Command, DataCommand, DataEvent, Event};
use dojo_studio::domain::record::{Record, RecordId};
use dojo_studio::ui::pane::Effect;
use serde_json::json;

use super::data::{opened, page, send, studio, viewed};
use crate::ui::harness::Harness;

/// Two questions; before the second is answered a tool is called, after a thought.
fn conversation() -> Record {
    let mut call = Message::new(Role::Assistant, "");
    call.extra.insert(
        "tool_calls".into(),
        json!([{"type": "function", "function": {"name": "weather", "arguments": {"city": "Oslo"}}}]),
    );
    call.extra.insert("reasoning_content".into(), json!("I need the weather in Oslo."));
    Record {
        messages: vec![
            Message::new(Role::System, "You are brief."),
            Message::new(Role::User, "Who are you?"),
            Message::new(Role::Assistant, "A program."),
            Message::new(Role::User, "Will it rain in Oslo?"),
            call,
            Message::new(Role::Tool, "rain, 4 °C"),
            Message::new(Role::Assistant, "Yes, take an umbrella."),
        ],
        ..Record::default()
    }
}

fn of(id: i64, record: Record) -> Event {
    let opened = Opened { record, tokens: Some(60), history: Vec::new(), findings: Vec::new() };
    Event::Data(DataEvent::Opened(RecordId(id), Some(Box::new(opened))))
}

/// Record 1 is a conversation.
fn talking() -> Harness {
    let mut studio = studio();
    let row = RowSummary { tokens: Some(60), ..RowSummary::of(RecordId(1), &conversation()) };
    studio.apply(Event::Data(DataEvent::PageRead {
        view: dojo_studio::domain::protocol::data::ViewId(1),
        generation: dojo_studio::domain::protocol::data::Generation(1),
        start: 0,
        rows: vec![row],
    }));
    studio.apply(of(1, conversation()));
    studio
}

/// The content that is saved with ctrl-s.
fn saved(studio: &mut Harness) -> Body {
    let effects = studio.keys("ctrl-s");
    match effects.into_iter().next() {
        Some(Effect::Send(Command::Data(DataCommand::Edit { body, .. } | DataCommand::Add(body)))) => body,
        other => panic!("{other:?}"),
    }
}

fn says(body: &Body) -> Vec<(&'static str, &str)> {
    body.messages.iter().map(|turn| (turn.role.name(), turn.content.as_str())).collect()
}

#[test]
fn the_question_that_was_answered_stands_with_signs_of_turns_calls_and_thoughts() {
    insta::assert_snapshot!(talking().screen());
}

#[test]
fn a_long_conversation_opens_whole_from_its_beginning() {
    let mut studio = talking().size(80, 24);
    studio.keys("enter");
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn turns_are_listed_while_one_is_written() {
    let mut studio = talking().size(80, 24);
    studio.keys("e shift-tab shift-tab");
    insta::assert_snapshot!("editor", studio.screen());
    studio.resize(60, 16);
    insta::assert_snapshot!("editor-smallest", studio.screen());
}

#[test]
fn the_text_being_written_is_in_its_own_row_under_the_question() {
    let mut studio = talking().size(80, 24);
    studio.keys("e");
    for (columns, rows) in [(80, 24), (120, 36), (60, 16)] {
        studio.resize(columns, rows);
        let screen = studio.screen();
        let row = |words: &str| {
            let found = screen.lines().position(|line| line.contains(words));
            found.unwrap_or_else(|| panic!("{words} at {columns}x{rows}:\n{screen}"))
        };
        assert_eq!(row("▌ 7 assistant"), row("Yes, take an umbrella."), "{screen}");
        assert_eq!(row(" 4 user"), row("Will it rain in Oslo?"), "{screen}");
        assert_eq!(row(" 2 user"), row("Who are you?"), "{screen}");
    }
}

#[test]
fn a_long_question_is_read_in_several_rows_while_its_answer_is_written() {
    let mut studio = studio().size(80, 24);
    let question = (1..=200).map(|number| format!("word{number}")).collect::<Vec<_>>().join(" ");
    let messages = vec![Message::new(Role::User, question), Message::new(Role::Assistant, "done")];
    studio.apply(of(1, Record { messages, ..Record::default() }));
    studio.keys("e");
    let screen = studio.screen();
    let rows = screen.lines().filter(|line| line.contains("word")).count();
    assert!((4..=13).contains(&rows) && screen.contains('…'), "{rows} in\n{screen}");
    assert!(screen.contains("▌ 2 assistant      done"), "{screen}");
}

#[test]
fn calls_and_thoughts_stay_whole_when_a_text_is_edited() {
    let mut studio = talking();
    studio.keys("e tab");
    studio.text("Please: ");
    let body = saved(&mut studio);
    let mut expected = Body::of(&conversation());
    expected.messages[0].content = "Please: You are brief.".into();
    assert_eq!(body, expected);
}

#[test]
fn turns_are_added_moved_taken_out_and_given_to_another_speaker() {
    let mut studio = studio();
    studio.keys("e alt-n");
    studio.text("And in one word?");
    studio.keys("alt-n");
    studio.text("Heat.");
    let body = saved(&mut studio);
    let roles: Vec<&str> = body.messages.iter().map(|turn| turn.role.name()).collect();
    assert_eq!(roles, ["user", "assistant", "user", "assistant"]);
    assert_eq!(body.messages[3].content, "Heat.");

    let mut studio = talking();
    studio.keys("e alt-up alt-r");
    let body = saved(&mut studio);
    assert_eq!(says(&body)[5..], [("tool", "Yes, take an umbrella."), ("tool", "rain, 4 °C")]);

    let mut studio = talking();
    studio.keys("e shift-tab shift-tab alt-r");
    assert!(studio.screen().contains("so the assistant speaks it"));
    studio.keys("alt-x alt-z tab alt-x");
    let mut expected = Body::of(&conversation());
    expected.messages.remove(5);
    assert_eq!(saved(&mut studio), expected);
}

#[test]
fn what_was_thrown_away_comes_back() {
    let mut studio = talking();
    studio.keys("e ctrl-a");
    studio.text("Oh: ");
    studio.keys("alt-o");
    assert!(!studio.screen().contains("Oh: Yes"));
    studio.keys("alt-z");
    assert_eq!(saved(&mut studio).messages[6].content, "Oh: Yes, take an umbrella.");
}

#[test]
fn an_edit_that_is_left_stays_as_a_draft_until_it_is_on_the_disk() {
    let mut studio = studio();
    studio.keys("e ctrl-a");
    studio.text("first ");
    studio.keys("esc");
    let screen = studio.screen();
    assert!(screen.contains(" 1 · draft: e opens it "), "{screen}");
    assert!(screen.lines().any(|line| line.starts_with("▌✎")), "{screen}");
    studio.keys("ctrl-q");
    assert!(studio.screen().contains("a draft of a record"), "{}", studio.screen());
    studio.keys("esc");
    studio.keys("e");
    assert!(studio.screen().contains(" 1 · draft · not saved "), "{}", studio.screen());
    let body = saved(&mut studio);
    assert!(body.messages[1].content.contains("first "));
    // As long as nothing is known of the disk, it is not lost either.
    studio.keys("ctrl-q");
    assert!(studio.screen().contains("Quit without saving?"));
    studio.keys("esc");
    studio.apply(Event::Data(DataEvent::Edited(RecordId(1))));
    studio.keys("ctrl-l");
    assert_eq!(studio.keys("ctrl-q"), [Effect::Quit]);
}

#[test]
fn typed_text_is_asked_about_before_the_program_ends() {
    let mut studio = studio();
    studio.keys("e");
    assert_eq!(studio.keys("ctrl-q"), [Effect::Quit], "nothing was typed");
    studio.text("x");
    studio.keys("ctrl-q");
    assert!(studio.screen().contains("Typed and not saved: the text of record 1."), "{}", studio.screen());
}

#[test]
fn a_draft_of_a_record_that_changed_since_says_so() {
    let mut studio = studio();
    studio.keys("e");
    studio.text("x");
    studio.keys("esc");
    studio.apply(of(1, conversation()));
    studio.keys("e");
    assert!(studio.screen().contains("The record has changed since"), "{}", studio.screen());
}

#[test]
fn a_new_record_is_written_at_once_and_seen_wherever_the_filter_puts_it() {
    let mut studio = studio();
    studio.keys("f");
    studio.text("tag:x");
    studio.keys("enter");
    studio.apply(viewed(5, 2, 40, 500, None));
    studio.apply(page(5, 2, 201..=240));
    studio.apply(opened(201));
    studio.screen();
    studio.keys("n");
    assert!(studio.screen().contains(" new record "), "{}", studio.screen());
    studio.text("Why is the sky blue?");
    studio.keys("tab");
    studio.text("Rayleigh scattering.");
    let body = saved(&mut studio);
    let both = [("user", "Why is the sky blue?"), ("assistant", "Rayleigh scattering.")];
    assert_eq!(says(&body), both);
    let mut record = Record::default();
    body.put(&mut record);
    studio.apply(Event::Data(DataEvent::Created(RecordId(501))));
    studio.apply(of(501, record));
    studio.apply(viewed(5, 3, 40, 501, None));
    studio.apply(page(5, 3, 201..=240));
    insta::assert_snapshot!(studio.screen());
    let effects = studio.keys("a");
    let one = dojo_studio::domain::change::Selection::Records(vec![RecordId(501)]);
    assert!(
        matches!(effects.as_slice(), [Effect::Send(Command::Data(DataCommand::Change { selection, .. }))] if *selection == one),
        "{effects:?}"
    );
    assert_eq!(studio.keys("down"), [send(DataCommand::Open(RecordId(202)))]);
}

#[test]
fn a_new_record_among_the_rows_has_the_cursor() {
    let mut studio = studio();
    studio.keys("n");
    studio.text("q");
    saved(&mut studio);
    studio.apply(Event::Data(DataEvent::Created(RecordId(7))));
    studio.apply(opened(7));
    studio.apply(viewed(1, 2, 185, 501, Some((7, 6))));
    studio.apply(page(1, 2, 1..=150));
    let screen = studio.screen();
    assert!(screen.lines().any(|line| line.starts_with('▌') && line.contains("Topic 7 ")), "{screen}");
    assert_eq!(screen.matches("Topic 7 ").count(), 1, "{screen}");
}

#[test]
fn the_tools_of_a_record_and_what_its_template_is_told_are_seen() {
    let mut studio = studio();
    let mut record = conversation();
    record.messages.truncate(3);
    record.tools = vec![json!({"type": "function", "function": {"name": "weather"}})];
    record.settings.insert("enable_thinking".into(), json!(false));
    studio.apply(of(1, record));
    studio.keys("enter");
    let screen = studio.screen();
    assert!(screen.contains("tools") && screen.contains("\"name\":\"weather\""), "{screen}");
    assert!(screen.contains("template") && screen.contains("enable_thinking: false"), "{screen}");
}

#[test]
fn a_turn_goes_to_ones_own_editor_and_comes_back() {
    let mut studio = talking();
    assert_eq!(studio.keys("ctrl-e"), [], "no text is being edited");
    studio.keys("e");
    assert_eq!(studio.keys("ctrl-e"), [Effect::EditOutside("Yes, take an umbrella.".into())]);
    studio.studio.replace_text("Yes,\ntake\n\tan umbrella.".into(), &studio.store);
    assert_eq!(saved(&mut studio).messages[6].content, "Yes,\ntake\n\tan umbrella.");
}

#[test]
fn hidden_marks_are_seen_while_they_are_edited_and_stay_in_the_text() {
    let mut studio = studio();
    let answer = "pay\u{202e}gnp\u{2066}.exe\u{2069} now\u{200b}here \u{1b}[31mred\u{feff}\u{2060}";
    let messages = vec![Message::new(Role::User, "Where?"), Message::new(Role::Assistant, answer)];
    studio.apply(of(1, Record { messages, ..Record::default() }));
    studio.keys("e right right right right");
    studio.text("|");
    let screen = studio.screen();
    assert!(
        screen.contains("pay<U+202E>|gnp<U+2066>.exe<U+2069> now<U+200B>here ␛[31mred<U+FEFF><U+2060>"),
        "{screen}"
    );
    insta::assert_snapshot!(screen);
    let said = saved(&mut studio).messages[1].content.clone();
    assert_eq!(said, answer.replacen("\u{202e}", "\u{202e}|", 1));
}

#[test]
fn a_draft_of_an_earlier_time_opens_where_it_was_written_last() {
    let lines = |middle: &str| {
        let many = |from: usize| (from..from + 60).map(|line| format!("line {line}")).collect::<Vec<_>>();
        [many(0).join("\n"), middle.to_owned(), many(60).join("\n")].join("\n")
    };
    let mut record = conversation();
    record.messages[2].content = lines("the middle.");
    let base = Body::of(&record);
    let mut written = base.clone();
    written.messages[2].content = lines("the middle, WRITTEN HERE.");
    let json = |body: &Body| serde_json::to_string(body).expect("json");
    let kept = KeptDraft { base: json(&base), text: json(&written), at: 7 };
    let drafts = [(DraftOf::Record(RecordId(1)), kept)].into();
    let mut studio = talking();
    studio.apply(Event::Data(DataEvent::DraftsRead("sessions/first-principles".into(), drafts)));
    studio.keys("ctrl-l");
    studio.apply(of(1, record));
    studio.keys("e");
    let screen = studio.screen();
    assert!(screen.contains("the middle, WRITTEN HERE."), "{screen}");
    assert_eq!(studio.at_caret().as_deref(), Some("."), "{screen}");
    assert!(screen.contains("▌ 3 assistant"), "{screen}");
}
