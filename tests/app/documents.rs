//! The library in the whole studio: files in, a search, a document, another session meanwhile.

use std::path::{Path, PathBuf};
use std::time::Duration;

use dojo_studio::app::library::{LocalEmbedder, of_session};
use dojo_studio::app::sessions;
use dojo_studio::app::studio::headless::Headless;
use dojo_studio::config::Folders;
use dojo_studio::domain::library::ChunkSettings;
use dojo_studio::engine::model::ModelFiles;
use dojo_studio::rag::add::{AddHost, AddProgress, Adder, ChunkCut};
use dojo_studio::rag::database::LibraryRoot;
use dojo_studio::rag::files::{FilesReport, add_path};
use dojo_studio::rag::library::Library;
use dojo_studio::session::{Access, Session};

use crate::engine::embed::write_tiny_bert;
use crate::support::tiny::Tiny;

const PATIENCE: Duration = Duration::from_secs(60);

struct World {
    home: tempfile::TempDir,
    folders: Folders,
    studio: Headless,
}

struct GoesOn;

impl AddHost for GoesOn {
    fn goes_on(&mut self, _: &AddProgress) -> bool {
        true
    }
}

/// An empty library that a tiny model embeds.
fn library(session: &Path, bert: &Path) {
    let mut library = Library::create(&of_session(session)).expect("a library");
    let embedder = LocalEmbedder::open(&ModelFiles::at(bert).expect("a model")).expect("an embedder");
    let cut = ChunkCut::ToFit(ChunkSettings::default());
    let mut host = GoesOn;
    let adder = Adder::new(&mut library, Some(&embedder), cut, &mut host).expect("a model is chosen");
    adder.finish().expect("nothing to add");
}

impl World {
    /// The library of a session with documents to add beside it, one of which is broken.
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let folders = Folders::under(home.path());
        let session = sessions::create(&folders, "river").expect("a session");
        sessions::create(&folders, "quarry").expect("a session");
        let bert = home.path().join("bert");
        write_tiny_bert(&bert);
        library(&session.path, &bert);
        let notes = home.path().join("notes");
        std::fs::create_dir_all(&notes).expect("a folder");
        for (name, text) in [
            ("salmon.md", "# Salmon\n\nSalmon swim upstream to spawn.\n"),
            ("heron.md", "# Herons\n\nHerons stand in shallow water.\n"),
            ("broken.pdf", "no PDF at all"),
        ] {
            std::fs::write(notes.join(name), text).expect("a file");
        }
        let info = sessions::open(&session.path).expect("the session");
        let mut studio = Headless::start(&folders, Some(info), (110, 30)).expect("a studio");
        studio.wait_for("Chat", PATIENCE).expect("a screen");
        studio.keys("4 L").expect("keys");
        Self { home, folders, studio }
    }

    fn notes(&self) -> PathBuf {
        self.home.path().join("notes")
    }

    fn keys(&mut self, keys: &str) {
        self.studio.keys(keys).expect("keys");
    }

    fn wait(&mut self, text: &str) {
        self.studio.wait_for(text, PATIENCE).unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// Types a text, a letter at a time.
    fn text(&mut self, text: &str) {
        let keys: Vec<String> = text
            .chars()
            .map(|letter| if letter == ' ' { "space".to_owned() } else { letter.to_string() })
            .collect();
        self.keys(&keys.join(" "));
    }

    fn add_notes(&mut self) {
        self.wait("i adds a file");
        self.keys("i");
        let notes = self.notes().display().to_string();
        self.text(&notes);
        self.keys("enter");
    }
}

#[test]
fn a_folder_comes_in_but_for_the_file_that_can_not_be_read_and_is_searched_and_read() {
    let mut world = World::new();
    world.add_notes();
    world.wait("1 file was left out");
    world.wait("2 documents");
    world.wait("Salmon");
    world.keys("w");
    world.wait("it is no PDF, whatever its name says");
    world.keys("esc /");
    world.text("upstream");
    world.wait("passage by words");
    // After a pause by meaning too: the other one is found as well.
    world.wait("2 passages by words and meaning");
    world.keys("enter");
    world.wait("Salmon swim upstream to spawn.");
    world.keys("esc esc e");
    world.text("Birds of the river");
    world.keys("enter");
    world.wait("describe heron.md: done");
    world.wait("Birds of the river");
    world.keys("D y");
    world.wait("heron.md is out of the library");
    world.wait("1 document ·");
    assert!(world.notes().join("heron.md").is_file());
    // It stays out when its folder is read again, and comes back by its own name.
    world.keys("r");
    world.wait("update the library: done");
    world.wait("1 document ·");
    world.keys("i");
    let heron = world.notes().join("heron.md").display().to_string();
    world.text(&heron);
    world.keys("enter");
    world.wait("2 documents");
}

