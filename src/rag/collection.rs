//! Collections that rankings are measured on, as BEIR lays them out (Thakur et al. 2021): `corpus.jsonl`,
//! `queries.jsonl`, `qrels/SPLIT.tsv`.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::measure::{ExpectedWithin, Judgements};
use crate::domain::library::{BlockKind, DocumentBlock, SourceDocument};

/// Bytes of one line at most.
const LINE: u64 = 16 << 20;
/// Judgements of a file at most.
const JUDGEMENTS: usize = 10_000_000;

/// A question that documents were judged for.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedQuestion {
    pub id: String,
    pub text: String,
    pub judgements: Judgements,
    /// What is expected among the first ranks, if the question says so.
    pub within: Option<ExpectedWithin>,
}

/// A folder with a collection.
#[derive(Debug, Clone)]
pub struct Collection {
    folder: PathBuf,
    /// The split that is asked, and its file.
    pub split: String,
    qrels: PathBuf,
}

#[derive(Deserialize)]
struct CorpusLine {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    text: String,
}

impl Collection {
    /// Looks at a folder; without a split it is `test`, or the only one that there is.
    ///
    /// # Errors
    /// Where a file is missing: the sentence says which splits there are.
    pub fn open(folder: &Path, split: Option<&str>) -> Result<Self> {
        for name in ["corpus.jsonl", "queries.jsonl"] {
            ensure!(
                folder.join(name).is_file(),
                "{} is no collection: it has no {name}; what is needed is corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv",
                folder.display()
            );
        }
        let splits = splits(&folder.join("qrels"));
        let wanted = match split {
            Some(split) => split.to_owned(),
            None if splits.contains_key("test") || splits.len() != 1 => "test".to_owned(),
            None => splits.keys().next().cloned().unwrap_or_default(),
        };
        let Some(qrels) = splits.get(&wanted).cloned() else {
            let known: Vec<&str> = splits.keys().map(String::as_str).collect();
            bail!("{} has no qrels/{wanted}.tsv; there are: {}", folder.display(), known.join(", "));
        };
        Ok(Self { folder: folder.to_path_buf(), split: wanted, qrels })
    }

    /// The documents, one after the other.
    ///
    /// # Errors
    /// Where the file can't be read, or a line is no document.
    pub fn documents(&self) -> Result<impl Iterator<Item = Result<SourceDocument>> + use<>> {
        let path = self.folder.join("corpus.jsonl");
        let mut seen = HashMap::new();
        Ok(lines(&path)?.map(move |line| {
            let (number, line) = line?;
            let read: CorpusLine = serde_json::from_str(&line)
                .with_context(|| format!("read line {number} of {}", path.display()))?;
            once(&mut seen, &read.id, number, &path)?;
            let block =
                DocumentBlock { section: Vec::new(), page: None, kind: BlockKind::Prose, text: read.text };
            let (source, title, blocks) = (read.id, read.title, vec![block]);
            Ok(SourceDocument { source, title, blocks, ..SourceDocument::default() })
        }))
    }

    /// The questions of the split that have a relevant document, in the order of their file.
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn questions(&self) -> Result<Vec<JudgedQuestion>> {
        let mut judged = self.judgements()?;
        let path = self.folder.join("queries.jsonl");
        let (mut questions, mut seen) = (Vec::new(), HashMap::new());
        for line in lines(&path)? {
            let (number, line) = line?;
            let read: CorpusLine = serde_json::from_str(&line)
                .with_context(|| format!("read line {number} of {}", path.display()))?;
            once(&mut seen, &read.id, number, &path)?;
            let judgements = judged.remove(&read.id);
            questions.extend(judgements.map(|judgements| JudgedQuestion {
                id: read.id,
                text: read.text,
                judgements,
                within: None,
            }));
        }
        ensure!(
            !questions.is_empty(),
            "no question of {} is judged in {}",
            path.display(),
            self.qrels.display()
        );
        Ok(questions)
    }

    fn judgements(&self) -> Result<HashMap<String, Judgements>> {
        let mut judged: HashMap<String, Judgements> = HashMap::new();
        for line in lines(&self.qrels)? {
            let (number, line) = line?;
            ensure!(number <= JUDGEMENTS, "{} has more than {JUDGEMENTS} lines", self.qrels.display());
            let mut cells = line.split('\t');
            let (question, document, grade) = (cells.next(), cells.next(), cells.next());
            let parsed = grade.and_then(|grade| grade.trim().parse::<f64>().ok());
            match (question, document, parsed) {
                (Some(question), Some(document), Some(grade)) => {
                    let own = judged.entry(question.to_owned()).or_default();
                    ensure!(
                        grade.is_finite(),
                        "line {number} of {} judges by {grade}, which is no grade",
                        self.qrels.display()
                    );
                    let before = own.insert(document.to_owned(), grade);
                    ensure!(
                        before.is_none_or(|before| before.total_cmp(&grade).is_eq()),
                        "line {number} of {} judges {document} for {question} again, and otherwise than before",
                        self.qrels.display()
                    );
                }
                // The heading.
                _ if number == 1 => {}
                _ => bail!("line {number} of {} is no judgement: {line}", self.qrels.display()),
            }
        }
        for judgements in judged.values_mut() {
            judgements.retain(|_, grade| *grade > 0.0);
        }
        judged.retain(|_, judgements| !judgements.is_empty());
        Ok(judged)
    }
}

/// Refuses an id that an earlier line has: which of the two was judged is not to be told.
fn once(seen: &mut HashMap<String, usize>, id: &str, number: usize, path: &Path) -> Result<()> {
    if let Some(first) = seen.insert(id.to_owned(), number) {
        bail!(
            "{} has the id {id} twice, in lines {first} and {number}: rename or remove one",
            path.display()
        );
    }
    Ok(())
}

fn splits(qrels: &Path) -> BTreeMap<String, PathBuf> {
    let entries = std::fs::read_dir(qrels).into_iter().flatten().filter_map(Result::ok);
    let split = |path: PathBuf| {
        let is_table = path.extension().is_some_and(|end| end == "tsv");
        let name = path.file_stem()?.to_string_lossy().into_owned();
        is_table.then_some((name, path))
    };
    entries.filter_map(|entry| split(entry.path())).collect()
}

/// Lines with their numbers, from 1; empty ones are passed over.
fn lines(path: &Path) -> Result<impl Iterator<Item = Result<(usize, String)>> + use<>> {
    let file = File::open(path).with_context(|| format!("read {}", path.display()))?;
    let (mut reader, path, mut number) = (BufReader::new(file), path.to_path_buf(), 0);
    Ok(std::iter::from_fn(move || {
        loop {
            let mut line = String::new();
            number += 1;
            let read = (&mut reader).take(LINE).read_line(&mut line);
            return match read.with_context(|| format!("read line {number} of {}", path.display())) {
                Ok(0) => None,
                Ok(bytes) if bytes as u64 == LINE => {
                    Some(Err(anyhow::anyhow!("line {number} of {} is longer than 16 MiB", path.display())))
                }
                Ok(_) if line.trim().is_empty() => continue,
                Ok(_) => Some(Ok((number, line.trim_end_matches(['\n', '\r']).to_owned()))),
                Err(error) => Some(Err(error)),
            };
        }
    }))
}
