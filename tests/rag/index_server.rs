//! A Qdrant server as an index: it keeps the contract, and whatever is wrong with it is said in one sentence.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use dojo_studio::rag::index::server::{ServerAccess, ServerClaim, ServerIndex, ServerLink};
use dojo_studio::rag::index::{ChunkIndex, IndexMark, IndexQuery, IndexedChunk};
use dojo_studio::rag::terms::TermVector;
use qdrant_client::qdrant::vectors_config::Config;
use qdrant_client::qdrant::{Distance, Modifier, SparseVectorConfig, VectorsConfig};

use super::index::{keeps_the_contract, mark};
use super::qdrant::{FakeQdrant, Mood, hasty};

fn claim(library: &str) -> ServerClaim {
    ServerClaim { library: library.to_owned(), turns: Vec::new() }
}

fn opened(access: &ServerAccess, name: &str, dimensions: usize) -> anyhow::Result<ServerIndex> {
    ServerIndex::open(&ServerLink::new(access).unwrap(), name, &claim("library"), dimensions)
}

fn open(server: &FakeQdrant) -> ServerIndex {
    opened(&server.access(None), "notes", 2).unwrap()
}

/// What is said instead of opening.
fn refusal(access: &ServerAccess) -> String {
    format!("{:#}", opened(access, "notes", 2).err().expect("it is refused"))
}

fn chunk(id: u64) -> IndexedChunk {
    let terms = TermVector { ids: vec![7], weights: vec![1.0] };
    IndexedChunk { id, document: 1, dense: Some(vec![1.0, 0.0]), terms, payload: None }
}

#[test]
fn a_server_keeps_the_contract() {
    let server = FakeQdrant::start();
    let link = ServerLink::new(&server.access(None)).unwrap();
    keeps_the_contract(&|folder| Box::new(in_folders_name(&link, folder)));
}

/// Each folder of the contract has a collection of its own.
fn in_folders_name(link: &Arc<ServerLink>, folder: &Path) -> ServerIndex {
    let name = folder.file_name().unwrap().to_str().unwrap();
    ServerIndex::open(link, &format!("dojo-test-{name}"), &claim("library"), 2).unwrap()
}

#[test]
fn a_real_server_keeps_the_contract_where_one_is_named() {
    let Ok(url) = std::env::var("DOJO_QDRANT_URL") else {
        eprintln!("left out: DOJO_QDRANT_URL names no server");
        return;
    };
    let key = std::env::var("DOJO_QDRANT_KEY").ok();
    let access = ServerAccess::new(&url, key.as_deref()).unwrap();
    let link = ServerLink::new(&access).unwrap();
    let names = std::cell::RefCell::new(std::collections::BTreeSet::new());
    keeps_the_contract(&|folder| {
        names.borrow_mut().insert(folder.file_name().unwrap().to_str().unwrap().to_owned());
        Box::new(in_folders_name(&link, folder))
    });
    let client =
        qdrant_client::Qdrant::from_url(&url).api_key(key).skip_compatibility_check().build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for name in names.into_inner() {
        runtime.block_on(client.delete_collection(format!("dojo-test-{name}"))).unwrap();
    }
}

#[test]
fn a_server_is_asked_from_within_another_runtime_too() {
    let server = FakeQdrant::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut index = open(&server);
        index.put(vec![chunk(1)]).unwrap();
        assert_eq!(index.count().unwrap(), 1);
    });
}

#[test]
fn many_chunks_are_sent_in_batches_that_a_server_takes() {
    let server = FakeQdrant::start();
    let mut index = open(&server);
    let before = server.requests();
    index.put((1..=300).map(chunk).collect()).unwrap();
    assert_eq!(server.requests() - before, 3, "by their number");
    let before = server.requests();
    let long = |id| {
        let text = "long ".repeat(300_000);
        let payload = dojo_studio::rag::index::ChunkPayload { text, ..Default::default() };
        IndexedChunk { payload: Some(Box::new(payload)), ..chunk(id) }
    };
    index.put((1..=6).map(long).collect()).unwrap();
    assert_eq!(server.requests() - before, 3, "by their bytes");
    assert_eq!(index.count().unwrap(), 300);
}

#[test]
fn what_may_pass_is_asked_again() {
    let server = FakeQdrant::start();
    let mut index = open(&server);
    server.is(Mood::Shaky(3));
    index.put(vec![chunk(1)]).unwrap();
    server.is(Mood::Shaky(1));
    assert_eq!(index.find(IndexQuery::Dense(&[1.0, 0.0]), None, 1).unwrap(), [(1, 1.0)]);
    server.is(Mood::Busy(1));
    index.put(vec![chunk(2)]).unwrap();
    assert_eq!(index.count().unwrap(), 2);
}

