//! Files that are damaged, or meant to do harm: a document or a sentence, within bounded time, and never a panic.

use proptest::prelude::*;

use super::paper::{assembled, column, pdf};
use super::{read_bytes, refused};

/// Forms by their names, and pieces that their readers look for.
const NAMES: &[&str] = &["a.txt", "a.md", "a.html", "a.tex", "a.pdf", "a.docx", "a.epub", "a.rs", "a"];
const PIECES: &[&str] = &[
    "<p>",
    "</p>",
    "<li>",
    "<table>",
    "<td>",
    "</table>",
    "<pre><code>",
    "</pre>",
    "<script>",
    "<math alttext='x'>",
    "<nav>",
    "<h1>",
    "<main>",
    "\\begin{",
    "\\end{",
    "\\section{",
    "tabular}",
    "verbatim}",
    "$",
    "$$",
    "\\[",
    "{",
    "}",
    "[",
    "]",
    "\\input{",
    "%",
    "&",
    "\\\\",
    "# ",
    "```",
    "| a | b |\n|---|---|\n",
    "- ",
    "[^1]: ",
    "---\n",
    "title: ",
    "\n\n",
    "\u{e9}",
    "\u{4e2d}\u{6587}\u{3002}",
    "word",
    "%PDF-1.4\n",
    "1 0 obj",
    "stream\n",
    "endstream",
    "xref",
    "\"",
    "'",
    "\u{301}",
    "\0",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn pieces_of_any_form_never_panic(name in 0..NAMES.len(), pieces in proptest::collection::vec(0..PIECES.len(), 0..60)) {
        let text: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
        let _ = read_bytes(NAMES[name].as_ref(), text.as_bytes());
    }

    #[test]
    fn any_bytes_never_panic(name in 0..NAMES.len(), bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_bytes(NAMES[name].as_ref(), &bytes);
    }

    #[test]
    fn a_pdf_with_bytes_changed_never_panics(changes in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..12)) {
        let mut bytes = pdf(&[column(50.0, 700.0, &["Barn owls hunt at night.", "They hear well."])]);
        let length = bytes.len();
        for (place, byte) in changes {
            bytes[usize::from(place) % length] = byte;
        }
        let _ = read_bytes("a.pdf".as_ref(), &bytes);
    }
}

#[test]
fn what_is_opened_a_million_times_and_never_closed_ends_soon() {
    let started = std::time::Instant::now();
    for piece in
        ["\\[", "\\input{", "\\section{", "\\footnote{", "\\foo[", "$", "{", "\\begin{verbatim}", "\\item["]
    {
        let _ = read_bytes("a.tex".as_ref(), piece.repeat(100_000).as_bytes());
    }
    for piece in
        ["<ul><li>", "<table><td>", "<nav>", "<math alttext='x'>", "<pre>", "<h1>", "<main>", "<a b="]
    {
        let _ = read_bytes("a.html".as_ref(), piece.repeat(100_000).as_bytes());
    }
    for piece in ["> ", "- ", "[", "![", "*", "`", "| a ", "<a ", "[^1]: "] {
        let _ = read_bytes("a.md".as_ref(), piece.repeat(30_000).as_bytes());
    }
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn a_pdf_that_goes_deeper_than_a_stack_is_refused_in_a_sentence() {
    let told = "the PDF is damaged, or made to do harm: it goes deeper than any document does";
    let text = "BT /F1 10 Tf 1 0 0 1 50 700 Tm (Owls) Tj ET".to_owned();
    let deep = format!("/Deep {}", "[".repeat(3_000_000));
    assert_eq!(refused("deep.pdf", &assembled(&[text], &deep, "")), told);
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &vec![b'['; 3_000_000]).unwrap();
    let mut file = pdf(&[vec![(50.0, 700.0, 10.0, "Owls")]]);
    file.extend_from_slice(b"\n99 0 obj\n<< /Filter /FlateDecode >>\nstream\n");
    file.extend(packed.finish().unwrap());
    file.extend_from_slice(b"\nendstream\nendobj\n");
    assert_eq!(refused("deep.pdf", &file), told);
}

#[test]
fn a_document_of_five_thousand_pages_is_read_to_its_end() {
    let page = column(50.0, 700.0, &["Barn owls hunt at night.", "They hear well."]);
    let started = std::time::Instant::now();
    let document = super::read("thick.pdf", &pdf(&vec![page; 5000]));
    assert_eq!(document.facts.pages, Some(5000));
    assert_eq!(document.blocks.last().unwrap().page, Some(5000));
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}
