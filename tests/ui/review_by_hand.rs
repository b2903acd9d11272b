//! Review by hand: thoughts without a correction, drafts, reasons, and what comes at the end.

use std::path::PathBuf;
use std::sync::Arc;

use dojo_studio::domain::draft::{DraftOf, KeptDraft};
use dojo_studio::domain::protocol::review::{QueueId, RevisionMet, Undoing};
use dojo_studio::domain::protocol::runs::RecipeFile;
use dojo_studio::domain::protocol::{
    Command, DataCommand, DataEvent, Event, ReviewCommand, ReviewEvent, RunsCommand, RunsEvent,
};
use dojo_studio::domain::reflection::{Decision, ReflectionId, Verdict};
use dojo_studio::domain::review::{
    Contents, Disagreement, DraftText, LastStep, QueueRow, ReviewCounts, ReviewItem, Reviewed,
};
use dojo_studio::domain::thought::ThoughtId;
use dojo_studio::ui::pane::{Effect, PaneId};

use super::review::{
    STUDENT, TEACHER, counts, decide, decided, event, item, opened, revise, row, send, studio,
};
use crate::ui::harness::{Harness, NOON};

const THOUGHT: Reviewed = Reviewed::Thought(ThoughtId(9));

fn thought_row() -> QueueRow {
    QueueRow {
        id: THOUGHT,
        score: None,
        teacher: Arc::from(""),
        label: Arc::from(""),
        disagreement: Disagreement::None,
        ..row(9)
    }
}

pub(super) fn thought_item() -> ReviewItem {
    ReviewItem { id: THOUGHT, reflection: None, verdicts: Vec::new(), ..item(9) }
}

/// One reflection that is approved already, and a thought that nobody has corrected.
pub(super) fn nearly_done() -> Harness {
    let mut studio = Harness::new();
    studio.keys("2");
    let approved = QueueRow { verdict: Verdict::Approved, mine: Some(Verdict::Approved), ..row(1) };
    studio.apply(event(ReviewEvent::Queued { queue: QueueId(1), rows: vec![approved, thought_row()] }));
    studio.apply(event(ReviewEvent::Counted(ReviewCounts { pending: 0, uncorrected: 1, ..counts() })));
    studio.apply(opened(1));
    studio.apply(event(ReviewEvent::Opened(THOUGHT, Some(Box::new(thought_item())))));
    studio.screen();
    studio
}

fn draft(text: &str) -> DraftText {
    let (text, analysis) = (text.to_owned(), item(1).analysis().to_owned());
    let over = item(1).reflection.map(Box::new);
    DraftText { text, analysis, over, at: (NOON * 1000.0) as i64 }
}

fn kept(of: Reviewed, draft: Option<DraftText>) -> Effect {
    send(ReviewCommand::KeepDraft(of, draft))
}

fn one() -> Reviewed {
    Reviewed::Correction(ReflectionId(1))
}

#[test]
fn a_wrong_thought_without_a_correction_is_read_and_corrected_by_hand() {
    let mut studio = nearly_done();
    insta::assert_snapshot!(studio.screen());
    studio.keys("e");
    assert!(studio.keys("ctrl-s").is_empty(), "the student's own text corrects nothing");
    assert!(studio.screen().contains("still the student's own text"));
    studio.text("NEW ");
    studio.keys("tab");
    studio.text("it overlooks looks");
    insta::assert_snapshot!(studio.screen());
    let correct = ReviewCommand::Correct {
        thought: ThoughtId(9),
        text: format!("NEW {STUDENT}"),
        analysis: "it overlooks looks".to_owned(),
    };
    assert!(studio.keys("ctrl-s").contains(&send(correct)));
    studio.apply(event(ReviewEvent::Corrected { thought: ThoughtId(9), reflection: ReflectionId(2) }));
    assert!(studio.screen().contains("reflection 2 of 2 · ✓ approved"), "{}", studio.screen());
}