#[test]
fn a_server_that_is_away_is_said_to_be() {
    let place = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let access = ServerAccess::new(&format!("http://{place}"), None).unwrap().waiting(hasty());
    assert_eq!(
        refusal(&access),
        format!(
            "the Qdrant server at http://{place} can't be reached (nothing listens there): start it, or check its address"
        )
    );
    let access = ServerAccess::new("http://no-such-host.invalid", None).unwrap().waiting(hasty());
    assert_eq!(
        refusal(&access),
        "the Qdrant server at http://no-such-host.invalid:6334 can't be reached (there is no such host): start it, or check \
         its address"
    );
}

#[test]
fn a_server_that_goes_away_is_said_to_have() {
    let server = FakeQdrant::start();
    let index = open(&server);
    let url = server.url();
    drop(server);
    let error = index.find(IndexQuery::Dense(&[1.0, 0.0]), None, 1).expect_err("it is gone");
    assert_eq!(
        error.to_string(),
        format!(
            "the Qdrant server at {url} can't be reached (nothing listens there): start it, or check its address"
        )
    );
}

#[test]
fn a_port_that_speaks_something_else_is_said_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut asked = [0; 1024];
            let _ = stream.read(&mut asked);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
            // Open until the other side is done with it.
            while stream.read(&mut asked).is_ok_and(|read| read > 0) {}
        }
    });
    let access = ServerAccess::new(&format!("http://{place}"), None).unwrap().waiting(hasty());
    assert_eq!(
        refusal(&access),
        format!(
            "the Qdrant server at http://{place} can't be reached (it speaks no gRPC: the port for that is 6334 mostly, and \
             not 6333): start it, or check its address"
        )
    );
    let server = FakeQdrant::start();
    let url = server.url().replace("http://", "https://");
    let access = ServerAccess::new(&url, None).unwrap().waiting(hasty());
    assert_eq!(
        refusal(&access),
        format!(
            "the Qdrant server at {url} can't be reached (it speaks no TLS: write http:// instead of https://): start it, or \
             check its address"
        )
    );
}

#[test]
fn a_slow_server_is_given_up_on_in_time() {
    let server = FakeQdrant::start();
    let index = open(&server);
    server.is(Mood::Silent);
    let error = index.find(IndexQuery::Dense(&[1.0, 0.0]), None, 1).expect_err("it never answers");
    assert_eq!(
        error.to_string(),
        format!(
            "the Qdrant server at {} took longer than 1.5 s to search: see what it is busy with, and try again",
            server.url()
        )
    );
}

#[test]
fn a_full_server_is_said_to_be_and_keeps_what_it_has() {
    let server = FakeQdrant::start();
    let mut index = open(&server);
    index.put(vec![chunk(1)]).unwrap();
    server.is(Mood::Full);
    let before = server.requests();
    let error = index.put(vec![chunk(2)]).expect_err("no room");
    assert_eq!(
        error.to_string(),
        format!(
            "the Qdrant server at {} has no room to take chunks (Service internal error: No space left on device: WAL buffer \
             size exceeds available disk space): make room there, and try again: what is there stays",
            server.url()
        )
    );
    assert!(server.requests() - before <= 2, "nothing is gained by asking again");
    assert_eq!(index.count().unwrap(), 1);
}

#[test]
fn a_refused_key_is_said_to_be_and_never_shown() {
    let server = FakeQdrant::start();
    server.is(Mood::Locked("right-key-123456".to_owned()));
    let url = server.url();
    assert_eq!(
        refusal(&server.access(Some("wrong-key-654321"))),
        format!(
            "the Qdrant server at {url} refuses the key in DOJO_QDRANT_KEY: it may be another server's, or have ended"
        )
    );
    assert_eq!(
        refusal(&server.access(None)),
        format!(
            "the Qdrant server at {url} wants a key: put it into the environment variable DOJO_QDRANT_KEY, and its address \
             into DOJO_QDRANT_URL"
        )
    );
    let access = server.access(Some("right-key-123456"));
    assert!(!format!("{access:?}").contains("right-key"), "{access:?}");
    opened(&access, "notes", 2).unwrap();
    server.is(Mood::ReadOnly);
    let mut index = open(&server);
    assert_eq!(
        index.put(vec![chunk(1)]).expect_err("it may only read").to_string(),
        format!(
            "the key in DOJO_QDRANT_KEY may not take chunks on the Qdrant server at {url}: use one with the right to write"
        )
    );
}

#[test]
fn a_server_of_another_version_is_refused() {
    let server = FakeQdrant::start();
    for version in ["1.9.2", "2.0.0", "0.11.4", "unheard of"] {
        server.state().version = version;
        assert_eq!(
            refusal(&server.access(None)),
            format!(
                "the Qdrant server at {} is of version {version}, and a library's index needs 1.16 or a later 1.x: update \
                 it, or use another",
                server.url()
            )
        );
    }
    assert!(server.state().collections.is_empty());
    server.state().version = "1.25.0-dev";
    open(&server);
}

