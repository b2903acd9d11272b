//! `dojo rag` with what isn't on this machine: an endpoint that embeds, papers; and what is taken out and stays out.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::engine::embed::{write_pooling, write_tiny_bert};
use crate::support::program::{World, wait_until};

fn world() -> World {
    let world = World::new();
    write_tiny_bert(&world.path().join("bert"));
    std::fs::create_dir_all(world.path().join("notes/deep")).unwrap();
    std::fs::create_dir_all(world.path().join("settings")).unwrap();
    write(&world, "notes/salmon.md", "# Salmon\n\nSalmon swim upstream to spawn.\n");
    write(&world, "notes/deep/granite.md", "# Granite\n\nGranite is a rock of quartz.\n");
    world
}

fn write(world: &World, name: &str, text: &str) {
    std::fs::write(world.path().join(name), text).unwrap();
}

fn rag(world: &World, arguments: &[&str]) -> Value {
    let said = world.say(&[&["rag"], arguments, &["--library", "./lib", "--json"]].concat());
    serde_json::from_str(&said).unwrap()
}

fn refused(world: &World, arguments: &[&str]) -> String {
    let output = world.dojo(&[&["rag"], arguments, &["--library", "./lib"]].concat());
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn names(found: &Value, key: &str) -> Vec<String> {
    let name = |one: &Value| one["source"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    found[key].as_array().unwrap().iter().map(name).collect()
}

/// `dojo serve --embeddings`, until it is dropped.
struct Server(Child);

impl Server {
    /// Gives its base URL too.
    fn start(world: &World, embeddings: &str) -> (Self, String) {
        let arguments =
            ["serve", "--model", "model", "--embeddings", embeddings, "--port", "0", "--threads", "1"];
        let mut child = world.command(&arguments).stdout(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("serving on") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "it doesn't serve");
        }
        let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
        // What it says later is read by nobody, and must not stop it.
        std::thread::spawn(move || said.lines().count());
        (Self(child), format!("http://{address}/v1"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn a_library_is_embedded_by_an_endpoint_and_searched_through_it() {
    let world = world();
    let (server, url) = Server::start(&world, "./bert");
    let settings = |model: &str| {
        write(
            &world,
            "settings/settings.toml",
            &format!("[embedders.near]\nbase_url = \"{url}\"\nmodel = \"{model}\"\ntokens_per_text = 12\n"),
        );
    };
    settings("bert");
    let added = rag(&world, &["add", "notes", "--model", "near"]);
    assert_eq!((&added["files"]["added"], &added["now"]["dimensions"]), (&json!(2), &json!(16)), "{added}");
    assert_eq!(added["now"]["model"], "near:bert");
    assert!(added["spent"].as_str().unwrap().contains("tokens asked of near:bert"), "{added}");
    // Nothing is asked for twice.
    let again = rag(&world, &["add"]);
    assert_eq!(again["chunks"]["embedded"], 0);
    let found = rag(&world, &["search", "salmon swim", "--mode", "dense"]);
    assert_eq!(names(&found, "passages").len(), 2);

    // The same model on this machine gives the same ranking, and is another model all the same.
    let said = refused(&world, &["add", "notes", "--model", "./bert"]);
    assert!(said.contains("is embedded with near:bert (16 dimensions)"), "{said}");
    settings("other");
    let said = refused(&world, &["search", "salmon", "--mode", "dense"]);
    assert!(said.contains("embedded with bert of near, and settings.toml names other"), "{said}");
    let scores = |found: &Value| {
        let score =
            |one: &Value| (one["source"].clone(), (one["dense"]["score"].as_f64().unwrap() * 1e4).round());
        found["passages"].as_array().unwrap().iter().map(score).collect::<Vec<_>>()
    };
    rag(&world, &["embed", "--model", "./bert"]);
    assert_eq!(scores(&rag(&world, &["search", "salmon swim", "--mode", "dense"])), scores(&found));

    drop(server);
    settings("bert");
    let said = refused(&world, &["embed", "--model", "nowhere"]);
    assert!(said.contains("settings.toml has no [embedders.nowhere]"), "{said}");
    write(
        &world,
        "settings/settings.toml",
        "[embedders.far]\nbase_url = \"http://127.0.0.1:1/v1\"\nmodel = \"m\"\nkey_env = \"DOJO_NO_SUCH_KEY\"\n",
    );
    let said = refused(&world, &["embed", "--model", "far"]);
    assert!(
        said.contains("embedder far needs a key: set the environment variable DOJO_NO_SUCH_KEY"),
        "{said}"
    );
}

#[test]
fn an_endpoint_that_has_moved_is_asked_whether_it_is_the_same() {
    let world = world();
    std::fs::create_dir_all(world.path().join("other")).unwrap();
    write_tiny_bert(&world.path().join("other/bert"));
    write_pooling(&world.path().join("other/bert"), "cls");
    let settings = |url: &str| {
        write(
            &world,
            "settings/settings.toml",
            &format!("[embedders.near]\nbase_url = \"{url}\"\nmodel = \"bert\"\n"),
        );
    };
    let search = ["rag", "search", "salmon swim", "--mode", "dense", "--library", "./lib"];
    let (server, first) = Server::start(&world, "./bert");
    settings(&first);
    rag(&world, &["add", "notes", "--model", "near"]);
    let before = world.say(&search);
    drop(server);

    // The same model elsewhere.
    let (server, second) = Server::start(&world, "./bert");
    settings(&second);
    let output = world.dojo(&search);
    assert_eq!(String::from_utf8_lossy(&output.stdout), before);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("gives the same vectors as at") && told.contains(&first), "{told}");
    assert_eq!(String::from_utf8_lossy(&world.dojo(&search).stderr), "", "it is told once");
    assert_eq!(rag(&world, &["add", "notes"])["chunks"]["embedded"], 0);
    drop(server);

    // Another model under the same name.
    let (_server, third) = Server::start(&world, "./other/bert");
    settings(&third);
    for asked in [&["search", "salmon", "--mode", "dense"][..], &["add", "notes"]] {
        let said = refused(&world, asked);
        let words =
            format!("near:bert, which was asked at {second} then, and gives other vectors at {third} now");
        assert!(said.contains(&words) && said.contains("`dojo rag embed --model near:bert`"), "{said}");
    }
    let anew = rag(&world, &["embed", "--model", "near:bert"]);
    assert_eq!(anew["now"]["embeddings"], 4, "{anew}");
    rag(&world, &["search", "salmon", "--mode", "dense"]);
}

#[test]
fn a_paper_is_added_from_a_server_that_stands_for_arxiv_and_cited_by_its_version() {
    let world = world();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(MockServer::start());
    let entry = "<feed><opensearch:totalResults>1</opensearch:totalResults><entry>\
        <id>http://arxiv.org/abs/2501.01234v2</id><title>On Herons</title><author><name>Ada</name></author>\
        <published>2025-01-02T00:00:00Z</published><category term=\"cs.IR\"/></entry></feed>";
    let page =
        format!("<html><body><main><p>{}</p></main></body></html>", "Herons wait for fish. ".repeat(100));
    let mount = |at: &str, body: &str, kind: &str| {
        let reply = ResponseTemplate::new(200).set_body_raw(body.as_bytes().to_vec(), kind);
        runtime.block_on(Mock::given(path(at)).respond_with(reply).mount(&server));
    };
    mount("/api/query", entry, "application/atom+xml");
    mount("/html/2501.01234v2", &page, "text/html");
    let settings = format!("[arxiv]\napi_url = \"{0}/api/query\"\nsite_url = \"{0}\"\n", server.uri());
    write(&world, "settings/settings.toml", &settings);
    let added = rag(
        &world,
        &["add", "arxiv:2501.01234", "arxiv-search:herons fish", "--most", "1", "--no-embeddings"],
    );
    assert_eq!((&added["files"]["added"], &added["files"]["unchanged"]), (&json!(1), &json!(1)), "{added}");
    let found = rag(&world, &["search", "herons", "--filter", "tag:cs.IR", "--filter", "from:2025"]);
    assert_eq!(found["passages"][0]["source"], "arxiv:2501.01234v2");
    assert_eq!(found["passages"][0]["title"], "On Herons");
    let status = world.say(&["rag", "status", "--library", "./lib"]);
    assert!(status.contains("arxiv-search:herons fish (at most 1 papers)"), "{status}");
    let missing = rag(&world, &["add", &format!("{}/nothing", server.uri())]);
    assert_eq!(missing["files"]["unread"], 1);
}

#[test]
fn what_is_taken_out_of_a_folder_stays_out_until_it_is_added_by_its_name() {
    let world = world();
    rag(&world, &["add", "notes", "--no-embeddings"]);
    rag(&world, &["remove", "notes/salmon.md"]);
    for again in [&["add"][..], &["add", "notes"]] {
        let added = rag(&world, again);
        assert_eq!(
            (&added["files"]["excluded"], &added["files"]["added"]),
            (&json!(1), &json!(0)),
            "{added}"
        );
    }
    assert_eq!(names(&rag(&world, &["list"]), "documents"), ["granite.md"]);
    let told = world.say(&["rag", "status", "--library", "./lib"]);
    assert!(told.contains("stays out  ") && told.contains("notes/salmon.md"), "{told}");
    assert!(world.say(&["rag", "list", "--library", "./lib"]).contains("stays out"));
    rag(&world, &["add", "notes/salmon.md"]);
    assert_eq!(names(&rag(&world, &["list"]), "documents"), ["granite.md", "salmon.md"]);
    rag(&world, &["add"]);
    assert_eq!(rag(&world, &["status"])["excluded"], json!([]));

    // A folder within it stays out with what is written there later, but for what is added by its name.
    rag(&world, &["remove", "notes/deep"]);
    write(&world, "notes/deep/later.md", "Later.\n");
    rag(&world, &["add"]);
    assert_eq!(names(&rag(&world, &["list"]), "documents"), ["salmon.md"]);
    rag(&world, &["add", "notes/deep/later.md"]);
    rag(&world, &["add", "notes"]);
    assert_eq!(names(&rag(&world, &["list"]), "documents"), ["later.md", "salmon.md"]);
    // The whole folder: nothing is left to stay out of.
    rag(&world, &["remove", "notes"]);
    let status = rag(&world, &["status"]);
    assert_eq!(
        (&status["roots"], &status["excluded"], &status["now"]["documents"]),
        (&json!([]), &json!([]), &json!(0))
    );
}

#[test]
fn a_watched_folder_is_kept_up_with_until_it_is_interrupted() {
    let world = world();
    let mut child = world
        .command(&["rag", "add", "notes", "--watch", "--no-embeddings", "--library", "./lib"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("watching") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0);
    }
    let listed = || names(&rag(&world, &["list"]), "documents");
    assert_eq!(listed(), ["granite.md", "salmon.md"]);
    write(&world, "notes/herons.md", "# Herons\n\nHerons wait.\n");
    std::fs::remove_file(world.path().join("notes/salmon.md")).unwrap();
    wait_until("the changes to be in the library", || listed() == ["granite.md", "herons.md"]);
    let process = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &process]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