#[test]
fn nothing_is_approved_rejected_or_sent_back_where_there_is_no_correction() {
    let mut studio = nearly_done();
    for key in ["backspace", "s"] {
        let effects = studio.keys(key);
        let [Effect::Notify(notice)] = effects.as_slice() else { panic!("{effects:?}") };
        assert!(notice.text.contains("there is no correction here yet: e writes one"), "{notice:?}");
    }
    assert!(studio.screen().contains("thought 2 of 2"), "{}", studio.screen());
    studio.keys("A");
    assert!(!studio.screen().contains("approve 1"), "a thought doesn't wait for a verdict");
}

#[test]
fn esc_keeps_what_was_typed_and_e_goes_on_with_it() {
    let mut studio = studio();
    studio.keys("e");
    // What is typed is kept with every key.
    let whole = draft(&format!("NE{TEACHER}"));
    let first = kept(one(), Some(draft(&format!("N{TEACHER}"))));
    assert_eq!(studio.text("NE"), [first, kept(one(), Some(whole.clone()))]);
    studio.keys("esc");
    studio.apply(event(ReviewEvent::DraftKept(one(), Some(whole.clone()))));
    assert!(studio.screen().contains("◌ pending · ✎ your draft"), "{}", studio.screen());
    studio.keys("n n up up up e");
    assert!(studio.screen().contains("your draft of now"), "{}", studio.screen());
    studio.text("W ");
    let edited = Decision { edited: Some(format!("NEW {TEACHER}")), ..Decision::of(Verdict::Edited) };
    assert!(studio.keys("ctrl-s").contains(&revise(1, edited)));
}

#[test]
fn what_is_to_be_edited_before_it_is_read_is_edited_once_it_is() {
    let found = || {
        let mut studio = Harness::new();
        studio.keys("2");
        studio.apply(event(ReviewEvent::Queued { queue: QueueId(1), rows: vec![row(1), row(2)] }));
        assert!(studio.screen().contains("reading …"), "{}", studio.screen());
        studio
    };
    let mut studio = found();
    studio.keys("e");
    studio.apply(opened(1));
    studio.screen();
    assert_eq!(studio.text("N"), [kept(one(), Some(draft(&format!("N{TEACHER}"))))]);
    // Who goes elsewhere meanwhile wants it no more.
    let mut studio = found();
    studio.keys("e down");
    studio.apply(opened(1));
    studio.apply(opened(2));
    studio.screen();
    assert_eq!(studio.text("N"), []);
}

#[test]
fn a_program_that_is_told_to_end_keeps_a_correction_too_long_to_be_kept_with_every_key() {
    let mut studio = studio();
    studio.keys("e");
    let long = "x".repeat(30_000);
    studio.studio.paste(&long, &studio.store);
    studio.screen();
    studio.text("abc");
    let whole = kept(one(), Some(draft(&format!("{long}abc{TEACHER}"))));
    assert!(studio.studio.keep(&studio.store).contains(&whole));
}

#[test]
fn a_draft_is_let_go_by_going_back_to_the_text_as_it_was() {
    let mut studio = studio();
    studio.keys("e");
    studio.text("oops");
    studio.keys("alt-o");
    assert!(!studio.screen().contains("oops"));
    studio.text("new");
    studio.keys("alt-z");
    assert!(studio.screen().contains("oops"), "and a key brings it back");
    studio.keys("alt-z");
    assert!(studio.screen().contains("new"), "what was typed since too");
    studio.keys("alt-z");
    assert!(studio.keys("alt-o").contains(&kept(one(), None)));
}

#[test]
fn the_key_that_adds_a_turn_in_data_takes_nothing_away_in_review() {
    let mut studio = studio();
    studio.keys("e");
    studio.text("oops");
    assert_eq!(studio.keys("ctrl-o"), []);
    assert!(studio.screen().contains("oops"));
}

#[test]
fn what_has_a_draft_is_left_out_when_all_that_wait_are_approved() {
    let mut studio = studio();
    studio.keys("e");
    studio.text("NE");
    studio.keys("esc A");
    assert!(studio.screen().contains("1 more has your draft"), "{}", studio.screen());
    let ids = [3, 4, 5, 6].map(ReflectionId).to_vec();
    let decision = Decision::of(Verdict::Approved);
    assert!(studio.keys("y").contains(&send(ReviewCommand::Decide { ids, decision })));
}

