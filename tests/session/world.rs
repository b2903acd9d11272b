//! A session in a folder of its own, filled by a small builder.

use dojo_studio::domain::filter::{Filter, parse};
use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::record::{Fields, Provenance, Record, RecordId};
use dojo_studio::domain::view::SortOrder;
use dojo_studio::session::{Access, Importer, Prepared, Session};

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) session: Session,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let session = Session::create(folder.path()).expect("a session").acting_as("ada");
        Self { folder, session }
    }

    pub(crate) fn with(records: Vec<Record>) -> Self {
        let mut world = Self::new();
        world.import("a.jsonl", records);
        world
    }

    pub(crate) fn numbered(count: usize) -> Self {
        Self::with(
            (1..=count)
                .map(|number| pair(&format!("question {number}"), &format!("answer {number}")))
                .collect(),
        )
    }

    pub(crate) fn import(&mut self, path: &str, records: Vec<Record>) {
        let mut importer = Importer::begin(&mut self.session, path, "").expect("begin an import");
        importer.add(&prepared(records), &[]).expect("add records");
        importer.finish().expect("finish an import");
        self.session.build_index(|_| true).expect("build the index");
    }

    /// Opens the session again, as another process would.
    pub(crate) fn other(&self) -> Session {
        Session::open(self.folder.path(), Access::Write).expect("open the session again").acting_as("bob")
    }

    pub(crate) fn ids(&self, filter: &str) -> Vec<i64> {
        self.session.view(&read(filter), SortOrder::default()).expect("open a view").ids().to_vec()
    }

    /// Counts tokens of some records: number and count.
    pub(crate) fn count(&mut self, model: &str, counts: &[(i64, u32)]) {
        let counts: std::collections::BTreeMap<i64, u32> = counts.iter().copied().collect();
        let ids: Vec<i64> = counts.keys().copied().collect();
        let count = |rows: &[dojo_studio::session::RecordRow]| {
            rows.iter().map(|row| counts.get(&row.id.0).copied()).collect()
        };
        self.session.count_tokens(model, &ids, count).expect("count tokens");
    }

    pub(crate) fn record(&self, id: i64) -> Record {
        self.session.record(RecordId(id)).expect("read a record")
    }
}

pub(crate) fn read(filter: &str) -> Filter {
    parse(filter).unwrap_or_else(|error| panic!("{}", error.pointed(filter)))
}

pub(crate) fn prepared(records: Vec<Record>) -> Vec<Prepared> {
    records.into_iter().map(|record| Prepared::of(record).expect("prepare a record")).collect()
}

/// A question and an answer, as a `messages` row would be imported.
pub(crate) fn pair(question: &str, answer: &str) -> Record {
    let messages = vec![Message::new(Role::User, question), Message::new(Role::Assistant, answer)];
    let mut fields = Fields::new();
    fields.insert("messages".to_owned(), serde_json::to_value(&messages).expect("messages as JSON"));
    let provenance = Provenance { source: "a.jsonl".to_owned(), line: 1, ..Provenance::default() };
    Record { fields, messages, provenance, ..Record::default() }
}

pub(crate) fn labelled(question: &str, label: &str) -> Record {
    let mut record = pair(question, label);
    record.label = Some(label.to_owned());
    record
}
