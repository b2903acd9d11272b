//! Data on its way to the engine: import, chat templates, loss mask, packing, splits. Knows no session and no screen.