#[test]
fn approving_past_a_draft_asks_first_and_leaves_the_draft() {
    let mut studio = studio();
    let mut begun = item(1);
    begun.draft = Some(draft("begun"));
    studio.apply(event(ReviewEvent::Opened(one(), Some(Box::new(begun)))));
    assert_eq!(studio.keys("enter"), []);
    assert!(studio.screen().contains("Approve without your draft?"));
    let effects = studio.keys("y");
    assert!(!effects.contains(&kept(one(), None)), "{effects:?}");
    assert!(effects.contains(&decide(1, Decision::of(Verdict::Approved))));
    studio.apply(decided(1, Verdict::Approved));
    assert!(studio.screen().contains("reflection 3 of 6"), "{}", studio.screen());
}

#[test]
fn what_no_disk_took_outlives_an_approval_past_it() {
    let mut studio = studio();
    studio.keys("e");
    studio.text("FULL ");
    studio.keys("esc enter y");
    studio.apply(decided(1, Verdict::Approved));
    assert!(studio.screen().contains("reflection 3 of 6"), "{}", studio.screen());
    studio.keys("home");
    studio.apply(event(ReviewEvent::Opened(one(), Some(Box::new(item(1))))));
    assert!(studio.screen().contains("reflection 1 of 6"), "{}", studio.screen());
    studio.keys("e");
    assert!(studio.screen().contains("FULL step 1"), "{}", studio.screen());
}

#[test]
fn a_save_that_is_refused_gives_the_text_back() {
    let mut studio = studio();
    studio.keys("e");
    studio.text("NEW ");
    studio.keys("ctrl-s");
    assert!(!studio.screen().contains("being edited"));
    studio.apply(event(ReviewEvent::Refused("the disk is full".into())));
    let screen = studio.screen();
    assert!(screen.contains("being edited") && screen.contains("NEW step 1"), "{screen}");
}

#[test]
fn quitting_asks_only_about_what_is_not_on_disk() {
    let mut studio = studio();
    studio.keys("e");
    studio.text("NEW ");
    studio.keys("ctrl-q");
    assert!(studio.screen().contains("the correction of reflection 1"), "{}", studio.screen());
    studio.keys("esc");
    studio.apply(event(ReviewEvent::DraftKept(one(), Some(draft(&format!("NEW {TEACHER}"))))));
    assert_eq!(studio.keys("ctrl-q"), [Effect::Quit]);
}

#[test]
fn a_correction_that_is_on_no_disk_comes_back_and_is_asked_about() {
    let mut studio = studio();
    studio.keys("e");
    studio.text("FULL ");
    studio.keys("esc e");
    assert!(studio.screen().contains("FULL step 1"), "{}", studio.screen());
    studio.keys("esc");
    let effects = studio.keys("ctrl-q");
    assert!(studio.screen().contains("Typed and not saved: the correction of reflection 1."));
    let whole = draft(&format!("FULL {TEACHER}"));
    assert!(effects.contains(&kept(one(), Some(whole.clone()))), "it is tried once more: {effects:?}");
    studio.keys("esc");
    studio.apply(event(ReviewEvent::DraftKept(one(), Some(whole))));
    assert_eq!(studio.keys("ctrl-q"), [Effect::Quit]);
}

#[test]
fn saving_over_another_windows_verdict_asks() {
    let mut studio = studio();
    studio.keys("e");
    studio.text("MINE ");
    studio.keys("ctrl-s");
    let mut now = item(1).reflection.expect("a reflection");
    (now.verdict, now.edited, now.reviewer) = (Verdict::Edited, Some("THEIRS".into()), "ada".into());
    let decision = Decision { edited: Some(format!("MINE {TEACHER}")), ..Decision::of(Verdict::Edited) };
    let met = RevisionMet { id: ReflectionId(1), decision: decision.clone(), now: Some(now.clone()) };
    studio.apply(event(ReviewEvent::RevisionMet(Box::new(met))));
    let screen = studio.screen();
    assert!(
        screen.contains("Reflection 1 was changed while you edited it") && screen.contains("THEIRS"),
        "{screen}"
    );
    studio.keys("esc");
    assert!(studio.screen().contains("MINE step 1"), "the text stays: {}", studio.screen());
    let met = RevisionMet { id: ReflectionId(1), decision: decision.clone(), now: Some(now.clone()) };
    studio.keys("ctrl-s");
    studio.apply(event(ReviewEvent::RevisionMet(Box::new(met))));
    studio.screen();
    let over = ReviewCommand::Revise { id: ReflectionId(1), over: Box::new(now), decision };
    assert!(studio.keys("y").contains(&send(over)));
    studio.apply(decided(1, Verdict::Edited));
    assert!(studio.screen().contains("reflection 3 of 6"), "{}", studio.screen());
}

