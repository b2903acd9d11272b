//! An Ollama Modelfile for a GGUF: where it is, how its chats are written, and what ends an answer.
//!
//! Ollama writes chats by templates of its own language. One is made of what the model's template does with a few turns,
//! and tried: it is left out if it would write other chats.

use std::fmt::Write as _;

use crate::model::OpenModel;
use dojo_core::data::chat::{ChatTemplate, RenderEnding};
use dojo_core::domain::message::{Message, Role};

/// Contents that no template holds, to be found again.
const SYSTEM: &str = "\u{1}S\u{1}";
const FIRST: &str = "\u{1}U\u{1}";
const ANSWER: &str = "\u{1}A\u{1}";
const SECOND: &str = "\u{1}V\u{1}";

/// The text of a Modelfile beside a GGUF of that name.
#[must_use]
pub(super) fn text(model: &OpenModel, file: &str, begins_with_bos: bool) -> String {
    let mut text = format!("# ollama create NAME -f Modelfile\nFROM ./{file}\n");
    let compiled = model.template.compile().ok().flatten();
    let turns = compiled.as_ref().and_then(Turns::of).map(|turns| {
        // Ollama puts the beginning token before a prompt by itself.
        let bos = model.template.bos_token.clone().filter(|_| begins_with_bos);
        turns.without(bos.as_deref().unwrap_or_default())
    });
    match (turns, compiled.is_some()) {
        (Some(turns), _) => {
            let _ = writeln!(text, "TEMPLATE \"\"\"{}\"\"\"", turns.go());
        }
        (None, true) => {
            text += "# The model's chat template can't be said in Ollama's language by itself: Ollama takes the nearest one \
                     that it knows.\n";
        }
        (None, false) => {
            text += "# The model has no chat template: it continues texts.\nTEMPLATE \"{{ .Prompt }}\"\n";
        }
    }
    let ends = model.config.eos.iter().filter_map(|&id| model.tokenizer.id_to_token(id));
    for end in ends.filter(|end| !end.contains(['"', '\n'])) {
        let _ = writeln!(text, "PARAMETER stop \"{end}\"");
    }
    let _ = writeln!(text, "PARAMETER num_ctx {}", model.config.context.min(8192));
    text
}

/// What a template writes around turns.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Turns {
    /// Before a conversation without a system message.
    without_system: String,
    before_system: String,
    after_system: String,
    before_user: String,
    /// Between a user's turn and the answer that stands in the conversation.
    before_answer: String,
    after_answer: String,
    /// Between the last user's turn and the answer to come.
    asks: String,
}

impl Turns {
    fn of(template: &ChatTemplate) -> Option<Self> {
        let turns = |system: bool| {
            let first = system.then(|| Message::new(Role::System, SYSTEM));
            let rest = [(Role::User, FIRST), (Role::Assistant, ANSWER), (Role::User, SECOND)];
            first.into_iter().chain(rest.map(|(role, text)| Message::new(role, text))).collect::<Vec<_>>()
        };
        let render = |turns: &[Message]| template.render(turns, RenderEnding::GenerationPrompt).ok();
        let whole = render(&turns(true))?;
        let (before_system, rest) = whole.split_once(SYSTEM)?;
        let (system_user, rest) = rest.split_once(FIRST)?;
        let (before_answer, rest) = rest.split_once(ANSWER)?;
        let (answer_user, asks) = rest.split_once(SECOND)?;
        let plain = render(&turns(false))?;
        let (begins, _) = plain.split_once(FIRST)?;
        let before_user = common_end(common_end(system_user, answer_user), begins);
        let strip = |text: &str| text.strip_suffix(before_user).map(str::to_owned);
        let found = Self {
            without_system: strip(begins)?,
            before_system: before_system.to_owned(),
            after_system: strip(system_user)?,
            before_user: before_user.to_owned(),
            before_answer: before_answer.to_owned(),
            after_answer: strip(answer_user)?,
            asks: asks.to_owned(),
        };
        let right =
            [true, false].iter().all(|&system| Some(found.written(&turns(system))) == render(&turns(system)));
        right.then_some(found).filter(Self::is_sayable)
    }

    /// What the template made of these parts writes.
    fn written(&self, turns: &[Message]) -> String {
        let mut text = String::new();
        if turns.first().is_none_or(|first| first.role != Role::System) {
            text += &self.without_system;
        }
        for turn in turns {
            let (before, after) = if turn.role == Role::System {
                (self.before_system.as_str(), self.after_system.as_str())
            } else if turn.role == Role::User {
                (self.before_user.as_str(), "")
            } else {
                (self.before_answer.as_str(), self.after_answer.as_str())
            };
            text = text + before + &turn.content + after;
        }
        text + &self.asks
    }

    fn parts(&self) -> [&String; 7] {
        [
            &self.without_system,
            &self.before_system,
            &self.after_system,
            &self.before_user,
            &self.before_answer,
            &self.after_answer,
            &self.asks,
        ]
    }

    /// Whether its texts can stand between Ollama's marks.
    fn is_sayable(&self) -> bool {
        self.parts().iter().all(|part| !part.contains("{{") && !part.contains("\"\"\""))
    }

    /// The same without the beginning token.
    fn without(mut self, bos: &str) -> Self {
        if !bos.is_empty() {
            for part in [&mut self.without_system, &mut self.before_system] {
                if let Some(rest) = part.strip_prefix(bos) {
                    *part = rest.to_owned();
                }
            }
        }
        self
    }

    /// As Go's templates have it.
    fn go(&self) -> String {
        let Self {
            without_system,
            before_system,
            after_system,
            before_user,
            before_answer,
            after_answer,
            asks,
        } = self;
        format!(
            "{{{{ if .System }}}}{before_system}{{{{ .System }}}}{after_system}{{{{ else }}}}{without_system}{{{{ end }}}}\
             {{{{ range .Messages }}}}{{{{ if eq .Role \"user\" }}}}{before_user}{{{{ .Content }}}}\
             {{{{ else if eq .Role \"assistant\" }}}}{before_answer}{{{{ .Content }}}}{after_answer}{{{{ end }}}}\
             {{{{ end }}}}{asks}"
        )
    }
}

/// The longest end that two texts share.
fn common_end<'t>(one: &'t str, other: &str) -> &'t str {
    let shared = one.chars().rev().zip(other.chars().rev()).take_while(|(one, other)| one == other);
    let bytes: usize = shared.map(|(character, _)| character.len_utf8()).sum();
    one.get(one.len() - bytes..).unwrap_or_default()
}
