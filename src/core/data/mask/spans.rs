//! Where in a rendering the assistant's turns are.

use anyhow::{Result, ensure};

use super::Masker;
use super::parts::RenderedTurn;
use super::start::Prompts;
use crate::data::chat::{BLOCK_END, BLOCK_START, RenderEnding};
use crate::domain::inline_thought::MARKS;
use crate::domain::message::{Conversation, Message, Role};

/// Heads of turns that are rendered in one conversation.
const MOST_HEADS: usize = 8;

/// A stretch of what the model writes in one turn, in bytes of the rendered text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LearntSpan {
    /// Behind the generation prompt.
    pub start: usize,
    /// Where the answer's own text begins: `start`, or later where the template writes more (an empty `<think>`).
    pub content: usize,
    /// Behind the answer's text, before the token that ends the turn; or behind the block.
    pub end: usize,
    pub by: By,
}

/// How a span was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// By comparing renderings.
    Rendering,
    /// The template says so.
    Block,
    /// By comparing renderings, up to what somebody else says inside of the turn: the model stops there without the token
    /// that ends the turn.
    Interrupted,
}

impl Masker<'_> {
    /// The spans of every assistant turn, with the turn's index.
    pub(super) fn spans(
        &self,
        conversation: Conversation<'_>,
        text: &str,
    ) -> Result<Vec<(usize, Vec<LearntSpan>)>> {
        let messages = conversation.messages;
        let assistant = |(_, message): &(usize, &Message)| message.role == Role::Assistant;
        let turns: Vec<usize> = messages.iter().enumerate().filter(assistant).map(|(turn, _)| turn).collect();
        if self.template.is_marked() {
            let blocks = blocks(&self.template.render_marked(conversation)?, text)?;
            return self.by_turn(conversation, &turns, blocks, text);
        }
        let parts = self.changed_parts(conversation, &turns, text)?;
        let mut prompts = Prompts::new();
        let mut span = |(turn, part): (usize, RenderedTurn)| -> Result<(usize, Vec<LearntSpan>)> {
            let whole = self.rendered_span(conversation, (turn, part), text, &mut prompts)?;
            Ok((turn, self.without_others(conversation, turn, whole, text)))
        };
        turns.into_iter().zip(parts).map(&mut span).collect()
    }

    /// Gives each block to its turn, without the turn's head.
    fn by_turn(
        &self,
        conversation: Conversation<'_>,
        turns: &[usize],
        blocks: Vec<(usize, usize)>,
        text: &str,
    ) -> Result<Vec<(usize, Vec<LearntSpan>)>> {
        let mut spans: Vec<(usize, Vec<LearntSpan>)> = turns.iter().map(|&turn| (turn, Vec::new())).collect();
        let mut heads = Vec::new();
        if blocks.len() == turns.len() {
            for ((turn, own), block) in spans.iter_mut().zip(blocks) {
                own.push(self.without_head(conversation, *turn, block, text, &mut heads));
            }
            return Ok(spans);
        }
        // A turn may have several blocks, or none: each belongs to the first turn that isn't over before it, or to
        // the turn before that one, if nothing but control tokens stands between them.
        let parts = self.changed_parts(conversation, turns, text)?;
        let ends: Vec<usize> = parts.iter().map(|part| part.end).collect();
        for block in blocks.into_iter().filter(|(start, end)| start < end) {
            let next = ends.partition_point(|&end| end < block.0);
            let before = next.checked_sub(1).filter(|&before| {
                let over = ends.get(before).copied().unwrap_or_default();
                self.controls.is_blank(text.get(over..block.0).unwrap_or_default())
            });
            let owner = before.unwrap_or(next.min(ends.len().saturating_sub(1)));
            if let Some((turn, own)) = spans.get_mut(owner) {
                let head = own.is_empty();
                let whole = LearntSpan { start: block.0, content: block.0, end: block.1, by: By::Block };
                own.push(if head {
                    self.without_head(conversation, *turn, block, text, &mut heads)
                } else {
                    whole
                });
            }
        }
        ensure!(
            spans.iter().any(|(_, own)| !own.is_empty()),
            "the chat template marks nothing of the conversation as generated, so it can't be masked"
        );
        Ok(spans)
    }

    /// A block, from where the turn's head ends: what the template itself writes to make the model answer. `heads` are
    /// those of other turns, which are mostly the same: rendering one takes as long as the turns before it.
    fn without_head(
        &self,
        conversation: Conversation<'_>,
        turn: usize,
        (start, end): (usize, usize),
        text: &str,
        heads: &mut Vec<String>,
    ) -> LearntSpan {
        let inside = text.get(start..end).unwrap_or_default();
        let length = |heads: &[String]| {
            let own = heads.iter().filter(|head| inside.starts_with(head.as_str()));
            own.map(String::len).max().unwrap_or_default()
        };
        let mut head = length(heads.as_slice());
        if head == 0 && heads.len() < MOST_HEADS && self.controls.begins(inside) {
            heads.push(self.head(conversation, turn).unwrap_or_default());
            head = length(heads.as_slice());
        }
        let start = start + head;
        LearntSpan { start, content: start, end, by: By::Block }
    }

    /// What the template adds to the turns before a turn, for the model to answer.
    fn head(&self, conversation: Conversation<'_>, turn: usize) -> Option<String> {
        let messages = conversation.messages.get(..turn)?;
        let before = Conversation { messages, ..conversation };
        let prompt = self.template.render(before, RenderEnding::GenerationPrompt).ok()?;
        let without = self.template.render(before, RenderEnding::Complete).ok()?;
        prompt.strip_prefix(&without).map(str::to_owned)
    }

    /// One turn's borders, by the part of the rendering that comes from it.
    fn rendered_span<'t>(
        &self,
        conversation: Conversation<'_>,
        (turn, part): (usize, RenderedTurn),
        text: &'t str,
        prompts: &mut Prompts<'t>,
    ) -> Result<LearntSpan> {
        let RenderedTurn { content, end, .. } = part;
        // What a turn with calls ends with is the template's own form of them.
        let ends = conversation.messages.get(turn).filter(|message| message.tool_calls().is_empty());
        let answer = ends.map(|message| message.content.trim()).unwrap_or_default();
        let shown = text.get(content..end).unwrap_or_default().trim();
        let last_line = last_line(answer);
        let mark = MARKS.iter().map(|(_, end)| *end).find(|mark| answer.contains(mark));
        let why = mark.map_or_else(String::new, |mark| {
            format!(
                " (it takes what is before {mark:?} for a thought: write a thought as the turn's \"reasoning_content\", \
                 and what is none without that mark)"
            )
        });
        ensure!(
            shown.ends_with(last_line),
            "the chat template does not show what the assistant says in turn {}, so it can't be masked{why}",
            turn + 1
        );
        let start = self.start(conversation, turn, part, text, prompts);
        Ok(LearntSpan { start, content, end, by: By::Rendering })
    }
}

/// The end of an answer, which is shown whatever becomes of a thought before it: the last line, without a thought that
/// ends on it.
fn last_line(answer: &str) -> &str {
    let line = answer.lines().next_back().unwrap_or_default().trim();
    let behind = |mark| line.rsplit_once(mark).map(|(_, behind)| behind.trim_start());
    let behind = MARKS.iter().filter_map(|(_, end)| behind(*end)).min_by_key(|behind| behind.len());
    behind.filter(|behind| !behind.is_empty()).unwrap_or(line)
}

/// Reads the borders of generation blocks from a rendering with marks.
fn blocks(marked: &str, text: &str) -> Result<Vec<(usize, usize)>> {
    let mut blocks = Vec::new();
    let mut start = None;
    let mut position = 0;
    for character in marked.chars() {
        match character {
            BLOCK_START => start = Some(position),
            BLOCK_END => blocks.extend(start.take().map(|start| (start, position))),
            other => position += other.len_utf8(),
        }
    }
    let same =
        marked.chars().filter(|character| ![BLOCK_START, BLOCK_END].contains(character)).eq(text.chars());
    ensure!(
        same,
        "the chat template renders differently inside its generation blocks, so it can't be masked"
    );
    Ok(blocks)
}
