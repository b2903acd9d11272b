//! The Review pane: keys in, effects and a screen out.

use std::sync::Arc;

use dojo_studio::domain::agreement_report::{AgreementReport, ReviewerPair};
use dojo_studio::domain::protocol::review::{QueueId, Undoing};
use dojo_studio::domain::protocol::{Command, Event, ReviewCommand, ReviewEvent, SystemEvent};
use dojo_studio::domain::record::RecordId;
use dojo_studio::domain::reflection::{Checks, Decision, JudgedThought, Reflection, ReflectionId, Verdict};
use dojo_studio::domain::review::{
    Contents, Disagreement, EditDraft, QueueField, QueueOrder, QueueRow, ReviewCounts, ReviewItem,
    VerdictEntry, VerdictState,
};
use dojo_studio::domain::review_filter::ReviewFilter;
use dojo_studio::domain::review_job::{JobKind, JobOrder};
use dojo_studio::domain::review_leads::{Leads, Odds};
use dojo_studio::domain::thought::{Thought, ThoughtId};
use dojo_studio::ui::pane::Effect;

use crate::ui::harness::{Harness, NOON};

pub(super) const STUDENT: &str = "step 1: The premise says that a Bombay cat resembles a small panther. step 2: The hypothesis \
    asks about Halloween cats, which the premise does not mention. step 3: So the hypothesis does not follow.";
pub(super) const TEACHER: &str = "step 1: The premise says that a Bombay cat resembles a small black panther. step 2: Halloween \
    cats are black cats, so the comparison rests on visual similarity. step 3: The hypothesis names that similarity, \
    so it follows.";

pub(super) fn send(command: ReviewCommand) -> Effect {
    Effect::Send(Command::Review(command))
}

pub(super) fn event(event: ReviewEvent) -> Event {
    Event::Review(event)
}

pub(super) fn row(id: i64) -> QueueRow {
    QueueRow {
        id: ReflectionId(id).into(),
        record: RecordId(100 + id),
        verdict: Verdict::Pending,
        mine: None,
        score: (id % 3 != 0).then_some((id % 5 + 1) as u8),
        tokens: 120 + id as u32,
        student: Arc::from("smollm2-135m"),
        teacher: Arc::from("nemo-12b"),
        flawed: Arc::from("0"),
        label: Arc::from(if id == 4 { "0" } else { "1" }),
        truth: Arc::from("1"),
        disagreement: if id == 4 { Disagreement::Label } else { Disagreement::None },
        draft: EditDraft::None,
    }
}

pub(super) fn item(id: i64) -> ReviewItem {
    let reflection = Reflection {
        record: RecordId(100 + id),
        thought: ThoughtId(200 + id),
        error_analysis:
            "In step 2 the student overlooked that the comparison is about looks: what Halloween cats \
            share with the Bombay is the colour."
                .to_owned(),
        corrected: TEACHER.to_owned(),
        label: "1".to_owned(),
        teacher: "nemo-12b".to_owned(),
        prompt: "reflect@1a2b3c4d".to_owned(),
        verdict: Verdict::Pending,
        edited: None,
        score: Some(4),
        reasons: "Every step is needed; step 2 could be shorter.".to_owned(),
        judge: "mistral:large judge@99aa88bb".to_owned(),
        improved_by: String::new(),
        reviewer: String::new(),
        comment: String::new(),
    };
    let thought = Thought {
        record: RecordId(100 + id),
        text: STUDENT.to_owned(),
        label: "0".to_owned(),
        truth: Some("1".to_owned()),
        tokens: 52,
        model: "smollm2-135m".to_owned(),
        prompt: "think@5e6f7a8b".to_owned(),
    };
    let said = |minutes: f64, who: &str, verdict, edited: Option<&str>, comment: &str, state| VerdictEntry {
        at: ((NOON - minutes * 60.0) * 1000.0) as i64,
        who: who.to_owned(),
        verdict,
        edited: edited.map(str::to_owned),
        comment: comment.to_owned(),
        state,
    };
    ReviewItem {
        id: ReflectionId(id).into(),
        contents: Contents::default(),
        draft: None,
        question: vec![
            (
                "premise".into(),
                "a Bombay looks uh i guess the best way to describe it is a small panther".into(),
            ),
            ("hypothesis".into(), "Is it because Halloween cat has the same looks as the Bombay?".into()),
        ],
        source: "sample_thoughts.json:14".into(),
        split: Some("train".into()),
        tags: vec!["cats".into()],
        checks: Checks::of(JudgedThought {
            thought: TEACHER,
            label: "1",
            truth: "1",
            record: "a Bombay looks uh i guess",
            flawed: STUDENT,
        }),
        verdicts: vec![
            said(90.0, "ada", Verdict::Rejected, None, "too long", VerdictState::TakenBack),
            said(
                3.0,
                "bob",
                Verdict::Edited,
                Some(&TEACHER.replace("small black", "black")),
                "",
                VerdictState::Stands,
            ),
        ],
        reflection: Some(reflection),
        thought,
    }
}

