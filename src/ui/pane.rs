//! What a pane is, and what it can ask of the world.
//!
//! A pane owns its cursor, scroll and focus; facts live in the store. Its binding table is read by the dispatcher, the
//! footer, the help and the palette alike.

use crossterm::event::{KeyEvent, MouseEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::store::Store;
use crate::domain::chat::Answerer;
use crate::domain::protocol::Command;
use crate::domain::protocol::system::Notice;
use crate::ui::action::Action;
use crate::ui::keymap::{Binding, Keymap};
use crate::ui::theme::Theme;

pub use crate::ui::pane_id::PaneId;

/// One of the six panes.
pub trait Pane {
    /// Every key of this pane, in the order of the footer. `&'static`: help and palette list it too.
    fn bindings(&self) -> &'static [Binding];

    /// Whether an action makes sense right now. The dispatcher passes over bindings that are not available (two may
    /// share a key), the footer leaves them out, the palette dims them.
    fn available(&self, _action: Action, _store: &Store) -> bool {
        true
    }

    /// Whether the footer and the help offer an action. One that is available but not offered says, when its key is
    /// pressed, why it can't be done.
    fn offered(&self, action: Action, store: &Store) -> bool {
        self.available(action, store)
    }

    /// Whether the footer shows an offered action that it leaves to the help otherwise: the way on from an empty pane.
    fn leads_on(&self, _action: Action, _store: &Store) -> bool {
        false
    }

    /// Whether an action is one of what fills the pane now: where a key means several, this one is answered for.
    fn is_of_what_is_shown(&self, _action: Action) -> bool {
        true
    }

    /// Why an action that isn't available can't be done, and what to do instead, in a sentence; `None` where there is
    /// no more to say than that there is nothing for it.
    fn why_not(&self, _action: Action, _store: &Store) -> Option<String> {
        None
    }

    /// Performs one of the pane's actions. Not called for those of others.
    fn update(&mut self, action: Action, store: &Store) -> Vec<Effect>;

    /// Whether a text field has the keyboard. Then plain characters go to [`Pane::input`], and only available
    /// bindings on other keys (`enter`, `esc`, `ctrl-s`) are dispatched.
    fn typing(&self) -> bool {
        false
    }

    /// What was typed here and is neither saved nor kept as a draft, in a few words (`the text of record 12`); the
    /// program asks before it ends over it.
    fn unsaved(&self, _store: &Store) -> Option<String> {
        None
    }

    /// The text that is being edited, for the person's own editor; `None` when no text is.
    fn edited_text(&self) -> Option<String> {
        None
    }

    /// What came back from the person's own editor, in place of [`Pane::edited_text`].
    fn replace_text(&mut self, _text: String, _store: &Store) -> Vec<Effect> {
        Vec::new()
    }

    /// What the keyboard writes into: for the help, which lists the editing keys.
    fn editing(&self) -> Editing {
        match (self.typing(), self.edited_text()) {
            (false, _) => Editing::Nothing,
            (true, None) => Editing::Line,
            (true, Some(_)) => Editing::Text,
        }
    }

    /// A key or pasted text for the text field. Only called while [`Pane::typing`].
    fn input(&mut self, _input: &Input, _store: &Store) -> Vec<Effect> {
        Vec::new()
    }

    /// Opens the field that asks where data is, for a path that was pasted or dropped while nothing was typed; no effects
    /// and no field where a path means nothing.
    fn ask_for_data(&mut self, _store: &Store) -> Option<Vec<Effect>> {
        None
    }

    /// A click, a scroll or a drag inside the area of the last draw; columns and rows are the screen's.
    fn mouse(&mut self, _mouse: MouseEvent, _store: &Store) -> Vec<Effect> {
        Vec::new()
    }

    /// A new conversation is to begin with these: for Chat alone.
    fn converse(&mut self, _left: Answerer, _right: Option<Answerer>) {}

    /// Called after events were applied and before drawing, for the pane in front: to ask for what it is about to
    /// show (a page of records, say) or to move the cursor with the rows. Must ask once, not each time.
    fn refresh(&mut self, _store: &Store) -> Vec<Effect> {
        Vec::new()
    }

    /// The program ends and nobody can be asked: what is being written becomes a draft.
    fn keep(&mut self, store: &Store) -> Vec<Effect> {
        self.refresh(store)
    }

    /// Draws into `area`. Reads no clock ([`Store::now`] is there), takes no lock, does no input or output.
    fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>);
}

/// What typed characters go into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Editing {
    /// Nothing is written: a key is a choice.
    Nothing,
    Line,
    /// A line with suggestions below it.
    Suggested,
    /// A text of several lines.
    Text,
}

/// What drawing reads.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub store: &'a Store,
    pub theme: &'a Theme,
    pub keymap: &'a Keymap,
    /// Whether the keyboard is here: false while something floats above.
    pub focus: Focus,
}

/// Who has the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    Here,
    Elsewhere,
}

/// Goes into a text field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    Key(KeyEvent),
    Paste(String),
}

/// What a pane asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Of the worker; events come back.
    Send(Command),
    /// Puts text on the clipboard (OSC 52: also over SSH).
    Copy(String),
    /// Says something in a corner.
    Notify(Notice),
    /// Goes to another pane.
    Show(PaneId),
    /// Goes to Chat, to a new conversation with one answerer or with two side by side.
    Converse {
        left: Answerer,
        right: Option<Answerer>,
    },
    /// Asks before doing something that can't be undone.
    Ask(Confirmation),
    /// Opens a text in the person's own editor; [`Pane::replace_text`] of the pane in front gets what comes back.
    EditOutside(String),
    /// Draws everything anew.
    Redraw,
    /// Back to the shell until `fg`.
    Suspend,
    Quit,
}

/// A question with two answers; no is the default.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirmation {
    /// `Delete run sft-0411?`
    pub title: String,
    /// What it would do: counts, sizes, what stays.
    pub text: String,
    /// The verb on the yes side: `delete`.
    pub yes: String,
    /// What yes does.
    pub then: Vec<Effect>,
}

impl Confirmation {
    /// Asks before a second run is started beside one that goes on: whether it waits for that one instead. What can't
    /// be started at all is said at once.
    #[must_use]
    pub fn queue(going: &str, queued: Vec<Effect>) -> Vec<Effect> {
        let starts = |effect: &Effect| {
            matches!(effect, Effect::Send(Command::Runs(crate::domain::protocol::RunsCommand::Start { .. })))
        };
        if !queued.iter().any(starts) {
            return queued;
        }
        vec![Effect::Ask(Self {
            title: format!("{going} has not ended: queue this one?"),
            text: format!(
                "Two runs at once share the machine, and each takes longer. Queued, it starts by itself when {going} \
                 has ended; `dojo train` in a shell starts one beside it."
            ),
            yes: "queue it".to_owned(),
            then: queued,
        })]
    }
}

/// When a draft is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DraftTiming {
    Now,
    /// While one writes: with every key, or every few seconds if the text is long.
    InPassing,
}
