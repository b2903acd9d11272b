//! What is read of Markdown, plain text and source code.

use super::{read, refused, told};

#[test]
fn markdown_keeps_its_words_and_loses_its_signs() {
    let text = "---\ntitle: \"Notes\"\nauthor: [A B, C D]\ndate: 2024-05-06\ntags:\n - owls\n - mice\n---\n# Head\n\n\
        Text with [a link](http://x) and `code`,\nover *two* lines.\n\n- one\n- two\n  more\n\n1. first\n2. second\n\n\
        ## Below\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nprint(1)\n\nx\n```\nNoted[^1].\n\n[^1]: the note\n";
    let document = read("notes.md", text.as_bytes());
    assert_eq!(
        told(&document),
        [
            "h1: Head",
            "Head / prose: Text with a link and code, over two lines.",
            "Head / item: - one",
            "Head / item: - two more",
            "Head / item: 1. first",
            "Head / item: 2. second",
            "Head / h2: Below",
            "Head / Below / table: a | b\n1 | 2",
            "Head / Below / code python: print(1)\n\nx",
            "Head / Below / prose: Noted[1].",
            "Head / Below / note: [1] the note",
        ]
    );
    assert_eq!(document.title, "Notes");
    assert_eq!(document.facts.authors, ["A B", "C D"]);
    assert_eq!(document.facts.tags, ["owls", "mice"]);
    assert_eq!(document.facts.date.as_deref(), Some("2024-05-06"));
}

#[test]
fn a_text_that_is_not_utf_8_is_read_all_the_same() {
    assert_eq!(told(&read("a.txt", b"Caf\xe9 cr\xe8me.")), ["prose: Caf\u{e9} cr\u{e8}me."]);
    assert_eq!(told(&read("a.txt", b"\xff\xfeO\0w\0l\0")), ["prose: Owl"]);
    assert_eq!(told(&read("a.txt", "Cafe\u{301}\n\nzwei".as_bytes())), ["prose: Caf\u{e9}", "prose: zwei"]);
}

#[test]
fn source_code_is_one_block_with_its_language() {
    let document = read("src/owl.rs", b"fn owl() {\n    hunt();\n}\n");
    assert_eq!(told(&document), ["code rust: fn owl() {\n    hunt();\n}"]);
    assert_eq!(document.title, "owl.rs");
}

#[test]
fn the_language_is_told_by_the_words() {
    let read = |text: &str| read("a.txt", text.as_bytes()).facts.language;
    let german = "Die Schleiereule lebt auf fast allen Kontinenten und jagt nachts \u{fc}ber offenem Land nach M\u{e4}usen.";
    let french =
        "La chouette effraie vit sur presque tous les continents et chasse la nuit dans les champs ouverts.";
    let chinese = "\u{4ed3}\u{9e2e}\u{751f}\u{6d3b}\u{5728}\u{51e0}\u{4e4e}\u{6240}\u{6709}\u{7684}\u{5927}\u{9646}\u{4e0a}\u{ff0c}\u{5728}\u{591c}\u{95f4}\u{6355}\u{730e}\u{8001}\u{9f20}\u{3002}";
    assert_eq!(read(german).as_deref(), Some("de"));
    assert_eq!(read(french).as_deref(), Some("fr"));
    assert_eq!(read(chinese).as_deref(), Some("zh"));
    assert_eq!(read("Owl."), None);
}

#[test]
fn what_holds_no_words_is_refused_in_a_sentence() {
    let binary = "it holds no text but binary data; PDF, DOCX, EPUB, HTML, LaTeX, Markdown, text and source code are read";
    assert_eq!(refused("a.txt", b"ab\0cd"), binary);
    assert_eq!(refused("a", b"\x7fELF\0\0"), binary);
    assert_eq!(refused("a.md", b"  \n\n"), "it holds no text");
    assert_eq!(
        refused("a.pdf", b"hello"),
        "it is no PDF, whatever its name says: it doesn't begin with %PDF-"
    );
    assert_eq!(refused("a.docx", b"hello"), "it is no DOCX file, whatever its name says: it is no archive");
}
