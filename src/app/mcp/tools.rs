//! The table of tools: each one's name, what an assistant is told of it, its arguments, and what answers it.

use anyhow::{Result, bail};
use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

use super::desk::McpDesk;
use super::{arguments, documents, query, sessions};

/// What a tool answers: for people and models to read, and as data.
pub(super) struct ToolAnswer {
    pub(super) text: String,
    pub(super) value: Value,
}

struct ToolRow {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// A JSON schema's properties, and which of them must be there.
    properties: fn() -> (Value, &'static [&'static str]),
    call: fn(&mut McpDesk, Map<String, Value>) -> Result<ToolAnswer>,
}

const TOOLS: [ToolRow; 7] = [
    ToolRow {
        name: "query",
        title: "Search the documents",
        description: "Find passages in the library. `searches` holds typed lines: lex (words, BM25, stemmed; \"in this order\" must be there, -word must not), vec (a \
            question, by meaning), hyde (a passage that looks like the answer, by meaning); the first counts double. Or \
            `query`: plain words, or such lines as text (`lex: ...`, `intent: ...`). Scores are raw and only rank one search's results.",
        properties: query_properties,
        call: |desk, given| query::query(desk, &arguments::read("query", given)?),
    },
    ToolRow {
        name: "get",
        title: "Read a document",
        description: "The text of one document, by its file or the docid of a result (`#12`); `file.md:100` begins at a line. It says which of how many lines it gives.",
        properties: get_properties,
        call: |desk, given| documents::get(desk, &arguments::read("get", given)?),
    },
    ToolRow {
        name: "multi_get",
        title: "Read several documents",
        description: "The texts of documents by a pattern (`notes/2025-*.md`) or a list of files with commas. Those \
            longer than maxBytes are named and left out.",
        properties: multi_get_properties,
        call: |desk, given| documents::multi_get(desk, &arguments::read("multi_get", given)?),
    },
    ToolRow {
        name: "status",
        title: "What the library holds",
        description: "Documents, chunks, embedding model and sizes of the library.",
        properties: || (json!({}), &[]),
        call: |desk, given| documents::status(desk, &arguments::read("status", given)?),
    },
    ToolRow {
        name: "runs",
        title: "List the training runs",
        description: "Training runs with their state: step, loss, whether they run.",
        properties: || (json!({}), &[]),
        call: |desk, given| sessions::runs(desk, &arguments::read("runs", given)?),
    },
    ToolRow {
        name: "metrics",
        title: "Read a run's metrics",
        description: "The last metric lines of a run, by TRL's names (loss, eval_loss, learning_rate, ...).",
        properties: metrics_properties,
        call: |desk, given| sessions::metrics(desk, &arguments::read("metrics", given)?),
    },
    ToolRow {
        name: "records",
        title: "Read records of the session",
        description: "Records that a filter matches, as in Dojo's Data pane (`status:approved tokens>300 \"words\"`).",
        properties: records_properties,
        call: |desk, given| sessions::records(desk, &arguments::read("records", given)?),
    },
];

/// All tools, as an assistant is told of them.
pub(super) fn all() -> Vec<Tool> {
    TOOLS.iter().map(ToolRow::told).collect()
}

/// Calls a tool.
///
/// # Errors
/// Where there is none of that name, its arguments can't be read, or what it reads can't be.
pub(super) fn call(desk: &mut McpDesk, name: &str, arguments: Map<String, Value>) -> Result<ToolAnswer> {
    let Some(tool) = TOOLS.iter().find(|tool| tool.name == name) else {
        let known: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
        bail!("there is no tool {name}: there are {}", known.join(", "));
    };
    (tool.call)(desk, arguments)
}

impl ToolRow {
    fn told(&self) -> Tool {
        let (properties, required) = (self.properties)();
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("object"));
        schema.insert("properties".to_owned(), properties);
        schema.insert("required".to_owned(), json!(required));
        schema.insert("additionalProperties".to_owned(), json!(false));
        let annotations = ToolAnnotations::new().read_only(true).open_world(false);
        Tool::new(self.name, self.description, schema).with_title(self.title).with_annotations(annotations)
    }
}

fn query_properties() -> (Value, &'static [&'static str]) {
    let line = json!({
        "type": "object",
        "properties": {
            "type": { "type": "string", "enum": ["lex", "vec", "hyde"] },
            "query": { "type": "string" },
        },
        "required": ["type", "query"],
        "additionalProperties": false,
    });
    let properties = json!({
        "searches": { "type": "array", "items": line, "minItems": 1, "maxItems": query::MOST_LINES },
        "query": { "type": "string", "description": "Plain words, or typed lines as text; instead of searches." },
        "limit": { "type": "integer", "default": 10, "minimum": 1, "maximum": 100 },
        "minScore": { "type": "number", "default": 0, "description": "Leave out results of a lower fused score." },
        "candidateLimit": { "type": "integer", "minimum": 1, "description": "Keep only so many of the fused order, and rerank all of them; without it all are kept, and 40 reranked." },
        "collections": { "type": "array", "items": { "type": "string" }, "maxItems": 1, "description": "A tag of documents." },
        "intent": { "type": "string", "description": "What is meant. It is embedded beside the question and vec and hyde lines with half their weight, and read when expanding and reranking; BM25 doesn't search its words." },
        "rerank": { "type": "boolean", "description": "Whether the model that the settings name puts the passages in order within its time; true if one is named." },
    });
    (properties, &[])
}

fn get_properties() -> (Value, &'static [&'static str]) {
    let properties = json!({
        "file": { "type": "string" },
        "fromLine": { "type": "integer", "minimum": 1 },
        "maxLines": { "type": "integer", "minimum": 1 },
        "lineNumbers": { "type": "boolean", "default": false },
    });
    (properties, &["file"])
}

fn multi_get_properties() -> (Value, &'static [&'static str]) {
    let properties = json!({
        "pattern": { "type": "string" },
        "maxLines": { "type": "integer", "minimum": 1 },
        "maxBytes": { "type": "integer", "default": 10_240 },
        "lineNumbers": { "type": "boolean", "default": false },
    });
    (properties, &["pattern"])
}

fn metrics_properties() -> (Value, &'static [&'static str]) {
    let properties = json!({
        "run": { "type": "string" },
        "names": { "type": "array", "items": { "type": "string" }, "description": "Only these; all if none is named." },
        "last": { "type": "integer", "default": 100, "minimum": 1, "maximum": 10_000 },
    });
    (properties, &["run"])
}

fn records_properties() -> (Value, &'static [&'static str]) {
    let properties = json!({
        "filter": { "type": "string", "default": "" },
        "limit": { "type": "integer", "default": 10, "minimum": 1, "maximum": 100 },
        "after": { "type": "integer", "default": 0 },
    });
    (properties, &[])
}
