//! What a person sees and touches: panes, keys, themes, layout. Draws from the store; does no input or output, takes
//! no lock and reads no clock.
//!
//! [`studio::Studio`] owns the panes and everything around them. A pane is one folder in [`panes`] and a row in its
//! table.

pub mod action;
pub mod caret;
pub mod keymap;
pub mod layout;
pub mod pane;
pub mod pane_id;
pub mod panes;
pub mod picture;
pub mod studio;
pub mod theme;
pub mod verbs;
pub mod widgets;

mod shell;
mod stopping;
