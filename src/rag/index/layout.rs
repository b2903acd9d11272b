//! How an index is laid out, the same in this process and on a server, so that both rank alike.

/// The vectors' names.
pub(super) const DENSE: &str = "dense";
pub(super) const TERMS: &str = "bm25";

/// The payload that filters look at.
pub(super) const DOCUMENT: &str = "document";

/// Kilobytes of vectors in a segment above which a graph is built: below, comparing with all is as quick and exact.
pub(super) const GRAPH_FROM_KB: usize = 40_000;
