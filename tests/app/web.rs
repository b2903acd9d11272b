//! Documents over the network, from a server on this machine that stands for the web and for arXiv.

use std::sync::Arc;

use dojo_studio::app::library::web::{DocumentAddress, WebDocuments};
use dojo_studio::domain::retrieval::DocumentRow;
use dojo_studio::domain::settings::ArxivSettings;
use dojo_studio::rag::add::{AddHost, AddProgress, Adder, ChunkCut};
use dojo_studio::rag::database::LibraryRoot;
use dojo_studio::rag::files::FilesReport;
use dojo_studio::rag::library::Library;
use tokio::runtime::Runtime;
use wiremock::matchers::{header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate, Times};

use crate::teacher::world::TestClock;

/// A library, and a server whose documents go into it.
struct World {
    runtime: Runtime,
    server: MockServer,
    _folder: tempfile::TempDir,
    library: Library,
    clock: Arc<TestClock>,
    told: Vec<String>,
}

/// Goes on until so many documents are in.
struct Until(u64);

impl AddHost for Until {
    fn goes_on(&mut self, progress: &AddProgress) -> bool {
        progress.documents < self.0
    }
}

impl World {
    fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(MockServer::start());
        let folder = tempfile::tempdir().unwrap();
        let library = Library::create(folder.path()).unwrap();
        Self { runtime, server, _folder: folder, library, clock: Arc::default(), told: Vec::new() }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.uri())
    }

    fn gives(&self, mock: Mock) {
        self.runtime.block_on(mock.mount(&self.server));
    }

    fn page(&self, at: &str, reply: ResponseTemplate) {
        self.gives(Mock::given(method("GET")).and(path(at)).respond_with(reply));
    }

    /// Forgets what it was told to give.
    fn reset(&self) {
        self.runtime.block_on(self.server.reset());
    }

    fn asked(&self) -> Vec<String> {
        let requests = self.runtime.block_on(self.server.received_requests()).unwrap();
        requests.iter().map(|request| request.url.path().to_owned()).collect()
    }

    fn add(&mut self, what: &str) -> FilesReport {
        self.add_as(&LibraryRoot { path: what.to_owned(), ..LibraryRoot::default() }, u64::MAX)
    }

    fn add_as(&mut self, root: &LibraryRoot, documents: u64) -> FilesReport {
        let settings = ArxivSettings { api_url: self.url("/api/query"), site_url: self.server.uri() };
        let web = WebDocuments::with_clock(settings, self.clock.clone()).unwrap();
        let address = DocumentAddress::parse(&root.path).unwrap().expect("an address");
        let root = LibraryRoot { path: address.root(), ..root.clone() };
        self.library.remember(&root).unwrap();
        let (mut host, mut report) = (Until(documents), FilesReport::default());
        let mut adder = Adder::new(&mut self.library, None, ChunkCut::Whole, &mut host).unwrap();
        let told = &mut self.told;
        web.add(&mut adder, &root, &address, &mut report, &mut |words| told.push(words.to_owned())).unwrap();
        adder.finish().unwrap();
        report
    }

    fn documents(&self) -> Vec<DocumentRow> {
        self.library.database().document_rows().unwrap()
    }

    fn sources(&self) -> Vec<String> {
        self.documents().into_iter().map(|row| row.source).collect()
    }
}

fn counts(report: &FilesReport) -> [u64; 4] {
    [report.added, report.changed, report.unchanged, report.unread]
}

fn reason(report: &FilesReport) -> &str {
    &report.reasons.first().expect("a reason").1
}

fn html(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(text.as_bytes().to_vec(), "text/html; charset=utf-8")
}

const HERONS: &str = "<html><head><title>Herons</title></head><body><main><h1>Herons</h1><p>Herons stand in \
                      shallow water and wait for fish to come by.</p></main></body></html>";

fn paper(id: &str, version: u32, title: &str) -> String {
    format!(
        "<entry><id>http://arxiv.org/abs/{id}v{version}</id><published>2025-01-02T17:59:01Z</published>\
         <title>{title}</title><summary>  We study\n herons &amp; fish. </summary>\
         <author><name>Ada Byron</name></author><author><name>Sadi Carnot</name></author>\
         <category term=\"cs.IR\"/><category term=\"cs.CL\"/></entry>"
    )
}

