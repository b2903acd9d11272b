//! Conversations: kept turn by turn, found again, branched.

use dojo_studio::domain::chat::{
    AnswerOutcome, Answerer, AnswererNames, ChatSampling, DraftPlace, Keep, KeptAnswer, Setup, Side, TurnId,
    Vote, Why, code_blocks,
};
use dojo_studio::domain::cited::{AnswerSources, CheckedAnswer, LibraryUse};
use dojo_studio::domain::draft::{DraftOf, KeptDraft};
use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::record::{Record, RecordId};
use dojo_studio::session::{Access, Decided, NewTurn, Session, Word};

use super::world::World;

fn setup() -> Setup {
    Setup {
        system: "Be brief.".into(),
        left: Answerer { name: "small".into(), model: Some("small".into()), adapter: None },
        right: Some(Answerer { name: "tuned".into(), model: None, adapter: Some("runs/a/adapter".into()) }),
        names: AnswererNames::Hidden,
        sampling: ChatSampling { seed: 7, ..ChatSampling::default() },
        library: LibraryUse { on: true, top: 3 },
    }
}

fn new(parent: Option<TurnId>, role: Role, side: Side, content: &str) -> NewTurn {
    let by = if role == Role::Assistant { "small".to_owned() } else { String::new() };
    NewTurn { parent, role, side, content: content.into(), by }
}

fn outcome() -> AnswerOutcome {
    AnswerOutcome {
        why: Why::Failed("no".into()),
        prompt_tokens: 9,
        cached_tokens: 1,
        tokens: 3,
        tokens_per_second: 12.5,
        first_token_seconds: 0.25,
        context: 64,
    }
}

fn answered(
    session: &mut Session,
    question: &str,
    answers: [&str; 2],
) -> (dojo_studio::domain::chat::ChatId, [TurnId; 3]) {
    let chat = session.begin_chat(question, &setup()).unwrap();
    let asked = session.add_turn(chat, &new(None, Role::User, Side::Left, question)).unwrap().id;
    let mut ids = [asked; 3];
    for (place, (side, text)) in Side::BOTH.into_iter().zip(answers).enumerate() {
        let turn = session.add_turn(chat, &new(Some(asked), Role::Assistant, side, "")).unwrap();
        session.end_turn(turn.id, text, &outcome()).unwrap();
        ids[place + 1] = turn.id;
    }
    session.set_heads(chat, [Some(ids[1]), Some(ids[2])]).unwrap();
    (chat, ids)
}

#[test]
fn a_chat_is_read_as_it_was_kept() {
    let mut world = World::new();
    let (id, [asked, left, right]) = answered(&mut world.session, "why?", ["because", "so it is"]);
    let word = Word::Vote(Vote::Right);
    world.session.decide_in_chat(id, Decided::Pair(left, right), &word, AnswererNames::Hidden).unwrap();
    let chat = world.other().chat(id).unwrap();
    assert_eq!(chat.setup, setup());
    assert_eq!(chat.heads, [Some(left), Some(right)]);
    assert_eq!(chat.turns[&left].outcome, Some(outcome()));
    assert_eq!(chat.turns[&right].side, Side::Right);
    assert_eq!(chat.vote_on(left), Some(Vote::Right));
    assert_eq!(chat.ends(), [Some(right); 2]);
    assert_eq!(chat.pair().map(|(left, right)| (left.id, right.id)), Some((left, right)));
    let expected = vec![
        Message::new(Role::System, "Be brief."),
        Message::new(Role::User, "why?"),
        Message::new(Role::Assistant, "so it is"),
    ];
    assert_eq!(chat.messages(Some(right)), expected);
    assert_eq!(chat.newest_below(asked), right);
}

#[test]
fn branches_of_a_question_are_its_siblings() {
    let mut world = World::new();
    let (id, [asked, left, right]) = answered(&mut world.session, "why?", ["because", "so it is"]);
    let edited = world.session.add_turn(id, &new(None, Role::User, Side::Left, "why not?")).unwrap().id;
    let again = world.session.add_turn(id, &new(Some(asked), Role::Assistant, Side::Left, "")).unwrap().id;
    let chat = world.session.chat(id).unwrap();
    assert_eq!(chat.siblings(&chat.turns[&asked]), [asked, edited]);
    assert_eq!(chat.siblings(&chat.turns[&left]), [left, again]);
    assert_eq!(chat.siblings(&chat.turns[&right]), [right]);
}

