//! Conversations: kept turn by turn, found again, branched.

use dojo_studio::domain::chat::{
    Answerer, ChatSampling, Names, Outcome, Setup, Side, TurnId, Vote, Why, code_blocks,
};
use dojo_studio::domain::message::{Message, Role};
use dojo_studio::session::{NewTurn, Session};

use super::world::World;

fn setup() -> Setup {
    Setup {
        system: "Be brief.".into(),
        left: Answerer { name: "small".into(), model: Some("small".into()), adapter: None },
        right: Some(Answerer { name: "tuned".into(), model: None, adapter: Some("runs/a/adapter".into()) }),
        names: Names::Hidden,
        sampling: ChatSampling { seed: 7, ..ChatSampling::default() },
    }
}

fn new(parent: Option<TurnId>, role: Role, side: Side, content: &str) -> NewTurn {
    let by = if role == Role::Assistant { "small".to_owned() } else { String::new() };
    NewTurn { parent, role, side, content: content.into(), by }
}

fn outcome() -> Outcome {
    Outcome {
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
    world.session.vote(id, (left, right), Vote::Right, Names::Hidden, None).unwrap();
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