fn feed(all: u32, entries: &[String]) -> ResponseTemplate {
    let body = format!(
        "<?xml version=\"1.0\"?><feed xmlns=\"http://www.w3.org/2005/Atom\"><title>ArXiv Query</title>\
         <opensearch:totalResults>{all}</opensearch:totalResults>{}</feed>",
        entries.concat()
    );
    ResponseTemplate::new(200).set_body_raw(body.into_bytes(), "application/atom+xml")
}

/// A paper's page, long enough to be one.
fn long_page(words: &str) -> ResponseTemplate {
    html(&format!("<html><body><article><p>{}</p></article></body></html>", format!("{words}. ").repeat(200)))
}

#[test]
fn a_page_is_read_and_not_fetched_again_while_its_server_says_it_is_the_same() {
    let mut world = World::new();
    world.page("/birds", html(HERONS).insert_header("etag", "\"one\""));
    let url = world.url("/birds");
    assert_eq!(counts(&world.add(&format!("{url}#feeding"))), [1, 0, 0, 0]);
    let row = &world.documents()[0];
    assert_eq!((row.source.as_str(), row.title.as_str()), (url.as_str(), "Herons"));

    world.reset();
    let unchanged = Mock::given(method("GET")).and(header("if-none-match", "\"one\""));
    world.gives(unchanged.respond_with(ResponseTemplate::new(304)).expect(Times::from(1)));
    assert_eq!(counts(&world.add(&url)), [0, 0, 1, 0]);

    world.reset();
    world.page("/birds", html(&HERONS.replace("shallow", "deep")).insert_header("etag", "\"two\""));
    assert_eq!(counts(&world.add(&url)), [0, 1, 0, 0]);
    assert_eq!(world.sources(), std::slice::from_ref(&url));
    // The same bytes without a word of the server's.
    world.reset();
    world.page("/birds", html(&HERONS.replace("shallow", "deep")));
    assert_eq!(counts(&world.add(&url)), [0, 0, 1, 0]);
    // What is said of it anew is fetched whole.
    let said = LibraryRoot { path: url, context: Some("field notes".to_owned()), ..LibraryRoot::default() };
    assert_eq!(counts(&world.add_as(&said, u64::MAX)), [0, 1, 0, 0]);
    assert_eq!(world.documents()[0].context.as_deref(), Some("field notes"));
}

#[test]
fn a_files_form_is_told_by_its_content_type_its_name_and_its_bytes() {
    let mut world = World::new();
    let raw = |body: &[u8], kind: &str| ResponseTemplate::new(200).set_body_raw(body.to_vec(), kind);
    world.page("/notes", raw(b"# Salmon\n\nSalmon swim.", "text/markdown"));
    world.page("/README.md", raw(b"# Trout\n\nTrout swim.", "text/plain"));
    world.page("/plain", raw(b"Granite is a rock.", "text/plain; charset=utf-8"));
    world.page(
        "/old",
        raw(b"<html><meta charset=koi8-r><body><p>\xf2\xd9\xc2\xc1</p></body></html>", "text/html"),
    );
    for name in ["/notes", "/README.md", "/plain", "/old"] {
        let url = world.url(name);
        assert_eq!(counts(&world.add(&url)), [1, 0, 0, 0], "{name}");
    }
    let titles: Vec<String> = world.documents().into_iter().map(|row| row.title).collect();
    assert_eq!(titles, ["Trout", "Salmon", "old.html", "plain.txt"]);
    let old = world.library.database().document(&world.url("/old")).unwrap().unwrap();
    assert_eq!(world.library.database().chunks_of(&old).unwrap()[0].chunk.text, "Рыба");
    world.page("/archive", raw(b"\x00\x01\x02", "application/octet-stream"));
    let url = world.url("/archive");
    assert!(reason(&world.add(&url)).contains("binary data"));
}

