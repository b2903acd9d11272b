//! Small PDFs of our own: text at places, in one font, with nothing compressed.

use std::fmt::Write as _;

/// Text at a place: from the left, from the bottom, size.
pub(super) type Placed<'a> = (f32, f32, f32, &'a str);

/// A file with a page for each list of texts.
pub(super) fn pdf(pages: &[Vec<Placed<'_>>]) -> Vec<u8> {
    let contents: Vec<String> = pages.iter().map(|page| drawn(page)).collect();
    assembled(&contents, "", "")
}

fn drawn(page: &[Placed<'_>]) -> String {
    let mut content = String::new();
    for (x, y, size, text) in page {
        let text = text.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
        writeln!(content, "BT /F1 {size} Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET").unwrap();
    }
    content
}

/// A file of pages with those contents, what else pages may use, and what else the trailer says.
pub(super) fn assembled(contents: &[String], resources: &str, trailer: &str) -> Vec<u8> {
    let count = contents.len();
    let kids: String = (0..count).map(|page| format!("{} 0 R ", 10 + page * 2)).collect();
    let mut objects = vec![
        (1, "<< /Type /Catalog /Pages 2 0 R >>".to_owned()),
        (2, format!("<< /Type /Pages /Kids [{kids}] /Count {count} >>")),
        (3, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned()),
        (4, image()),
    ];
    for (page, content) in contents.iter().enumerate() {
        let resources = format!("<< /Font << /F1 3 0 R >> {resources} >>");
        let (id, stream) = (10 + page * 2, 11 + page * 2);
        objects.push((
            id,
            format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources {resources} /Contents {stream} 0 R >>"
            ),
        ));
        objects.push((stream, format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len())));
    }
    let mut file = String::from("%PDF-1.4\n");
    let mut places = Vec::new();
    for (id, object) in &objects {
        places.push((*id, file.len()));
        write!(file, "{id} 0 obj\n{object}\nendobj\n").unwrap();
    }
    let start = file.len();
    file.push_str("xref\n0 1\n0000000000 65535 f \n");
    for (id, place) in places {
        write!(file, "{id} 1\n{place:010} 00000 n \n").unwrap();
    }
    let size = 12 + count * 2;
    write!(file, "trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n").unwrap();
    file.into_bytes()
}

/// A grey picture of one pixel, `/Im1`.
fn image() -> String {
    "<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray /Length 1 >>\n\
     stream\n\u{1}\nendstream"
        .to_owned()
}

/// Lines from a place downwards, twelve points apart.
pub(super) fn column<'a>(x: f32, top: f32, lines: &[&'a str]) -> Vec<Placed<'a>> {
    lines.iter().enumerate().map(|(index, line)| (x, top - 12.0 * index as f32, 10.0, *line)).collect()
}
