//! What rankings are measured on, in whichever form it comes: it is told by its contents.

use std::path::Path;

use anyhow::{Result, bail};

use super::add::ChunkCut;
use super::collection::{Collection, JudgedQuestion};
use super::fixture::BenchFixture;
use crate::domain::library::{ChunkSettings, SourceDocument};

/// Documents and judged questions.
#[derive(Debug, Clone)]
pub enum JudgedSet {
    /// As BEIR lays them out.
    Collection(Collection),
    /// As QMD measures itself.
    Fixture(BenchFixture),
}

impl JudgedSet {
    /// Looks at a path.
    ///
    /// # Errors
    /// Where it is none of the forms, or something of it is missing.
    pub fn open(path: &Path, split: Option<&str>, documents: Option<&Path>) -> Result<Self> {
        if path.join("corpus.jsonl").is_file() {
            if documents.is_some() {
                bail!("--documents is for fixtures: {} brings its documents in corpus.jsonl", path.display());
            }
            return Ok(Self::Collection(Collection::open(path, split)?));
        }
        match BenchFixture::find(path, documents)? {
            Some(_) if split.is_some() => {
                bail!("--split is for collections: {} is a fixture", path.display())
            }
            Some(fixture) => Ok(Self::Fixture(fixture)),
            // It says what is missing.
            None => Ok(Self::Collection(Collection::open(path, split)?)),
        }
    }

    /// The questions, and what is not asked, one sentence each.
    ///
    /// # Errors
    /// Where a file can't be read, or no question is left.
    pub fn questions(&self) -> Result<(Vec<JudgedQuestion>, Vec<String>)> {
        match self {
            Self::Collection(collection) => Ok((collection.questions()?, Vec::new())),
            Self::Fixture(fixture) => {
                let found = fixture.questions();
                if found.questions.is_empty() {
                    bail!("{} has no question to ask: {}", fixture.path.display(), found.left_out.join("; "));
                }
                Ok((found.questions, found.left_out))
            }
        }
    }

    /// The documents, one after the other.
    ///
    /// # Errors
    /// Where they can't be read.
    pub fn documents(&self) -> Result<Box<dyn Iterator<Item = Result<SourceDocument>>>> {
        Ok(match self {
            Self::Collection(collection) => Box::new(collection.documents()?),
            Self::Fixture(fixture) => Box::new(fixture.documents()),
        })
    }

    /// How many documents there are.
    ///
    /// # Errors
    /// Where they can't be read.
    pub fn document_count(&self) -> Result<u64> {
        Ok(match self {
            Self::Collection(collection) => collection.documents()?.count() as u64,
            Self::Fixture(fixture) => fixture.document_count() as u64,
        })
    }

    /// Which of the judgements are asked, if there are several.
    #[must_use]
    pub fn split(&self) -> Option<&str> {
        match self {
            Self::Collection(collection) => Some(&collection.split),
            Self::Fixture(_) => None,
        }
    }

    /// How its documents are cut unless it is said: those of a collection are texts of one chunk, files aren't.
    #[must_use]
    pub fn usual_cut(&self) -> ChunkCut {
        match self {
            Self::Collection(_) => ChunkCut::Whole,
            Self::Fixture(_) => ChunkCut::ToFit(ChunkSettings::default()),
        }
    }
}