#[test]
fn a_correction_being_edited_stays_when_its_row_leaves_the_queue() {
    let mut studio = studio();
    studio.keys("e");
    studio.text("MINE ");
    let rows = studio.store.review.rows().iter().skip(1).cloned().collect();
    let queue = studio.store.review.queue.expect("a queue");
    studio.apply(event(ReviewEvent::Queued { queue, rows }));
    assert!(studio.screen().contains("MINE step 1"), "{}", studio.screen());
    studio.keys("esc");
    assert!(studio.screen().contains("of 5"), "{}", studio.screen());
}

#[test]
fn a_reason_is_kept_for_each_reflection_also_after_the_program_has_ended() {
    let mut studio = studio();
    studio.apply(Event::Data(DataEvent::DraftsRead("sessions/first-principles".into(), [].into())));
    studio.keys("backspace");
    studio.text("ONE");
    studio.keys("esc s");
    studio.text("TOLD");
    studio.keys("esc n backspace");
    studio.text("TWO");
    studio.keys("esc up up up backspace");
    assert!(studio.screen().contains("ONE"), "{}", studio.screen());
    studio.keys("esc s");
    assert!(studio.screen().contains("TOLD"), "{}", studio.screen());
    studio.keys("esc ctrl-q");
    assert!(studio.screen().contains("what is said of reflection 1"), "{}", studio.screen());
    // In another time of the program.
    let mut studio = super::review::studio();
    let draft = KeptDraft { base: String::new(), text: "ONE".into(), at: 7 };
    let drafts = [(DraftOf::Reason(ReflectionId(1)), draft)].into();
    studio.apply(Event::Data(DataEvent::DraftsRead("sessions/first-principles".into(), drafts)));
    studio.keys("backspace");
    assert!(studio.screen().contains("ONE"), "{}", studio.screen());
    let rejected = Decision { comment: "ONE".into(), ..Decision::of(Verdict::Rejected) };
    assert!(studio.keys("enter").contains(&decide(1, rejected)));
    studio.apply(decided(1, Verdict::Rejected));
    let forget = DataCommand::KeepDraft(DraftOf::Reason(ReflectionId(1)), None);
    assert!(studio.keys("ctrl-l").contains(&Effect::Send(Command::Data(forget))));
}

#[test]
fn the_persons_own_editor_gets_the_field_that_is_written() {
    let mut studio = studio();
    studio.keys("e tab");
    let analysis = item(1).analysis().to_owned();
    assert_eq!(studio.keys("ctrl-e"), [Effect::EditOutside(analysis)]);
    studio.studio.replace_text("line one\nline two".to_owned(), &studio.store);
    let decision =
        Decision { analysis: Some("line one\nline two".to_owned()), ..Decision::of(Verdict::Approved) };
    let effects = studio.keys("ctrl-s");
    assert!(effects.contains(&revise(1, decision)), "{effects:?}");
}

#[test]
fn an_earlier_reason_is_picked_or_narrowed_by_typing() {
    let mut studio = studio();
    assert_eq!(studio.keys("backspace"), [send(ReviewCommand::ListComments(Verdict::Rejected))]);
    let said = ["invents a fact", "too long", "repeats the flawed thought"].map(str::to_owned).to_vec();
    studio.apply(event(ReviewEvent::CommentsListed(Verdict::Rejected, said)));
    studio.keys("down down");
    insta::assert_snapshot!(studio.screen().lines().take(9).collect::<Vec<_>>().join("\n"));
    let too_long = Decision { comment: "too long".to_owned(), ..Decision::of(Verdict::Rejected) };
    assert!(studio.keys("enter").contains(&decide(1, too_long)));
    studio.apply(decided(1, Verdict::Rejected));
    studio.screen();
    studio.keys("backspace");
    studio.text("flaw");
    let screen = studio.screen();
    assert!(screen.contains("repeats the flawed") && !screen.contains("too long"), "{screen}");
    let typed = Decision { comment: "flaw".to_owned(), ..Decision::of(Verdict::Rejected) };
    assert!(studio.keys("enter").contains(&decide(3, typed)));
}