pub(super) fn opened(id: i64) -> Event {
    event(ReviewEvent::Opened(ReflectionId(id).into(), Some(Box::new(item(id)))))
}

fn report() -> AgreementReport {
    let mut report = AgreementReport::default();
    for number in 0..100_u32 {
        let thought = Thought {
            record: RecordId(i64::from(number)),
            text: String::new(),
            label: if number % 3 == 0 { "0" } else { "1" }.to_owned(),
            truth: Some(if number % 2 == 0 { "0" } else { "1" }.to_owned()),
            tokens: 40 + number * 3,
            model: if number % 4 == 0 { "nemo-12b" } else { "smollm2-135m" }.to_owned(),
            prompt: String::new(),
        };
        let split = if number % 5 == 0 { "eval" } else { "train" };
        report.add(&thought, Some(split), &["cats".to_owned()]);
    }
    report.reviewers = vec![ReviewerPair {
        one: "ada".into(),
        other: "bob".into(),
        shared: 24,
        agreed: 21,
        kappa: Some(0.71),
    }];
    report.set_aside.insert("think cut-off".into(), 3);
    report
}

pub(super) fn counts() -> ReviewCounts {
    ReviewCounts {
        pending: 5,
        approved: 10,
        edited: 3,
        rejected: 1,
        sent_back: 1,
        uncorrected: 0,
        ready_for_sft: 81,
        preference_pairs: 13,
        contradicting: 2,
    }
}

/// Six reflections, the first five of them read, whatever the pane asked for.
pub(crate) fn reflections() -> Vec<Event> {
    let rows = (1..=6).map(row).collect();
    let mut events = vec![
        event(ReviewEvent::Queued { queue: QueueId(u64::MAX), rows }),
        event(ReviewEvent::Counted(counts())),
        event(ReviewEvent::Reported(Box::new(report()))),
        event(ReviewEvent::SpeakersListed(vec!["mistral".to_owned()])),
    ];
    events.extend((1..=5).map(opened));
    events
}

/// The Review pane on six reflections; number 2 is approved already.
pub(crate) fn studio() -> Harness {
    let mut studio = Harness::new();
    let queue = ReviewCommand::Queue {
        queue: QueueId(1),
        filter: ReviewFilter::default(),
        order: QueueOrder::default(),
    };
    assert_eq!(studio.keys("2"), [send(queue)]);
    let mut rows: Vec<QueueRow> = (1..=6).map(row).collect();
    rows[1].verdict = Verdict::Approved;
    studio.apply(event(ReviewEvent::Queued { queue: QueueId(1), rows }));
    studio.apply(event(ReviewEvent::Counted(counts())));
    studio.apply(event(ReviewEvent::Reported(Box::new(report()))));
    let wanted = [1, 2, 3, 4, 5, 6].map(|id| ReflectionId(id).into()).to_vec();
    let asked = studio.keys("ctrl-l");
    assert!(asked.contains(&send(ReviewCommand::Open(wanted))), "{asked:?}");
    (1..=6).for_each(|id| studio.apply(opened(id)));
    studio.screen();
    studio
}

