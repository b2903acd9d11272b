//! What is read of a PDF's pages.

use super::paper::{assembled, column, pdf};
use super::{read, refused, told};

const LEFT: &[&str] = &[
    "Barn owls live on every continent but one and",
    "hunt in open country at night. Their hearing is",
    "so exact that they catch mice in full darkness,",
    "by the sound of steps alone. Their faces gather",
    "sound as a dish does, and one ear is set higher",
    "than the other.",
];
const RIGHT: &[&str] = &[
    "Tawny owls keep to woods and stay in one place",
    "for their whole life. They call to each other in",
    "autumn, when the young ones look for a wood of",
    "their own. Most of them die in the first winter,",
    "since every good place is taken by others that",
    "know it well.",
];

#[test]
fn one_column_is_read_after_the_other() {
    let page = [column(50.0, 700.0, LEFT), column(320.0, 700.0, RIGHT)].concat();
    let document = read("owls.pdf", &pdf(&[page]));
    assert_eq!(
        told(&document),
        [format!("prose: {}", LEFT.join(" ")), format!("prose: {}", RIGHT.join(" "))]
    );
    assert_eq!(document.facts.pages, Some(1));
    assert_eq!(document.facts.language.as_deref(), Some("en"));
}

#[test]
fn columns_that_are_drawn_line_by_line_are_told_apart() {
    let mut page = vec![(50.0, 730.0, 18.0, "Owls of the open country and of the woods")];
    for (left, right) in column(50.0, 700.0, LEFT).into_iter().zip(column(320.0, 700.0, RIGHT)) {
        page.extend([left, right]);
    }
    let document = read("owls.pdf", &pdf(&[page]));
    assert_eq!(
        told(&document),
        [
            "h1: Owls of the open country and of the woods".to_owned(),
            format!("Owls of the open country and of the woods / prose: {}", LEFT.join(" ")),
            format!("Owls of the open country and of the woods / prose: {}", RIGHT.join(" ")),
        ]
    );
    assert_eq!(document.title, "Owls of the open country and of the woods");
}

#[test]
fn running_heads_and_numbers_of_pages_are_left_out() {
    let numbers = ["1", "2", "3", "4"];
    let pages: Vec<_> = numbers
        .iter()
        .map(|number| {
            let frame = [(200.0, 770.0, 9.0, "Journal of Owls, Volume 7"), (300.0, 30.0, 9.0, *number)];
            [frame.to_vec(), column(50.0, 700.0, LEFT)].concat()
        })
        .collect();
    let document = read("owls.pdf", &pdf(&pages));
    let text: String = document.blocks.iter().map(|block| block.text.as_str()).collect();
    assert!(!text.contains("Journal"), "{text}");
    assert_eq!(document.blocks.iter().map(|block| block.page).collect::<Vec<_>>(), [1, 2, 3, 4].map(Some));
}

#[test]
fn numbers_of_lines_in_the_margin_are_left_out() {
    let numbers: Vec<String> = (1..=12).map(|number| number.to_string()).collect();
    let texts = [LEFT, RIGHT].concat();
    let mut page = Vec::new();
    for (index, (number, text)) in numbers.iter().zip(&texts).enumerate() {
        let y = 700.0 - 12.0 * index as f32;
        page.extend([(40.0 - 5.0 * number.len() as f32, y, 7.0, number.as_str()), (60.0, y, 10.0, *text)]);
    }
    let document = read("draft.pdf", &pdf(&[page]));
    assert_eq!(
        told(&document),
        [format!("prose: {}", LEFT.join(" ")), format!("prose: {}", RIGHT.join(" "))]
    );
}

#[test]
fn a_word_that_a_line_breaks_is_put_together_as_the_rest_of_the_document_writes_it() {
    let lines = [
        "The state-of-the-art owl is a well-",
        "known hunter, and a well-known one is a hun-",
        "ter of mice.",
    ];
    let document = read("owls.pdf", &pdf(&[column(50.0, 700.0, &lines)]));
    assert_eq!(
        told(&document),
        ["prose: The state-of-the-art owl is a well-known hunter, and a well-known one is a hunter of mice."]
    );
}