#[test]
fn what_is_no_document_is_told_in_one_sentence_and_the_library_keeps_what_it_has() {
    let mut world = World::new();
    world.page("/login", html("<form><input type=\"password\"></form>"));
    world.page("/private", ResponseTemplate::new(302).insert_header("location", "/login"));
    world.page("/app", html("<body><div id=\"root\"></div><script src=\"a.js\"></script></body>"));
    world.page("/forbidden", ResponseTemplate::new(403));
    world.page("/round", ResponseTemplate::new(302).insert_header("location", "/round"));
    world.page("/elsewhere", ResponseTemplate::new(302).insert_header("location", "ftp://example.org/"));
    world.page("/empty", ResponseTemplate::new(204));
    world.page("/zipped", html("x").insert_header("content-encoding", "br"));
    for (name, words) in [
        ("/private", "it leads to a login"),
        ("/app", "written by JavaScript"),
        ("/forbidden", "wants a login, or doesn't answer programs (HTTP 403)"),
        ("/gone", "there is no such document (HTTP 404)"),
        ("/round", "redirects again and again"),
        ("/elsewhere", "it leads to what is no address of the web"),
        ("/empty", "without a document (HTTP 204)"),
        ("/zipped", "came as br"),
    ] {
        let url = world.url(name);
        let report = world.add(&url);
        assert!(reason(&report).contains(words), "{name}: {:?}", report.reasons);
    }
    assert_eq!(world.sources(), Vec::<String>::new());

    world.page("/birds", html(HERONS));
    let url = world.url("/birds");
    world.add(&url);
    world.reset();
    world.page("/birds", ResponseTemplate::new(401));
    assert_eq!(counts(&world.add(&url)), [0, 0, 0, 1]);
    assert_eq!(world.sources(), [url]);
}

#[test]
fn a_server_that_is_busy_is_asked_again_when_it_says_and_given_up_in_words() {
    let mut world = World::new();
    let busy = ResponseTemplate::new(503).insert_header("retry-after", "7");
    world.gives(Mock::given(path("/birds")).respond_with(busy).up_to_n_times(2));
    world.page("/birds", html(HERONS));
    let url = world.url("/birds");
    assert_eq!(counts(&world.add(&url)), [1, 0, 0, 0]);
    assert_eq!(world.asked().len(), 3);
    assert_eq!(dojo_studio::teacher::clock::Clock::now(&*world.clock).as_secs(), 14);

    world.page("/broken", ResponseTemplate::new(500));
    let url = world.url("/broken");
    assert_eq!(reason(&world.add(&url)), "it is out of order (HTTP 500): add it again later");
    world.page("/closed", ResponseTemplate::new(429).insert_header("retry-after", "3600"));
    let url = world.url("/closed");
    let report = world.add(&url);
    assert!(reason(&report).contains("asks to wait for 3600 s"), "{:?}", report.reasons);
    assert!(reason(&world.add("http://127.0.0.1:1/")).contains("it can't be reached"));
}

#[test]
fn a_paper_is_its_page_with_what_the_catalogue_says_of_it() {
    let mut world = World::new();
    let by_id = Mock::given(path("/api/query")).and(query_param("id_list", "2501.01234"));
    world.gives(by_id.respond_with(feed(1, &[paper("2501.01234", 2, "On Herons")])));
    world.page("/html/2501.01234v2", long_page("Herons wait for fish"));
    assert_eq!(counts(&world.add("arxiv:2501.01234")), [1, 0, 0, 0]);
    let row = world.documents().remove(0);
    assert_eq!(row.source, "arxiv:2501.01234v2");
    assert_eq!((row.title.as_str(), row.date.as_deref()), ("On Herons", Some("2025-01-02")));
    assert_eq!(row.authors, ["Ada Byron", "Sadi Carnot"]);
    assert_eq!(row.tags, ["cs.IR", "cs.CL"]);
    assert_eq!(row.summary.as_deref(), Some("We study herons & fish."));
    assert_eq!(row.link, Some(world.url("/abs/2501.01234v2")));
    assert_eq!(world.asked(), ["/api/query", "/html/2501.01234v2"]);
    // The same version again costs one question.
    assert_eq!(counts(&world.add("arxiv:2501.01234")), [0, 0, 1, 0]);
    assert_eq!(world.asked().len(), 3);

    world.reset();
    world.page("/api/query", feed(1, &[paper("2501.01234", 3, "On Herons")]));
    world.page("/html/2501.01234v3", long_page("Herons wait for larger fish"));
    assert_eq!(counts(&world.add("arxiv:2501.01234")), [0, 1, 0, 0]);
    assert_eq!(world.sources(), ["arxiv:2501.01234v3"]);
    assert_eq!(world.library.take_out_named("arxiv:2501.01234").unwrap(), ["arxiv:2501.01234v3"]);
    assert_eq!(world.library.database().roots().unwrap(), []);
}

