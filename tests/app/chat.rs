//! Chats in the whole studio, with a tiny model that answers.

use std::time::Duration;

use dojo_studio::app::sessions;
use dojo_studio::app::studio::headless::Headless;
use dojo_studio::config::Folders;
use dojo_studio::domain::chat::{Turn, Vote, Why};
use dojo_studio::domain::message::Role;
use dojo_studio::domain::record::{RecordId, Status};
use dojo_studio::session::{Access, Session};

use crate::support::tiny::Tiny;

const PATIENCE: Duration = Duration::from_secs(60);

/// Context of a model that goes on writing until it is stopped, however fast the machine is.
const ENDLESS: usize = 200_000;

struct World {
    home: tempfile::TempDir,
    studio: Headless,
}

impl World {
    fn new(context: usize) -> Self {
        Self::with(&Tiny { context, tied: false, ends: context != ENDLESS, ..Tiny::new("llama") })
    }

    /// Chat in a session with this model.
    fn with(tiny: &Tiny) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let model = home.path().join("tiny");
        tiny.write_folder(&model);
        let session = home.path().join("sessions/talk");
        std::fs::create_dir_all(&session).expect("a folder");
        std::fs::write(session.join("session.toml"), format!("model = {:?}\n", model.display().to_string()))
            .expect("a session");
        Self::opened(home)
    }

    fn opened(home: tempfile::TempDir) -> Self {
        let info = sessions::open(&home.path().join("sessions/talk")).expect("open the session");
        let folders = Folders::under(home.path());
        let mut studio = Headless::start(&folders, Some(info), (120, 36)).expect("a studio");
        studio.wait_for("Chat", PATIENCE).expect("a screen");
        studio.keys("4").expect("keys");
        Self { home, studio }
    }

    /// Leaves the studio and opens its session again.
    fn restarted(self) -> Self {
        let Self { home, studio } = self;
        drop(studio);
        Self::opened(home)
    }

    /// Records of the session.
    fn records(&self) -> Vec<i64> {
        let everything = dojo_studio::domain::filter::parse("").expect("a filter");
        self.session().view(&everything, Default::default()).expect("a view").ids().to_vec()
    }

    fn keys(&mut self, keys: &str) {
        self.studio.keys(keys).expect("keys");
    }

    fn wait(&mut self, text: &str) {
        self.studio.wait_for(text, PATIENCE).unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// Waits until an answer in the making has so many tokens; the first may stand for no text.
    fn wait_until_written(&mut self, tokens: u64) {
        let written = |text: &str| {
            let (before, _) = text.split_once(" tokens · esc stops")?;
            before.rsplit(' ').next()?.replace(',', "").parse::<u64>().ok()
        };
        let enough = |studio: &Headless| written(&studio.text()).is_some_and(|count| count >= tokens);
        self.studio.wait_until(PATIENCE, enough).unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// Gives the answer on the right another text than the one on the left.
    fn tell_answers_apart(&self) {
        let mut session = self.session();
        let chat = session.chat(session.chats("").unwrap()[0].id).unwrap();
        let (_, right) = chat.pair().expect("a pair");
        let outcome = right.outcome.clone().expect("an end");
        session.end_turn(right.id, "something else", &outcome).unwrap();
    }

    fn session(&self) -> Session {
        Session::open(&self.home.path().join("sessions/talk"), Access::Write).expect("the session")
    }
}

#[test]
fn a_question_is_answered_kept_and_becomes_a_record() {
    let mut world = World::new(1024);
    world.keys("p down down down down down 1 6 enter enter h i enter");
    // While it is written, the line ends otherwise.
    world.wait("to the first");
    let chats = world.session().chats("").unwrap();
    let chat = world.session().chat(chats[0].id).unwrap();
    let answer = chat.turns.values().find(|turn| turn.role == Role::Assistant).unwrap();
    assert_eq!(answer.outcome.as_ref().unwrap().tokens, 16);
    world.keys("esc g");
    world.wait("kept as an approved record");
    let record = world.session().record(RecordId(1)).unwrap();
    assert_eq!(record.status, Status::Approved);
    assert_eq!(record.prompt(), "hi");
    assert_eq!(record.answer(), Some(answer.content.as_str()));
    let alike = dojo_studio::domain::filter::parse("is:duplicate").expect("a filter");
    assert!(world.session().view(&alike, Default::default()).expect("a view").ids().is_empty());
    world.keys("c x ctrl-s");
    world.wait("kept as a reflection");
    let session = world.session();
    let (_, reflection) = session.reflections(None).unwrap().remove(0);
    let lessons = session.preference_pairs().unwrap();
    assert_eq!(reflection.text(), format!("{}x", answer.content.trim_end()).trim());
    assert_eq!(lessons[0].rejected.as_ref().unwrap().text, answer.content);
}

#[test]
fn a_second_answer_is_another_draw_and_the_first_stays() {
    let mut world = World::new(1024);
    world.keys("p down down down down down 1 6 enter enter h i enter");
    // While it is written, the line ends otherwise.
    world.wait("to the first");
    world.keys("esc r");
    world.wait("(p) · ◂ 2 of 2 ▸");
    let chats = world.session().chats("").unwrap();
    let chat = world.session().chat(chats[0].id).unwrap();
    let answers: Vec<&str> = chat
        .turns
        .values()
        .filter(|turn| turn.role == Role::Assistant && turn.outcome.is_some())
        .map(|turn| turn.content.as_str())
        .collect();
    assert_eq!(answers.len(), 2);
    assert_ne!(answers[0], answers[1]);
}

#[test]
fn a_long_answer_is_stopped_and_what_was_written_is_kept() {
    let mut world = World::new(ENDLESS);
    world.keys("p down down down down down 1 9 0 0 0 0 enter enter h i enter");
    world.wait_until_written(100);
    world.keys("esc");
    world.wait("stopped");
    let chats = world.session().chats("").unwrap();
    let chat = world.session().chat(chats[0].id).unwrap();
    let answer = chat.turns.values().find(|turn| turn.role == Role::Assistant).unwrap();
    assert!(answer.outcome.as_ref().unwrap().tokens < 190_000);
    assert!(!answer.content.is_empty());
}

#[test]
fn a_studio_that_is_left_in_the_middle_of_an_answer_keeps_what_was_written() {
    let mut world = World::new(ENDLESS);
    world.keys("p down down down down down 1 9 0 0 0 0 enter enter h i enter");
    world.wait_until_written(100);
    let World { home, studio } = world;
    drop(studio);
    let session = Session::open(&home.path().join("sessions/talk"), Access::Read).expect("the session");
    let chat = session.chat(session.chats("").unwrap()[0].id).unwrap();
    let answer = chat.turns.values().find(|turn| turn.role == Role::Assistant).unwrap();
    assert_eq!(answer.outcome.as_ref().unwrap().why, Why::Stopped);
    assert!(!answer.content.is_empty());
}

#[test]
fn an_answer_in_the_making_is_kept_as_it_grows() {
    let mut world = World::new(ENDLESS);
    world.keys("p down down down down down 1 9 0 0 0 0 enter enter h i enter");
    world.wait("tok/s");
    let session = world.session();
    let answer = || {
        let chat = session.chat(session.chats("").unwrap()[0].id).unwrap();
        chat.turns.values().find(|turn| turn.role == Role::Assistant).unwrap().clone()
    };
    // The studio takes in what is written meanwhile: a full queue of it would hold the writer up.
    let kept = |_: &Headless| !answer().content.is_empty();
    world.studio.wait_until(PATIENCE, kept).unwrap_or_else(|error| panic!("{error:#}"));
    // A fast machine may have come to a token that ends it, before the second was over after which it is kept.
    world.keys("esc");
    let ended = |_: &Headless| answer().outcome.is_some();
    world.studio.wait_until(PATIENCE, ended).unwrap_or_else(|error| panic!("{error:#}"));
}

#[test]
fn a_vote_between_two_answers_becomes_a_preference_pair() {
    let mut world = World::new(1024);
    // Beside itself, without a draw: both columns have the same answer.
    world.keys("p 0 down down down down down 1 6 enter s enter h i enter");
    world.wait("b votes");
    let chats = world.session().chats("").unwrap();
    let chat = world.session().chat(chats[0].id).unwrap();
    let (left, right) = chat.pair().expect("a pair");
    assert_eq!(left.content, right.content);
    world.keys("esc b left");
    world.wait("both answers say the same");
    assert!(world.records().is_empty());
    assert!(world.session().decisions(chat.id).unwrap().votes.is_empty());
    world.tell_answers_apart();
    world.keys("b left");
    world.wait("kept as a preference pair");
    let record = world.session().record(RecordId(1)).unwrap();
    let pair = record.preference.expect("a preference");
    assert_eq!(pair.chosen[0].content, left.content);
    assert_eq!(pair.rejected[0].content, "something else");
    assert!(record.tags.contains("vote"));
}

#[test]
fn a_model_beside_itself_draws_two_answers_and_each_again_the_next_time() {
    let mut world = World::new(1024);
    world.keys("p down down down down down 1 6 enter s enter h i enter");
    world.wait("b votes");
    world.keys("esc r");
    let session = world.session();
    let answers = || {
        let chat = session.chat(session.chats("").unwrap()[0].id).unwrap();
        let done = |turn: &&Turn| turn.role == Role::Assistant && turn.outcome.is_some();
        chat.turns.values().filter(done).map(|turn| turn.content.clone()).collect::<Vec<_>>()
    };
    let all = |_: &Headless| answers().len() == 4;
    world.studio.wait_until(PATIENCE, all).unwrap_or_else(|error| panic!("{error:#}"));
    let said = answers();
    let different: std::collections::BTreeSet<&String> = said.iter().collect();
    assert_eq!(different.len(), 4, "{said:?}");
}

#[test]
fn a_model_that_is_not_there_is_named_with_what_to_do() {
    let mut world = World::new(1024);
    std::fs::remove_dir_all(world.home.path().join("tiny")).expect("remove the model");
    world.keys("enter h i enter");
    world.wait("✗");
    let screen = world.studio.text();
    assert!(screen.contains("tiny"), "{screen}");
}

#[test]
fn an_answer_kept_twice_is_one_record_and_undo_takes_it_back() {
    let mut world = World::new(1024);
    world.keys("p down down down down down 1 6 enter enter h i enter");
    world.wait("to the first");
    world.keys("esc g");
    world.wait("✓ kept as record 1");
    world.keys("g");
    world.wait("decided already");
    assert_eq!(world.records(), [1]);
    world.keys("u");
    world.wait("took back a kept answer");
    assert!(world.records().is_empty());
    assert!(!world.studio.text().contains("✓ kept"), "{}", world.studio.text());
    // Kept once more, then corrected: the last word has the record.
    world.keys("g");
    world.wait("✓ kept as record 2");
    world.keys("c x ctrl-s");
    world.wait("✓ corrected in record 3");
    assert_eq!(world.records(), [3]);
    world.keys("u");
    world.wait("✓ kept as record 4");
    assert_eq!(world.records(), [4]);
    assert!(world.session().preference_pairs().unwrap().is_empty());
}

#[test]
fn a_later_vote_takes_the_place_of_an_earlier_one_and_of_its_pair() {
    let mut world = World::new(1024);
    world.keys("p down down down down down 1 6 enter s enter h i enter");
    world.wait("b votes");
    world.tell_answers_apart();
    world.keys("esc b left");
    world.wait("kept as a preference pair");
    world.keys("b right");
    world.wait("the vote is changed");
    assert_eq!(world.records(), [1]);
    world.keys("b x");
    world.wait("✗ bad");
    assert!(world.records().is_empty());
    world.keys("u");
    world.wait("✓ better");
    assert_eq!(world.records(), [2]);
    let chats = world.session().chats("").unwrap();
    let chat = world.session().chat(chats[0].id).unwrap();
    assert_eq!(chat.decisions.votes.into_values().collect::<Vec<_>>(), [Vote::Right]);
}

#[test]
fn what_was_being_written_is_there_after_a_restart() {
    let mut world = World::new(1024);
    world.keys("enter f i r s t");
    let mut world = world.restarted();
    world.wait("▏ first");
    world.keys("p down down down down down 1 6 enter enter enter");
    world.wait("to the first");
    world.keys("s e c o n d");
    let mut world = world.restarted();
    // A new chat, whose own draft was sent.
    world.wait("⏎ to write");
    world.keys("h");
    world.wait("✎ draft");
    world.keys("enter");
    world.wait("▏ second");
}

#[test]
fn the_studio_is_left_while_a_model_loads_and_the_answer_that_waited_is_over() {
    // Large enough that its weights take a while.
    let large = Tiny { hidden: 256, intermediate: 1024, layers: 8, ..Tiny::new("llama") };
    let World { home, mut studio } = World::with(&large);
    let session = home.path().join("sessions/talk");
    studio.keys("enter h i enter").expect("keys");
    let talk = || Session::open(&session, Access::Read).expect("the session");
    // The session's database is made meanwhile.
    let asked = |_: &Headless| {
        let session = Session::open(&session, Access::Read);
        session.is_ok_and(|session| session.chats("").is_ok_and(|chats| !chats.is_empty()))
    };
    studio.wait_until(PATIENCE, asked).expect("the question");
    drop(studio);
    let chat = talk().chat(talk().chats("").unwrap()[0].id).unwrap();
    let answer = chat.turns.values().find(|turn| turn.role == Role::Assistant).expect("an answer");
    // Stopped; or whole, on a machine that has loaded it by then.
    assert!(answer.outcome.is_some(), "nobody has ended the answer");
}

#[test]
fn chats_of_another_window_come_into_the_list_and_the_open_chat_and_what_is_typed_stays() {
    use dojo_studio::domain::chat::{Setup, Side};
    use dojo_studio::session::NewTurn;
    let mut world = World::new(1024);
    world.keys("h");
    world.wait("No chat yet");
    let mut other = world.session();
    let chat = other.begin_chat("asked elsewhere", &Setup::default()).unwrap();
    let said = |parent, role, content: &str| NewTurn {
        parent,
        role,
        side: Side::Left,
        content: content.to_owned(),
        by: String::new(),
    };
    let question = other.add_turn(chat, &said(None, Role::User, "asked elsewhere")).unwrap();
    other.set_heads(chat, [Some(question.id), None]).unwrap();
    world.wait("asked elsewhere");
    world.keys("enter");
    world.wait("you    asked elsewhere");
    world.keys("i m i n e");
    world.wait("mine");
    let answer = other.add_turn(chat, &said(Some(question.id), Role::Assistant, "answered there")).unwrap();
    other.set_heads(chat, [Some(answer.id), None]).unwrap();
    world.wait("answered there");
    world.wait("mine");
    other.rename_chat(chat, "of the other window").unwrap();
    other.delete_chat(chat).unwrap();
    world.studio.wait_until(PATIENCE, |studio| !studio.text().contains("answered there")).unwrap();
}

#[test]
fn a_correction_that_is_taken_back_stays_as_a_draft_of_its_answer() {
    let mut world = World::new(1024);
    world.keys("p down down down down down 1 6 enter enter h i enter");
    world.wait("to the first");
    world.keys("esc c z z q q ctrl-s");
    world.wait("✓ corrected in record 1");
    let corrected =
        |world: &World| world.session().record(RecordId(1)).unwrap().answer().unwrap_or_default().to_owned();
    let text = corrected(&world);
    assert!(text.ends_with("zzqq"), "{text}");
    world.keys("u");
    world.wait("its text is a draft: c goes on with it");
    world.wait("a correction is begun");
    // It is there again, and saved again.
    world.keys("c ctrl-s");
    world.wait("✓ corrected in record 2");
    let again = world.session().record(RecordId(2)).unwrap().answer().unwrap_or_default().to_owned();
    assert_eq!(again, text);
    // Another one that is begun is not written over.
    world.keys("c x esc");
    world.wait("a correction is begun");
    world.keys("u");
    world.wait("another correction of that answer is begun");
    assert_eq!(world.records(), [2]);
}

#[test]
fn a_model_that_is_not_here_or_still_fetched_is_named_with_the_studios_own_way() {
    let home = tempfile::tempdir().expect("a folder");
    let session = home.path().join("sessions/talk");
    std::fs::create_dir_all(&session).expect("a folder");
    std::fs::write(session.join("session.toml"), "model = \"hf:nobody/nothing\"\n").expect("a session");
    let mut world = World::opened(home);
    world.keys("enter h i enter");
    world.wait("isn't on this machine yet: 6, then p");
    assert!(!world.studio.text().contains("network is off"), "{}", world.studio.text());
    // A process that fetches it holds this lock.
    let models = Folders::under(world.home.path()).models();
    std::fs::create_dir_all(&models).expect("a folder");
    let lock = std::fs::File::create(models.join("hf-nobody-nothing.lock")).expect("a lock");
    lock.lock().expect("the lock");
    world.keys("esc r");
    world.wait("is being fetched (f3 shows how far it is)");
}