#[test]
fn a_paragraph_goes_on_after_the_note_at_the_foot_of_its_page() {
    let first = [
        column(50.0, 200.0, &LEFT[..4]),
        vec![(50.0, 83.0, 5.0, "1"), (54.0, 80.0, 8.0, "Of the family Tytonidae, which has two genera.")],
    ]
    .concat();
    let document = read("owls.pdf", &pdf(&[first, column(50.0, 700.0, &LEFT[4..])]));
    let pages: Vec<_> = document.blocks.iter().map(|block| block.page).collect();
    assert_eq!(
        (told(&document), pages),
        (
            vec![
                format!("prose: {}", LEFT.join(" ")),
                "note: 1 Of the family Tytonidae, which has two genera.".to_owned()
            ],
            vec![Some(1), Some(1)]
        )
    );
}

#[test]
fn numbered_headings_make_sections() {
    let page = [
        vec![(50.0, 760.0, 18.0, "A Study of Owls"), (50.0, 725.0, 12.0, "1 Introduction")],
        column(50.0, 700.0, LEFT),
        vec![(50.0, 600.0, 12.0, "2 Method"), (50.0, 580.0, 11.5, "2.1 Data")],
        column(50.0, 555.0, RIGHT),
    ]
    .concat();
    let document = read("owls.pdf", &pdf(&[page]));
    assert_eq!(
        told(&document),
        [
            "h1: A Study of Owls".to_owned(),
            "h1: 1 Introduction".to_owned(),
            format!("1 Introduction / prose: {}", LEFT.join(" ")),
            "h1: 2 Method".to_owned(),
            "2 Method / h2: 2.1 Data".to_owned(),
            format!("2 Method / 2.1 Data / prose: {}", RIGHT.join(" ")),
        ]
    );
}

#[test]
fn rows_of_a_table_keep_their_cells_apart() {
    let rows = [["Owl", "Size", "Weight"], ["Barn", "35", "320"], ["Tawny", "38", "470"]];
    let mut page = column(50.0, 700.0, LEFT);
    for (index, row) in rows.iter().enumerate() {
        let y = 600.0 - 12.0 * index as f32;
        page.extend(row.iter().zip([50.0, 150.0, 250.0]).map(|(cell, x)| (x, y, 10.0, *cell)));
    }
    let document = read("owls.pdf", &pdf(&[page]));
    assert_eq!(told(&document)[1..], ["table: Owl | Size | Weight\nBarn | 35 | 320\nTawny | 38 | 470"]);
}

#[test]
fn scanned_pages_are_said_and_the_others_read() {
    let scan = "q 600 0 0 800 0 0 cm /Im1 Do Q".to_owned();
    let text = "BT /F1 10 Tf 1 0 0 1 50 700 Tm (Barn owls live on every continent but one.) Tj ET".to_owned();
    let images = "/XObject << /Im1 4 0 R >>";
    let document = read("owls.pdf", &assembled(&[text, scan.clone(), scan.clone()], images, ""));
    assert_eq!(document.notices, ["pages 2-3 are pictures without text; recognise their text (OCR) first"]);
    let only = refused("owls.pdf", &assembled(&[scan.clone(), scan], images, ""));
    assert_eq!(only, "all 2 pages are pictures without text; recognise their text (OCR) first");
}

#[test]
fn a_file_without_pages_and_an_encrypted_one_are_refused_in_a_sentence() {
    assert_eq!(refused("none.pdf", &assembled(&[], "", "")), "it has no pages");
    let key = "00".repeat(32);
    let locked = format!(
        "/ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>] /Encrypt << /Filter /Standard \
         /V 1 /R 2 /O <{key}> /U <{key}> /P -4 >>"
    );
    let text = "BT /F1 10 Tf 1 0 0 1 50 700 Tm (Secret) Tj ET".to_owned();
    assert_eq!(
        refused("locked.pdf", &assembled(&[text], "", &locked)),
        "the PDF is encrypted; save a copy without its password and add that"
    );
}

#[test]
fn a_file_that_is_cut_off_gives_what_is_left_of_it_or_a_sentence() {
    let pages = vec![column(50.0, 700.0, LEFT), column(50.0, 700.0, RIGHT)];
    let whole = pdf(&pages);
    let mut read_anyway = 0;
    for length in (0..whole.len()).step_by(37) {
        match super::read_bytes("owls.pdf".as_ref(), &whole[..length]) {
            Ok(document) => read_anyway += usize::from(document.blocks[0].text.starts_with("Barn owls")),
            Err(error) => assert!(format!("{error:#}").len() > 10, "{error:#}"),
        }
    }
    assert!(read_anyway > 3, "{read_anyway}");
}
