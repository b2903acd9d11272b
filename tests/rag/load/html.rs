//! What is read of a page.

use super::{read, told};

#[test]
fn scripts_navigation_and_the_frame_of_a_page_are_left_out() {
    let page = r#"<!DOCTYPE html><html lang="en-GB"><head><title> On  Owls </title>
        <meta name="author" content="Ann Lee"><meta name="keywords" content="owls, night">
        <script>document.write("<p>evil</p>")</script><style>p { color: red }</style></head>
        <body><nav><p>Home</p></nav><header>Site name</header><div role="search">Find</div>
        <h1>On Owls</h1><p>Owls <b>fly</b> at
        night &amp; hunt.<script>alert(1)</script></p><aside>Buy this</aside><form>Mail us</form>
        <footer>Imprint</footer></body></html>"#;
    let document = read("page.html", page.as_bytes());
    assert_eq!(told(&document), ["h1: On Owls", "On Owls / prose: Owls fly at night & hunt."]);
    assert_eq!(document.title, "On Owls");
    assert_eq!(document.facts.authors, ["Ann Lee"]);
    assert_eq!(document.facts.tags, ["owls", "night"]);
    assert_eq!(document.facts.language.as_deref(), Some("en"));
}

#[test]
fn the_main_part_is_read_alone_if_it_is_long_enough() {
    let long = "Owls hunt at night and hear well. ".repeat(10);
    let page =
        format!("<html><body><p>Cookies?</p><main><p>{long}</p></main><p>More pages</p></body></html>");
    assert_eq!(told(&read("page.html", page.as_bytes())), [format!("prose: {}", long.trim())]);
    let page = "<html><body><p>Cookies?</p><main><p>Owls.</p></main></body></html>";
    assert_eq!(told(&read("page.html", page.as_bytes())), ["prose: Cookies?", "prose: Owls."]);
}

#[test]
fn lists_tables_code_and_formulas_keep_their_form() {
    let page = "<ul><li>barn<li>tawny <em>owl</em></ul><p>After.</p>\
        <pre><code class=\"language-rust\">fn main() {\n    1 &lt; 2;\n}</code></pre>\
        <table><tr><th>Name</th><th>Size</th></tr><tr><td>Barn</td><td><p>35</p> cm</td></tr></table>\
        <p>Mass <math alttext=\"E=mc^2\"><mi>E</mi></math> here.<br>Next line.</p>";
    assert_eq!(
        told(&read("page.html", page.as_bytes())),
        [
            "item: - barn",
            "item: - tawny owl",
            "prose: After.",
            "code rust: fn main() {\n    1 < 2;\n}",
            "table: Name | Size\nBarn | 35 cm",
            "prose: Mass $E=mc^2$ here.\nNext line.",
        ]
    );
}

#[test]
fn a_frame_that_is_never_closed_hides_nothing() {
    assert_eq!(
        told(&read("page.html", b"<nav><h1>Owls</h1><p>Owls hunt.</p>")),
        ["h1: Owls", "Owls / prose: Owls hunt."]
    );
}

#[test]
fn a_long_list_of_links_is_a_menu_and_a_short_one_is_not() {
    let items = |count: usize| "<li><a href='x'>Owls of the world</a></li>".repeat(count);
    let page = |count: usize| format!("<h1>Owls</h1><ul>{}</ul><p>Owls hunt.</p>", items(count));
    let read = |count: usize| told(&read("page.html", page(count).as_bytes())).len();
    assert_eq!((read(3), read(12)), (5, 2));
}