#[test]
fn a_correction_that_contradicts_its_label_says_so_with_the_odds_of_a_model() {
    let mut studio = studio();
    let mut twisted = item(1);
    twisted.checks.leads = Leads::Elsewhere("0".to_owned());
    twisted.checks.analysis = Leads::Elsewhere("0".to_owned());
    let odds = vec![("0".to_owned(), 4.0), ("1".to_owned(), 0.0)];
    twisted.checks.odds = Some(Odds::of("small".to_owned(), odds));
    studio.apply(event(ReviewEvent::Opened(ReflectionId(1).into(), Some(Box::new(twisted)))));
    let screen = studio.screen();
    for words in ["! concludes 0", "! analysis argues for 0", "! log-odds -4.0 by small"] {
        assert!(screen.contains(words), "{words}:\n{screen}");
    }
}

pub(super) fn decided(id: i64, verdict: Verdict) -> Event {
    event(ReviewEvent::Decided { ids: vec![ReflectionId(id)], verdict })
}

pub(super) fn decide(id: i64, decision: Decision) -> Effect {
    send(ReviewCommand::Decide { ids: vec![ReflectionId(id)], decision })
}

/// What was edited is decided over what stood there when the editing began.
pub(super) fn revise(id: i64, decision: Decision) -> Effect {
    let over = Box::new(item(id).reflection.expect("a reflection"));
    send(ReviewCommand::Revise { id: ReflectionId(id), over, decision })
}

