//! The fixtures of QMD's own measurement, a JSON file each: questions, and the files that are expected among the first
//! results. The files are a folder's; a fixture names it by its collection.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::collection::JudgedQuestion;
use super::load;
use super::measure::{ExpectedWithin, Judgements};
use super::search::typed;
use crate::data::regular;
use crate::domain::library::SourceDocument;

/// Bytes of a fixture at most.
const MOST: u64 = 64 << 20;
/// Folders above a fixture in which its documents are looked for.
const ABOVE: usize = 6;

/// A fixture and its documents.
#[derive(Debug, Clone)]
pub struct BenchFixture {
    pub path: PathBuf,
    documents: PathBuf,
    /// Of the documents, from their folder.
    files: Vec<(String, PathBuf)>,
    questions: Vec<FixtureQuestion>,
}

#[derive(Debug, Clone, Deserialize)]
struct FixtureFile {
    collection: Option<String>,
    queries: Vec<FixtureQuestion>,
}

#[derive(Debug, Clone, Deserialize)]
struct FixtureQuestion {
    id: String,
    query: String,
    expected_files: Vec<String>,
    /// The first results that the expected files are looked for in.
    expected_in_top_k: usize,
}

/// The questions of a fixture, and what is not asked of it, one sentence each.
#[derive(Debug, Clone, Default)]
pub struct FixtureQuestions {
    pub questions: Vec<JudgedQuestion>,
    pub left_out: Vec<String>,
}

impl BenchFixture {
    /// The fixture that a path means: a file, or the only one in a folder. Nothing if there is none.
    ///
    /// # Errors
    /// Where a folder has several, or its documents aren't found: `documents` says where they are.
    pub fn find(path: &Path, documents: Option<&Path>) -> Result<Option<Self>> {
        let files = if path.is_dir() { json_files(path)? } else { vec![path.to_path_buf()] };
        let mut found: Vec<(PathBuf, FixtureFile)> =
            files.into_iter().filter_map(|file| read(&file).map(|read| (file, read))).collect();
        if found.len() > 1 {
            let names: Vec<String> = found.iter().map(|(path, _)| path.display().to_string()).collect();
            bail!("{} has several fixtures: name one of {}", path.display(), names.join(", "));
        }
        let Some((path, FixtureFile { collection, queries })) = found.pop() else { return Ok(None) };
        let documents = match documents {
            Some(folder) => folder.to_path_buf(),
            None => folder_of(&path, collection.as_deref())?,
        };
        let files = load::files_under(&documents)?.files;
        ensure!(
            !files.is_empty(),
            "{} has no documents to measure {} on",
            documents.display(),
            path.display()
        );
        let root = documents.canonicalize().unwrap_or_else(|_| documents.clone());
        let within = |file: PathBuf| {
            let name = file.strip_prefix(&root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            (name, file)
        };
        let files = files.into_iter().map(within).collect();
        Ok(Some(Self { path, documents, files, questions: queries }))
    }

    /// The documents, one after the other; each is called by its path from their folder.
    pub fn documents(&self) -> impl Iterator<Item = Result<SourceDocument>> + use<> {
        self.files.clone().into_iter().map(|(name, file)| {
            let read = load::read(&file)?;
            Ok(SourceDocument { source: name, ..read })
        })
    }

    #[must_use]
    pub const fn document_count(&self) -> usize {
        self.files.len()
    }

    /// The questions that can be asked. An expected file that isn't there counts as not found, if another is.
    #[must_use]
    pub fn questions(&self) -> FixtureQuestions {
        let mut found = FixtureQuestions::default();
        for question in &self.questions {
            match self.judged(question) {
                Ok((judged, missing)) => {
                    found.questions.push(judged);
                    found.left_out.extend(missing);
                }
                Err(why) => found.left_out.push(why),
            }
        }
        found
    }

    /// The question with its judgements, and what is missing of them; else why it isn't asked.
    fn judged(&self, question: &FixtureQuestion) -> Result<(JudgedQuestion, Option<String>), String> {
        let FixtureQuestion { id, query, expected_files, expected_in_top_k } = question;
        if !matches!(typed(query), Ok(None)) {
            return Err(format!("{id} is not asked: it is in lines of lex, vec or hyde, not in words"));
        }
        if expected_files.is_empty() || *expected_in_top_k == 0 {
            return Err(format!("{id} is not asked: it expects no file"));
        }
        let mut judgements = Judgements::new();
        let mut expected = Vec::new();
        let mut missing = Vec::new();
        for name in expected_files {
            let meant = self.meant(name);
            if meant.is_empty() {
                missing.push(name.as_str());
                judgements.insert(name.clone(), 1.0);
                expected.push(vec![name.clone()]);
                continue;
            }
            judgements.extend(meant.iter().map(|source| (source.clone(), 1.0)));
            expected.push(meant);
        }
        let place = self.documents.display();
        let names = missing.join(", ");
        if missing.len() == expected_files.len() {
            return Err(format!("{id} is not asked: {place} has no {names}"));
        }
        let told =
            (!missing.is_empty()).then(|| format!("{id} counts as not found what {place} hasn't: {names}"));
        let within = Some(ExpectedWithin { ranks: *expected_in_top_k, each: expected });
        let (id, text) = (id.clone(), query.clone());
        Ok((JudgedQuestion { id, text, judgements, within }, told))
    }

    /// The documents that a name means, as QMD reads it: a whole path, or the end of one, whatever the case.
    fn meant(&self, name: &str) -> Vec<String> {
        let wanted = normal(name);
        let sources = || self.files.iter().map(|(source, _)| source);
        let is_whole = |source: &&String| normal(source) == wanted;
        if let Some(source) = sources().find(is_whole) {
            return vec![source.clone()];
        }
        let end = format!("/{wanted}");
        sources().filter(|source| normal(source).ends_with(&end)).cloned().collect()
    }
}

/// A path as two are compared.
fn normal(path: &str) -> String {
    let inside =
        path.strip_prefix("qmd://").map(|rest| rest.split_once('/').map_or(rest, |(_, inside)| inside));
    inside.unwrap_or(path).trim_matches('/').to_lowercase()
}

/// A fixture, if the file is one.
fn read(path: &Path) -> Option<FixtureFile> {
    let text = regular::text(path, MOST).ok()?;
    serde_json::from_str::<FixtureFile>(&text).ok().filter(|fixture| !fixture.queries.is_empty())
}

fn json_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "json") && path.is_file()).collect();
    files.sort();
    Ok(files)
}

/// The folder of a fixture's documents: of its collection's name, beside it or in a folder above, or in `test` there.
fn folder_of(path: &Path, collection: Option<&str>) -> Result<PathBuf> {
    let help = "say --documents FOLDER";
    let Some(name) = collection.filter(|name| !name.is_empty() && !name.contains(['/', '\\'])) else {
        bail!("{} names no collection of documents: {help}", path.display());
    };
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let above = whole.ancestors().skip(1).take(ABOVE);
    let mut places = above.flat_map(|folder| [folder.join(name), folder.join("test").join(name)]);
    places.find(|place| place.is_dir()).with_context(|| {
        format!("{} is of the documents {name:?}, and no folder of that name is near: {help}", path.display())
    })
}