#[test]
fn chats_are_found_by_what_was_said_in_them() {
    let mut world = World::new();
    let (first, _) = answered(&mut world.session, "what is 100% of\nit?", ["All of it.", "Everything"]);
    let (second, _) = answered(&mut world.session, "a_b", ["An under_score", "none"]);
    let found = |text: &str| -> Vec<_> {
        world.session.chats(text).unwrap().into_iter().map(|chat| chat.id).collect()
    };
    assert_eq!(found(""), [second, first]);
    assert_eq!(found("EVERYTHING"), [first]);
    assert_eq!(found("100%"), [first]);
    // Not patterns.
    assert_eq!(found("a_b"), [second]);
    assert_eq!(found("0%o"), Vec::new());
    let all = world.session.chats("under").unwrap();
    assert_eq!((all[0].title.as_str(), all[0].turns, all[0].found.as_str()), ("a_b", 3, "An under_score"));
    assert_eq!(world.session.chats("all of").unwrap()[0].title, "what is 100% of it?");
}

#[test]
fn a_deleted_chat_is_gone_and_nothing_can_be_added_to_it() {
    let mut world = World::new();
    let (id, _) = answered(&mut world.session, "why?", ["because", "so it is"]);
    world.session.delete_chat(id).unwrap();
    assert!(world.session.chats("").unwrap().is_empty());
    assert!(world.session.chat(id).is_err());
    let error = world.session.add_turn(id, &new(None, Role::User, Side::Left, "more")).unwrap_err();
    assert!(error.to_string().contains("deleted meanwhile"), "{error}");
}

#[test]
fn code_is_found_between_its_fences() {
    assert_eq!(code_blocks("a\n```sh\none\ntwo\n```\nb\n```\nthree\n```"), ["one\ntwo", "three"]);
    // The last one may still be coming.
    assert_eq!(code_blocks("```rust\nfn main() {"), ["fn main() {"]);
    assert_eq!(code_blocks("none"), Vec::<String>::new());
}

#[test]
fn the_last_word_on_a_pair_holds_and_undo_brings_the_one_before_back() {
    let mut world = World::new();
    let (id, [_, left, right]) = answered(&mut world.session, "why?", ["because", "so it is"]);
    let on = Decided::Pair(left, right);
    for vote in [Vote::Left, Vote::Right] {
        world.session.decide_in_chat(id, on, &Word::Vote(vote), AnswererNames::Shown).unwrap();
    }
    let votes = |session: &Session| session.chat(id).unwrap().decisions.votes;
    assert_eq!(votes(&world.session), [((left, right), Vote::Right)].into());
    assert_eq!(world.session.undo_in_chat(id).unwrap(), Some((on, Word::Vote(Vote::Right))));
    assert_eq!(votes(&world.other()), [((left, right), Vote::Left)].into());
    assert_eq!(world.session.undo_in_chat(id).unwrap(), Some((on, Word::Vote(Vote::Left))));
    assert_eq!(votes(&world.session), [].into());
    assert_eq!(world.session.undo_in_chat(id).unwrap(), None);
}

#[test]
fn a_kept_answer_is_marked_while_its_record_is_there() {
    let mut world = World::new();
    let (id, [_, left, _]) = answered(&mut world.session, "why?", ["because", "so it is"]);
    let on = Decided::Answer(left);
    world.session.decide_in_chat(id, on, &Word::Good, AnswererNames::Shown).unwrap();
    assert_eq!(world.session.decisions(id).unwrap().kept, [].into());
    let record = world.session.add("keep", vec![Record::default()]).unwrap()[0];
    world.session.set_record_from_chat(id, on, record).unwrap();
    let kept = KeptAnswer { how: Keep::Good, record: RecordId(1) };
    assert_eq!(world.session.decisions(id).unwrap().kept, [(left, kept)].into());
    // Taken back in Data.
    world.session.undo().unwrap();
    assert_eq!(world.session.decisions(id).unwrap().kept, [].into());
}

