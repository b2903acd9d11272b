//! DOCX and EPUB, and archives that are meant to do harm.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;

use super::{read, refused, told};

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

const STYLES: &str = r#"<w:styles><w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
    <w:style w:styleId="Own"><w:name w:val="My head"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style></w:styles>"#;
const BODY: &str = r#"<?xml version="1.0"?><w:document><w:body>
    <w:p><w:pPr><w:pStyle w:val="berschrift1"/></w:pPr><w:r><w:t>Owls</w:t></w:r></w:p>
    <w:p><w:r><w:t xml:space="preserve">Barn owls </w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>hunt &amp; hear.</w:t></w:r>
    <w:r><w:footnoteReference w:id="2"/></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>
    <w:p><w:pPr><w:pStyle w:val="Own"/></w:pPr><w:r><w:t>Food</w:t></w:r></w:p>
    <w:p><w:pPr><w:numPr><w:ilvl w:val="0"/></w:numPr></w:pPr><w:r><w:t>mice</w:t></w:r></w:p>
    <w:tbl><w:tr><w:tc><w:p><w:r><w:t>Name</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Size</w:t></w:r></w:p></w:tc></w:tr>
    <w:tr><w:tc><w:p><w:r><w:t>Barn</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>35</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
    </w:body></w:document>"#;

#[test]
fn an_office_document_keeps_headings_lists_tables_and_notes() {
    let notes = r#"<w:footnotes><w:footnote w:id="0"><w:p/></w:footnote><w:footnote w:id="2"><w:p><w:r><w:t>At night.</w:t></w:r></w:p></w:footnote></w:footnotes>"#;
    let facts =
        "<cp:coreProperties><dc:title>On Owls</dc:title><dc:creator>Ann Lee</dc:creator></cp:coreProperties>";
    let file = archive(&[
        ("docProps/core.xml", facts.as_bytes()),
        ("word/styles.xml", STYLES.as_bytes()),
        ("word/document.xml", BODY.as_bytes()),
        ("word/footnotes.xml", notes.as_bytes()),
    ]);
    let document = read("owls.docx", &file);
    assert_eq!(
        told(&document),
        [
            "h1: Owls",
            "Owls / prose: Barn owls hunt & hear.[2]",
            "Owls / h2: Food",
            "Owls / Food / item: - mice",
            "Owls / Food / table: Name | Size\nBarn | 35",
            "Owls / Food / note: [2] At night.",
        ]
    );
    assert_eq!(
        (document.title.as_str(), &document.facts.authors[..]),
        ("On Owls", &["Ann Lee".to_owned()][..])
    );
}

const CONTAINER: &str =
    r#"<container><rootfiles><rootfile full-path="OPS/book.opf" media-type="x"/></rootfiles></container>"#;
const PACKAGE: &str = r#"<package><metadata><dc:title>The Owl Book</dc:title><dc:creator>Ann Lee</dc:creator>
    <dc:language>en-US</dc:language></metadata><manifest><item id="n" href="nav.xhtml" properties="nav"/>
    <item id="b" href="two%20b.xhtml"/><item id="a" href="../one.xhtml"/></manifest>
    <spine><itemref idref="n"/><itemref idref="a"/><itemref idref="b"/></spine></package>"#;

#[test]
fn the_chapters_of_a_book_come_in_the_order_of_its_spine() {
    let file = archive(&[
        ("META-INF/container.xml", CONTAINER.as_bytes()),
        ("OPS/book.opf", PACKAGE.as_bytes()),
        ("OPS/nav.xhtml", b"<p>Contents</p>"),
        ("OPS/two b.xhtml", b"<html><head><title/></head><body><h1>Two</h1><p>Mice run.</p></body></html>"),
        ("one.xhtml", b"<html><body><h1>One</h1><p>Owls hunt.</p></body></html>"),
    ]);
    let document = read("owls.epub", &file);
    assert_eq!(told(&document), ["h1: One", "One / prose: Owls hunt.", "h1: Two", "Two / prose: Mice run."]);
    assert_eq!(document.title, "The Owl Book");
    assert_eq!(document.facts.language.as_deref(), Some("en"));
}

#[test]
fn a_book_that_is_locked_is_refused_in_a_sentence() {
    let file = archive(&[
        ("META-INF/container.xml", CONTAINER.as_bytes()),
        ("META-INF/encryption.xml", b"<encryption/>"),
        ("OPS/book.opf", PACKAGE.as_bytes()),
        ("one.xhtml", b"\x01\x00\x82\x9a"),
    ]);
    assert_eq!(refused("owls.epub", &file), "it is locked (DRM); add a copy without a lock");
}

#[test]
fn a_small_archive_that_unpacks_to_hundreds_of_megabytes_is_refused() {
    let bomb = vec![b' '; 80 << 20];
    let file = archive(&[("word/document.xml", &bomb)]);
    assert!(file.len() < 1 << 20);
    assert_eq!(
        refused("bomb.docx", &file),
        "word/document.xml in its archive unpacks to more than 64 MB, and no document does; it isn't read"
    );
}

#[test]
fn an_archive_that_is_no_document_or_is_cut_off_is_refused() {
    let file = archive(&[("owls.txt", b"owls")]);
    assert_eq!(
        refused("a.zip", &file),
        "it is an archive, and no DOCX or EPUB; unpack it and add the folder"
    );
    assert_eq!(refused("a.docx", &file), "it holds no word/document.xml: it is no DOCX file");
    let cut = &archive(&[("word/document.xml", BODY.as_bytes())])[..200];
    let told = refused("a.docx", cut);
    assert!(told.starts_with("its archive is damaged or cut off"), "{told}");
}