#[test]
fn a_collection_of_another_layout_is_refused_and_stays_as_it_is() {
    let server = FakeQdrant::start();
    drop(open(&server));
    let place = format!("the collection notes at {}", server.url());
    let other = "name another collection with --collection NAME";
    let access = server.access(None);

    let error = opened(&access, "notes", 3).err().expect("three dimensions");
    assert_eq!(
        error.to_string(),
        format!("{place} has vectors of 2 dimensions, and this library's have 3: {other}")
    );

    let was = server.state().collections["notes"].asked.clone();
    let laid_out = |change: &dyn Fn(&mut qdrant_client::qdrant::CreateCollection)| {
        let mut asked = was.clone();
        change(&mut asked);
        server.state().collections.get_mut("notes").unwrap().asked = asked;
        refusal(&access)
    };
    let said = laid_out(&|asked| asked.vectors_config = Some(VectorsConfig { config: None }));
    assert_eq!(said, format!("{place} is laid out otherwise: it has no vectors named dense; {other}"));
    let said = laid_out(&|asked| {
        let Some(Config::ParamsMap(named)) = &mut asked.vectors_config.as_mut().unwrap().config else {
            panic!()
        };
        named.map.get_mut("dense").unwrap().set_distance(Distance::Dot);
    });
    assert_eq!(
        said,
        format!(
            "{place} is laid out otherwise: its vectors named dense are not compared one by one by cosine; {other}"
        )
    );
    let said = laid_out(&|asked| asked.sparse_vectors_config = Some(SparseVectorConfig::default()));
    assert_eq!(said, format!("{place} is laid out otherwise: it has no sparse vectors named bm25; {other}"));
    let said = laid_out(&|asked| {
        let sparse = asked.sparse_vectors_config.as_mut().unwrap();
        sparse.map.get_mut("bm25").unwrap().set_modifier(Modifier::None);
    });
    assert_eq!(
        said,
        format!(
            "{place} is laid out otherwise: its sparse vectors named bm25 don't count how rare a term is (modifier IDF), so \
             that BM25 would rank otherwise; {other}"
        )
    );
}

#[test]
fn what_is_no_index_of_this_library_is_left_alone() {
    let server = FakeQdrant::start();
    let access = server.access(None);
    let mut index = open(&server);
    let place = format!("the collection notes at {}", server.url());
    index.put(vec![chunk(1)]).unwrap();
    assert_eq!(
        refusal(&access),
        format!(
            "{place} holds points that no library put there: name another collection with --collection NAME"
        )
    );
    index.set_mark(&mark("another library")).unwrap();
    assert_eq!(
        refusal(&access),
        format!("{place} is the index of another library: name another collection with --collection NAME")
    );
    index.set_mark(&IndexMark { turn: Some("a copy's".to_owned()), ..mark("library") }).unwrap();
    assert!(refusal(&access).starts_with(&format!("another copy of this library has written to {place}")));
    let link = ServerLink::new(&access).unwrap();
    let claim = ServerClaim { turns: vec!["a copy's".to_owned()], ..claim("library") };
    ServerIndex::open(&link, "notes", &claim, 2).unwrap();
    assert_eq!(index.count().unwrap(), 1);
    let error = opened(&access, "a/b", 2).err().expect("no name");
    assert_eq!(error.to_string(), "\"a/b\" is no name for a collection: use letters, digits, - and _");
}

#[test]
fn an_address_is_read_whole_or_refused() {
    let url = |url: &str| ServerAccess::new(url, None).map(|access| access.url().to_owned());
    assert_eq!(url(" http://localhost/ ").unwrap(), "http://localhost:6334");
    assert_eq!(url("https://q.example:443").unwrap(), "https://q.example:443");
    assert_eq!(url("http://[::1]:7000").unwrap(), "http://[::1]:7000");
    assert_eq!(url("http://[::1]").unwrap(), "http://[::1]:6334");
    for wrong in ["localhost:6334", "", "ftp://a", "http://", "http://a/b"] {
        let said = url(wrong).expect_err(wrong).to_string();
        assert!(
            said.ends_with("is no address of a Qdrant server: write it as http://localhost:6334"),
            "{said}"
        );
    }
    let said = url("http://me:secret-word@a:1").expect_err("a password").to_string();
    assert!(!said.contains("secret-word") && said.contains("DOJO_QDRANT_KEY"), "{said}");
    let said = ServerAccess::new("http://a", Some("two words")).expect_err("no key").to_string();
    assert!(!said.contains("two words"), "{said}");
}

#[test]
fn a_key_goes_to_its_own_address_alone() {
    let told = ServerAccess::new("http://one:6334", Some("key-of-one-1234")).unwrap();
    assert_eq!(ServerAccess::elsewhere(Some(&told), "http://one").unwrap(), told);
    let other = ServerAccess::elsewhere(Some(&told), "http://two").unwrap();
    assert_eq!(other, ServerAccess::new("http://two", None).unwrap());
}

#[test]
fn nothing_is_sent_before_a_library_asks() {
    let server = FakeQdrant::start();
    let link = ServerLink::new(&server.access(None)).unwrap();
    drop(link);
    assert_eq!(server.requests(), 0);
}