#[test]
fn documents_come_into_their_own_session_when_another_is_opened_meanwhile() {
    let mut world = World::new();
    for number in 0..400 {
        let text = format!("# Note {number}\n\nWater stood at {number} centimetres.\n");
        std::fs::write(world.notes().join(format!("note{number:03}.md")), text).expect("a file");
    }
    world.add_notes();
    world.wait("add notes  ");
    world.keys("f2");
    world.wait("quarry");
    world.keys("/");
    world.text("quarry");
    world.keys("enter");
    world
        .studio
        .wait_until(PATIENCE, |studio| {
            studio.text().lines().next().is_some_and(|line| line.contains("quarry"))
        })
        .expect("the other session");
    world.keys("4 L");
    world.wait("i adds a file");
    let river = world.folders.sessions().join("river");
    let whole = || {
        Library::open(&of_session(&river))
            .and_then(|library| library.counts())
            .is_ok_and(|counts| counts.documents == 402)
    };
    world.studio.wait_until(PATIENCE, |_| whole()).unwrap_or_else(|error| panic!("{error:#}"));
    world.studio.wait_until(PATIENCE, |studio| !studio.text().contains("add notes")).expect("the job ends");
    assert!(!world.studio.text().contains("402 documents"), "{}", world.studio.text());
    assert!(world.studio.text().contains("i adds a file"), "{}", world.studio.text());
}

#[test]
fn without_the_model_nothing_comes_in_and_it_is_said_why() {
    let mut world = World::new();
    std::fs::remove_dir_all(world.home.path().join("bert")).expect("the model goes");
    world.add_notes();
    world.wait("which embeds this library, is not on this machine");
    world.keys("esc");
}

/// A chat with a tiny model about two documents that are found by their words.
fn talk() -> (tempfile::TempDir, Headless) {
    let home = tempfile::tempdir().expect("a folder");
    let model = home.path().join("tiny");
    Tiny { context: 4096, ..Tiny::new("llama") }.write_folder(&model);
    let session = home.path().join("sessions/talk");
    std::fs::create_dir_all(&session).expect("a folder");
    let file = format!("model = {:?}\n", model.display().to_string());
    std::fs::write(session.join("session.toml"), file).expect("a session");
    let mut library = Library::create(&of_session(&session)).expect("a library");
    let cut = ChunkCut::ToFit(ChunkSettings::default());
    let mut host = GoesOn;
    let mut adder = Adder::new(&mut library, None, cut, &mut host).expect("an adder");
    for (name, text) in [("a.md", "rivers rivers rivers"), ("b.md", "rivers have banks of mud and of sand")] {
        let path = home.path().join(name);
        std::fs::write(&path, text).expect("a file");
        let root = LibraryRoot { path: path.display().to_string(), ..LibraryRoot::default() };
        add_path(&mut adder, &root, &mut FilesReport::default()).expect("a document");
    }
    adder.finish().expect("documents");
    let info = sessions::open(&session).expect("the session");
    let folders = Folders::under(home.path());
    let mut studio = Headless::start(&folders, Some(info), (120, 36)).expect("a studio");
    studio.wait_for("Chat", PATIENCE).expect("a screen");
    studio.keys("4 p down down down down down 1 6 enter l").expect("keys");
    (home, studio)
}

/// The documents that the answers of the only chat were given from, answer by answer.
fn given_from(home: &Path) -> Vec<Vec<String>> {
    let session = Session::open(&home.join("sessions/talk"), Access::Read).expect("the session");
    let Some(chat) = session.chats("").expect("chats").first().map(|chat| chat.id) else { return Vec::new() };
    let chat = session.chat(chat).expect("the chat");
    let ended = chat.turns.values().filter(|turn| turn.outcome.is_some());
    let name = |source: &str| source.rsplit('/').next().unwrap_or_default().to_owned();
    ended
        .filter_map(|turn| chat.sources.get(&turn.id))
        .map(|sources| sources.passages.iter().map(|passage| name(&passage.source)).collect())
        .collect()
}

#[test]
fn an_excluded_document_is_not_looked_in_and_a_pinned_one_comes_first() {
    let (home, mut studio) = talk();
    let wait = |studio: &mut Headless, answers: usize| {
        let all = |_: &Headless| given_from(home.path()).len() == answers;
        studio.wait_until(PATIENCE, all).unwrap_or_else(|error| panic!("{error:#}"));
        studio.wait_until(PATIENCE, |studio| !studio.text().contains("esc stops")).expect("it ends");
    };
    studio.keys("enter r i v e r s enter").expect("keys");
    wait(&mut studio, 1);
    assert_eq!(given_from(home.path()), [["a.md", "b.md"]]);
    studio.keys("esc").expect("keys");
    studio.wait_for("v reads", PATIENCE).expect("the sources");
    studio.keys("-").expect("keys");
    studio.wait_for("1 excluded", PATIENCE).expect("the mark");
    studio.keys("r").expect("keys");
    wait(&mut studio, 2);
    assert_eq!(given_from(home.path())[1], ["b.md"]);
    studio.keys("u").expect("keys");
    studio.wait_for("is looked in as any other again", PATIENCE).expect("undone");
    studio.keys("+").expect("keys");
    studio.wait_for("1 pinned", PATIENCE).expect("the mark");
    studio.keys("r").expect("keys");
    wait(&mut studio, 3);
    assert_eq!(given_from(home.path())[2], ["b.md", "a.md"]);
}