#[test]
fn a_comment_that_was_left_is_there_when_it_is_asked_for_again() {
    let mut studio = studio();
    studio.keys("s");
    studio.text("name the month");
    studio.keys("esc s");
    assert!(studio.screen().contains("name the month"));
    studio.keys("esc n s");
    assert!(!studio.screen().contains("name the month"), "that was said of another one");
}

#[test]
fn enter_on_what_is_approved_goes_on_and_records_nothing() {
    let mut studio = studio();
    studio.keys("enter");
    studio.apply(decided(1, Verdict::Approved));
    studio.screen();
    studio.keys("up up");
    assert!(studio.screen().contains("reflection 1 of 6 · ✓ approved"));
    assert!(studio.screen().contains("⏎ next"), "{}", studio.screen());
    let effects = studio.keys("enter");
    let verdicts =
        |effect: &&Effect| matches!(effect, Effect::Send(Command::Review(ReviewCommand::Decide { .. })));
    assert_eq!(effects.iter().find(verdicts), None);
    assert!(studio.screen().contains("reflection 3 of 6"));
}

#[test]
fn at_the_end_one_key_trains_on_what_was_approved() {
    let mut studio = nearly_done();
    let words = "Nothing waits any more. t trains on the 81 texts that are ready.";
    assert!(studio.screen().contains(words), "{}", studio.screen());
    let recipe = |name: &str, train: &str| RecipeFile {
        path: PathBuf::from(format!("recipes/{name}.toml")),
        name: name.to_owned(),
        text: format!("method = \"sft\"\n[model]\nbase = \"smollm2-135m\"\n[data]\ntrain = \"{train}\"\n"),
        missing: None,
        fetches: None,
        cut: None,
    };
    let listed = vec![recipe("plain", "data.jsonl"), recipe("reviewed", "set:reviewed balance:label")];
    studio.apply(Event::Runs(RunsEvent::RecipesListed(listed)));
    let start = RunsCommand::Start { recipe: PathBuf::from("recipes/reviewed.toml"), after: None };
    assert_eq!(studio.keys("t")[0], Effect::Send(Command::Runs(start)));
    assert_eq!(studio.studio.front(), PaneId::Train);
}

#[test]
fn undo_of_many_says_first_what_it_takes_back() {
    let mut studio = studio();
    assert_eq!(studio.keys("u"), [send(ReviewCommand::Undo(Undoing::UpTo(10)))]);
    let step = LastStep {
        number: 7,
        verdict: Verdict::Approved,
        reflections: 190,
        at: ((NOON - 180.0) * 1000.0) as i64,
    };
    studio.apply(event(ReviewEvent::UndoIsLarge(step)));
    studio.keys("ctrl-l");
    let screen = studio.screen();
    assert!(screen.contains("Take back 190 approvals?") && screen.contains("3m ago"), "{screen}");
    assert!(studio.keys("y").contains(&send(ReviewCommand::Undo(Undoing::Step(7)))));
}

#[test]
fn a_record_of_several_turns_says_what_was_asked_last_and_what_it_holds() {
    let mut studio = studio();
    let several = ReviewItem {
        question: vec![("question".into(), "And in winter?".into())],
        contents: Contents { turns: 6, tool_calls: 2, thoughts: 1 },
        ..item(1)
    };
    studio.apply(event(ReviewEvent::Opened(one(), Some(Box::new(several)))));
    for size in [(160, 40), (80, 24), (60, 16)] {
        studio.resize(size.0, size.1);
        let screen = studio.screen();
        for words in ["And in winter?", "6 turns", "2 tool calls", "1 thought"] {
            assert!(screen.contains(words), "{words} at {size:?}:\n{screen}");
        }
    }
}