#[test]
fn a_session_without_thoughts_says_how_to_begin() {
    let mut studio = Harness::new().size(80, 24);
    studio.keys("2");
    studio.apply(event(ReviewEvent::Queued { queue: QueueId(1), rows: Vec::new() }));
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn a_thought_stands_beside_its_correction_with_the_checks() {
    insta::assert_snapshot!(studio().screen());
}

#[test]
fn on_a_narrow_screen_both_become_one_column() {
    insta::assert_snapshot!(studio().size(80, 24).screen());
}

#[test]
fn on_the_smallest_screen_it_can_still_be_decided() {
    insta::assert_snapshot!(studio().size(60, 16).screen());
}

#[test]
fn approving_goes_to_the_next_that_waits_once_it_is_on_disk() {
    let mut studio = studio();
    let effects = studio.keys("enter");
    assert_eq!(effects[0], decide(1, Decision::of(Verdict::Approved)));
    assert!(studio.screen().contains("reflection 1 of 6 · ◌ pending"), "not shown before it is on disk");
    let effects = studio.keys("enter");
    assert!(matches!(effects.as_slice(), [Effect::Notify(_)]), "not decided twice: {effects:?}");
    studio.apply(decided(1, Verdict::Approved));
    let screen = studio.screen();
    assert!(screen.contains("reflection 3 of 6 · ◌ pending"), "{screen}");
    assert!(screen.contains("left 4"), "{screen}");
    studio.keys("up up");
    assert!(studio.screen().contains("reflection 1 of 6 · ✓ approved"));
}

#[test]
fn a_rejection_asks_for_a_reason_and_a_way_back_for_a_comment() {
    let mut studio = studio();
    studio.keys("backspace");
    studio.text("invents a fact");
    let rejected = Decision { comment: "invents a fact".to_owned(), ..Decision::of(Verdict::Rejected) };
    assert!(studio.keys("enter").contains(&decide(1, rejected)));
    studio.apply(decided(1, Verdict::Rejected));
    studio.screen();
    studio.keys("s enter");
    assert!(studio.screen().contains("say what should change"), "an empty comment is no comment");
    studio.text("shorter");
    let back = Decision { comment: "shorter".to_owned(), ..Decision::of(Verdict::SentBack) };
    assert!(studio.keys("enter").contains(&decide(3, back)));
}

#[test]
fn an_edited_correction_is_approved_as_edited_and_an_untouched_one_as_it_is() {
    let mut studio = studio();
    studio.keys("e");
    studio.text("NEW ");
    insta::assert_snapshot!(studio.screen());
    let text = format!("NEW {TEACHER}");
    let edited = Decision { edited: Some(text), ..Decision::of(Verdict::Edited) };
    assert!(studio.keys("ctrl-s").contains(&revise(1, edited)));
    studio.apply(decided(1, Verdict::Edited));
    studio.screen();
    let effects = studio.keys("e ctrl-s");
    assert!(effects.contains(&revise(3, Decision::of(Verdict::Approved))), "{effects:?}");
}

#[test]
fn leaving_the_editor_decides_nothing() {
    let mut studio = studio();
    studio.keys("e");
    studio.text("oops");
    let effects = studio.keys("esc");
    let decides =
        |effect: &Effect| matches!(effect, Effect::Send(Command::Review(ReviewCommand::Decide { .. })));
    assert!(!effects.iter().any(decides), "{effects:?}");
    assert!(studio.screen().contains("reflection 1 of 6 · ◌ pending"));
}

#[test]
fn skipping_goes_round_and_undo_goes_back_to_what_it_met() {
    let mut studio = studio();
    studio.keys("n n n n");
    assert!(studio.screen().contains("reflection 6 of 6"));
    studio.keys("space");
    assert!(studio.screen().contains("reflection 1 of 6"));
    assert_eq!(studio.keys("u"), [send(ReviewCommand::Undo(Undoing::UpTo(10)))]);
    studio.apply(event(ReviewEvent::Undone(vec![(ReflectionId(2), Verdict::Pending)])));
    assert!(studio.screen().contains("reflection 2 of 6 · ◌ pending"));
}

#[test]
fn everything_in_the_filter_is_decided_after_a_look_at_the_count() {
    let mut studio = studio();
    studio.keys("A");
    insta::assert_snapshot!(studio.screen());
    let ids = [1, 3, 4, 5, 6].map(ReflectionId).to_vec();
    let all = send(ReviewCommand::Decide { ids: ids.clone(), decision: Decision::of(Verdict::Approved) });
    assert!(studio.keys("y").contains(&all));
    studio.apply(event(ReviewEvent::Decided { ids, verdict: Verdict::Approved }));
    assert!(studio.screen().contains("left 0"));
}

#[test]
fn a_filter_and_an_order_ask_for_the_queue_anew() {
    let mut studio = studio();
    studio.keys("f");
    studio.text("score<4 chekc:any");
    studio.keys("enter");
    assert!(studio.screen().contains("there is no field 'chekc'"), "stays until it can be read");
    studio.keys("ctrl-a ctrl-k");
    studio.text("score<4");
    let filter = ReviewFilter::parse("score<4").expect("a filter");
    let order = QueueOrder::default();
    let ask = |queue, order| send(ReviewCommand::Queue { queue, filter: filter.clone(), order });
    assert_eq!(studio.keys("enter"), [ask(QueueId(2), order)]);
    let order = QueueOrder { field: QueueField::Score, ..order };
    assert_eq!(studio.keys("o"), [ask(QueueId(3), order)]);
    assert!(studio.screen().contains("by judge score ↑"));
    studio.apply(event(ReviewEvent::Queued { queue: QueueId(3), rows: (1..=4).map(row).collect() }));
    studio.apply(event(ReviewEvent::Queued { queue: QueueId(2), rows: Vec::new() }));
    let screen = studio.screen();
    assert!(screen.contains("of 4"), "a stale answer is not shown:\n{screen}");
}

#[test]
fn the_one_in_front_stays_when_others_come_before_it() {
    let mut studio = studio();
    studio.keys("down down");
    assert!(studio.screen().contains("reflection 3 of 6"));
    let rows = (11..=14).chain(1..=6).map(row).collect();
    studio.apply(event(ReviewEvent::Queued { queue: QueueId(1), rows }));
    assert!(studio.screen().contains("reflection 7 of 10"), "{}", studio.screen());
}

#[test]
fn the_queue_stands_as_a_table() {
    let mut studio = studio();
    studio.keys("z down down down");
    insta::assert_snapshot!(studio.screen().lines().take(14).collect::<Vec<_>>().join("\n"));
    studio.keys("enter");
    assert!(studio.screen().contains("reflection 4 of 6"));
}

#[test]
fn blind_nobody_can_tell_whose_text_is_whose() {
    let mut studio = studio();
    studio.keys("B");
    let screen = studio.screen();
    insta::assert_snapshot!(screen);
    for secret in ["student", "teacher", "nemo", "smollm2-135m ──", "overlooked", "approved", "bob"] {
        let body = screen.lines().skip(2).take(33).collect::<Vec<_>>().join("\n");
        assert!(!body.contains(secret), "{secret} is shown:\n{body}");
    }
    let first = studio.keys("left");
    let preferred = |effects: &[Effect]| match effects {
        [Effect::Send(Command::Review(ReviewCommand::Decide { decision, .. })), ..] => decision.verdict,
        other => panic!("{other:?}"),
    };
    studio.apply(event(ReviewEvent::Refused("busy".into())));
    studio.screen();
    let second = studio.keys("right");
    let mut verdicts = [preferred(&first), preferred(&second)];
    verdicts.sort_unstable();
    assert_eq!(verdicts, [Verdict::Approved, Verdict::Rejected]);
}

#[test]
fn where_it_comes_from_and_what_was_said_stands_link_by_link() {
    let mut studio = studio().size(100, 24);
    studio.keys("v");
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn the_figures_stand_beside_each_other() {
    let mut studio = studio();
    studio.keys("g");
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn a_job_is_planned_before_it_is_started() {
    let mut studio = studio();
    assert_eq!(studio.keys("r"), [send(ReviewCommand::ListSpeakers)]);
    let names = vec!["mistral".to_owned(), "local:smollm2-135m".to_owned()];
    studio.apply(event(ReviewEvent::SpeakersListed(names)));
    studio.text("mi");
    studio.keys("tab");
    studio.text(" limit:5 dollars:0.50");
    insta::assert_snapshot!(studio.screen().lines().take(6).collect::<Vec<_>>().join("\n"));
    let order = JobOrder::parse(JobKind::Reflect, "mistral limit:5 dollars:0.50").expect("an order");
    assert_eq!(studio.keys("enter"), [send(ReviewCommand::Plan(order.clone()))]);
    let plan = "5 questions to mistral:nemo, about 2500 tokens, $0.01.".to_owned();
    studio.apply(event(ReviewEvent::Planned(Box::new(order.clone()), Ok(plan))));
    studio.keys("ctrl-l");
    assert!(studio.screen().contains("5 questions to mistral:nemo"));
    assert!(studio.keys("y").contains(&send(ReviewCommand::Start(order))));
}

#[test]
fn the_student_of_a_job_is_the_session_s_model_at_first_and_an_empty_line_says_what_it_takes() {
    let mut studio = studio();
    studio.keys("T");
    assert!(studio.screen().contains("local:smollm2-135m"), "{}", studio.screen());
    studio.keys("esc r");
    assert!(studio.screen().contains("teacher   local:MODEL or a teacher's name"), "{}", studio.screen());
    studio.keys("enter");
    let why = "write who is the teacher first: local:MODEL or a teacher's name";
    assert!(studio.screen().contains(why), "{}", studio.screen());
}

#[test]
fn what_is_wrong_with_a_job_is_mended_where_it_was_typed() {
    let mut studio = studio();
    studio.keys("r");
    studio.text("bogus");
    let order = JobOrder::parse(JobKind::Reflect, "bogus").expect("an order");
    assert_eq!(studio.keys("enter"), [send(ReviewCommand::Plan(order.clone()))]);
    let why = "there is no teacher 'bogus'".to_owned();
    studio.apply(event(ReviewEvent::Planned(Box::new(order), Err(why.clone()))));
    studio.text("a");
    studio.keys("backspace");
    studio.text("x");
    assert!(studio.screen().contains("bogusx"), "what is typed is text: {}", studio.screen());
    assert!(studio.keys("enter").iter().all(|effect| matches!(effect, Effect::Send(_))));
}

#[test]
fn the_pace_says_how_long_the_rest_takes() {
    let mut studio = studio();
    for (id, second) in [(1, 0.0), (3, 4.0), (4, 8.0)] {
        studio.apply(Event::System(SystemEvent::ClockTicked(NOON + second)));
        studio.keys("enter");
        studio.apply(decided(id, Verdict::Approved));
        studio.screen();
    }
    assert!(studio.screen().contains("left 2  4 s each  ~1 min"), "{}", studio.screen());
}
