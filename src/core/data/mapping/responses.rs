//! Results of tools that stand in Hermes's tags. Chat templates write these tags around what a tool says, so that they
//! would be there twice.

use crate::domain::message::{Message, Role};

const OPEN: &str = "<tool_response>";
const CLOSE: &str = "</tool_response>";

/// A turn without the tags, where it is a tool's and nothing else is in it: a turn for each result.
pub(super) fn untagged(turn: Message) -> Vec<Message> {
    if turn.role != Role::Tool {
        return vec![turn];
    }
    match results(&turn.content) {
        Some(results) => results.into_iter().map(|content| Message { content, ..turn.clone() }).collect(),
        None => vec![turn],
    }
}

fn results(content: &str) -> Option<Vec<String>> {
    let (mut rest, mut found) = (content.trim(), Vec::new());
    while !rest.is_empty() {
        let (inner, behind) = rest.strip_prefix(OPEN)?.split_once(CLOSE)?;
        found.push(inner.trim_matches('\n').to_owned());
        rest = behind.trim_start();
    }
    (!found.is_empty()).then_some(found)
}