#[test]
fn what_was_decided_or_taken_back_is_said() {
    let mut studio = studio();
    let mut said = |event: Event| {
        studio.apply(event);
        let effects = studio.keys("ctrl-l");
        effects.into_iter().find_map(|effect| match effect {
            Effect::Notify(notice) => Some(notice.text),
            _ => None,
        })
    };
    let many = [3, 4, 5].map(ReflectionId).to_vec();
    let undone = |ids: &[i64]| {
        let were = ids.iter().map(|id| (ReflectionId(*id), Verdict::Pending)).collect();
        event(ReviewEvent::Undone(were))
    };
    assert_eq!(said(decided(1, Verdict::Approved)), None, "the next one comes");
    assert_eq!(
        said(decided(1, Verdict::Rejected)).as_deref(),
        Some("rejected reflection 1; u takes it back")
    );
    assert_eq!(
        said(decided(1, Verdict::SentBack)).as_deref(),
        Some("sent back reflection 1; u takes it back")
    );
    assert_eq!(said(undone(&[1])).as_deref(), Some("taken back: reflection 1 is pending again"));
    let all = event(ReviewEvent::Decided { ids: many, verdict: Verdict::Approved });
    assert_eq!(said(all).as_deref(), Some("approved 3 reflections; u takes all of it back"));
    assert_eq!(said(undone(&[3, 4, 5])).as_deref(), Some("taken back: what was said of 3 reflections"));
}

#[test]
fn a_draft_of_a_correction_opens_where_it_was_written_last() {
    let mut with_draft = item(1);
    let text = format!("{}\n\nand one word more", with_draft.text());
    let analysis = with_draft.analysis().to_owned();
    with_draft.draft = Some(DraftText { text, analysis, over: None, at: 7 });
    let mut studio = studio();
    studio.apply(event(ReviewEvent::Opened(ReflectionId(1).into(), Some(Box::new(with_draft)))));
    studio.keys("e");
    studio.text("!");
    assert!(studio.screen().contains("and one word more!"), "{}", studio.screen());
}

#[test]
fn the_footer_of_an_empty_review_shows_what_works_there() {
    let mut studio = Harness::new();
    studio.keys("2");
    studio.apply(event(ReviewEvent::Queued { queue: QueueId(1), rows: Vec::new() }));
    let footer = studio.screen().lines().last().unwrap_or_default().to_owned();
    assert!(footer.contains("T think"), "{footer}");
    for other in ["undo", "filter", "figures"] {
        assert!(!footer.contains(other), "{footer}");
    }
}

#[test]
fn blind_it_is_not_said_whose_text_was_preferred() {
    let mut studio = studio();
    studio.keys("B");
    let mut said = |event: Event| {
        studio.apply(event);
        studio.keys("ctrl-l").into_iter().find_map(|effect| match effect {
            Effect::Notify(notice) => Some(notice.text),
            _ => None,
        })
    };
    let words = "decided on reflection 1; u takes it back";
    assert_eq!(said(decided(1, Verdict::Approved)).as_deref(), Some(words));
    assert_eq!(said(decided(1, Verdict::Rejected)).as_deref(), Some(words));
    let undone = ReviewEvent::Undone(vec![(ReflectionId(1), Verdict::Approved)]);
    assert_eq!(said(event(undone)).as_deref(), Some("taken back: what was said of reflection 1"));
}

#[test]
fn the_queue_shows_an_earlier_verdict_beside_a_draft() {
    use dojo_studio::domain::review::EditDraft;
    for columns in [60, 80, 120] {
        let mut studio = Harness::new().size(columns, 24);
        studio.keys("2");
        let begun = |id, verdict| QueueRow { draft: EditDraft::Kept, verdict, ..row(id) };
        let rows = vec![begun(1, Verdict::Rejected), begun(2, Verdict::Pending), begun(3, Verdict::SentBack)];
        studio.apply(event(ReviewEvent::Queued { queue: QueueId(1), rows }));
        studio.keys("z");
        let screen = studio.screen();
        for shown in ["rejected +✎", "✎ your draft", "sent-back +✎"] {
            assert!(screen.contains(shown), "{shown} at {columns}:\n{screen}");
        }
    }
}