#[test]
fn drafts_belong_to_their_chat_and_go_with_it() {
    let mut world = World::new();
    let (id, [_, left, _]) = answered(&mut world.session, "why?", ["because", "so it is"]);
    let mut keep = |chat, place, text: &str| {
        let draft = KeptDraft { base: String::new(), text: text.to_owned(), at: 7 };
        world.session.keep_draft(&DraftOf::Chat(chat, place), Some(&draft)).unwrap();
    };
    keep(None, DraftPlace::Question, "a new one");
    keep(Some(id), DraftPlace::Question, "and");
    keep(Some(id), DraftPlace::Question, "and then");
    keep(Some(id), DraftPlace::Correction(left), "better");
    let text = |of: &DraftOf| world.session.draft(of).unwrap().map(|draft| draft.text);
    assert_eq!(text(&DraftOf::Chat(None, DraftPlace::Question)).as_deref(), Some("a new one"));
    assert_eq!(text(&DraftOf::Chat(Some(id), DraftPlace::Question)).as_deref(), Some("and then"));
    assert_eq!(world.session.chats("").unwrap()[0].drafts, 2);
    world.session.keep_draft(&DraftOf::Chat(Some(id), DraftPlace::Question), None).unwrap();
    assert_eq!(world.session.chats("").unwrap()[0].drafts, 1);
    world.session.delete_chat(id).unwrap();
    let left = world.session.begun().unwrap();
    assert_eq!(left, [DraftOf::Chat(None, DraftPlace::Question)].into());
}

#[test]
fn a_chat_is_found_by_its_new_name() {
    let mut world = World::new();
    let (id, _) = answered(&mut world.session, "why?", ["because", "so it is"]);
    world.session.rename_chat(id, "The sky").unwrap();
    assert_eq!(world.session.chats("sky").unwrap()[0].title, "The sky");
    assert_eq!(world.other().chat(id).unwrap().title, "The sky");
}

#[test]
fn votes_of_an_older_session_are_still_there() {
    let mut world = World::new();
    let (id, [_, left, right]) = answered(&mut world.session, "why?", ["because", "so it is"]);
    let record = world.session.add("keep a vote", vec![Record::default()]).unwrap()[0];
    let database = rusqlite::Connection::open(world.folder.path().join("session.db")).unwrap();
    let before = "DROP TABLE chat_decisions; DROP TABLE chat_records; DROP TABLE drafts;
        DROP TABLE chat_sources; DROP TABLE record_vectors; DROP TABLE blueprints; DROP TABLE expanded;
        ALTER TABLE verdicts DROP COLUMN analysis;
        ALTER TABLE verdicts DROP COLUMN before_analysis;
        CREATE TABLE chat_votes (
            left INTEGER NOT NULL, right INTEGER NOT NULL, chat INTEGER NOT NULL, vote TEXT NOT NULL,
            names TEXT NOT NULL, record INTEGER, who TEXT NOT NULL, at INTEGER NOT NULL,
            PRIMARY KEY (left, right)
        ) WITHOUT ROWID;";
    database.execute_batch(before).unwrap();
    let vote = rusqlite::params![left.0, right.0, id.0, record.0];
    database
        .execute("INSERT INTO chat_votes VALUES (?1, ?2, ?3, 'left', 'shown', ?4, 'someone', 7)", vote)
        .unwrap();
    database.pragma_update(None, "user_version", 6).unwrap();
    drop(database);
    let session = Session::open(world.folder.path(), Access::Write).unwrap();
    let on = Decided::Pair(left, right);
    assert_eq!(session.chat(id).unwrap().decisions.votes, [((left, right), Vote::Left)].into());
    assert_eq!(session.record_from_chat(on).unwrap(), Some(record));
}

#[test]
fn what_an_answer_was_given_from_is_kept_with_it_and_goes_with_its_chat() {
    let mut world = World::new();
    let session = &mut world.session;
    let chat = session.begin_chat("Why?", &setup()).unwrap();
    let question = session.add_turn(chat, &new(None, Role::User, Side::Left, "Why?")).unwrap();
    let answer = session.add_turn(chat, &new(Some(question.id), Role::Assistant, Side::Left, "")).unwrap();
    let mut sources = AnswerSources { question: "Why?".into(), left_out: 2, ..AnswerSources::default() };
    session.keep_sources(answer.id, &sources).unwrap();
    sources.checked = Some(CheckedAnswer { cited: vec![1, 3], ..CheckedAnswer::default() });
    session.keep_sources(answer.id, &sources).unwrap();
    assert_eq!(
        session.chat(chat).unwrap().sources.into_iter().collect::<Vec<_>>(),
        [(answer.id, sources.clone())]
    );
    session.delete_chat(chat).unwrap();
    // Of a turn that is gone there is nothing to keep.
    session.keep_sources(answer.id, &sources).unwrap();
    let other = session.begin_chat("What?", &setup()).unwrap();
    assert!(session.chat(other).unwrap().sources.is_empty());
}
