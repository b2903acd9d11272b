//! What each tag means for the words in it.

/// Never read.
pub(super) fn holds_no_words(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "style"
            | "noscript"
            | "template"
            | "svg"
            | "iframe"
            | "object"
            | "canvas"
            | "video"
            | "audio"
            | "select"
            | "datalist"
    )
}

/// The frame around a page's text.
pub(super) fn is_frame(name: &str) -> bool {
    matches!(name, "nav" | "footer" | "aside" | "form" | "button" | "dialog" | "menu")
}

pub(super) fn is_frame_role(role: &str) -> bool {
    matches!(role, "navigation" | "banner" | "contentinfo" | "search" | "complementary" | "menu" | "dialog")
}

/// Has no end tag.
pub(super) fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

/// Begins and ends a paragraph.
pub(super) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "section"
            | "article"
            | "main"
            | "header"
            | "footer"
            | "aside"
            | "nav"
            | "blockquote"
            | "ul"
            | "ol"
            | "dl"
            | "dt"
            | "dd"
            | "figure"
            | "figcaption"
            | "hr"
            | "address"
            | "details"
            | "summary"
            | "body"
            | "html"
            | "head"
            | "fieldset"
            | "form"
            | "center"
    )
}

/// "h2" is 2.
pub(super) fn heading_level(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', digit @ b'1'..=b'6'] => Some(digit - b'0'),
        _ => None,
    }
}
