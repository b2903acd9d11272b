//! A library in a folder of its own, and an embedder whose vectors are letters counted.

use std::cell::Cell;
use std::path::Path;

use anyhow::Result;
use dojo_studio::domain::library::{BlockKind, ChunkSettings, DocumentBlock, DocumentFacts, SourceDocument};
use dojo_studio::domain::retrieval::{PassageQuery, SearchMode};
use dojo_studio::rag::add::{AddHost, AddProgress, Adder, ChunkCut};
use dojo_studio::rag::database::{DocumentSource, text_hash};
use dojo_studio::rag::embedding::{EmbeddedAs, EmbeddingModel, TextEmbedder};
use dojo_studio::rag::library::Library;

/// A vector says how often each letter is in a text: what shares letters is near.
pub(crate) struct Letters {
    model: EmbeddingModel,
    /// Texts that it has embedded.
    pub(crate) asked: Cell<usize>,
}

impl Letters {
    pub(crate) fn named(name: &str) -> Self {
        let model = EmbeddingModel {
            name: name.to_owned(),
            dimensions: 26,
            passage_prefix: String::new(),
            query_prefix: String::new(),
            endpoint: String::new(),
        };
        Self { model, asked: Cell::new(0) }
    }
}

impl TextEmbedder for Letters {
    fn model(&self) -> &EmbeddingModel {
        &self.model
    }

    fn embed(&self, texts: &[&str], _: EmbeddedAs) -> Result<Vec<Vec<f32>>> {
        self.asked.set(self.asked.get() + texts.len());
        let vector = |text: &&str| {
            let mut counts = [0.0_f32; 26];
            for letter in text.to_lowercase().bytes().filter(u8::is_ascii_lowercase) {
                counts[usize::from(letter - b'a')] += 1.0;
            }
            let length = counts.iter().map(|count| count * count).sum::<f32>().sqrt().max(1.0);
            counts.iter().map(|count| count / length).collect()
        };
        Ok(texts.iter().map(vector).collect())
    }

    fn tokens(&self, text: &str) -> Result<usize> {
        Ok(text.split_whitespace().count())
    }

    fn longest(&self) -> usize {
        64
    }
}

/// Goes on for so many questions of whether to.
pub(crate) struct Patient(pub(crate) usize);

impl AddHost for Patient {
    fn goes_on(&mut self, _: &AddProgress) -> bool {
        self.0 = self.0.saturating_sub(1);
        self.0 > 0
    }
}

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) library: Library,
    pub(crate) embedder: Letters,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::create(folder.path()).unwrap();
        Self { folder, library, embedder: Letters::named("letters") }
    }

    /// Documents of one paragraph: source and text.
    pub(crate) fn with(documents: &[(&str, &str)]) -> Self {
        let mut world = Self::new();
        world.add(documents);
        world
    }

    pub(crate) fn add(&mut self, documents: &[(&str, &str)]) {
        let documents: Vec<SourceDocument> =
            documents.iter().map(|(source, text)| document(source, text)).collect();
        self.add_all(&documents);
    }

    pub(crate) fn add_all(&mut self, documents: &[SourceDocument]) {
        let mut host = Patient(usize::MAX);
        let cut = ChunkCut::ToFit(ChunkSettings { tokens: 24, overlap: 0 });
        let mut adder = Adder::new(&mut self.library, Some(&self.embedder), cut, &mut host).unwrap();
        for document in documents {
            assert!(adder.offer(source(document), document, None).unwrap());
        }
        assert!(adder.finish().unwrap().is_some());
    }

    /// The sources of what is found, best first.
    pub(crate) fn found(&mut self, query: &PassageQuery) -> Vec<String> {
        let found = self.library.search(query, Some(&self.embedder)).unwrap();
        found.passages.into_iter().map(|passage| passage.source).collect()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

pub(crate) fn document(source: &str, text: &str) -> SourceDocument {
    let block = |text: &str| DocumentBlock {
        section: Vec::new(),
        page: None,
        kind: BlockKind::Prose,
        text: text.to_owned(),
    };
    SourceDocument {
        source: source.to_owned(),
        title: String::new(),
        facts: DocumentFacts { language: Some("en".to_owned()), ..DocumentFacts::default() },
        blocks: text.split("\n\n").map(block).collect(),
        notices: Vec::new(),
    }
}

pub(crate) fn source(document: &SourceDocument) -> DocumentSource {
    let words: Vec<&str> = document.blocks.iter().map(|block| block.text.as_str()).collect();
    let hash = text_hash(words.join("\n").as_bytes());
    DocumentSource { source: document.source.clone(), hash, bytes: 0, modified: 0, changed: 0 }
}

pub(crate) fn query(mode: SearchMode, words: &str) -> PassageQuery {
    PassageQuery { words: words.to_owned(), mode, ..PassageQuery::default() }
}
