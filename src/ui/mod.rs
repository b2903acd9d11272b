//! Panes, keys, themes, layout. Draws from the store; does no input or output.
