//! What is added and what stays out; papers' names and the catalogue's answers; libraries of the first version.

use dojo_studio::rag::arxiv::{ArxivId, ArxivPaper, read_answer, search_terms};
use dojo_studio::rag::database::LibraryDatabase;
use dojo_studio::rag::library::Library;

use super::world::{Patient, World, document, source};

#[test]
fn a_library_of_the_first_version_is_opened_and_keeps_what_it_has() {
    let world = World::with(&[("fish", "Salmon swim."), ("stones", "Granite is a rock.")]);
    let folder = world.folder.path().to_path_buf();
    let connection = rusqlite::Connection::open(folder.join("library.db")).unwrap();
    connection
        .execute_batch(
            "DROP TABLE exclusions; DROP TABLE addresses; ALTER TABLE roots DROP COLUMN most;
             ALTER TABLE documents DROP COLUMN changed; ALTER TABLE models RENAME TO newer;
             CREATE TABLE models (id INTEGER PRIMARY KEY, name, dimensions, passage_prefix, query_prefix);
             INSERT INTO models SELECT id, name, dimensions, passage_prefix, query_prefix FROM newer; DROP TABLE newer;
             INSERT INTO roots VALUES ('/notes', 'diaries', '[\"old\"]');
             UPDATE documents SET facts = '{\"authors\":[\"A\"],\"date\":\"2020\",\"language\":\"en\",\"pages\":null,\"tags\":[\"t\"]}';
             PRAGMA user_version = 1;",
        )
        .unwrap();
    drop((connection, world.library));
    let database = LibraryDatabase::open(&folder).unwrap();
    let rows = database.document_rows().unwrap();
    assert_eq!(rows.iter().map(|row| row.source.as_str()).collect::<Vec<_>>(), ["fish", "stones"]);
    assert_eq!(
        (rows[0].authors.as_slice(), rows[0].tags.as_slice()),
        (&["A".to_owned()][..], &["t".to_owned()][..])
    );
    let root = database.root("/notes").unwrap().unwrap();
    assert_eq!((root.context.as_deref(), root.most), (Some("diaries"), None));
    assert_eq!(database.exclusions().unwrap(), Vec::<String>::new());
    let version: i64 = rusqlite::Connection::open(folder.join("library.db"))
        .unwrap()
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, 3);
    assert_eq!(database.model().unwrap().unwrap().1.name, "letters");
    assert_eq!(database.document("fish").unwrap().unwrap().from.changed, 0);
    drop(Library::open(&folder).unwrap());
}

#[test]
fn what_waits_is_put_in_when_it_is_settled() {
    use dojo_studio::rag::add::{Adder, ChunkCut};
    let mut world = World::new();
    let mut host = Patient(usize::MAX);
    let mut adder = Adder::new(&mut world.library, None, ChunkCut::Whole, &mut host).unwrap();
    let paper = document("paper", "Herons wait.");
    assert!(adder.offer(source(&paper), &paper, None).unwrap());
    assert_eq!(adder.known("paper").unwrap(), None);
    assert!(adder.settle().unwrap());
    assert!(adder.known("paper").unwrap().is_some());
}

#[test]
fn papers_are_named_as_people_write_them() {
    let name = |text: &str| ArxivId::parse(text).map(|id| id.name()).ok();
    for (text, id) in [
        ("2501.01234", "2501.01234"),
        ("0704.0001v3", "0704.0001v3"),
        ("math.GT/0309136", "math.GT/0309136"),
        ("solv-int/9901001v1", "solv-int/9901001v1"),
        ("http://arxiv.org/abs/hep-th/9901001v2", "hep-th/9901001v2"),
        ("https://arxiv.org/pdf/2501.01234v2.pdf", "2501.01234v2"),
    ] {
        assert_eq!(name(text).as_deref(), Some(id), "{text}");
    }
    for wrong in
        ["", "2501", "2501.1", "2501.01234v0", "2501.01234vx", "notes/a.md", "/9901001", "a/12345678"]
    {
        assert_eq!(name(wrong), None, "{wrong}");
    }
}

#[test]
fn words_of_a_search_must_all_be_there_and_arxivs_own_form_goes_as_it_is() {
    assert_eq!(search_terms("dense retrieval"), "all:dense AND all:retrieval");
    assert_eq!(search_terms("\"late interaction\"  ColBERT"), "all:\"late interaction\" AND all:ColBERT");
    let own = "(ti:attention OR abs:attention) AND cat:cs.CL";
    assert_eq!(search_terms(own), own);
}

#[test]
fn the_catalogue_is_read_as_it_answers() {
    let answer = "<?xml version='1.0' encoding='UTF-8'?>\n<feed xmlns:opensearch=\"http://a9.com/-/spec/opensearch/1.1/\" \
        xmlns=\"http://www.w3.org/2005/Atom\"><id>https://arxiv.org/api/abc</id><title>arXiv Query: search_query=all:x</title>\
        <opensearch:totalResults>2</opensearch:totalResults><opensearch:startIndex>0</opensearch:startIndex>\
        <entry><id>http://arxiv.org/abs/cs/0101001v2</id><title>A Title\n  over &lt;two&gt; lines</title>\
        <link href=\"https://arxiv.org/abs/cs/0101001v2\" rel=\"alternate\"/><summary>An abstract.</summary>\
        <category term=\"cs.IR\" scheme=\"http://arxiv.org/schemas/atom\"/><published>2001-01-01T00:00:00Z</published>\
        <arxiv:primary_category term=\"cs.IR\"/><author><name>A. B\u{f6}hm</name>\
        <arxiv:affiliation>Somewhere</arxiv:affiliation></author></entry>\
        <entry><id>http://arxiv.org/abs/2501.01234v1</id><title></title></entry></feed>";
    let read = read_answer(answer).unwrap();
    assert_eq!(read.all, 2);
    let paper = ArxivPaper {
        paper: "cs/0101001".to_owned(),
        version: 2,
        title: "A Title over <two> lines".to_owned(),
        authors: vec!["A. Böhm".to_owned()],
        published: Some("2001-01-01".to_owned()),
        summary: "An abstract.".to_owned(),
        categories: vec!["cs.IR".to_owned()],
    };
    assert_eq!(read.papers, [paper]);
    let refused = |text: &str| format!("{:#}", read_answer(text).unwrap_err());
    assert!(refused("no feed").contains("it is no Atom feed"));
    let cut = answer.get(..answer.len() - 60).unwrap();
    assert!(refused(cut).contains("arXiv's answer can't be read: it breaks off in the middle"));
}
