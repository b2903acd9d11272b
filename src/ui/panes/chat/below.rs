//! The line below a turn: what became of it, how it goes on or how it ended, and its branches.

use ratatui::style::Style;

use super::passages;
use super::transcript::Scene;
use crate::app::store::chat::Writing;
use crate::domain::chat::{AnswerOutcome, AnswererNames, Chat, DraftPlace, Keep, Turn, Why};
use crate::domain::counted::counted;
use crate::domain::message::Role;
use crate::domain::protocol::chat::Phase;

/// Words and their style; none where there is nothing to say.
pub(super) fn below(turn: &Turn, scene: Scene<'_>) -> Option<(String, Style)> {
    let theme = scene.theme;
    let mut parts = Vec::new();
    let mut style = theme.dim;
    if let Some(kept) = scene.chat.decisions.kept.get(&turn.id) {
        style = theme.good;
        parts.push(match kept.how {
            Keep::Good => format!("✓ kept as record {}", kept.record.0),
            Keep::Corrected => format!("✓ corrected in record {}", kept.record.0),
        });
    }
    let begun = |place| scene.chats.draft(Some(scene.chat.id), place).is_some();
    if begun(DraftPlace::Correction(turn.id)) {
        parts.push("✎ a correction is begun: c goes on with it".to_owned());
    }
    if begun(DraftPlace::Edit(turn.id)) {
        parts.push("✎ another question is begun: e goes on with it".to_owned());
    }
    if turn.role == Role::Assistant {
        if let Some(sources) = scene.chat.sources.get(&turn.id) {
            let (said, doubtful) = passages::said(sources);
            parts.push(said);
            parts.extend(passages::searched(sources, turn, scene.chat));
            if doubtful {
                style = theme.warning;
            }
        }
        match (scene.chats.writing.get(&turn.id), &turn.outcome) {
            (Some(Writing::Waits(phase)), _) => parts.push(format!("{} … esc stops", awaited(*phase))),
            (Some(Writing::Writes(pace)), _) => {
                parts.push(format!(
                    "▍{}{} · esc stops",
                    speed(pace.tokens_per_second),
                    counted(pace.tokens as u64, "token")
                ));
            }
            (None, Some(outcome)) => {
                if let Why::Failed(_) = outcome.why {
                    style = theme.bad;
                }
                parts.push(ended(outcome));
            }
            (None, None) => parts.push(
                "not finished: another window writes it, or the program ended meanwhile; r asks again"
                    .to_owned(),
            ),
        }
        let hidden = is_hidden(turn, scene.chat);
        let new = !turn.by.is_empty() && turn.by != scene.title;
        if new && !hidden && !scene.chats.writing.contains_key(&turn.id) {
            parts.push(turn.by.clone());
        }
    }
    if let Some(branch) = scene.outline.branch(turn.id) {
        parts.push(format!("◂ {} of {} ▸", branch.place, branch.of));
    }
    (!parts.is_empty()).then(|| (parts.join(" · "), style))
}

/// What an answer waits for.
const fn awaited(phase: Phase) -> &'static str {
    match phase {
        Phase::Searching => "searching the library",
        Phase::Loading => "loading the model",
        Phase::Reading => "reading the conversation",
    }
}

/// Whether an answer's author is not to be told yet.
pub(super) fn is_hidden(turn: &Turn, chat: &Chat) -> bool {
    chat.setup.names == AnswererNames::Hidden && chat.heads[1].is_some() && chat.vote_on(turn.id).is_none()
}

/// `38 tok/s · `; nothing where the answer is too short to tell.
fn speed(tokens_per_second: f64) -> String {
    if tokens_per_second > 0.0 { format!("{tokens_per_second:.0} tok/s · ") } else { String::new() }
}

/// `38 tok/s · 41 tokens · 0.2 s to the first`.
fn ended(outcome: &AnswerOutcome) -> String {
    let pace = format!(
        "{}{} · {:.1} s to the first",
        speed(outcome.tokens_per_second),
        counted(outcome.tokens as u64, "token"),
        outcome.first_token_seconds
    );
    match &outcome.why {
        Why::End => pace,
        Why::Length => format!("{pace} · ended at max_tokens (p)"),
        Why::Context => format!("{pace} · ended: the context is full"),
        Why::Stopped => format!("{pace} · stopped"),
        Why::Failed(why) => format!("✗ {why}"),
    }
}