#[test]
fn a_paper_without_a_page_is_read_from_its_pdf_and_one_that_is_none_is_said_to_be() {
    let mut world = World::new();
    world.page("/api/query", feed(1, &[paper("hep-th/9901001", 1, "Strings")]));
    world.page("/html/hep-th/9901001v1", html("<html><body><p>No conversion.</p></body></html>"));
    // What the server calls a PDF is read by its bytes.
    world.page("/pdf/hep-th/9901001v1", ResponseTemplate::new(200).set_body_raw("no pdf", "application/pdf"));
    let report = world.add("arxiv:hep-th/9901001");
    assert_eq!(counts(&report), [0, 0, 0, 1]);
    assert!(reason(&report).contains("it is no PDF"), "{:?}", report.reasons);
    assert_eq!(world.asked(), ["/api/query", "/html/hep-th/9901001v1", "/pdf/hep-th/9901001v1"]);

    world.reset();
    world.page("/api/query", feed(0, &[]));
    assert_eq!(reason(&world.add("arxiv:2501.99999")), "arXiv has no paper 2501.99999");
    world.reset();
    let error = "<entry><id>http://arxiv.org/api/errors#incorrect</id><title>Error</title>\
                 <summary>incorrect id format</summary></entry>";
    world.page("/api/query", feed(1, &[error.to_owned()]));
    assert_eq!(reason(&world.add("arxiv:2501.99999")), "arXiv refuses the question: incorrect id format");
    world.reset();
    world.page("/api/query", html("<p>down for maintenance</p>"));
    assert!(reason(&world.add("arxiv:2501.99999")).contains("no Atom feed"));
}

#[test]
fn a_search_says_how_many_there_are_and_goes_on_where_it_was_stopped() {
    let mut world = World::new();
    let entries: Vec<String> =
        (1..=3).map(|n| paper(&format!("2501.0000{n}"), 1, &format!("Paper {n}"))).collect();
    let search = Mock::given(path("/api/query"))
        .and(query_param("search_query", "all:\"wading birds\" AND all:fish"))
        .and(query_param("max_results", "3"));
    world.gives(search.respond_with(feed(1234, &entries)));
    for n in 1..=3 {
        world.page(&format!("/html/2501.0000{n}v1"), long_page(&format!("Paper {n} is about herons")));
    }
    let root = LibraryRoot {
        path: "arxiv-search:\"wading birds\" fish".to_owned(),
        most: Some(3),
        ..LibraryRoot::default()
    };
    // It is stopped on the way, and what came by then is in.
    let stopped = world.add_as(&root, 2);
    assert!(stopped.stopped);
    assert_eq!(world.sources(), ["arxiv:2501.00001v1", "arxiv:2501.00002v1"]);
    assert!(
        world.told[0].contains("arXiv has 1234 papers") && world.told[0].contains("the 3 that match best")
    );
    let resumed = world.add_as(&root, u64::MAX);
    assert_eq!(counts(&resumed), [1, 0, 2, 0]);
    assert_eq!(world.sources(), ["arxiv:2501.00001v1", "arxiv:2501.00002v1", "arxiv:2501.00003v1"]);
    let pages = world.asked().iter().filter(|path| path.starts_with("/html")).count();
    assert_eq!(pages, 3, "no paper is fetched twice: {:?}", world.asked());

    // One that is taken out doesn't come back by the search, but by its name.
    world.library.take_out_named("arxiv:2501.00002v1").unwrap();
    let again = world.add_as(&root, u64::MAX);
    assert_eq!((again.excluded, again.unchanged), (1, 2));
    world.page("/api/query", feed(1, &[paper("2501.00002", 1, "Paper 2")]));
    assert_eq!(counts(&world.add("arxiv:2501.00002")), [1, 0, 0, 0]);
    assert_eq!(world.library.database().exclusions().unwrap(), Vec::<String>::new());
    // The search goes with its papers, but for the one that was asked for by itself.
    world.library.take_out_named("arxiv-search:\"wading birds\" fish").unwrap();
    assert_eq!(world.sources(), ["arxiv:2501.00002v1"]);
}

