//! `{% generation %}` blocks, in which a template says what the model writes.

/// Stand at a generation block's two ends while a mask is made. Unicode keeps both free of meaning.
pub(crate) const BLOCK_START: char = '\u{FDD0}';
pub(crate) const BLOCK_END: char = '\u{FDD1}';

/// Turns `{% generation %}` blocks, which minijinja does not know, into conditions that also write the marks. The
/// outer tags keep the white-space signs, so that the text around comes out as it would with the block.
pub(super) fn with_generation_blocks(source: &str) -> (String, bool) {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    let mut marked = false;
    while let Some((before, tag)) = rest.split_once("{%") {
        let Some((inside, after)) = tag.split_once("%}") else { break };
        let sign = |signed: bool| if signed { "-" } else { "" };
        let (left, right) = (sign(inside.starts_with('-')), sign(inside.ends_with('-')));
        out.push_str(before);
        match inside.trim_matches(|sign: char| sign.is_whitespace() || "-+".contains(sign)) {
            "generation" => {
                marked = true;
                out.extend(["{%", left, " if true %}{{ _block_start }}{% if true ", right, "%}"]);
            }
            "endgeneration" => {
                out.extend(["{%", left, " endif %}{{ _block_end }}{% endif ", right, "%}"]);
            }
            _ => out.extend(["{%", inside, "%}"]),
        }
        rest = after;
    }
    out.push_str(rest);
    (out, marked)
}