#[test]
fn addresses_are_told_from_paths_and_those_that_hold_a_key_are_refused() {
    let root = |text: &str| DocumentAddress::parse(text).map(|address| address.map(|address| address.root()));
    assert_eq!(root("notes/a.md").unwrap(), None);
    assert_eq!(root("C:notes").unwrap(), None);
    assert_eq!(root("https://example.org/a#b").unwrap().as_deref(), Some("https://example.org/a"));
    assert_eq!(root("https://arxiv.org/abs/2501.01234v2").unwrap().as_deref(), Some("arxiv:2501.01234v2"));
    assert_eq!(
        root("https://arxiv.org/pdf/hep-th/9901001").unwrap().as_deref(),
        Some("arxiv:hep-th/9901001")
    );
    assert_eq!(root("arxiv-search:  a   b").unwrap().as_deref(), Some("arxiv-search:a b"));
    for (wrong, words) in [
        ("arxiv:12", "no id of arXiv's"),
        ("arxiv-search: ", "say what to search for"),
        ("ftp://example.org/a", "http and https are"),
        ("file:///etc/passwd", "by its path"),
        ("https://", "is no address"),
        ("https://me:secret1@example.org/", "holds a password or a key"),
        ("https://example.org/?token=0123456789abcdef", "holds a password or a key"),
        ("https://b.s3.example.org/a.pdf?X-Amz-Date=1&X-Amz-Signature=secret1", "holds a password or a key"),
        ("https://example.org/a?X%2DAmz%2DSignature=secret1", "holds a password or a key"),
        ("https://example.org/blob?sv=2024&sig=secret1%2Bx", "holds a password or a key"),
        ("https://example.org/cb?code=secret1secret1secret1", "holds a password or a key"),
        ("https://example.org/a?pwd=secret1", "holds a password or a key"),
        ("https://example.org/a;jsessionid=secret1", "holds a password or a key"),
        ("https://example.org/token/secret1secret1/a.md", "holds a password or a key"),
    ] {
        let error = root(wrong).expect_err(wrong);
        assert!(format!("{error:#}").contains(words), "{wrong}: {error:#}");
        assert!(!format!("{error:#}").contains("secret1"), "{error:#}");
    }
}

#[test]
fn words_in_addresses_are_no_keys() {
    for address in [
        "https://example.org/a?code=py&lang_code=en&page=2",
        "https://example.org/keys/monkeys.html?sort=author&v=4f8a1c2e9b7d4e6f8a1b2c3d4e5f6a7b",
        "https://example.org/blob/0f1e2d3c4b5a69788796a5b4c3d2e1f0/README.md",
        "https://example.org/token/economy.html",
    ] {
        assert!(DocumentAddress::parse(address).unwrap().is_some(), "{address}");
    }
}

#[test]
fn a_page_that_its_server_says_is_gone_is_taken_out_and_comes_back() {
    let mut world = World::new();
    world.page("/birds", html(HERONS).insert_header("etag", "\"1\""));
    let url = world.url("/birds");
    assert_eq!(counts(&world.add(&url)), [1, 0, 0, 0]);
    world.reset();
    world.page("/birds", ResponseTemplate::new(410));
    let report = world.add(&url);
    assert_eq!((report.removed, report.unread), (1, 1));
    assert!(reason(&report).contains("it is gone, and was taken out"), "{:?}", report.reasons);
    assert_eq!(world.sources(), Vec::<String>::new());
    world.reset();
    world.page("/birds", html(HERONS));
    assert_eq!(counts(&world.add(&url)), [1, 0, 0, 0]);
    // A server that is out of order says nothing about the document.
    world.reset();
    world.page("/birds", ResponseTemplate::new(403));
    assert_eq!(world.add(&url).removed, 0);
    assert_eq!(world.sources(), [url]);
}

#[test]
fn arxiv_is_asked_once_in_three_seconds() {
    let mut world = World::new();
    world.page("/api/query", feed(1, &[paper("2501.01234", 1, "On Herons")]));
    world.page("/html/2501.01234v1", long_page("Herons wait"));
    // The same server under a name that isn't taken for this machine's, which needs no pace.
    let site_url = world.server.uri().replace("127.0.0.1", "0.0.0.0");
    let settings = ArxivSettings { api_url: format!("{site_url}/api/query"), site_url };
    let web = WebDocuments::with_clock(settings, world.clock.clone()).unwrap();
    let root = LibraryRoot { path: "arxiv:2501.01234".to_owned(), ..LibraryRoot::default() };
    let address = DocumentAddress::parse(&root.path).unwrap().unwrap();
    let (mut host, mut report) = (Until(u64::MAX), FilesReport::default());
    let mut adder = Adder::new(&mut world.library, None, ChunkCut::Whole, &mut host).unwrap();
    for _ in 0..2 {
        web.add(&mut adder, &root, &address, &mut report, &mut |_| {}).unwrap();
    }
    assert_eq!(counts(&report), [1, 0, 1, 0]);
    assert_eq!(world.asked(), ["/api/query", "/html/2501.01234v1", "/api/query"]);
    // The clock goes on by waiting alone: two pauses between three requests.
    assert_eq!(dojo_studio::teacher::clock::Clock::now(&*world.clock).as_secs(), 6);
}
